"""What a voice is driven by: pitch and loudness, a hundred times a second.

A frame lasts a whole number of samples, so frames and sound never drift apart, at any rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.stretch.f0 import track_f0
from studio.stretch.overlap import batches, cut, hann, window_size
from studio.tempo import Floats

FRAMES_PER_SECOND = 100
QUIETEST = -90.0
"""dB below which nothing is heard."""


@dataclass(frozen=True, eq=False)
class Features:
    """One value a frame: `hz`, filled in where there is no pitch; `loudness` in dB(A); `voiced`."""

    hz: Floats
    loudness: Floats
    voiced: NDArray[np.bool_]

    @property
    def frames(self) -> int:
        """How many frames of features there are."""
        return len(self.hz)


def hop_of(rate: int) -> int:
    """Samples a frame."""
    return round(rate / FRAMES_PER_SECOND)


def features(audio: Audio, low_hz: float = 50.0, high_hz: float = 2_200.0) -> Features:
    """The features of a sound of one voice: its pitch by YIN, and its loudness."""
    loud = loudness(audio)
    track = track_f0(audio, low_hz, min(high_hz, audio.rate / 4))
    seconds = np.arange(len(loud)) * hop_of(audio.rate) / audio.rate
    hz = track.at(seconds)
    voiced = np.isfinite(hz) & (loud > QUIETEST)
    return Features(filled(hz), loud, voiced)


def filled(hz: Floats) -> Floats:
    """A pitch everywhere: between voiced moments it glides, in octaves."""
    there = np.flatnonzero(np.isfinite(hz))
    if not len(there):
        return np.full(len(hz), 220.0)
    return np.asarray(np.exp2(np.interp(np.arange(len(hz)), there, np.log2(hz[there]))))


def loudness(audio: Audio) -> Floats:
    """A-weighted power in dB around each frame's first sample (weights of IEC 61672-1), the mean of the channels."""
    hop, size = hop_of(audio.rate), loudness_window(audio.rate)
    starts = np.arange(audio.frames // hop + 1) * hop - size // 2
    mono = audio.samples.mean(axis=0, keepdims=True)
    pieces = [loudness_of(cut(mono, starts[part], size)[0], audio.rate) for part in batches(len(starts), size, 1)]
    return np.concatenate(pieces)


def loudness_window(rate: int) -> int:
    """Samples that a loudness is read from."""
    return window_size(0.046, rate)


def loudness_of(windows: Floats, rate: int) -> Floats:
    """The loudness in dB(A) of windows ``(windows, loudness_window(rate))``."""
    size = windows.shape[1]
    power = np.square(np.abs(np.fft.rfft(windows * hann(size))))
    return np.asarray(np.maximum(10 * np.log10(power @ _weights(size, rate) + 1e-20), QUIETEST))


@cache
def _weights(size: int, rate: int) -> Floats:
    square = np.square(np.fft.rfftfreq(size, 1 / rate))
    response = (
        1.2588966 * 148_840_000 * square**2
        / ((square + 424.36) * np.sqrt((square + 11_599.29) * (square + 544_496.41)) * (square + 148_840_000))
    )  # fmt: skip
    # A full-scale sine at 1 kHz is -3 dB: its power lies in the three bins of the window's main lobe.
    return np.asarray(np.square(response) * 2 / (size * np.square(hann(size)).sum()))
