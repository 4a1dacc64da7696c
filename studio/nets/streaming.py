"""Layers that can be fed piece by piece: whatever the pieces, what comes out is the same as in one go.

Each takes a signal ``(batch, channels, frames)`` with what it kept of those before, and gives the result with what it
keeps for the next; nothing kept means at rest. None looks ahead, so none is late by more than its own stride.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from studio.nets.inference import inference

State: TypeAlias = Any
"""What a layer keeps: tensors, or lists of what inner layers keep; None at rest."""


def single_precision(beside: Tensor) -> AbstractContextManager[object]:
    """A context in which nothing is computed in less than single precision, on the device of a tensor."""
    kind = beside.device.type
    return torch.autocast(kind, enabled=False) if torch.amp.is_autocast_available(kind) else nullcontext()


class Streaming(nn.Module):
    """A layer whose `forward` takes and gives a state."""

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """The result ``(batch, channels, frames)`` of a piece, and what is kept for the next."""
        raise NotImplementedError


class StreamingConv(Streaming):
    """A convolution that looks back only; with a stride it gives one frame for so many.

    Raises:
        ValueError: a piece is not a whole number of strides long.
    """

    def __init__(
        self, given: int, made: int, size: int, *, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        self.inner = nn.Conv1d(given, made, size, stride, dilation=dilation, groups=groups)
        self.stride = stride
        self.kept = max(0, (size - 1) * dilation + 1 - stride)
        """Frames that reach into the next piece."""

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        if signal.shape[2] % self.stride:
            raise ValueError(f"{signal.shape[2]} frames are not a multiple of the stride of {self.stride}.")
        if state is None:
            state = signal.new_zeros(signal.shape[0], signal.shape[1], self.kept)
        whole = torch.cat([state, signal], dim=2)
        return self.inner(whole), whole[:, :, whole.shape[2] - self.kept :]


class Expansion(Streaming):
    """A transposed convolution: `stride` frames for each, whose tails are laid over what follows."""

    def __init__(self, given: int, made: int, size: int, *, stride: int) -> None:
        super().__init__()
        if size < stride:
            raise ValueError(f"a size of {size} leaves holes at a stride of {stride}.")
        self.inner = nn.ConvTranspose1d(given, made, size, stride)
        self.stride, self.kept = stride, size - stride

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        bias = self.inner.bias
        laid = functional.conv_transpose1d(signal, self.inner.weight, stride=self.stride)
        if state is not None and self.kept:
            laid = torch.cat([laid[:, :, : self.kept] + state, laid[:, :, self.kept :]], dim=2)
        frames = signal.shape[2] * self.stride
        made = laid[:, :, :frames]
        return made if bias is None else made + bias[:, None], laid[:, :, frames:]


class Recurrent(Streaming):
    """A GRU or an LSTM over the frames; its state is what it remembers."""

    def __init__(self, inner: nn.GRU | nn.LSTM) -> None:
        super().__init__()
        if not inner.batch_first or inner.bidirectional:
            raise ValueError("a recurrent layer that streams is batch first and goes forwards.")
        self.inner = inner

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        # Mixed precision would hand cuDNN's recurrent layers half precision, whose gradients vanish without a scaler.
        with single_precision(signal):
            made, state = self.inner(signal.transpose(1, 2).float(), state)
        return made.transpose(1, 2), state


class Chain(Streaming):
    """Layers one behind the other; those that keep nothing may be any module."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        states, kept = state or [None] * len(self.layers), []
        for layer, before in zip(self.layers, states, strict=True):
            after: State = None
            if isinstance(layer, Streaming):
                signal, after = layer(signal, before)
            else:
                signal = layer(signal)
            kept.append(after)
        return signal, kept


class Residual(Streaming):
    """What a layer makes of a signal, added to the signal."""

    def __init__(self, inner: Streaming) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        made, state = self.inner(signal, state)
        return signal + made, state


class StreamingModule:
    """A layer at work, without gradients: feed it pieces in order."""

    def __init__(self, layer: Streaming) -> None:
        self._layer, self._state = layer, None

    def push(self, piece: Tensor) -> Tensor:
        """What is ready after a piece ``(batch, channels, frames)``."""
        with inference():
            made: Tensor
            made, self._state = self._layer(piece, self._state)
        return made


def real_time_factor(work: Callable[[], object], seconds: float, repeats: int = 20) -> float:
    """How long the work on one piece takes against how long the piece lasts: the median of some repeats, below 1 is live."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return sorted(times)[len(times) // 2] / seconds
