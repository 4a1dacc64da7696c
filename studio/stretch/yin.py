"""YIN: the lags after which a sound nearly repeats, and how nearly (de Cheveigné & Kawahara, JASA 2002)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.tempo import Floats

FINE = 10
"""Frames, at least, in the shortest period that is looked for."""

MOST = 8
"""Candidates of each window that are kept."""

SHALLOW = 0.8
"""A dip that is not deeper is none: white noise has dips of 0.77 and above."""


class Candidates(NamedTuple):
    """What may be the period of each window, the best repetition first; a longer lag counts only if it is better.

    Attributes:
        lags: ``(windows, MOST)`` in frames and parts of them, NaN where there are no more.
        depths: ``(windows, MOST)``, 0 for an exact repetition, 1 for none; infinite where there are no more.
        power: ``(windows,)``, the energy of the first two thirds.
    """

    lags: Floats
    depths: Floats
    power: Floats


def grid(rate: int, low_hz: float, high_hz: float) -> tuple[int, int, int]:
    """How many frames are taken together, and of those the longest period and the shortest."""
    coarse = max(1, int(rate / (FINE * high_hz)))
    return coarse, int(np.ceil(rate / coarse / low_hz)) + 2, max(2, int(rate / coarse / high_hz))


def candidates(windows: Floats, longest: int, shortest: int) -> Candidates:
    """The dips of the cumulative mean normalised difference, each deeper than all at shorter lags.

    These are the dips that some threshold of YIN's would choose (Mauch & Dixon, ICASSP 2014).

    Args:
        windows: ``(windows, 3 * longest)``.
        longest, shortest: periods to look for, in frames.
    """
    difference, power = _difference(windows, longest)
    total = np.cumsum(difference, axis=1)
    normal = difference * np.arange(longest) / np.maximum(total, 1e-30)
    inner = normal[:, shortest:-1]
    dips = (inner <= normal[:, shortest - 1 : -2]) & (inner < normal[:, shortest + 1 :])
    depth = np.where(dips, inner, SHALLOW)
    before = np.minimum.accumulate(np.pad(depth, ((0, 0), (1, 0)), constant_values=SHALLOW), axis=1)[:, :-1]
    rows, lag_indices = np.nonzero(depth < before)
    rank = np.searchsorted(rows, rows, side="right") - 1 - np.arange(len(rows))
    rows, lag_indices, rank = (each[rank < MOST] for each in (rows, lag_indices, rank))
    lags, depths = np.full((len(windows), MOST), np.nan), np.full((len(windows), MOST), np.inf)
    lags[rows, rank] = _between(difference, rows, lag_indices + shortest)
    depths[rows, rank] = depth[rows, lag_indices]
    return Candidates(lags, depths, power)


def _difference(windows: Floats, longest: int) -> tuple[Floats, Floats]:
    """The squared difference of each window from itself at each lag, and the energy of its first two thirds."""
    from scipy.fft import irfft, next_fast_len, rfft

    width = 2 * longest
    size = next_fast_len(width + longest, real=True)
    windows = windows - windows.mean(axis=1, keepdims=True)
    shared = irfft(rfft(windows, size) * rfft(windows[:, :width], size).conj(), size)[:, :longest]
    energy = np.cumsum(np.pad(np.square(windows), ((0, 0), (1, 0))), axis=1)
    difference = energy[:, width : width + 1] + energy[:, width : width + longest] - energy[:, :longest] - 2 * shared
    return np.maximum(difference, 0, out=difference), energy[:, width]


def _between(difference: Floats, rows: NDArray[np.intp], lags: NDArray[np.intp]) -> Floats:
    """Lags to a part of a frame, by a parabola through the dip."""
    left, middle, right = (difference[rows, lags + offset] for offset in (-1, 0, 1))
    bend = left - 2 * middle + right
    shift = np.where(bend > 0, 0.5 * (left - right) / np.where(bend > 0, bend, 1), 0)
    return np.asarray(lags + np.clip(shift, -0.5, 0.5))
