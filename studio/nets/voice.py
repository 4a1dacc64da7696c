"""Voices: a decoder with what it needs to know of the sound it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio.audio import Audio
from studio.errors import ModelError, Place
from studio.nets.decoder import Decoder, Shape, decoder, parameters
from studio.nets.features import QUIETEST, Features, hop_of, loudness
from studio.nets.losses import spectral
from studio.nets.material import Material
from studio.nets.model_file import read_model, write_model
from studio.nets.training import Course, train

KIND = "voice"
VERSION = 1

BATCH, FRAMES = 8, 100
WINDOWS = (4096, 2048, 1024, 512, 256, 128)
PRETRAINING = 0.2
"""The share of the time in which the strengths of harmonics are learned from those that were analysed."""


@dataclass(frozen=True, eq=False)
class Voice:
    """A trained voice; `card` says where it comes from and how well it does."""

    model: Decoder
    card: dict[str, Any]

    @classmethod
    def load(cls, path: Path) -> Voice:
        """Read a voice.

        Raises:
            ModelError: the file is no voice, or damaged.
        """
        weights, card = read_model(path, KIND)
        try:
            model = decoder(Shape(**card["shape"]), 0)
            model.load_state_dict(weights)
            for name in ("loudness_mean", "loudness_spread", "lowest_octave", "highest_octave"):
                float(card[name])
        except (TypeError, KeyError, RuntimeError, ValueError) as error:
            raise ModelError(
                f"its card and its weights do not fit: {str(error).splitlines()[0]}.", place=Place(str(path))
            ) from None
        return cls(model.eval(), card)

    def save(self, path: Path) -> None:
        """Write it.

        Raises:
            OutputError: the file cannot be written.
        """
        write_model(path, self.model.state_dict(), self.card)

    @property
    def rate(self) -> int:
        return self.model.shape.rate

    def sing(self, given: Features, seed: int = 0, follow: bool = True) -> Audio:
        """The sound of pitch and loudness as they are.

        Args:
            follow: bring the loudness to what is asked for, by up to `FOLLOW` dB; needs the whole sound.
        """
        pitch = torch.tensor(np.log2(given.hz / 220), dtype=torch.float32)[None]
        loud = self.scaled(torch.tensor(given.loudness, dtype=torch.float32))[None]
        with torch.inference_mode():
            amplitudes, bands, _ = self.model.controls(pitch, loud)
            made = self._rendered(pitch, amplitudes, bands, seed)
        return followed(Audio(made, self.rate), given) if follow else Audio(made, self.rate)

    def _rendered(self, pitch: Tensor, amplitudes: Tensor, bands: Tensor, seed: int) -> np.ndarray:
        """In pieces that stay in the processor's cache, so that an hour needs no more memory than a second."""
        hop, frames, piece = self.model.shape.hop, pitch.shape[1] - 1, 64
        random = torch.Generator().manual_seed(seed)
        white = torch.rand(1, frames * hop, generator=random) * 2 - 1
        out: list[Tensor] = []
        phase: Tensor | None = None
        for first in range(0, frames, piece):
            last = min(first + piece, frames)
            # The filters of the noise reach over the border, so a frame more is made on either side.
            left, right = max(first - 1, 0), min(last + 1, frames)
            start: Tensor | None = phase
            if left < first and phase is not None:
                start = (phase - torch.tensor([self._turn(pitch, left)])) % 1
            sound, _ = self.model.sound(
                pitch[:, left : right + 1],
                amplitudes[:, left : right + 1],
                bands[:, left : right + 1],
                white[:, left * hop : right * hop],
                start,
            )
            _, phase = self._phase(pitch[:, first : last + 1], phase)
            out.append(sound[:, (first - left) * hop : (last - left) * hop])
        return torch.cat(out, dim=1).numpy() if out else np.zeros((1, 0), np.float32)

    def _phase(self, pitch: Tensor, start: Tensor | None) -> tuple[Tensor, Tensor]:
        from studio.nets.synthesis import phases

        return phases(220.0 * torch.exp2(pitch), self.model.shape.hop, self.rate, start)

    def _turn(self, pitch: Tensor, frame: int) -> float:
        """Turns of the fundamental during one frame."""
        return float(self._phase(pitch[:, frame : frame + 2], None)[1][0])

    def scaled(self, loudness: Tensor) -> Tensor:
        """dB(A) in standard deviations from the mean of the training sound."""
        out: Tensor = (loudness - self.card["loudness_mean"]) / self.card["loudness_spread"]
        return out


FOLLOW = 1.0


