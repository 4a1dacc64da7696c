"""Ears: a small network that tells instruments apart, whose last layer but one is where sounds are compared.

Distances of spectra know nothing of instruments; those of a network that was trained to tell them apart do (after
Kilgour et al., Interspeech 2019, who take one trained on videos). This one is trained on what a SoundFont plays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.nets.checkpoint import Checkpoint
from studio.nets.inference import inference
from studio.nets.material import phrases
from studio.nets.mel import log_mel
from studio.nets.model_file import CardFormat, ModelFormat, write_model
from studio.nets.training import TrainingProgress, best_device, finished, train
from studio.records import Kind
from studio.stored import Real, Several, Whole, Words
from studio.tempo import Floats

KIND = "ears"
VERSION = 1

RATE = 22_050
WINDOW = 1.0
"""Seconds it listens to at a time."""

STEP = 0.25
"""Seconds from one window to the next."""

QUIET = -50.0
"""dB below the loudest window at which one is silence, as is all below -90 dBFS."""

_FLOOR, _BANDS = 80.0, 64

BATCH = 48
"""Windows in a step."""

PROGRAMS: dict[str, tuple[int, int, int]] = {
    "piano": (0, 36, 90), "electric piano": (4, 36, 90), "harpsichord": (6, 36, 86), "celesta": (8, 60, 100),
    "glockenspiel": (9, 72, 100), "vibraphone": (11, 53, 89), "marimba": (12, 45, 90), "xylophone": (13, 60, 100),
    "tubular bells": (14, 60, 77), "drawbar organ": (16, 36, 90), "church organ": (19, 36, 90),
    "accordion": (21, 50, 90), "harmonica": (22, 60, 90), "nylon guitar": (24, 40, 80), "jazz guitar": (26, 40, 80),
    "overdriven guitar": (29, 40, 80), "acoustic bass": (32, 28, 55), "electric bass": (33, 28, 55),
    "slap bass": (36, 28, 55), "violin": (40, 55, 90), "cello": (42, 36, 72), "pizzicato": (45, 40, 84),
    "harp": (46, 36, 90), "strings": (48, 36, 90), "choir": (52, 48, 79), "trumpet": (56, 54, 84),
    "trombone": (57, 40, 72), "french horn": (60, 40, 77), "brass": (61, 40, 84), "alto saxophone": (65, 49, 80),
    "tenor saxophone": (66, 44, 76), "oboe": (68, 58, 88), "bassoon": (70, 34, 70), "clarinet": (71, 50, 88),
    "piccolo": (72, 74, 100), "flute": (73, 60, 93), "pan flute": (75, 60, 90), "bottle": (76, 55, 84),
    "square lead": (80, 40, 88), "saw lead": (81, 40, 88), "new age pad": (88, 40, 84), "banjo": (105, 48, 84),
}  # fmt: skip
"""What it can tell apart: General MIDI program, lowest and highest note."""


class Net(nn.Module):
    """Four convolutions over a log-mel spectrogram, means and maxima over time and frequency, 64 numbers, one a class."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        widths = (1, 24, 32, 48, 64)
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), nn.GroupNorm(8, after), nn.ReLU(), nn.MaxPool2d(2)]
        self.convolutions = nn.Sequential(*layers)
        self.embedding = nn.Linear(4 * 64 + 64, 64)
        self.classes = nn.Linear(64, classes)

    def embed(self, mels: Tensor) -> Tensor:
        """``(batch, 64)`` of log-mel spectrograms ``(batch, bands, frames)``."""
        made = self.convolutions(mels[:, None])
        bands = made.mean(dim=3).flatten(1)
        found: Tensor = self.embedding(torch.cat([bands, made.amax(dim=(2, 3))], dim=1))
        return found

    def forward(self, mels: Tensor) -> Tensor:
        """One pass: tensors of shape (batch, frames, features) in, the same out unless the class says otherwise."""
        made: Tensor = self.classes(torch.relu(self.embed(mels)))
        return made


_FIELDS: dict[str, Kind] = {
    "classes": Several(each=Words(longest=80), fewest=2, most=1_000),
    "rate": Whole(low=RATE, high=RATE),
    "window": Real(low=WINDOW, high=WINDOW),
}

FORMAT = ModelFormat(CardFormat(KIND, VERSION, _FIELDS), lambda card: Net(len(card["classes"])))


@dataclass(frozen=True, eq=False)
class InstrumentClassifier:
    """A trained network; `card` says what it can tell apart, and how well."""

    net: Net
    card: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> InstrumentClassifier:
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
        write_model(path, {name: tensor.half() for name, tensor in self.net.state_dict().items()}, self.card)

    def listen(self, audio: Audio) -> tuple[Floats, Floats]:
        """What it hears a quarter of a second apart: embeddings ``(windows, 64)`` and chances ``(windows, classes)``.

        Silent windows are left out, so there may be none.
        """
        windows = heard(audio)
        if not len(windows):
            return np.zeros((0, 64)), np.zeros((0, len(self.card["classes"])))
        found, chances, on = [], [], next(self.net.parameters()).device
        with inference():
            for first in range(0, len(windows), 64):
                embedded = self.net.embed(windows[first : first + 64].to(on))
                found.append(embedded)
                chances.append(torch.softmax(self.net.classes(torch.relu(embedded)), dim=1))
        return torch.cat(found).cpu().double().numpy(), torch.cat(chances).cpu().double().numpy()


