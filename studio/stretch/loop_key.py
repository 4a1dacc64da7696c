"""The key of a sound, by its pitch classes and its bass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from studio.audio import Audio
from studio.tempo import Floats

_MAJOR = np.array([0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081])
_MINOR = np.array([0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052])
"""How often each pitch class above the tonic is played (Albrecht & Shanahan 2013)."""

_NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_WINDOW = 8192
"""Frames of a look, at 44.1 kHz."""

_LOW_HZ, _HIGH_HZ = 55.0, 2_000.0
_BASS, _FIRST = 0.3, 0.2
"""What a bass that stays on the tonic, and one that begins there, add to the correlation of a key: phrases begin at home."""

_SHARP = 9.0
"""How much a difference of that sum says: in forty songs of eight instruments shares over 0.8 were right twenty times of twenty, less sure ones in three of four."""

_CLEAR, _TONAL = 4.0, 0.3
_FLAT = 0.4
"""A best correlation below this is none: drums and noise have up to 0.35."""


@dataclass(frozen=True)
class KeyReading:
    """A key such as ``A minor``, and its share of belief (0 to 1)."""

    name: str
    share: float


def find_key(audio: Audio) -> KeyReading | None:
    """The key that a sound is in: its pitch classes and its bass against all 24 keys; None for drums, noise, silence."""
    chroma, bass, first = np.zeros(12), np.zeros(12), np.zeros(12)
    looks = list(_looks(audio))
    if sum(len(tones) > 0 for tones, _ in looks) < _TONAL * len(looks):
        return None
    for index, (tones, strength) in enumerate(looks):
        if not len(tones):
            continue
        classes = np.round(tones).astype(np.int64) % 12
        np.add.at(chroma, classes, strength)
        low = classes[np.flatnonzero(strength > 0.3 * strength.max())[0]]
        bass[low] += strength.max()
        if index <= len(looks) // 8:
            first[low] += strength.max()
    if not chroma.any() or chroma.std() < 0.05 * chroma.mean():
        return None
    profiles = np.array([np.roll(kind, tonic) for kind in (_MAJOR, _MINOR) for tonic in range(12)])
    likeness = np.array([float(np.corrcoef(chroma, profile)[0, 1]) for profile in profiles])
    if likeness.max() < _FLAT:
        return None
    odds = likeness + np.tile(_BASS * bass / bass.sum() + _FIRST * first / max(float(first.sum()), 1e-12), 2)
    best = int(odds.argmax())
    shares = np.exp(_SHARP * (odds - odds[best]))
    return KeyReading(f"{_NAMES[best % 12]} {'major' if best < 12 else 'minor'}", float(1 / shares.sum()))


def _looks(audio: Audio) -> Iterator[tuple[Floats, Floats]]:
    """The tones of each look, as MIDI's numbers from the lowest up, and the root of their amplitudes.

    Only peaks that stand out of what is around them count (noise has peaks of 2.5 times its median), at the frequency of a
    parabola through each, and of those only what is no overtone of a stronger one below it.
    """
    from scipy.ndimage import median_filter

    mono = audio.samples.mean(axis=0, dtype=np.float64)
    size = min(_WINDOW * max(1, round(audio.rate / 44_100)), 1 << max(8, int(np.log2(max(len(mono), 256)))))
    window, hertz = np.hanning(size), audio.rate / size
    padded = np.pad(mono, (0, max(0, size - len(mono))))
    for first in range(0, len(padded) - size + 1, size // 2):
        level = np.abs(np.fft.rfft(padded[first : first + size] * window))
        level = level[: int(2 * _HIGH_HZ / hertz) + 2]
        inner, around = level[1:-1], _CLEAR * median_filter(level, 41)[1:-1]
        floor = np.maximum(around, 0.03 * level.max(initial=0.0) + 1e-7 * size)
        tops = np.flatnonzero((inner > level[:-2]) & (inner >= level[2:]) & (inner > floor)) + 1
        tops = tops[(tops * hertz > _LOW_HZ) & (tops * hertz < _HIGH_HZ)]
        left, middle, right = (np.log(level[tops + by] + 1e-12) for by in (-1, 0, 1))
        tones = 69 + 12 * np.log2(
            (tops + 0.5 * (left - right) / np.minimum(left - 2 * middle + right, -1e-9)) * hertz / 440
        )
        strength = np.sqrt(level[tops])
        intervals = tones[:, None] - tones[None]
        over = np.isin(np.round(intervals), (19, 24, 28, 31)) & (np.abs(intervals - np.round(intervals)) < 0.25)
        over &= strength[None] > 0.7 * strength[:, None]
        kept = (np.abs(tones - np.round(tones)) < 0.35) & ~over.any(axis=1)
        yield tones[kept], strength[kept]
