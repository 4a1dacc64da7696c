"""The outline of a sound: its lowest and highest samples in columns, as many of them as a picture needs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block

MOST_COLUMNS = 1200
"""A picture has no more columns; a sound of more than half as many frames has at least half as many."""


class Outliner:
    """Feed it a sound of any length block by block; its columns are as narrow as the sound is short.

    The width of a column in frames is a power of two, found by the length alone, so blocks of any size give the same.
    """

    def __init__(self) -> None:
        self._step = 1
        self._columns = np.zeros((0, 2), np.float32)
        self._rest = np.zeros((0, 2), np.float32)

    def push(self, block: Block) -> None:
        """Take the next block of shape (channels, frames)."""
        frames = np.stack([block.min(axis=0), block.max(axis=0)], axis=1)
        frames = np.concatenate([self._rest, frames])
        whole = len(frames) // self._step * self._step
        self._columns = np.concatenate([self._columns, pooled(frames[:whole], self._step)])
        self._rest = frames[whole:]
        while len(self._columns) > MOST_COLUMNS:
            pairs = len(self._columns) // 2 * 2
            # What has no partner yet waits with the frames that come: repeated, its ends stay what they are.
            self._rest = np.concatenate([np.repeat(self._columns[pairs:], self._step, axis=0), self._rest])
            self._columns = pooled(self._columns[:pairs], 2)
            self._step *= 2

    def read(self) -> tuple[NDArray[np.float32], int]:
        """Lowest and highest sample of each column, of shape (columns, 2), and the frames of a column."""
        return np.concatenate([self._columns, pooled(self._rest, max(1, len(self._rest)))]), self._step


def pooled(ends: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Each `step` pairs of lowest and highest as one; their number is a multiple of it."""
    shaped = ends.reshape(-1, step, 2)
    return np.stack([shaped[:, :, 0].min(axis=1), shaped[:, :, 1].max(axis=1)], axis=1)