def heard(audio: Audio) -> Tensor:
    """The windows that are no silence as log-mel spectrograms against their maximum, ``(windows, bands, frames)``."""
    import soxr

    mono = audio.samples.mean(axis=0)
    if audio.rate != RATE:
        mono = soxr.resample(mono, audio.rate, RATE)
    size, step = round(WINDOW * RATE), round(STEP * RATE)
    mono = np.pad(mono, (0, max(0, size - len(mono))))
    windows = np.lib.stride_tricks.sliding_window_view(mono, size)[::step]
    power = np.array([np.square(window, dtype=np.float64).mean() for window in windows])
    loud = np.flatnonzero(power > max(power.max() * 10 ** (QUIET / 10), 1e-9))
    mels = [spectrograms(torch.tensor(windows[part])) for part in np.array_split(loud, 1 + len(loud) // 64)]
    return torch.cat(mels)


def spectrograms(windows: Tensor) -> Tensor:
    """Log-mel spectrograms of windows ``(windows, frames)``: 1 at their maximum, 0 at 80 dB below and less."""
    if not len(windows):
        return torch.zeros(0, _BANDS, round(WINDOW * RATE) // 512 + 1)
    mels = log_mel(windows, RATE, bands=_BANDS)
    return (1 + (mels - mels.amax(dim=(1, 2), keepdim=True)) / _FLOOR).clamp_min(0.0)


@dataclass(frozen=True, eq=False)
class InstrumentPhrases:
    """What instruments play, as they are heard: ``(windows, bands, frames)``, with the class of each window.

    Attributes:
        sounds, truth: to learn from.
        others, unheard: never learned from.
    """

    classes: tuple[str, ...]
    sounds: Tensor
    truth: Tensor
    others: Tensor
    unheard: Tensor

    @classmethod
    def played(
        cls, font: str = "fluid", each: float = 60.0, programs: Sequence[str] = tuple(PROGRAMS), seed: int = 0
    ) -> InstrumentPhrases:
        """Phrases that a SoundFont plays.

        Args:
            each: seconds of phrases for each instrument; a fifth as much again is held out.
            programs: some of `PROGRAMS`.
        """
        learned, held = ([_played(name, font, length, seed + index) for name in programs] for index, length in
                         enumerate((each, each / 5)))  # fmt: skip
        truth, unheard = (
            torch.cat([torch.full((len(part),), index) for index, part in enumerate(parts)])
            for parts in (learned, held)
        )
        return cls(tuple(programs), torch.cat(learned), truth, torch.cat(held), unheard)


def try_step(given: InstrumentPhrases) -> None:
    """Do what one step of a training does, on a network that is thrown away."""
    on = best_device()
    net = Net(len(given.classes)).to(on)
    made = net(given.sounds[:BATCH].to(on))
    nn.functional.cross_entropy(made, given.truth[:BATCH].to(on)).backward()  # type: ignore[no-untyped-call]
    finished(on)


def train_ears(
    given: InstrumentPhrases,
    seconds: float,
    about: Mapping[str, Any],
    *,
    seed: int = 0,
    device: torch.device | None = None,
    checkpoint: Checkpoint | None = None,
    tell: Callable[[TrainingProgress], None] = lambda progress: None,
) -> InstrumentClassifier:
    """Train on phrases for so many seconds.

    Args:
        about: goes into the card.
        device: where to train, by default where it is fastest.
        checkpoint: where to go on from when the training is interrupted.
        tell: is told how far it has come.
    """
    on = device or best_device()
    sounds, others, truth, unheard = (each.to(on) for each in (given.sounds, given.others, given.truth, given.unheard))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = Net(len(given.classes))
    net.to(on)

    def loss(step: int) -> Tensor:
        drawn = torch.tensor(np.random.default_rng([seed, step]).integers(0, len(sounds), BATCH), device=on)
        return nn.functional.cross_entropy(net(sounds[drawn]), truth[drawn], label_smoothing=0.05)

    def judge() -> float:
        with torch.inference_mode():
            return float(nn.functional.cross_entropy(net(others), unheard))

    progress = train(net, loss, judge, seconds, rate=2e-3, checkpoint=checkpoint, tell=tell)
    with torch.inference_mode():
        right = (net(others).argmax(dim=1) == unheard).float().mean()
    card = {
        "kind": KIND, "version": VERSION, "classes": list(given.classes), "rate": RATE, "window": WINDOW, "seed": seed,
        "trained_seconds": round(progress.total, 1), "steps": progress.steps,
        "skipped": progress.skipped, "right": round(float(right), 4),
        "parameters": sum(weight.numel() for weight in net.parameters()), **about,
    }  # fmt: skip
    return InstrumentClassifier(net.cpu().eval(), card)


def _played(name: str, font: str, seconds: float, seed: int) -> Tensor:
    program, low, high = PROGRAMS[name]
    return heard(phrases(program, low, high, seconds / 60, RATE, seed + 100 * program, font))
