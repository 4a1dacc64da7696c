"""Log-mel spectrograms for networks."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import Tensor


@cache
def mel_filters(size: int, rate: int, bands: int, low_hz: float, high_hz: float) -> Tensor:
    """Triangles evenly spaced on the mel scale of O'Shaughnessy, each with a sum of one, ``(bins, bands)``.

    A triangle narrower than a bin gets the nearest bin.
    """
    ends = np.log10(1 + np.array([low_hz, high_hz]) / 700)
    edges = 700 * (10 ** np.linspace(ends[0], ends[1], bands + 2) - 1)
    hz = np.fft.rfftfreq(size, 1 / rate)
    rise = (hz[:, None] - edges[:-2]) / (edges[1:-1] - edges[:-2])
    fall = (edges[2:] - hz[:, None]) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0, np.minimum(rise, fall))
    empty = np.flatnonzero(weights.sum(axis=0) == 0)
    weights[np.round(edges[1:-1][empty] * size / rate).astype(int), empty] = 1
    with torch.inference_mode(False):  # kept for steps with gradients too
        return torch.tensor(weights / weights.sum(axis=0), dtype=torch.float32)


def log_mel(
    sound: Tensor,
    rate: int,
    size: int = 1024,
    hop: int = 512,
    bands: int = 64,
    low_hz: float = 40.0,
    high_hz: float = 10_000.0,
) -> Tensor:
    """Powers in dB, ``(batch, bands, frames // hop + 1)`` of sounds ``(batch, frames)``, a full-scale sine at about -10."""
    window = torch.hann_window(size, device=sound.device)
    spectrum = torch.stft(sound, size, hop, window=window, center=True, pad_mode="constant", return_complex=True)
    power = (spectrum.real.square() + spectrum.imag.square()) * (2 / window.sum()) ** 2
    filters = mel_filters(size, rate, bands, low_hz, min(high_hz, rate / 2)).to(sound.device)
    return 10 * (power.transpose(1, 2) @ filters + 1e-10).log10().transpose(1, 2)
