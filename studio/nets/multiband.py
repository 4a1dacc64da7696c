"""Bands: a sound cut into bands of equal width, each at a fraction of the rate, and joined again.

A pseudo-QMF bank (Nguyen 1994): one low-pass, moved by cosines, whose neighbours cancel each other's aliases. Its cutoff
is found so that the whole is flat (after Lin & Vaidyanathan 1998). A network on bands works at a fraction of the rate. In half precision the aliases
would no longer cancel, so it is never computed in that.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from studio.nets.streaming import State, Streaming, single_precision
from studio.tempo import Floats

ATTENUATION = 80.0
"""dB by which other bands are kept out."""


def taps(bands: int) -> int:
    """The length of the filters."""
    return 16 * bands


def delay(bands: int) -> int:
    """Frames of sound by which what was cut and joined is late."""
    return taps(bands) - bands


@cache
def prototype(bands: int) -> Floats:
    """The low-pass, of `taps` samples."""
    from scipy.optimize import minimize_scalar
    from scipy.signal import firwin, kaiser_beta

    count, beta = taps(bands), kaiser_beta(ATTENUATION)

    def uneven(cutoff: float) -> float:
        found = firwin(count, cutoff, window=("kaiser", beta))
        power = np.convolve(found, found[::-1])
        return float(np.abs(power[count - 1 + 2 * bands :: 2 * bands]).max() / power[count - 1])

    best = minimize_scalar(uneven, bounds=(0.4 / bands, 0.8 / bands), method="bounded", options={"xatol": 1e-9})
    return np.asarray(firwin(count, float(best.x), window=("kaiser", beta)))


def filters(bands: int) -> tuple[Tensor, Tensor]:
    """Those that cut and those that join, ``(bands, 1, taps)`` each."""
    count, low = taps(bands), prototype(bands)
    band, offset = np.arange(bands)[:, None], np.arange(count) - (count - 1) / 2
    angle = (2 * band + 1) * np.pi / (2 * bands) * offset
    turn = (-1.0) ** band * np.pi / 4
    # Convolutions of torch are correlations: the filters that cut are turned round, those that join are not.
    cut, join = (2 * low * np.cos(angle + sign * turn) for sign in (1, -1))
    return (
        torch.tensor(np.ascontiguousarray(cut[:, ::-1]), dtype=torch.float32)[:, None],
        torch.tensor(bands * join, dtype=torch.float32)[:, None],
    )


class BandSplit(Streaming):
    """A sound ``(batch, 1, frames)`` as bands ``(batch, bands, frames / bands)``."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.register_buffer("weight", filters(bands)[0], persistent=False)
        self.weight: Tensor

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        if signal.shape[2] % self.bands:
            raise ValueError(f"{signal.shape[2]} frames are not a multiple of {self.bands} bands.")
        kept = taps(self.bands) - self.bands
        if state is None:
            state = signal.new_zeros(signal.shape[0], 1, kept)
        with single_precision(signal):
            whole = torch.cat([state, signal], dim=2).float()
            return functional.conv1d(whole, self.weight, stride=self.bands), whole[:, :, whole.shape[2] - kept :]


class BandJoin(Streaming):
    """Bands as a sound again, `delay` frames late."""

    def __init__(self, bands: int) -> None:
        super().__init__()
        self.bands = bands
        self.register_buffer("weight", filters(bands)[1], persistent=False)
        self.weight: Tensor

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        with single_precision(signal):
            laid = functional.conv_transpose1d(signal.float(), self.weight, stride=self.bands)
        frames, kept = signal.shape[2] * self.bands, taps(self.bands) - self.bands
        if state is not None:
            laid = torch.cat([laid[:, :, :kept] + state, laid[:, :, kept:]], dim=2)
        return laid[:, :, :frames], laid[:, :, frames:]
