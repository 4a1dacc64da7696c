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
        # Lowest and highest apart, since what lies in one piece is looked through ten times as fast.
        self._columns = [np.zeros(0, np.float32), np.zeros(0, np.float32)]
        self._rest = [np.zeros(0, np.float32), np.zeros(0, np.float32)]

    def push(self, block: Block) -> None:
        """Take the next block of shape (channels, frames)."""
        for end, extreme in enumerate(_ENDS):
            frames = np.ascontiguousarray(block[0])
            for channel in block[1:]:
                frames = extreme(frames, channel)
            if len(self._rest[end]):
                frames = np.concatenate([self._rest[end], frames])
            whole = len(frames) // self._step * self._step
            columns = _pooled(frames[:whole], self._step, extreme)
            self._columns[end] = np.concatenate([self._columns[end], columns])
            self._rest[end] = frames[whole:]
        while len(self._columns[0]) > MOST_COLUMNS:
            pairs = len(self._columns[0]) // 2 * 2
            for end, extreme in enumerate(_ENDS):
                # What has no partner yet waits with the frames that come: repeated, its ends stay what they are.
                waiting = np.repeat(self._columns[end][pairs:], self._step)
                self._rest[end] = np.concatenate([waiting, self._rest[end]])
                self._columns[end] = _pooled(self._columns[end][:pairs], 2, extreme)
            self._step *= 2

    def read(self) -> tuple[NDArray[np.float32], int]:
        """Lowest and highest sample of each column, of shape (columns, 2), and the frames of a column."""
        ends = [
            np.concatenate([columns, _pooled(rest, max(1, len(rest)), extreme)])
            for columns, rest, extreme in zip(self._columns, self._rest, _ENDS, strict=True)
        ]
        return np.stack(ends, axis=1), self._step


_ENDS = (np.minimum, np.maximum)


def _pooled(values: NDArray[np.float32], step: int, extreme: np.ufunc) -> NDArray[np.float32]:
    """The extreme of each `step` values; their number is a multiple of it."""
    return np.asarray(extreme.reduce(values.reshape(-1, step), axis=1))
