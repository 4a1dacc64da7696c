"""A variational autoencoder of waveforms in bands, causal throughout (of the family of RAVE, Caillon & Esling 2021).

Weights worth hearing take hours on a GPU, so none ship; `studio train vae` learns them. Nothing looks ahead, so it
streams: a block of `ratio` frames in, as many out, `late` frames behind.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.audio import Audio
from studio.errors import AudioError
from studio.nets.checkpoint import Checkpoint
from studio.nets.losses import spectral
from studio.nets.model_file import CardFormat, ModelFormat, write_model
from studio.nets.multiband import BandJoin, BandSplit, delay
from studio.nets.streaming import (
    Chain,
    Expansion,
    Residual,
    State,
    Streaming,
    StreamingConv,
    StreamingModule,
    single_precision,
)
from studio.nets.training import TrainingProgress, best_device, finished, mixed_precision, train
from studio.records import Kind
from studio.stored import Members, Several, Whole

KIND = "vae"
VERSION = 1

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class VaeShape:
    """The size of a waveform autoencoder: widths double with every stride."""

    rate: int = 44_100
    bands: int = 16
    width: int = 32
    latents: int = 16
    strides: tuple[int, ...] = (4, 4, 2)

    @property
    def ratio(self) -> int:
        """Frames of sound for each frame of latents."""
        return self.bands * int(np.prod(self.strides))

    def data(self) -> dict[str, Any]:
        """Plain data that `parse` reads back as an equal value."""
        return asdict(self) | {"strides": list(self.strides)}

    @classmethod
    def parse(cls, data: dict[str, Any]) -> VaeShape:
        """What `data` gave."""
        return cls(**(data | {"strides": tuple(data["strides"])}))


def _unit(width: int, depth: int) -> Chain:
    """What a network does at one rate: residual convolutions that reach further and further back."""
    layers = []
    for index in range(depth):
        reach = StreamingConv(width, width, 3, dilation=3**index)
        layers.append(Residual(Chain(nn.LeakyReLU(0.2), reach, nn.LeakyReLU(0.2), StreamingConv(width, width, 1))))
    return Chain(*layers)


class Vae(Streaming):
    """Encoder and decoder. The latents are means when it sings, and drawn around them when it learns."""

    def __init__(self, shape: VaeShape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.width * 2**index for index in range(len(shape.strides) + 1)]
        steps = list(zip(shape.strides, widths[:-1], widths[1:], strict=True))
        down: list[nn.Module] = [BandSplit(shape.bands), StreamingConv(shape.bands, widths[0], 7)]
        for level, (stride, before, after) in enumerate(steps):
            # A layer costs by its rate: where that is high there are few, and the depth lies where it is low.
            down += [_unit(before, 1 + (level > 0)), nn.LeakyReLU(0.2)]
            down += [StreamingConv(before, after, 2 * stride, stride=stride)]
        down += [_unit(widths[-1], 3), nn.LeakyReLU(0.2), StreamingConv(widths[-1], 2 * shape.latents, 3)]
        up: list[nn.Module] = [StreamingConv(shape.latents, widths[-1], 3), _unit(widths[-1], 3)]
        for level, (stride, after, before) in reversed(list(enumerate(steps))):
            up += [
                nn.LeakyReLU(0.2),
                Expansion(before, after, 2 * stride, stride=stride),
                _unit(after, 1 + (level > 0)),
            ]
        self.encoder, self.decoder = Chain(*down), Chain(*up)
        self.waves = StreamingConv(widths[0], shape.bands, 7)
        self.levels = StreamingConv(widths[0], shape.bands, 7)
        self.join = BandJoin(shape.bands)

    @property
    def late(self) -> int:
        """Frames of sound by which the result is late, besides the block it needs."""
        return delay(self.shape.bands)

    def encode(self, sound: Tensor, state: State = None) -> tuple[Tensor, Tensor, State]:
        """Means and log variances ``(batch, latents, frames / ratio)`` of a sound ``(batch, 1, frames)``."""
        made, state = self.encoder(sound, state)
        mean, log_variance = made.chunk(2, dim=1)
        return mean, log_variance.clamp(-10, 5), state

    def decode(self, latents: Tensor, state: State = None) -> tuple[Tensor, State]:
        """The sound of latents."""
        inner, waves, levels, joined = state or (None, None, None, None)
        made, inner = self.decoder(latents, inner)
        # What becomes sound is computed in single precision: the noise of half precision is heard.
        with single_precision(made):
            made = nn.functional.leaky_relu(made.float(), 0.2)
            wave, waves = self.waves(made, waves)
            level, levels = self.levels(made, levels)
        sound, joined = self.join(torch.tanh(wave) * torch.sigmoid(level - 2), joined)
        return sound, (inner, waves, levels, joined)

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        one, other = state or (None, None)
        mean, _, one = self.encode(signal, one)
        made, other = self.decode(mean, other)
        return made, (one, other)


_FIELDS: dict[str, Kind] = {
    "shape": Members(
        of={
            "rate": Whole(low=8_000, high=192_000),
            "bands": Whole(low=1, high=64),
            "width": Whole(low=1, high=256),
            "latents": Whole(low=1, high=512),
            "strides": Several(each=Whole(low=1, high=16), fewest=1, most=6),
        }
    ),
}

FORMAT = ModelFormat(CardFormat(KIND, VERSION, _FIELDS), lambda card: Vae(VaeShape.parse(card["shape"])))


@dataclass(frozen=True, eq=False)
class Waves:
    """A trained waveform autoencoder with its card."""

    model: Vae
    card: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Waves:
        """Read it.

        Raises:
            ModelError: the file is none, or damaged.
        """
        return cls(*FORMAT.load(path))

    def save(self, path: Path) -> None:
        """Write it.

        Raises:
            OutputError: the file cannot be written.
        """
        write_model(path, self.model.state_dict(), self.card)

    @property
    def rate(self) -> int:
        """The rate of its sound in Hz."""
        return self.model.shape.rate

    def sing(self, audio: Audio) -> Audio:
        """The first channel of a sound at the model's rate through it, in step with it; the length stays."""
        return self.decode(self.encode(audio.samples[0]), audio.frames)

    def encode(self, signal: Samples) -> Samples:
        """The latents ``(latents, blocks)`` of a signal ``(frames,)`` at the model's rate."""
        padded = np.pad(signal, (0, self.model.late))
        padded = np.pad(padded, (0, -len(padded) % self.model.shape.ratio))
        return _in_pieces(
            _Means(self.model), padded[None], max(1, PIECE // self.model.shape.ratio) * self.model.shape.ratio
        )

    def decode(self, latents: Samples, frames: int) -> Audio:
        """The sound of latents, in step with the signal they came from, so many frames long."""
        made = _in_pieces(_Sound(self.model), latents, max(1, PIECE // self.model.shape.ratio))
        made = made[:, self.model.late : self.model.late + frames]
        return Audio(np.pad(made, ((0, 0), (0, frames - made.shape[1]))), self.rate)


PIECE = 1 << 16
"""Frames of sound at a time: pieces that fit the processor's cache are several times faster, and give the same."""


class _Means(Streaming):
    """The encoder at work."""

    def __init__(self, model: Vae) -> None:
        super().__init__()
        self.model = model

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        mean, _, state = self.model.encode(signal, state)
        return mean, state


class _Sound(Streaming):
    """The decoder at work."""

    def __init__(self, model: Vae) -> None:
        super().__init__()
        self.model = model

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        return self.model.decode(signal, state)


def _in_pieces(layer: Streaming, signal: Samples, step: int) -> Samples:
    """A signal ``(channels, frames)`` through a layer."""
    stream = StreamingModule(layer)
    given = torch.tensor(signal[None], dtype=torch.float32, device=next(layer.parameters()).device)
    parts = [stream.push(given[:, :, first : first + step]) for first in range(0, given.shape[2], step)]
    return np.asarray(torch.cat(parts, dim=2)[0].cpu().numpy())


BATCH, SECONDS = 4, 0.75
DIVERGENCE = 1e-3
"""How much the Kullback–Leibler term weighs."""


def held_out(sound: Audio) -> Audio:
    """The last tenth of a sound."""
    return Audio(sound.samples[:, round(0.9 * sound.frames) :], sound.rate)


def check_sound(sound: Audio) -> None:
    """Find out whether there is anything to learn from a sound.

    Raises:
        AudioError: there is less than ten seconds, or what is learned from or what is held out is silent.
    """
    if sound.seconds < 10:
        raise AudioError(f"{sound.seconds:.1f} s of sound.", "Give ten seconds at least.")
    held = held_out(sound)
    learned = Audio(sound.samples[:, : sound.frames - held.frames], sound.rate)
    if learned.peak_db < SILENT_DB:
        raise AudioError("the sound is silent.", "Give recordings that can be heard.")
    if held.peak_db < SILENT_DB:
        raise AudioError(
            "the last tenth of the sound, which is held out to judge by, is silent.", "Cut the silence off its end."
        )


SILENT_DB = -80.0
"""dBFS that no sample of what counts as silence reaches."""


def try_step(shape: VaeShape, device: torch.device | None = None) -> None:
    """Do what one step of a training does, where it will be done, on a model that is thrown away."""
    on = device or best_device()
    model = Vae(shape).to(on)
    wanted = torch.zeros(BATCH, round(SECONDS * shape.rate) // shape.ratio * shape.ratio, device=on)
    with mixed_precision(on):
        loss = apart(model, model(wanted[:, None])[0], wanted)
    loss.backward()  # type: ignore[no-untyped-call]
    finished(on)


def apart(model: Vae, made: Tensor, wanted: Tensor) -> Tensor:
    """How far what comes out late, ``(batch, 1, frames)``, is from what went in, ``(batch, frames)``."""
    return spectral(made[:, 0, model.late :], wanted[:, : wanted.shape[1] - model.late], (2048, 512, 128))


def train_vae(
    sound: Audio,
    seconds: float,
    about: dict[str, Any],
    *,
    shape: VaeShape | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    checkpoint: Checkpoint | None = None,
    tell: Callable[[TrainingProgress, Waves], None] = lambda progress, waves: None,
) -> Waves:
    """Train on one sound for so many seconds, on a GPU if there is one; its last tenth, `held_out`, is not trained on.

    Args:
        about: goes into the card.
        device: where to train, by default where it is fastest.
        checkpoint: where to go on from when the training is interrupted.
        tell: is told how far it has come, with the model as it is.

    Raises:
        AudioError: as `check_sound`.
    """
    check_sound(sound)
    shape = shape or VaeShape(rate=sound.rate)
    on = device or best_device()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Vae(shape)
    model.to(on)
    held = torch.tensor(held_out(sound).samples[0], device=on)
    learned = torch.tensor(sound.samples[0, : sound.frames - len(held)], device=on)
    frames = round(SECONDS * sound.rate) // shape.ratio * shape.ratio
    held = held[: min(len(held), 5 * sound.rate) // shape.ratio * shape.ratio]

    def loss(step: int) -> Tensor:
        random = np.random.default_rng([seed, step])
        starts = random.integers(0, len(learned) - frames, BATCH).tolist()
        wanted = torch.stack([learned[start : start + frames] for start in starts])
        mean, log_variance, _ = model.encode(wanted[:, None])
        drawn = torch.randn(mean.shape, generator=torch.Generator().manual_seed(step)).to(on)
        made, _ = model.decode(mean + drawn * (log_variance / 2).exp())
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        return apart(model, made, wanted) + DIVERGENCE * divergence

    def judge() -> float:
        with torch.inference_mode():
            return float(apart(model, model(held[None, None])[0], held[None]))

    progress = train(
        model,
        loss,
        judge,
        seconds,
        rate=2e-3,
        checkpoint=checkpoint,
        tell=lambda progress: tell(progress, Waves(deepcopy(model).cpu(), {})),
        every=min(15.0, seconds / 12),
    )
    card = {
        "kind": KIND, "version": VERSION, "shape": shape.data(), "ratio": shape.ratio, "latency": model.late + shape.ratio,
        "seed": seed, **progress.card(), "data_seconds": round(sound.seconds, 1), "spectral_loss": round(progress.best, 4),
        "parameters": sum(each.numel() for each in model.parameters()), **about,
    }  # fmt: skip
    return Waves(model.cpu().eval(), card)
