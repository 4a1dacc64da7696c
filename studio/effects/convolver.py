"""Convolution with a long response, piece by piece: overlap-save with uniform partitions, in double precision.

After T. G. Stockham, "High-speed convolution and correlation" (AFIPS 1966). The plugin half reaches the same sound in
smaller pieces, to have nothing late.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.effect_chain import Fifo


class Convolver:
    """A sound through `taps`, `(channels, frames)`; gives whole pieces of `size` frames."""

    def __init__(self, taps: NDArray[np.floating], size: int = 4096) -> None:
        from scipy import fft

        self._fft, self._size = fft, size
        channels, frames = taps.shape
        count = max(1, -(-frames // size))
        pieces = np.pad(taps.astype(np.float64), ((0, 0), (0, count * size - frames))).reshape(channels, count, size)
        self._pieces = fft.rfft(pieces, 2 * size)
        self._heard = np.zeros_like(self._pieces)
        self._last = np.zeros((channels, size))
        self._waiting = Fifo(channels)

    def push(self, block: Block) -> Block:
        """Convolve a block of shape (channels, frames); as many frames come out."""
        self._waiting.push(block)
        out = [np.zeros((len(block), 0), np.float32)]
        while self._waiting.ready >= self._size:
            piece = self._waiting.pull(self._size).astype(np.float64)
            self._heard = np.roll(self._heard, 1, axis=1)
            self._heard[:, 0] = self._fft.rfft(np.concatenate([self._last, piece], axis=1))
            self._last = piece
            total = np.einsum("cpk,cpk->ck", self._heard, self._pieces)
            out.append(self._fft.irfft(total)[:, self._size :].astype(np.float32))
        return np.concatenate(out, axis=1)
