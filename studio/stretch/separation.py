"""A sound taken apart into what sings, what strikes and what rustles."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.stretch.overlap import batches, cut, hann, overlap_add, window_size
from studio.tempo import Floats

Magnitudes = NDArray[np.float32]


class Parts(NamedTuple):
    """Three sounds that add up to the one they were taken from."""

    harmonic: Block
    percussive: Block
    residual: Block


def separate(samples: Block, rate: int) -> Parts:
    """Split by median filters (Fitzgerald 2010) with a residual (Driedger, Müller & Disch 2014), in two stages.

    What stands still in a long window is harmonic; of the rest, what is broad in a short window is percussive. Masks
    are soft between two thresholds (as in Fierro & Välimäki 2022) and taken from the sum of the channels, one for all.
    Each part is what is left of the sound after the part before it, so the parts add up exactly.
    """
    harmonic = _masked(samples, window_size(0.093, rate), _HARMONIC)
    rest = samples - harmonic
    percussive = _masked(rest, window_size(0.012, rate), _PERCUSSIVE)
    return Parts(harmonic, percussive, rest - percussive)


class _Mask(NamedTuple):
    """Takes in what stands still in time if `still`, else what is broad in frequency.

    `low` and `high` are the shares of it between which the mask goes from nothing to all.
    """

    still: bool
    low: float
    high: float
    across: tuple[int, ...]
    """The nine bins around each, as offsets, whose median stands for what is broad: unevenly apart, so that no
    series of partials falls on most of them."""


_HARMONIC = _Mask(True, 0.7, 0.8, (-23, -16, -10, -5, 0, 4, 11, 17, 25))
_PERCUSSIVE = _Mask(False, 0.55, 0.7, (-7, -5, -3, -2, 0, 1, 3, 4, 6))

_ALONG = (-4, -3, -2, -1, 0, 1, 2, 3, 4)
"""The nine windows around each whose median stands for what stands still."""


def _masked(samples: Block, size: int, mask: _Mask) -> Block:
    from scipy.fft import irfft, rfft

    hop, channels, frames = size // 4, *samples.shape
    shape = hann(size).astype(np.float32)
    level = shape / np.float32(np.square(shape).sum() / hop)
    starts = np.arange(-size // 2 - hop, frames + hop - size // 2 + 1, hop)
    reach = -_ALONG[0]

    def windows() -> Iterator[Floats]:
        for part in batches(len(starts), size, channels):
            around = np.arange(part.start - reach, part.stop + reach) * hop + starts[0]
            spectra = rfft(cut(samples, around, size).astype(np.float32) * shape)
            spectra[:, reach:-reach] *= _gains(np.abs(spectra).sum(axis=0), mask)
            yield irfft(spectra[:, reach:-reach], size) * level

    return overlap_add(windows(), hop, int(starts[0]), channels, frames)


def _gains(magnitudes: Magnitudes, mask: _Mask) -> Magnitudes:
    """The mask for all windows that have their neighbours on both sides."""
    reach = -_ALONG[0]
    inner = len(magnitudes) - 2 * reach
    still = _median9([magnitudes[reach + offset : reach + offset + inner] for offset in _ALONG])
    bins = magnitudes.shape[1]
    low, high = -mask.across[0], mask.across[-1]
    padded = np.pad(magnitudes[reach : reach + inner], ((0, 0), (low, high)), mode="reflect")
    broad = _median9([padded[:, low + offset : low + offset + bins] for offset in mask.across])
    share = (still if mask.still else broad) / (still + broad + np.float32(1e-12))
    rise = np.clip((share - np.float32(mask.low)) / np.float32(mask.high - mask.low), 0, 1)
    return np.asarray(np.square(np.sin(rise * np.float32(np.pi / 2))), dtype=np.float32)


_NETWORK = (
    (1, 2), (4, 5), (7, 8), (0, 1), (3, 4), (6, 7), (1, 2), (4, 5), (7, 8), (0, 3),
    (5, 8), (4, 7), (3, 6), (1, 4), (2, 5), (4, 7), (4, 2), (6, 4), (4, 2),
)  # fmt: skip
"""Pairs to put in order, one after the other, until the median of nine lies in the middle (Smith 1996)."""


def _median9(rows: list[Magnitudes]) -> Magnitudes:
    """The median of nine arrays, element by element."""
    rows = list(rows)
    for low, high in _NETWORK:
        rows[low], rows[high] = np.minimum(rows[low], rows[high]), np.maximum(rows[low], rows[high])
    return rows[4]
