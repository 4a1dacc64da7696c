"""A spectral autoencoder: each spectrum of a sound as a few numbers, and back, in the timbre of instruments it knows.

One encoder for all instruments and one decoder that each instrument bends to itself, with an adversary that keeps the
instrument out of the numbers (after Mor et al., Universal Music Translation, ICLR 2019), so that what was played on one
can be decoded as another. Magnitudes only: the phases are the source's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.errors import AudioError, KnobError, nearest, within
from studio.nets.checkpoint import Checkpoint
from studio.nets.film import Film
from studio.nets.inference import inference
from studio.nets.model_file import CardFormat, ModelFormat, check_count, write_model
from studio.nets.streaming import Recurrent, State, StreamingConv
from studio.nets.training import TrainingProgress, best_device, finished, mixed_precision, train
from studio.records import Kind
from studio.stored import Members, Real, Several, Whole, Words
from studio.stretch.overlap import hann

KIND = "spectral"
VERSION = 1

RATE, SIZE, HOP = 44_100, 2048, 512
WINDOW_SECONDS = 0.046
BINS = 513
"""Bins of a spectrum, from 0 to 11 kHz."""

FLOOR = 40.0
"""dB below the root mean square of a window's bins at which everything is one."""

HEARD = -60.0
"""dBFS below which a window is silence."""


@dataclass(frozen=True)
class AutoencoderShape:
    """The size of an autoencoder."""

    latents: int = 16
    width: int = 288
    memory: int = 160
    instruments: int = 8
    embedding: int = 16

    def data(self) -> dict[str, int]:
        """Plain data that `parse` reads back as an equal value."""
        return asdict(self)


