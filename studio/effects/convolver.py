"""Convolution with a long response, piece by piece: overlap-save with uniform partitions, in double precision.

After T. G. Stockham, "High-speed convolution and correlation" (AFIPS 1966). The plugin half reaches the same sound in
smaller pieces, to have nothing late.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.budgets import check_memory
from studio.effect_chain import Fifo

_FIRST_PIECES = 64
_COPIES = 3
"""The spectra of the response, those of the sound, and a copy of these while they move up."""


class Convolver:
    """A sound through `taps`, `(channels, frames)`, each divided by `divisor`; gives whole pieces of `size` frames.

    No more of the response is worked on than what the sound has been long enough to reach, so that a long response
    costs a short sound nothing.
    """

    def __init__(self, taps: NDArray[np.floating], size: int = 4096, divisor: float = 1.0) -> None:
        from scipy import fft

        self._fft, self._size = fft, size
        self._taps, self._divisor = taps, divisor
        self._count, self._reached = max(1, -(-taps.shape[1] // size)), 0
        self._pieces = np.zeros((len(taps), 0, size + 1), np.complex128)
        self._heard = np.zeros_like(self._pieces)
        self._last = np.zeros((len(taps), size))
        self._waiting = Fifo(len(taps))

    def push(self, block: Block) -> Block:
        """Convolve a block of shape (channels, frames); as many frames come out.

        Raises:
            RenderError: the response, as far as it is heard, needs more memory than is free.
        """
        self._waiting.push(block)
        out = [np.zeros((len(block), 0), np.float32)]
        while self._waiting.ready >= self._size:
            piece = self._waiting.pull(self._size).astype(np.float64)
            self._reach()
            heard = self._heard[:, : self._reached]
            heard[:, 1:] = heard[:, :-1]
            heard[:, 0] = self._fft.rfft(np.concatenate([self._last, piece], axis=1))
            self._last = piece
            total = np.einsum("cpk,cpk->ck", heard, self._pieces[:, : self._reached])
            out.append(self._fft.irfft(total)[:, self._size :].astype(np.float32))
        return np.concatenate(out, axis=1)

    def _reach(self) -> None:
        """Take one more piece of the response into account, if there is one."""
        if self._reached == self._count:
            return
        if self._reached == self._pieces.shape[1]:
            self._grow(min(self._count, max(_FIRST_PIECES, 2 * self._reached)))
        start = self._reached * self._size
        taps = self._taps[:, start : start + self._size].astype(np.float64) / self._divisor
        self._pieces[:, self._reached] = self._fft.rfft(taps, 2 * self._size)
        self._reached += 1

    def _grow(self, count: int) -> None:
        grown = (len(self._taps), count, self._size + 1)
        check_memory(
            _COPIES * 16 * int(np.prod(grown)),
            f"a response of {count * self._size:,} samples",
            "Shorten the response, or the song.",
        )
        for name in ("_pieces", "_heard"):
            fresh = np.zeros(grown, np.complex128)
            fresh[:, : self._reached] = getattr(self, name)
            setattr(self, name, fresh)
