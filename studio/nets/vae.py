"""A variational autoencoder of waveforms in bands, causal throughout (of the family of RAVE, Caillon & Esling 2021).

Defined, trainable and measured here; weights worth hearing take hours on a GPU, so none ship. Nothing looks ahead, so
it streams: a block of `ratio` frames in, as many out, `late` frames behind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.errors import AudioError, ModelError, Place
from studio.nets.losses import spectral
from studio.nets.model_file import read_model, write_model
from studio.nets.multiband import Cut, Join, delay
from studio.nets.streaming import Chain, Convolution, Expansion, Residual, State, Stream, Streaming
from studio.nets.training import Course, train

KIND = "vae"
VERSION = 1


@dataclass(frozen=True)
class Shape:
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
        return asdict(self) | {"strides": list(self.strides)}

    @classmethod
    def parse(cls, data: dict[str, Any]) -> Shape:
        """What `data` gave."""
        return cls(**(data | {"strides": tuple(data["strides"])}))


def _unit(width: int, depth: int) -> Chain:
    """What a network does at one rate: residual convolutions that reach further and further back."""
    layers = []
    for index in range(depth):
        reach = Convolution(width, width, 3, dilation=3**index)
        layers.append(Residual(Chain(nn.LeakyReLU(0.2), reach, nn.LeakyReLU(0.2), Convolution(width, width, 1))))
    return Chain(*layers)


class Vae(Streaming):
    """Encoder and decoder. The latents are means when it sings, and drawn around them when it learns."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        widths = [shape.width * 2**index for index in range(len(shape.strides) + 1)]
        steps = list(zip(shape.strides, widths[:-1], widths[1:], strict=True))
        down: list[nn.Module] = [Cut(shape.bands), Convolution(shape.bands, widths[0], 7)]
        for level, (stride, before, after) in enumerate(steps):
            # A layer costs by its rate: where that is high there are few, and the depth lies where it is low.
            down += [_unit(before, 1 + (level > 0)), nn.LeakyReLU(0.2)]
            down += [Convolution(before, after, 2 * stride, stride=stride)]
        down += [_unit(widths[-1], 3), nn.LeakyReLU(0.2), Convolution(widths[-1], 2 * shape.latents, 3)]
        up: list[nn.Module] = [Convolution(shape.latents, widths[-1], 3), _unit(widths[-1], 3)]
        for level, (stride, after, before) in reversed(list(enumerate(steps))):
            up += [
                nn.LeakyReLU(0.2),
                Expansion(before, after, 2 * stride, stride=stride),
                _unit(after, 1 + (level > 0)),
            ]
        self.encoder, self.decoder = Chain(*down), Chain(*up)
        self.waves = Convolution(widths[0], shape.bands, 7)
        self.levels = Convolution(widths[0], shape.bands, 7)
        self.join = Join(shape.bands)

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
        made = nn.functional.leaky_relu(made, 0.2)
        wave, waves = self.waves(made, waves)
        level, levels = self.levels(made, levels)
        sound, joined = self.join(torch.tanh(wave) * torch.sigmoid(level - 2), joined)
        return sound, (inner, waves, levels, joined)

    def forward(self, signal: Tensor, state: State = None) -> tuple[Tensor, State]:
        one, other = state or (None, None)
        mean, _, one = self.encode(signal, one)
        made, other = self.decode(mean, other)
        return made, (one, other)


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
        weights, card = read_model(path, KIND)
        try:
            model = Vae(Shape.parse(card["shape"]))
            model.load_state_dict(weights)
        except (TypeError, KeyError, RuntimeError) as error:
            cause = f"its card and its weights do not fit: {str(error).splitlines()[0]}."
            raise ModelError(cause, place=Place(str(path))) from None
        return cls(model.eval(), card)

    def save(self, path: Path) -> None:
        """Write it.

        Raises:
            OutputError: the file cannot be written.
        """
        write_model(path, self.model.state_dict(), self.card)

    def sing(self, audio: Audio, piece: int = 1 << 16) -> Audio:
        """The first channel of a sound at the model's rate through it, in step with it; the length stays.

        Pieces that fit the processor's cache are several times faster than the whole, and give the same.
        """
        ratio, late = self.model.shape.ratio, self.model.late
        padded = np.pad(audio.samples[0], (0, late))
        padded = np.pad(padded, (0, -len(padded) % ratio))
        step = max(ratio, piece // ratio * ratio)
        stream = Stream(self.model)
        parts = [
            stream.push(torch.tensor(padded[None, None, first : first + step])) for first in range(0, len(padded), step)
        ]
        return Audio(torch.cat(parts, dim=2)[0, :, late : late + audio.frames].numpy(), audio.rate)


BATCH, SECONDS = 4, 0.75
DIVERGENCE = 1e-3
"""How much the Kullback–Leibler term weighs."""


def train_vae(
    sound: Audio,
    seconds: float,
    about: dict[str, Any],
    *,
    shape: Shape | None = None,
    seed: int = 0,
    checkpoint: Path | None = None,
    tell: Callable[[Course], None] = lambda course: None,
) -> Waves:
    """Train on one sound for so many seconds; its last tenth is held out.

    Raises:
        AudioError: there is less than ten seconds.
    """
    if sound.seconds < 10:
        raise AudioError(f"{sound.seconds:.1f} s of sound.", "Give ten seconds at least.")
    shape = shape or Shape(rate=sound.rate)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Vae(shape)
    wave = torch.tensor(sound.samples[0])
    border = round(0.9 * len(wave))
    learned, held = wave[:border], wave[border:]
    frames = round(SECONDS * sound.rate) // shape.ratio * shape.ratio
    held = held[: min(len(held), 5 * sound.rate) // shape.ratio * shape.ratio]

    def apart(made: Tensor, wanted: Tensor) -> Tensor:
        return spectral(made[:, 0, model.late :], wanted[:, : wanted.shape[1] - model.late], (2048, 512, 128))

    def loss(step: int) -> Tensor:
        random = np.random.default_rng([seed, step])
        starts = random.integers(0, len(learned) - frames, BATCH).tolist()
        wanted = torch.stack([learned[start : start + frames] for start in starts])
        mean, log_variance, _ = model.encode(wanted[:, None])
        drawn = torch.randn(mean.shape, generator=torch.Generator().manual_seed(step))
        made, _ = model.decode(mean + drawn * (log_variance / 2).exp())
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        return apart(made, wanted) + DIVERGENCE * divergence

    def judge() -> float:
        with torch.inference_mode():
            return float(apart(model(held[None, None])[0], held[None]))

    course = train(
        model, loss, judge, seconds, rate=2e-3, checkpoint=checkpoint, tell=tell, every=min(15.0, seconds / 12)
    )
    card = {
        "kind": KIND, "version": VERSION, "shape": shape.data(), "ratio": shape.ratio, "latency": model.late + shape.ratio,
        "seed": seed, "trained_seconds": round(course.seconds, 1), "steps": course.steps, "data_seconds": round(sound.seconds, 1),
        "losses": [[round(at, 1), round(value, 4)] for at, value in course.losses], "spectral_loss": round(course.best, 4),
        "parameters": sum(each.numel() for each in model.parameters()), **about,
    }  # fmt: skip
    return Waves(model.eval(), card)
