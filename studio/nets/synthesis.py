"""Sines and noise from their parameters, differentiable in all but the pitch (DDSP, Engel et al., ICLR 2020)."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def phases(hz: Tensor, hop: int, rate: int, start: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The phase of the fundamental at every sample, in turns, and where the next frame goes on.

    The pitch glides straight from frame to frame. Turns are summed in double precision and wrapped, so that an hour
    of sound is as clean as its first second.

    Args:
        hz: ``(batch, frames + 1)``, the pitch at the first sample of each frame and behind the last.
        start: ``(batch,)``, the turns before the first sample.

    Returns:
        ``(batch, frames, hop)`` and ``(batch,)``.
    """
    if hz.device.type == "mps":  # Apple's GPUs know no double precision
        turns, end = phases(hz.cpu(), hop, rate, None if start is None else start.cpu())
        return turns.to(hz.device), end.float().to(hz.device)
    exact = hz.double() / rate
    ramp = torch.arange(1, hop + 1, dtype=torch.float64, device=hz.device) / hop
    step = exact[:, :-1, None] + (exact[:, 1:] - exact[:, :-1])[..., None] * ramp
    turns = step.flatten(1).cumsum(1)
    if start is not None:
        turns = turns + start[:, None]
    turns = turns - turns.floor()
    return turns.float().view(hz.shape[0], -1, hop), turns[:, -1]


def harmonics(turns: Tensor, amplitudes: Tensor) -> Tensor:
    """A sum of sines at multiples of a pitch, each swelling straight from frame to frame.

    Args:
        turns: ``(batch, frames, hop)``, the phase of the fundamental.
        amplitudes: ``(batch, frames + 1, harmonics)``.

    Returns:
        ``(batch, frames * hop)``.
    """
    hop = turns.shape[2]
    both = _rows(turns, amplitudes) if turns.device.type == "cpu" else _at_once(turns, amplitudes)
    share = torch.arange(hop, device=turns.device) / hop
    return (both[:, :, 0] * (1 - share) + both[:, :, 1] * share).flatten(1)


def _rows(turns: Tensor, amplitudes: Tensor) -> Tensor:
    """The sines of each sound for itself, which a processor's cache holds, ``(batch, frames, 2, hop)``."""
    return torch.stack([_row(turn, strong) for turn, strong in zip(turns, amplitudes, strict=True)])


def _at_once(turns: Tensor, amplitudes: Tensor) -> Tensor:
    """As `_rows` in five operations that wait for no answer, as a GPU likes it."""
    numbers = torch.arange(1, amplitudes.shape[2] + 1, device=turns.device)
    with torch.no_grad():
        waves = torch.sin((turns[:, :, None] * numbers[:, None]).frac() * (2 * math.pi))
    return torch.stack([amplitudes[:, :-1], amplitudes[:, 1:]], dim=2) @ waves


def _row(turns: Tensor, amplitudes: Tensor) -> Tensor:
    """The sines of one sound at the strengths of either end of each frame, ``(frames, 2, hop)``.

    Harmonics that are silent throughout, as all above half the rate are, are not made: a high note costs little.
    """
    frames = len(turns)
    loud = torch.nonzero(amplitudes.detach().amax(0) > 0)
    count = int(loud[-1]) + 1 if len(loud) else 1
    with torch.no_grad():
        waves = _few(turns, count) if frames <= _FEW else _many(turns, count)
    ends = torch.stack([amplitudes[:-1, :count], amplitudes[1:, :count]], dim=1)
    return ends @ waves.transpose(0, 1)


_FEW = 8
"""Frames up to which the price of an operation is that of calling it."""


def _many(turns: Tensor, count: int) -> Tensor:
    """Sines at the first multiples, ``(count, frames, hop)``.

    sin (k + 1)x = 2 cos x · sin kx − sin (k − 1)x: two operations a harmonic instead of a sine.
    """
    angle = turns * (2 * math.pi)
    twice = 2 * torch.cos(angle)
    waves = torch.empty(count, *turns.shape, device=turns.device)
    torch.sin(angle, out=waves[0])
    for number in range(1, count):
        torch.mul(twice, waves[number - 1], out=waves[number])
        if number > 1:
            waves[number] -= waves[number - 2]
    return waves


def _few(turns: Tensor, count: int) -> Tensor:
    """As `_many`, in few operations: those up to n give those up to 2n, by sin (n + k)x = sin nx cos kx + cos nx sin kx."""
    angle = turns * (2 * math.pi)
    waves = torch.polar(torch.ones_like(angle), angle)[None]
    while len(waves) < count:
        waves = torch.cat([waves, waves[-1:] * waves[: count - len(waves)]])
    return waves.imag


def audible(hz: Tensor, count: int, rate: int) -> Tensor:
    """Which harmonics lie below the half of the rate, ``(…, count)``."""
    numbers = torch.arange(1, count + 1, device=hz.device)
    return (hz[..., None] * numbers < 0.485 * rate).to(hz.dtype)


def filtered_noise(white: Tensor, bands: Tensor, hop: int) -> Tensor:
    """White noise through a filter that changes with every frame.

    Args:
        white: ``(batch, frames * hop)``, between -1 and 1.
        bands: ``(batch, frames, bands)``, the gain at evenly spaced frequencies from 0 to half the rate.

    Returns:
        ``(batch, frames * hop)``, later by nothing: the filters have no phase.
    """
    late = bands.shape[2] - 1
    return noise_pieces(white, bands, hop)[:, late : late + white.shape[1]]


def noise_pieces(white: Tensor, bands: Tensor, hop: int) -> Tensor:
    """As `filtered_noise`, later by ``bands - 1`` frames of sound and longer by twice as many, for laying over what follows."""
    batch, frames, count = bands.shape
    taps = 2 * (count - 1)
    impulse = torch.fft.irfft(bands, taps)
    window = torch.hann_window(taps, device=bands.device)
    impulse = torch.roll(impulse, taps // 2, -1) * window
    size = 1 << (hop + taps - 1).bit_length()
    pieces = white.view(batch, frames, hop)
    spectra = torch.fft.rfft(pieces, size) * torch.fft.rfft(impulse, size)
    laid = torch.fft.irfft(spectra, size)[..., : hop + taps]
    rows = -(-(hop + taps) // hop)
    laid = torch.nn.functional.pad(laid, (0, rows * hop - hop - taps))
    out = torch.nn.functional.fold(
        laid.transpose(1, 2), (1, (frames - 1) * hop + rows * hop), (1, rows * hop), stride=(1, hop)
    )[:, 0, 0]
    return out[:, : frames * hop + taps]
