"""How far a played instrument is from the one it was sampled from: level, timbre, onset and pitch of each note."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block

_SIZE, _HOP = 2048, 512
_BANDS = 40
_HEARD = -50.0
"""Pieces of the sound this far below its loudest, in dB, are not compared."""

_MOVED = -42.0
"""The same for the course of its level: a swell from the softest comes from there, and rooms ring on below."""


@dataclass(frozen=True)
class Distance:
    """What is between two renders of the same notes.

    Attributes:
        level_db: the level of all, against the original.
        mel_db: mean difference of the levels of 40 mel bands, 46 ms a piece, where the original is heard.
        onset_ms: the largest difference of an onset.
        pitch_cents: the largest difference of a pitch.
        envelope_db: mean difference of the levels of pieces of 200 ms, left and right, while the sound is moved.
    """

    level_db: float
    mel_db: float
    onset_ms: float
    pitch_cents: float
    envelope_db: float = 0.0


def distance(
    sound: Block, original: Block, rate: int, notes: list[tuple[float, float]], moved: float | None = None
) -> Distance:
    """Compare two sounds of the same length.

    Args:
        sound, original: `(2, frames)`.
        rate: in Hz.
        notes: those that sound alone, by their start and end in seconds.
        moved: from which second on notes are moved while they are held; None if they never are.
    """
    envelope = 0.0
    if moved is not None:
        first = round(moved * rate)
        envelope = _envelope(sound[:, first:], original[:, first:], rate)
        sound, original = sound[:, :first], original[:, :first]
    one, other = sound.mean(axis=0, dtype=np.float64), original.mean(axis=0, dtype=np.float64)
    level = 10 * np.log10((np.square(one).sum() + 1e-20) / (np.square(other).sum() + 1e-20))
    mine, theirs = mel_levels(one, rate), mel_levels(other, rate)
    heard = theirs > max(theirs.max() + _HEARD, -120)
    mel = float(np.abs(mine - theirs)[heard].mean())
    onsets, pitches = [0.0], [0.0]
    for start, end in notes:
        piece = slice(max(round((start - 0.06) * rate), 0), round(min(end, start + 0.25) * rate))
        onsets.append(1000 * _late(one[piece], other[piece], rate))
        held = slice(round((start + 0.05) * rate), round(end * rate))
        pitches.append(_cents(one[held], other[held], rate))
    return Distance(*(round(float(value), 2) for value in (level, mel, max(onsets), max(pitches), envelope)))


def _envelope(one: Block, other: Block, rate: int) -> float:
    """The mean difference of two courses of level in dB, where the second is heard."""
    size = round(0.2 * rate)
    frames = one.shape[1] // size * size
    levels = [
        10 * np.log10(np.square(each[:, :frames].astype(np.float64)).reshape(2, -1, size).mean(axis=2) + 1e-10)
        for each in (one, other)
    ]
    heard = levels[1] > levels[1].max() + _MOVED
    return float(np.abs(levels[0] - levels[1])[heard].mean()) if heard.any() else 0.0


def mel_levels(sound: NDArray[np.float64], rate: int) -> NDArray[np.float64]:
    """Levels in dB of mel bands (O'Shaughnessy's scale) from 30 Hz to 16 kHz, `(bands, pieces)`."""
    frames = np.lib.stride_tricks.sliding_window_view(np.pad(sound, (0, _SIZE)), _SIZE)[::_HOP] * np.hanning(_SIZE)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / (_SIZE / 4) ** 2
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (30.0, min(16_000.0, 0.45 * rate)))
    mels = np.linspace(low, high, _BANDS + 2)
    edges = 700 * (10 ** (mels / 2595) - 1)
    hz = np.fft.rfftfreq(_SIZE, 1 / rate)
    rise = (hz - edges[:-2, None]) / np.diff(edges)[:-1, None]
    fall = (edges[2:, None] - hz) / np.diff(edges)[1:, None]
    bands = np.maximum(np.minimum(rise, fall), 0)
    return np.asarray(10 * np.log10(bands @ power.T + 1e-12))


def _late(one: NDArray[np.float64], other: NDArray[np.float64], rate: int) -> float:
    """By how many seconds one note begins after the other: where the courses of their levels lie upon each other."""
    size, most = max(round(0.001 * rate), 1), 40
    a, b = (
        np.sqrt(np.square(each[: len(each) // size * size]).reshape(-1, size).mean(axis=1)) for each in (one, other)
    )
    smooth = np.hanning(9) / np.hanning(9).sum()
    a, b = (np.convolve(each, smooth, "same") for each in (a, b))
    found = {}
    for lag in range(-most, most + 1):
        here, there = (a[lag:], b[: len(b) - lag]) if lag >= 0 else (a[:lag], b[-lag:])
        count = min(len(here), len(there))
        found[lag] = _correlation(here[:count], there[:count]) if count > most else -1.0
    return abs(_best(found)) * size / rate


def _cents(one: NDArray[np.float64], other: NDArray[np.float64], rate: int) -> float:
    """How far apart the pitches of two tones are: the shift at which their spectra lie upon each other, to 60 cents."""
    size = 1 << 17
    hz = 50 * 2 ** (np.arange(0, 7 * 600) / 600)  # steps of two cents
    bins = hz * size / rate
    spectra = []
    for each in (one, other):
        power = np.abs(np.fft.rfft(each[: size // 2] * np.hanning(len(each[: size // 2])), size)) ** 2
        spectra.append(np.log10(np.interp(bins, np.arange(len(power)), power) + power.max() * 1e-4 + 1e-20))
    a, b = spectra
    found = {
        shift: _correlation(a[max(shift, 0) : len(a) + min(shift, 0)], b[max(-shift, 0) : len(b) - max(shift, 0)])
        for shift in range(-30, 31)
    }
    return 2.0 * abs(_best(found))


def _best(found: dict[int, float]) -> int:
    """The shift of the highest correlation, the smallest of those that are as good."""
    best = max(found.values())
    return min((shift for shift, value in found.items() if value > best - 1e-4), key=abs)


def _correlation(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b) + 1e-30))
