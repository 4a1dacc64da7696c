"""Models that others exported as TorchScript: RAVE and nn~ files, by their public contract.

Such a file has methods, each with a buffer ``<method>_params`` of four numbers: channels in, frames of sound for each
frame in, channels out, frames of sound for each frame out. `encode` goes from sound to latents, `decode` back, `forward`
from sound to sound. TorchScript is code and runs as whoever loads it, so a file is only opened when it is called
trusted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.audio import Audio, Block
from studio.errors import ModelError, Place
from studio.tempo import Floats
from studio.timbre.torch_library import need_torch

if TYPE_CHECKING:
    from torch import Tensor

ENDING = ".ts"

MOST_CHANNELS, MOST_RATIO = 4096, 1 << 16


@dataclass(frozen=True)
class Method:
    """What a method takes and gives: channels, and how many frames of sound one frame stands for."""

    channels_in: int
    ratio_in: int
    channels_out: int
    ratio_out: int


@dataclass(frozen=True, eq=False)
class Scripted:
    """A model somebody exported; `rate` is 0 where it does not say."""

    path: Path
    methods: dict[str, Method]
    rate: int

    @property
    def unit(self) -> int:
        """Frames of sound that pieces are a multiple of: `forward` tells no ratio, but has those of its halves inside."""
        return int(
            np.lcm.reduce([ratio for each in self.methods.values() for ratio in (each.ratio_in, each.ratio_out)])
        )

    @property
    def latents(self) -> int:
        """How many numbers `encode` gives for a frame."""
        return self.methods["encode"].channels_out

    def sound(self, audio: Audio, piece: float = 0.0) -> Audio:
        """A sound through `forward`, channel by channel where it takes one; as long as the sound."""
        method = self._method("forward")
        samples = resampled(audio, self.rate)
        made = np.concatenate([self._run("forward", part, piece) for part in _fitted(samples, method.channels_in)])
        return Audio(back(made, self.rate or audio.rate, audio), audio.rate)

    def encode(self, audio: Audio, piece: float = 0.0) -> list[Floats]:
        """The latents of each channel, ``(latents, frames)``."""
        method = self._method("encode")
        return [self._run("encode", part, piece) for part in _fitted(resampled(audio, self.rate), method.channels_in)]

    def decode(self, latents: list[Floats], like: Audio, piece: float = 0.0) -> Audio:
        """The sound of latents, of the rate, channels and length of another."""
        self._method("decode")
        made = np.concatenate([self._run("decode", part, piece) for part in latents])
        return Audio(back(made, self.rate or like.rate, like), like.rate)

    def _method(self, name: str) -> Method:
        if name not in self.methods:
            listed = ", ".join(self.methods) or "none"
            raise ModelError(f"the model has no method {name!r}.", f"It has: {listed}.", place=Place(str(self.path)))
        return self.methods[name]

    def _run(self, name: str, given: Block | Floats, piece: float) -> Any:
        """One signal ``(channels, frames)`` through a method of a model at rest, in pieces of some seconds or whole."""
        import torch

        method, model = self.methods[name], _opened(self.path)
        unit = self.unit // method.ratio_in
        frames = given.shape[1]
        padded = np.pad(given, ((0, 0), (0, -frames % unit)))
        step = (
            max(unit, round(piece * (self.rate or 44_100) / method.ratio_in) // unit * unit)
            if piece
            else padded.shape[1]
        )
        made: list[Any] = []
        with torch.inference_mode():
            for first in range(0, padded.shape[1], step):
                part = torch.tensor(padded[None, :, first : first + step], dtype=torch.float32)
                made.append(self._called(model, name, method, part))
        whole = np.concatenate(made, axis=1)
        return whole[:, : -(-frames * method.ratio_in // method.ratio_out)]

    def _called(self, model: Any, name: str, method: Method, part: Tensor) -> Block:
        import torch

        try:
            out = getattr(model, name)(part)
        except RuntimeError as error:
            cause = str(error).strip().splitlines()[-1]
            raise ModelError(f"its {name!r} failed: {cause}", place=Place(str(self.path))) from None
        wanted = (1, method.channels_out, part.shape[2] * method.ratio_in // method.ratio_out)
        if not isinstance(out, torch.Tensor) or tuple(out.shape) != wanted:
            found = tuple(out.shape) if isinstance(out, torch.Tensor) else type(out).__name__
            raise ModelError(
                f"its {name!r} gave {found} where its card promises {wanted}.", place=Place(str(self.path))
            )
        if not bool(torch.isfinite(out).all()):
            raise ModelError(f"its {name!r} gave numbers that are none.", place=Place(str(self.path)))
        return np.asarray(out[0].float().numpy())


def load_scripted(path: Path, trusted: bool) -> Scripted:
    """Look at a model that somebody exported.

    Raises:
        ModelError: nobody said that it can be trusted, or it is no such model.
        MissingError: torch is not installed.
    """
    if not trusted:
        raise ModelError(
            f"{path.name!r} is TorchScript, which is code and runs when it is loaded.",
            "If you trust whoever made it, write `trusted: true`.",
            place=Place(str(path)),
        )
    return _looked_at(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=8)
def _looked_at(path: Path, changed: int) -> Scripted:
    model = _opened(path)
    buffers = dict(model.named_buffers())
    methods = {}
    for name, value in buffers.items():
        if name.endswith("_params") and "." not in name and hasattr(model, name.removesuffix("_params")):
            numbers = [int(number) for number in value.flatten().tolist()]
            if (
                len(numbers) != 4
                or min(numbers) < 1
                or max(numbers[::2]) > MOST_CHANNELS
                or max(numbers[1::2]) > MOST_RATIO
            ):
                raise ModelError(f"{name!r} says {numbers}, which is no method.", place=Place(str(path)))
            methods[name.removesuffix("_params")] = Method(*numbers)
    if not methods:
        raise ModelError(
            "the model names no methods.", "Give one exported for nn~, with `encode_params` or `forward_params`.",
            place=Place(str(path)),
        )  # fmt: skip
    return Scripted(path, methods, _rate(model, buffers, path))


def _rate(model: Any, buffers: dict[str, Tensor], path: Path) -> int:
    for name in ("sampling_rate", "sample_rate", "sr"):
        value = buffers.get(name, getattr(model, name, None))
        if isinstance(value, (int, float)) or (value is not None and getattr(value, "numel", lambda: 0)() == 1):
            rate = int(value)
            if not 1_000 <= rate <= 768_000:
                raise ModelError(f"its rate is {rate} Hz.", place=Place(str(path)))
            return rate
    return 0


def _opened(path: Path) -> Any:
    """The model, at rest: what it remembers of a sound lies in its buffers, so every signal gets one anew."""
    need_torch()
    import torch

    try:
        return torch.jit.load(str(path), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        cause = str(error).strip().splitlines()[0]
        raise ModelError(f"this is no TorchScript: {cause[:200]}", place=Place(str(path))) from None


def resampled(audio: Audio, rate: int) -> Block:
    """All channels at a rate; 0 is any."""
    if rate in (0, audio.rate):
        return audio.samples
    import soxr

    return np.asarray(soxr.resample(audio.samples.T, audio.rate, rate).T, np.float32)


def back(made: Block, rate: int, like: Audio) -> Block:
    """At the rate, of the channels and as long as another sound."""
    sound = resampled(Audio(np.asarray(made, np.float32), rate), like.rate)
    if len(sound) != like.channels:
        sound = np.repeat(sound.mean(axis=0, keepdims=True), like.channels, axis=0)
    sound = sound[:, : like.frames]
    return np.pad(sound, ((0, 0), (0, like.frames - sound.shape[1])))


def _fitted(samples: Block, channels: int) -> list[Block]:
    """The signals that a model of so many channels is given: each channel alone, or all of them."""
    if channels == 1:
        return [channel[None] for channel in samples]
    if channels == len(samples):
        return [samples]
    return [np.repeat(samples.mean(axis=0, keepdims=True), channels, axis=0)]