class Autoencoder(nn.Module):
    """Encoder and decoder over frames of log spectra; neither looks ahead."""

    def __init__(self, shape: AutoencoderShape) -> None:
        super().__init__()
        self.shape = shape
        self.before = nn.Sequential(nn.Linear(BINS, shape.width), nn.LayerNorm(shape.width), nn.LeakyReLU(0.1))
        self.context = StreamingConv(shape.width, shape.memory, 3)
        self.heard = Recurrent(nn.GRU(shape.memory, shape.memory, batch_first=True))
        self.latents = nn.Linear(shape.memory, shape.latents)
        self.instruments = nn.Embedding(shape.instruments, shape.embedding)
        self.unfold = nn.Linear(shape.latents, shape.memory)
        self.bend = Film(shape.embedding, shape.memory)
        self.told = Recurrent(nn.GRU(shape.memory, shape.memory, batch_first=True))
        self.widen = nn.Sequential(nn.Linear(2 * shape.memory, shape.width), nn.LayerNorm(shape.width))
        # Called so in the weights of model files.
        self.colour = Film(shape.embedding, shape.width)
        self.spectrum = nn.Linear(shape.width, BINS)
        self.mean = nn.Linear(shape.embedding, BINS)
        self.register_buffer("usual", torch.zeros(BINS))
        self.usual: Tensor
        """The mean of what it was trained on."""

    def encode(self, spectra: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Latents ``(batch, frames, latents)`` of scaled spectra ``(batch, frames, BINS)``, and what is kept."""
        context, memory = state or (None, None)
        made, context = self.context(self.before((spectra - self.usual) * 3).transpose(1, 2), context)
        made, memory = self.heard(torch.nn.functional.leaky_relu(made, 0.1), memory)
        return torch.tanh(self.latents(made.transpose(1, 2)) / 3) * 3, (context, memory)

    def decode(self, latents: Tensor, instrument: Tensor, state: State = None) -> tuple[Tensor, State]:
        """Scaled spectra of latents, in the timbre of an embedding ``(batch, embedding)``, and what is kept."""
        given = instrument[:, None]
        seed = torch.nn.functional.leaky_relu(self.bend(self.unfold(latents), given), 0.1)
        remembered, state = self.told(seed.transpose(1, 2), state)
        hidden = self.widen(torch.cat([remembered.transpose(1, 2), seed], dim=2))
        hidden = torch.nn.functional.leaky_relu(self.colour(hidden, given), 0.1)
        return self.usual + (self.spectrum(hidden) + self.mean(given)) / 3, state

    def forward(self, spectra: Tensor, instrument: Tensor) -> tuple[Tensor, Tensor]:
        """The spectra again, and the latents."""
        latents, _ = self.encode(spectra)
        made, _ = self.decode(latents, self.instruments(instrument))
        return made, latents


def scaled(magnitudes: Tensor) -> tuple[Tensor, Tensor]:
    """Log magnitudes against each window's level, floored, 0 at the level and -1 at the floor; and the levels.

    Args:
        magnitudes: ``(…, bins)`` with at least `BINS`.
    """
    low = magnitudes[..., :BINS]
    level = low.square().mean(dim=-1, keepdim=True).sqrt().clamp_min(1e-7)
    return (20 * (low / level).clamp_min(1e-9).log10() / FLOOR).clamp_min(-1.0), level


def unscaled(spectra: Tensor, level: Tensor) -> Tensor:
    """Magnitudes of scaled spectra, each of its level."""
    made = 10 ** (spectra.clamp_min(-1.0) * (FLOOR / 20))
    return made * (level / made.square().mean(dim=-1, keepdim=True).sqrt())


def distance(made: Tensor, wanted: Tensor) -> Tensor:
    """Log-spectral distance in dB, one a frame, of scaled spectra."""
    return ((made.clamp_min(-1.0) - wanted) * FLOOR).square().mean(dim=-1).add(1e-6).sqrt()


def spectra_of(audio: Audio) -> Iterator[Tensor]:
    """Magnitudes of the middle of the channels at `RATE`, ``(windows, SIZE / 2 + 1)``, some windows at a time."""
    import soxr

    mono = audio.samples.mean(axis=0)
    if audio.rate != RATE:
        mono = soxr.resample(mono, audio.rate, RATE)
    padded = np.pad(mono, (SIZE - HOP, SIZE))
    windows = np.lib.stride_tricks.sliding_window_view(padded, SIZE)[::HOP]
    shape = torch.tensor(hann(SIZE), dtype=torch.float32)
    for first in range(0, len(windows), 512):
        yield torch.fft.rfft(torch.tensor(windows[first : first + 512]) * shape).abs()


def learnable(audio: Audio) -> Tensor:
    """The scaled spectra of a sound's windows, without silence, in half precision."""
    parts = []
    for magnitudes in spectra_of(audio):
        power = magnitudes.square().sum(dim=1) * (2 / SIZE / (0.375 * SIZE))
        parts.append(scaled(magnitudes[power > 10 ** (HEARD / 10)])[0].half())
    return torch.cat(parts)


@dataclass(frozen=True, eq=False)
class Spectral:
    """A trained autoencoder; `card` names its instruments, says how well it does, and what its directions are."""

    model: Autoencoder
    card: dict[str, Any]

    @property
    def device(self) -> torch.device:
        """Where its weights lie, and so where it computes."""
        return self.model.usual.device

    @classmethod
    def load(cls, path: Path) -> Spectral:
        """Read it.

        Raises:
            ModelError: the file is none, or damaged.
        """
        return cls(*FORMAT.load(path))

    def save(self, path: Path) -> None:
        """Write it, in half precision.

        Raises:
            OutputError: the file cannot be written.
        """
        write_model(path, {name: tensor.half() for name, tensor in self.model.state_dict().items()}, self.card)

    def instrument(self, name: str) -> Tensor:
        """The embedding ``(1, embedding)`` of an instrument it knows.

        Raises:
            KnobError: it does not know it.
        """
        names = list(self.card["instruments"])
        if name not in names:
            raise KnobError(f"this model knows no {name!r}.", nearest(name, names))
        with inference():
            found: Tensor = self.model.instruments(torch.tensor([names.index(name)], device=self.device))
        return found

    def encode(self, magnitudes: Tensor) -> tuple[Tensor, Tensor]:
        """Latents ``(windows, latents)`` and levels ``(windows, 1)`` of magnitudes ``(windows, bins)``."""
        with inference():
            given, level = scaled(magnitudes.to(self.device))
            return self.model.encode(given[None])[0][0].cpu(), level.cpu()

    def decode(self, latents: Tensor, level: Tensor, instrument: Tensor) -> Tensor:
        """Magnitudes ``(windows, BINS)`` of latents, each at its level."""
        with inference():
            made, _ = self.model.decode(latents[None].to(self.device), instrument.to(self.device))
            return unscaled(made[0], level.to(self.device)).cpu()


def _built(card: dict[str, Any]) -> Autoencoder:
    """The model of a card, without its weights.

    Raises:
        StudioError: the card names other instruments than its shape has, or directions of other latents.
    """
    shape = AutoencoderShape(**card["shape"])
    check_count(card, "instruments", shape.instruments)
    for key in ("directions", "leanings"):
        for index, each in enumerate(card.get(key, ())):
            with within(key, index):
                check_count(each, "axis", shape.latents)
    return Autoencoder(shape)


_DIRECTIONS = Several(
    each=Members(
        of={
            "name": Words(longest=80),
            "spread": Real(low=0, high=1e6),
            "axis": Several(each=Real(low=-1e6, high=1e6), fewest=1, most=256),
        },
        more=True,
    ),
    most=256,
    default=[],
)

_FIELDS: dict[str, Kind] = {
    "shape": Members(
        of={
            "latents": Whole(low=1, high=256),
            "width": Whole(low=1, high=2_048),
            "memory": Whole(low=1, high=1_024),
            "instruments": Whole(low=1, high=256),
            "embedding": Whole(low=1, high=256),
        }
    ),
    "instruments": Several(each=Words(longest=80), fewest=1, most=256),
    "directions": _DIRECTIONS,
    "leanings": _DIRECTIONS,
}

FORMAT = ModelFormat(CardFormat(KIND, VERSION, _FIELDS), _built)


class _Reversed(torch.autograd.Function):
    """Nothing on the way, and the gradient turned round on the way back (Ganin et al., JMLR 2016)."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * gradient, None


BATCH, FRAMES, WARM = 32, 56, 8
"""Sequences in a step, windows in each, and windows before them that only fill the memory."""

CONFUSION = 0.02
"""How strongly the adversary pushes."""


def try_step(device: torch.device | None = None) -> None:
    """Do what one step of a training does, where it will be done, on a model that is thrown away."""
    on = device or best_device()
    model = Autoencoder(AutoencoderShape()).to(on)
    drawn = torch.zeros(BATCH, FRAMES + WARM, BINS, device=on)
    with mixed_precision(on):
        made, _ = model(drawn, torch.zeros(BATCH, dtype=torch.long, device=on))
        loss = distance(made, drawn).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    finished(on)


def train_spectral(
    learned: Mapping[str, Audio],
    held: Mapping[str, Audio],
    seconds: float,
    about: Mapping[str, Any],
    *,
    shape: AutoencoderShape | None = None,
    seed: int = 0,
    device: torch.device | None = None,
    checkpoint: Checkpoint | None = None,
    tell: Callable[[TrainingProgress, Spectral], None] = lambda progress, model: None,
) -> Spectral:
    """Train on sounds of several instruments for so many seconds, on a GPU if there is one.

    Args:
        learned, held: the sound of each instrument, by name; what is held out is never trained on.
        about: goes into the card.
        device: where to train, by default where it is fastest.
        tell: is told how far it has come, with the model as it is.

    Raises:
        AudioError: an instrument has too little sound.
    """
    names = list(learned)
    shape = shape or AutoencoderShape(instruments=len(names))
    on = device or best_device()
    sounds = [learnable(learned[name]).to(on) for name in names]
    others = [learnable(held[name]).float().to(on) for name in names]
    for name, sound, other in zip(names, sounds, others, strict=True):
        if len(sound) < 4 * (FRAMES + WARM) or not len(other):
            raise AudioError(
                f"{name}: {len(sound) * HOP / RATE:.1f} s of sound that is no silence.", "Give ten seconds at least."
            )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = Autoencoder(shape)
        adversary = nn.Sequential(nn.Linear(shape.latents, 64), nn.LeakyReLU(0.1), nn.Linear(64, len(names)))
    model.usual.copy_(torch.cat(sounds)[::8].float().mean(dim=0))
    whole = nn.ModuleList([model, adversary]).to(on)

    def loss(step: int) -> Tensor:
        random = np.random.default_rng([seed, step])
        picked = random.integers(0, len(names), BATCH).tolist()
        starts = [int(random.integers(0, max(1, len(sounds[index]) - FRAMES - WARM))) for index in picked]
        pairs = zip(picked, starts, strict=True)
        drawn = torch.stack([sounds[index][start : start + FRAMES + WARM] for index, start in pairs]).float()
        truth = torch.tensor(picked, device=on)
        made, latents = model(drawn, truth)
        turned = _Reversed.apply(latents, CONFUSION)  # type: ignore[no-untyped-call]
        guess = adversary(turned[:, WARM:].flatten(0, 1))
        confused = nn.functional.cross_entropy(guess, truth.repeat_interleave(FRAMES))
        return distance(made, drawn)[:, WARM:].mean() / 10 + confused

    def judge() -> float:
        model.eval()
        with torch.inference_mode():
            numbers = torch.arange(len(names), device=on)[:, None]
            found = [
                float(distance(model(part[None], number)[0], part[None]).mean())
                for number, part in zip(numbers, others, strict=True)
            ]
        model.train()
        return float(np.mean(found))

    progress = train(
        whole,
        loss,
        judge,
        seconds,
        rate=3e-3,
        checkpoint=checkpoint,
        tell=lambda progress: tell(progress, Spectral(deepcopy(model).cpu(), {"instruments": names})),
        every=min(15.0, seconds / 12),
    )
    model.cpu().eval()
    card = {
        "kind": KIND, "version": VERSION, "shape": shape.data(), "instruments": names, "rate": RATE, "size": SIZE,
        "hop": HOP, "latency": SIZE, "seed": seed, **progress.card(),
        "log_spectral_distance": round(progress.best, 3), "parameters": sum(each.numel() for each in model.parameters()),
        "data_seconds": round(sum(each.seconds for each in learned.values()), 1), **about,
    }  # fmt: skip
    return Spectral(model, card)
