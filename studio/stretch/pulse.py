"""How well the hits of a sound that goes round fall on so many equal beats."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.tempo import Floats

HOP, _WINDOW = 0.004, 0.023
"""Seconds between two looks at the spectrum, and of each look."""

_LATE = 0.003
"""Seconds by which the rise of the spectrum is seen before the middle of a look that holds the hit."""

_BANDS = 24
_FLOOR_DB = -60.0
"""How far below the loudest moment of a band its level still counts."""

_WIDTH = 6.0
"""Looks over which the rise of one hit is spread."""

_FINE = 64
"""Places of the spectrum for each whole number of parts."""

_SNARE_HZ = (200.0, 6000.0)
"""Where a snare is loud and a kick is not."""

_SHORTEST = 0.1
_SILENT_DB = -80.0


@dataclass(frozen=True, eq=False)
class Pulse:
    """The onset envelope of a sound, bent to a circle: behind its end comes its beginning.

    Attributes:
        rises: by how many dB, in the mean over bands, it becomes louder from look to look, every 4 ms, above what it does
            all the time, and no less than zero; empty for silence and for less than 0.1 s.
        seconds: how long it goes once round.
        struck: how the amplitude of the middle, where snares and claps are loud, rises; as long as `rises`.
    """

    rises: Floats
    seconds: float
    struck: Floats = field(default_factory=lambda: np.zeros(0))

    @cached_property
    def hits(self) -> float:
        """About how many hits are heard: the rises' participation ratio, by the width of one."""
        power = float(np.sum(self.rises**2))
        return float(np.sum(self.rises)) ** 2 / power / _WIDTH if power > 0 else 0.0

    @cached_property
    def _spectrum(self) -> NDArray[np.complex128]:
        return np.asarray(np.fft.rfft(self.rises, _FINE * len(self.rises)) / float(self.rises.sum()))

    def on(self, parts: Floats) -> Floats:
        """From −1 to 1, how much of the rise falls on the edges of so many equal parts rather than between them.

        The parts need not be whole numbers: then the sound ends within one. This is the real part of a Fourier
        coefficient of the onset envelope (the Fourier tempogram of Grosche & Müller 2011, on a circle, with the first
        beat at the beginning of the sound).
        """
        parts = np.asarray(parts, np.float64)
        if not self.rises.any():
            return np.zeros(len(parts))
        bins = np.round(parts * HOP * _FINE * len(self.rises) / self.seconds).astype(np.int64)
        heard = self._spectrum[np.minimum(bins, len(self._spectrum) - 1)]
        turned = heard * np.exp(-2j * np.pi * parts * _LATE / self.seconds)
        return np.where(bins < len(self._spectrum), turned.real, 0.0)

    def grid(self, beats: Floats) -> Floats:
        """From −1 to 1, how well beats, or halves, quarters, eighths, thirds or sixths of them, explain the hits.

        Twice or half as many beats explain them about as well.
        """
        beats = np.asarray(beats, np.float64)
        even = np.sort([self.on(part * beats) for part in (1, 2, 4, 8)], axis=0)[-2:].mean(axis=0)
        uneven = np.sort([self.on(part * beats) for part in (1, 3, 6)], axis=0)[-2:].mean(axis=0)
        return np.asarray(np.maximum(even, uneven - 0.1))

    def stress(self, beats: Floats) -> Floats:
        """From −1 to 1, how much weight falls on beats and their halves and quarters: what tells 16 beats from 8."""
        beats = np.asarray(beats, np.float64)
        fine = np.maximum(self.on(4 * beats), self.on(3 * beats))
        return np.asarray(0.3 * self.on(beats) + 0.35 * self.on(2 * beats) + 0.35 * fine)

    def sixteenths(self, beats: float) -> float:
        """The share of the hits, about, that fall on odd sixteenths of so many beats."""
        eighths, sixteenths = self.on(np.array([2.0, 4.0]) * beats)
        return float(sixteenths - eighths) / 2

    def backbeat(self, beats: float) -> float:
        """From −1 to 1, by how much more of the snare falls on even beats than on odd ones: on 2 and 4 of the bar."""
        total = float(self.struck.sum())
        if total <= 0:
            return 0.0
        turns = beats / 2 * (np.arange(len(self.struck)) * HOP - _LATE) / self.seconds
        return -float(self.struck @ np.cos(2 * np.pi * turns)) / total

    def swing(self, beats: float) -> float | None:
        """Where the second eighth of a beat lies in it: 0.5 is straight, 0.667 a triplet; None where too few are heard.

        The rises are folded onto one beat; the loudest place between 0.4 and 0.8 of it is taken, with what is around it.
        """
        if not self.rises.any():
            return None
        phase = ((np.arange(len(self.rises)) * HOP - _LATE) / self.seconds * beats) % 1
        folded = np.bincount((phase * _FOLD).astype(np.int64) % _FOLD, self.rises, _FOLD)
        around = np.convolve(np.pad(folded, 4, mode="wrap"), np.hanning(11)[1:-1], "valid")
        inside = slice(round(0.4 * _FOLD), round(0.8 * _FOLD))
        if around[inside].max() < 0.1 * around.max() or beats < 2:
            return None
        top = inside.start + int(around[inside].argmax())
        near = np.arange(max(inside.start, top - 4), min(inside.stop, top + 5))
        return float(folded[near] @ (near + 0.5) / max(float(folded[near].sum()), 1e-12)) / _FOLD