def followed(made: Audio, given: Features) -> Audio:
    """A sound brought to the loudness of features, by up to `FOLLOW` dB, in steps a frame long without corners."""
    found = loudness(made)
    wanted = given.loudness[: len(found)]
    heard = (wanted > QUIETEST + 10) & (found > QUIETEST + 10)
    change = np.where(heard, np.clip(wanted - found, -FOLLOW, FOLLOW), 0.0)
    smooth = np.convolve(np.pad(change, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    places = np.arange(made.frames) / hop_of(made.rate)
    gain = 10 ** (np.interp(places, np.arange(len(smooth)), smooth) / 20)
    return Audio((made.samples * gain).astype(np.float32), made.rate)


def train_voice(
    sound: Material,
    seconds: float,
    about: dict[str, Any],
    *,
    seed: int = 0,
    shape: Shape | None = None,
    checkpoint: Path | None = None,
    tell: Callable[[Course, Callable[[], Audio]], None] = lambda course, preview: None,
) -> Voice:
    """Train a voice for so many seconds, first on strengths of harmonics, then on sound.

    Args:
        sound: of one instrument.
        about: goes into the card: a name, where the sound comes from, its licence.
        checkpoint: where to go on from when the training is interrupted.
        tell: is told how far it has come, with what gives ten seconds of held-out sound as it sings them now.
    """
    shape = shape or Shape(rate=sound.rate, hop=sound.hop)
    learned, held = sound.split()
    heard = learned.loudness > QUIETEST + 10
    mean, spread = float(learned.loudness[heard].mean()), float(learned.loudness[heard].std()) + 1e-3
    octaves = learned.pitch[heard]
    voice = Voice(
        decoder(shape, seed),
        {
            "kind": KIND,
            "version": VERSION,
            "shape": shape.data(),
            "tracker": "yin",
            "loudness_mean": mean,
            "loudness_spread": spread,
            "lowest_octave": float(torch.quantile(octaves[:: max(1, len(octaves) // 100_000)], 0.01)),
            "highest_octave": float(torch.quantile(octaves[:: max(1, len(octaves) // 100_000)], 0.99)),
            "data_seconds": round(sound.seconds, 1),
            "parameters": 0,
            **about,
        },
    )
    model = voice.model
    voice.card["parameters"] = parameters(model)

    def drawn(step: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        pitch, loud, wanted = learned.draw(step + seed * 1_000_003, BATCH, FRAMES)
        random = torch.Generator().manual_seed(step)
        return pitch, voice.scaled(loud), wanted, torch.rand(wanted.shape, generator=random) * 2 - 1

    def loss(step: int) -> Tensor:
        pitch, loud, wanted, white = drawn(step)
        picked = np.random.default_rng(step).permutation(3)[:1].tolist()[0]
        return spectral(model(pitch, loud, white), wanted, (WINDOWS[picked], WINDOWS[picked + 3]), 2)

    def judge() -> float:
        model.eval()
        with torch.inference_mode():
            found = judged(voice, held)
        model.train()
        return found

    def preview() -> Audio:
        return Audio(made_of(voice, held.part(0, min(held.frames, 1000))).numpy(), voice.rate)

    first = Course()
    if checkpoint is None or not checkpoint.exists():
        first = _pretrain(voice, learned, seconds * PRETRAINING)
    course = train(
        model,
        loss,
        judge,
        seconds * (1 - PRETRAINING),
        checkpoint=checkpoint,
        tell=lambda course: tell(course, preview),
        every=min(15.0, seconds / 12),
    )
    model.eval()
    voice.card.update(
        {
            "trained_seconds": round(first.seconds + course.seconds, 1),
            "steps": course.steps,
            "losses": [[round(at, 1), round(value, 4)] for at, value in course.losses],
            "spectral_loss": round(course.best, 4),
        }
    )
    return voice


def try_step(sound: Material) -> None:
    """Do what one step of a training does, on a voice that is thrown away."""
    model = decoder(Shape(rate=sound.rate, hop=sound.hop), 0)
    pitch, loud, wanted = sound.draw(0, BATCH, FRAMES)
    made = model(pitch, (loud - loud.mean()) / (loud.std() + 1e-3), torch.rand(wanted.shape) * 2 - 1)
    spectral(made, wanted, (WINDOWS[0], WINDOWS[3]), 2).backward()  # type: ignore[no-untyped-call]


def judged(voice: Voice, held: Material, longest: float = 20.0) -> float:
    """The multi-resolution distance on held-out sound."""
    part = held.part(0, min(held.frames, round(longest * 100)))
    return float(spectral(made_of(voice, part), part.sound[None], WINDOWS))


def made_of(voice: Voice, part: Material) -> Tensor:
    """What a voice makes of the pitch and loudness of a sound, ``(1, frames)``."""
    white = torch.rand(1, part.frames * part.hop, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        made: Tensor = voice.model(part.pitch[None], voice.scaled(part.loudness)[None], white)
        return made


def _pretrain(voice: Voice, learned: Material, seconds: float) -> Course:
    """Learn the strengths that harmonics have in the sound: without this, noise can take over what harmonics are for."""
    model, shape = voice.model, voice.model.shape
    wanted = strengths(learned, shape.harmonics)

    def loss(step: int) -> Tensor:
        starts = np.random.default_rng(step).integers(0, max(1, learned.frames - 2 * FRAMES), 2 * BATCH)
        spans = [slice(start, start + 2 * FRAMES) for start in starts.tolist()]
        pitch, loud, goal = (
            torch.stack([whole[span] for span in spans]) for whole in (learned.pitch, learned.loudness, wanted)
        )
        made, _, _ = model.controls(pitch, voice.scaled(loud))
        floor = 1e-5
        return ((made + floor).log() - (goal + floor).log()).abs().mean()

    return train(model, loss, lambda: float(loss(0).detach()), seconds, rate=3e-3)


def strengths(sound: Material, count: int) -> Tensor:
    """The amplitude of each harmonic at each frame, read from the spectrum around its multiple of the pitch."""
    size = 2048 if sound.rate < 30_000 else 4096
    window = torch.hann_window(size)
    spectrum = torch.stft(
        sound.sound, size, sound.hop, window=window, center=True, pad_mode="constant", return_complex=True
    ).abs()
    spectrum = spectrum[:, : sound.frames + 1] * (2 / window.sum())
    hz = 220.0 * torch.exp2(sound.pitch[: spectrum.shape[1]])
    bins = hz[:, None] * torch.arange(1, count + 1) * size / sound.rate
    near = bins.round().long().clamp(2, spectrum.shape[0] - 3)
    tops = torch.stack([spectrum.T.gather(1, near + step) for step in (-1, 0, 1)]).amax(0)
    tops = tops * (bins < 0.485 * size)
    return torch.nn.functional.pad(tops, (0, 0, 0, sound.frames + 1 - len(tops)))
