"""Windows cut out of a sound, and windows laid over each other to make one.

Everything is done in batches, so the memory it takes does not grow with the sound.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.tempo import Floats

Whole = NDArray[np.int64]

BATCH_FRAMES = 1 << 19
"""About how many frames a batch of windows holds, over all channels."""


def hann(size: int) -> Floats:
    """The periodic Hann window: copies of it half its size apart add up to one."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size))


def window_size(seconds: float, rate: int) -> int:
    """The power of two nearest to a length of time, at least 16."""
    return max(16, 1 << round(math.log2(max(seconds * rate, 1))))


def whole(positions: Floats) -> Whole:
    """The nearest whole frames; halves go up, so that a constant distance stays constant."""
    return np.floor(positions + 0.5).astype(np.int64)


def cut(samples: Block, starts: Whole, size: int) -> Floats:
    """Windows of `size` frames beginning at `starts`, shape ``(channels, windows, size)``; silence beyond the ends."""
    first, last = int(starts.min()), int(starts.max()) + size
    low, high = np.clip([first, last], 0, samples.shape[1])
    piece = np.zeros((samples.shape[0], last - first))
    piece[:, low - first : max(low, high) - first] = samples[:, low : max(low, high)]
    return np.lib.stride_tricks.sliding_window_view(piece, size, axis=1)[:, starts - first]


def batches(count: int, size: int, channels: int) -> Iterator[slice]:
    """Slices of at most a batch over `count` windows."""
    step = max(1, BATCH_FRAMES // (size * channels))
    for first in range(0, count, step):
        yield slice(first, min(count, first + step))


def overlap_add(windows: Iterable[Floats], hop: int, first: int, channels: int, frames: int) -> Block:
    """Lay windows `hop` apart over each other and keep `frames`; the first window begins at frame `first` (≤ 0).

    The size of the windows is a multiple of `hop`; they come in batches of shape ``(channels, windows, size)``.
    """
    out = np.zeros((channels, frames), np.float32)
    tail = np.zeros((channels, 0))
    position = first
    for batch in windows:
        count, size = batch.shape[1:]
        layers = size // hop
        room = np.zeros((channels, count + layers - 1, hop))
        for layer in range(layers):
            room[:, layer : layer + count] += batch[:, :, layer * hop : (layer + 1) * hop]
        laid = room.reshape(channels, -1)
        laid[:, : tail.shape[1]] += tail
        done = count * hop
        _added(out, laid[:, :done], position)
        tail, position = laid[:, done:], position + done
    _added(out, tail, position)
    return out


def _added(out: Block, piece: Floats, position: int) -> None:
    low, high = max(position, 0), min(position + piece.shape[1], out.shape[1])
    if low < high:
        out[:, low:high] = piece[:, low - position : high - position]