_FOLD = 96
"""Places of a beat that are told apart."""


def pulse_of(audio: Audio) -> Pulse:
    """Listen to a sound: half-wave rectified rises of the level in bands (spectral flux, Dixon 2006), in decibels."""
    if audio.seconds < _SHORTEST or audio.peak_db < _SILENT_DB:
        return Pulse(np.zeros(0), audio.seconds)
    size, mono = max(32, round(_WINDOW * audio.rate)), audio.samples.mean(axis=0, dtype=np.float64)
    if not np.any(mono):
        mono = audio.samples[0].astype(np.float64)
    # Each look is around its moment, and those at the ends reach round.
    wrapped = np.take(mono, np.arange(-(size // 2) - 1, len(mono) + size), mode="wrap")
    starts = np.round(np.arange(-1, int(audio.seconds / HOP)) * HOP * audio.rate).astype(np.int64)
    window = np.hanning(size)
    edges = np.unique(np.geomspace(2, size // 2, _BANDS + 1).astype(np.int64))
    levels = np.empty((len(starts), len(edges) - 1))
    middle = np.empty(len(starts))
    low, high = (np.array(_SNARE_HZ) * size / audio.rate).astype(np.int64)
    looks = np.lib.stride_tricks.sliding_window_view(wrapped, size)
    for first in range(0, len(starts), 4096):
        chosen = np.clip(starts[first : first + 4096] + 1, 0, len(looks) - 1)
        power = np.abs(np.fft.rfft(looks[chosen] * window, axis=1)) ** 2
        levels[first : first + 4096] = np.add.reduceat(power, edges[:-1], axis=1)
        middle[first : first + 4096] = np.sqrt(power[:, low : high + 1].sum(axis=1))
    loudest = levels.max(axis=0, initial=1e-12)
    floor = np.maximum(loudest * 10 ** (_FLOOR_DB / 10), levels.max(initial=1e-12) * 1e-7)
    rises = np.maximum(np.diff(10 * np.log10(levels + floor), axis=0), 0.0).mean(axis=1)
    # What rises all the time, as noise does, is no hit.
    heard = np.maximum(rises - 2 * float(np.median(rises)) - 0.2, 0.0)
    return Pulse(heard, audio.seconds, np.maximum(np.diff(middle), 0.0))
