"""A sound read faster or slower."""

from __future__ import annotations

from functools import cache

import numpy as np

from studio.audio import Block
from studio.stretch.overlap import Whole
from studio.tempo import Floats


def to_length(samples: Block, frames: int) -> Block:
    """The whole sound in `frames` frames, band-limited, by soxr at its best quality."""
    if samples.shape[1] == frames:
        return samples.copy()
    if samples.shape[1] < 2:
        return np.repeat(samples, frames, axis=1)
    import soxr

    read = soxr.resample(samples.T, samples.shape[1], frames, quality="VHQ").T[:, :frames]
    return np.ascontiguousarray(np.pad(read, ((0, 0), (0, frames - read.shape[1])), mode="edge"), dtype=np.float32)


_CROSSINGS = 24
"""Zero crossings of the sinc on either side."""

_FINE = 512
"""Points of the kernel between two zero crossings, with straight lines between them."""


@cache
def _kernel() -> Floats:
    """One side of a sinc in a Kaiser window (Smith & Gossett 1984): its stop band lies 90 dB down."""
    at = np.arange(_CROSSINGS * _FINE + 2) / _FINE
    window = np.i0(9.0 * np.sqrt(np.maximum(1 - np.square(at / _CROSSINGS), 0))) / np.i0(9.0)
    return np.asarray(np.sinc(at) * window * (at < _CROSSINGS))


def read_at(samples: Block, positions: Floats) -> Block:
    """The sound at rising `positions`, which need not be whole: band-limited interpolation by a windowed sinc.

    Where the positions are more than a frame apart the sinc widens with them, so that nothing folds back.
    """
    out = np.empty((samples.shape[0], len(positions)), np.float32)
    steps = np.maximum(np.gradient(positions), 1.0) if len(positions) > 1 else np.ones(1)
    first = 0
    while first < len(positions):
        widest = float(steps[first : first + _MOST].max())
        reach = int(np.ceil(_CROSSINGS * widest))
        part = slice(first, min(len(positions), first + max(1, _BATCH // (2 * reach))))
        out[:, part] = _read(samples, positions[part], steps[part], reach)
        first = part.stop
    return out


_MOST, _BATCH = 1 << 14, 1 << 20


def _read(samples: Block, positions: Floats, steps: Floats, reach: int) -> Floats:
    nearest = np.floor(positions).astype(np.int64)
    low, high = int(nearest[0]) - reach, int(nearest[-1]) + reach + 1
    windows = np.lib.stride_tricks.sliding_window_view(_piece(samples, low, high), 2 * reach, axis=1)
    offsets = np.arange(1 - reach, reach + 1)
    away = np.abs(offsets - (positions - nearest)[:, None]) * (_FINE / steps)[:, None]
    np.minimum(away, _CROSSINGS * _FINE, out=away)
    left: Whole = away.astype(np.int64)
    kernel = _kernel()
    weights = kernel[left]
    weights += (kernel[left + 1] - weights) * (away - left)
    weights /= steps[:, None]
    return np.asarray(np.einsum("cnt,nt->cn", windows[:, nearest - nearest[0] + 1], weights))


def _piece(samples: Block, low: int, high: int) -> Floats:
    """The frames from `low` to `high`, with silence beyond the ends."""
    piece = np.zeros((samples.shape[0], high - low))
    begin, end = (min(max(edge, 0), samples.shape[1]) for edge in (low, high))
    piece[:, begin - low : end - low] = samples[:, begin:end]
    return piece
