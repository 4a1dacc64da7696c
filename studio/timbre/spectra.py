"""Short-time spectra of a sound, and the way back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio, Block
from studio.stretch.overlap import batches, cut, hann, overlap_add, window_size
from studio.tempo import Floats

Complex = NDArray[np.complex64]

WINDOW = 0.046
"""Seconds: long enough for partials 80 Hz apart, short enough for hits."""

OVERLAP = 4


@dataclass(frozen=True, eq=False)
class Spectra:
    """Windows of `size` frames, `size` / 4 apart, as spectra of shape ``(channels, windows, bins)``."""

    values: Complex
    size: int
    rate: int
    frames: int

    @property
    def hop(self) -> int:
        """Samples from one spectrum to the next."""
        return self.size // OVERLAP

    @property
    def magnitudes(self) -> Floats:
        """The root of the power of all channels together, ``(windows, bins)``."""
        return np.asarray(np.sqrt(np.square(np.abs(self.values)).sum(axis=0, dtype=np.float64)))

    @property
    def seconds(self) -> Floats:
        """The moment in the middle of each window."""
        return (np.arange(self.values.shape[1]) - OVERLAP + 1) * self.hop / self.rate + self.size / 2 / self.rate

    @property
    def hz(self) -> Floats:
        """The frequency of each bin."""
        return np.fft.rfftfreq(self.size, 1 / self.rate).astype(np.float64)

    def changed(self, gains: Floats) -> Spectra:
        """With one gain for each window and bin, the same on all channels, which keeps the stereo image."""
        return replace(self, values=(self.values * gains).astype(np.complex64))

    def sound(self) -> Audio:
        """The sound, exactly as long as the one they were taken from."""
        from scipy.fft import irfft

        shape = hann(self.size)
        level = shape / (np.square(shape).sum() / self.hop)

        def windows() -> Iterator[Floats]:
            for part in batches(self.values.shape[1], self.size, self.values.shape[0]):
                yield irfft(self.values[:, part], self.size) * level

        first = -(OVERLAP - 1) * self.hop
        return Audio(overlap_add(windows(), self.hop, first, self.values.shape[0], self.frames), self.rate)


def analysed(audio: Audio, seconds: float = WINDOW) -> Spectra:
    """The spectra of a sound, in windows about `seconds` long."""
    from scipy.fft import rfft

    size = window_size(seconds, audio.rate)
    hop, shape = size // OVERLAP, hann(size)
    starts = np.arange(-(OVERLAP - 1) * hop, max(audio.frames, 1), hop)
    values = np.empty((audio.channels, len(starts), size // 2 + 1), np.complex64)
    for part in batches(len(starts), size, audio.channels):
        values[:, part] = rfft(cut(audio.samples, starts[part], size) * shape)
    return Spectra(values, size, audio.rate, audio.frames)


def levelled(magnitudes: Floats, like: Floats) -> Floats:
    """Each spectrum brought to the power of its partner, so that the loudness contour stays."""
    power, wanted = (np.square(each).sum(axis=1, keepdims=True) for each in (magnitudes, like))
    return np.asarray(magnitudes * np.sqrt(wanted / np.maximum(power, 1e-20)))


def loud(magnitudes: Floats, range_db: float = 30.0) -> NDArray[np.bool_]:
    """Which spectra are within `range_db` of the strongest."""
    power = np.square(magnitudes).sum(axis=1)
    return np.asarray(power > power.max(initial=0.0) * 10 ** (-range_db / 10))


def as_long_as(target: Audio, frames: int) -> Audio:
    """A sound repeated, each time faded into the next over 50 ms, until it is long enough."""
    if target.frames >= frames:
        return Audio(target.samples[:, :frames], target.rate)
    fade = min(round(0.05 * target.rate), target.frames // 4)
    period = target.frames - fade
    ramp = np.linspace(0, 1, fade, endpoint=False, dtype=np.float32)
    shaped: Block = target.samples.copy()
    shaped[:, :fade] *= np.sin(np.pi / 2 * ramp)
    shaped[:, period:] *= np.cos(np.pi / 2 * ramp)
    out = np.zeros((target.channels, -(-frames // period) * period + fade), np.float32)
    for start in range(0, frames, period):
        out[:, start : start + target.frames] += shaped
    return Audio(out[:, :frames], target.rate)
