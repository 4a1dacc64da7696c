"""How far a played instrument is from the one it was sampled from: level, colour, onset and pitch of each note."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block

_SIZE, _HOP = 2048, 512
_BANDS = 40
_HEARD = -50.0
"""Pieces of the sound this far below its loudest, in dB, are not compared."""


@dataclass(frozen=True)
class Distance:
    """What is between two renders of the same notes.

    Attributes:
        level_db: the level of all, against the original.
        mel_db: mean difference of the levels of 40 mel bands, 46 ms a piece, where the original is heard.
        onset_ms: the largest difference of an onset.
        pitch_cents: the largest difference of a pitch.
    """

    level_db: float
    mel_db: float
    onset_ms: float
    pitch_cents: float


def distance(sound: Block, original: Block, rate: int, notes: list[tuple[float, float]]) -> Distance:
    """Compare two sounds of the same length; `notes` that sound alone are given by their start and end in seconds."""
    one, other = sound.mean(axis=0, dtype=np.float64), original.mean(axis=0, dtype=np.float64)
    level = 10 * np.log10((np.square(one).sum() + 1e-20) / (np.square(other).sum() + 1e-20))
    mine, theirs = mel_levels(one, rate), mel_levels(other, rate)
    heard = theirs > max(theirs.max() + _HEARD, -120)
    mel = float(np.abs(mine - theirs)[heard].mean())
    onsets, pitches = [0.0], [0.0]
    for start, end in notes:
        begin = round((start - 0.02) * rate)
        piece = slice(max(begin, 0), round(min(end, start + 0.25) * rate))
        onsets.append(1000 * abs(_onset(one[piece], rate) - _onset(other[piece], rate)))
        held = slice(round((start + 0.05) * rate), round(end * rate))
        pitches.append(_cents(one[held], other[held], rate))
    return Distance(*(round(float(value), 2) for value in (level, mel, max(onsets), max(pitches))))


def mel_levels(sound: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Levels in dB of mel bands (O'Shaughnessy's scale) from 30 Hz to 16 kHz, `(bands, pieces)`."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, (0, _SIZE)), _SIZE)[::_HOP] * np.hanning(_SIZE)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / (_SIZE / 4) ** 2
    mels = np.linspace(*(2595 * np.log10(1 + np.array([30.0, min(16_000.0, 0.45 * rate)]) / 700)), _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hz = np.fft.rfftfreq(_SIZE, 1 / rate)
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    bands = np.maximum(np.minimum(rise, fall), 0)
    return np.asarray(10 * np.log10(bands @ power.T + 1e-12))


def _onset(sound: NDArray[np.float64], rate: int) -> float:
    """The second at which it first is within 12 dB of the loudest it gets, over 2 ms."""
    size = max(round(0.002 * rate), 1)
    power = np.convolve(np.square(sound), np.ones(size) / size)[: len(sound)]
    return float(np.argmax(power >= power.max() * 10**-1.2)) / rate


def _cents(one: NDArray[np.float64], other: NDArray[np.float64], rate: int) -> float:
    """How far apart the strongest partials of two sounds are, near that of the second."""
    a, b = (np.abs(np.fft.rfft(each * np.hanning(len(each)), 8 * len(each))) for each in (one, other))
    there = int(np.argmax(b))
    low, high = int(there / 1.06), int(there * 1.06) + 2
    here = low + int(np.argmax(a[low:high]))
    return float(abs(1200 * np.log2(here / there))) if there > 8 else 0.0
