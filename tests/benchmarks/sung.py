"""How near a sung phrase comes to the phrase itself, in the figures of the tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from studio.audio import Audio
from studio.nets.features import Features, hop_of, loudness
from studio.nets.losses import spectral
from studio.nets.synthesis import audible, harmonics, phases
from studio.stretch import track_f0
from tests.listening import log_mel_distance_db

SIZES = (4096, 2048, 1024, 512, 256, 128, 64)


@dataclass(frozen=True)
class Nearness:
    """How far a sound is from the one it should be.

    Attributes:
        spectral: multi-resolution STFT distance, L1 of magnitudes and of their logarithms; silence has about 3.
        log_mel: dB, over the cells that are above -80 dB in either.
        loudness: dB(A), mean over the frames within 45 dB of the loudest.
    """

    spectral: float
    log_mel: float
    loudness: float


def nearness(made: Audio, wanted: Audio) -> Nearness:
    """Of two sounds that begin together."""
    frames = min(made.frames, wanted.frames)
    one, other = (each.samples.mean(axis=0, keepdims=True)[:, :frames] for each in (made, wanted))
    levels = [loudness(Audio(each, made.rate)) for each in (one, other)]
    heard = levels[1] > levels[1].max() - 45
    return Nearness(
        float(spectral(torch.tensor(one), torch.tensor(other), SIZES)),
        log_mel_distance_db(one, other, made.rate),
        float(np.abs(levels[0] - levels[1])[heard].mean()),
    )


def in_tune(made: Audio, given: Features) -> float:
    """The share of frames that are heard whose pitch, as YIN finds it, is within 50 cents of what was asked for."""
    level = loudness(made)
    count = min(len(level), given.frames)
    found = track_f0(made, 50.0, 2_200.0).at(np.arange(count) * hop_of(made.rate) / made.rate)
    heard = level[:count] > level.max() - 45
    return float((np.abs(1200 * np.log2(found / given.hz[:count])) < 50)[heard].mean())


def pure_tone(given: Features, rate: int) -> Audio:
    """Forty harmonics at exactly the pitch that is asked for: what YIN makes of it is the most there is to reach."""
    hz = torch.tensor(given.hz)[None]
    loud = torch.tensor(10 ** (given.loudness / 20), dtype=torch.float32)[None, :, None]
    amplitudes = loud * audible(hz, 40, rate).float() / torch.arange(1, 41)
    turns, _ = phases(hz, hop_of(rate), rate)
    return Audio(harmonics(turns, amplitudes).numpy(), rate)
