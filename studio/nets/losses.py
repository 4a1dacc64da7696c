"""How far one sound is from another, for training and for tables."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

SIZES = (2048, 1024, 512, 256, 128, 64)
_EPSILON = 1e-5


def spectral(made: Tensor, wanted: Tensor, sizes: tuple[int, ...] = SIZES, overlap: int = 4) -> Tensor:
    """Multi-resolution STFT distance (Engel et al., ICLR 2020): mean L1 of magnitudes and of their logarithms.

    Args:
        made, wanted: sounds of shape ``(batch, frames)``.
        sizes: of the windows.
        overlap: windows that lie over each sample: 4 to judge by, 2 is enough to learn from at half the price.
    """
    total = made.new_zeros(())
    for size in sizes:
        one, other = (_magnitudes(sound, size, overlap) for sound in (made, wanted))
        total = total + (one - other).abs().mean()
        total = total + ((one + _EPSILON).log() - (other + _EPSILON).log()).abs().mean()
    return total / len(sizes)


def esr(made: Tensor, wanted: Tensor) -> Tensor:
    """Error to signal ratio: the power of the difference over that of what is wanted."""
    return (made - wanted).square().sum() / wanted.square().sum().clamp_min(1e-12)


def _magnitudes(sound: Tensor, size: int, overlap: int) -> Tensor:
    window = _window(size, sound.device)
    spectrum = torch.stft(sound.float(), size, size // overlap, window=window, return_complex=True)
    # Without the epsilon the gradient at nothing is none.
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()


@cache
def _window(size: int, device: torch.device) -> Tensor:
    with torch.inference_mode(False):  # kept for steps with gradients too
        return torch.hann_window(size, device=device)
