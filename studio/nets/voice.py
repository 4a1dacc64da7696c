"""Voices: a decoder with what it needs to know of the sound it was trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio.audio import Audio
from studio.errors import KnobError, RecipeError, nearest
from studio.nets.decoder import Decoder, DecoderShape, decoder
from studio.nets.features import QUIETEST, Features, hop_of, loudness
from studio.nets.inference import inference
from studio.nets.model_file import ModelFormat, check_count, write_model
from studio.nets.synthesis import audible, phases
from studio.nets.voice_card import CARD, RANGE
from studio.stored import Members
from studio.tempo import Floats


def _build(card: dict[str, Any]) -> Decoder:
    """The decoder of a card, without its weights.

    Raises:
        StudioError: the card names other instruments than its shape has room for, or does not say their range.
    """
    shape = DecoderShape(**card["shape"])
    if "instruments" in card:
        check_count(card, "instruments", shape.instruments)
    elif shape.instruments > 1:
        raise RecipeError(f"it is missing, with a shape for {shape.instruments}.", path=("instruments",))
    else:
        Members(of=RANGE, more=True).parse(card)
    return decoder(shape, 0)


FORMAT = ModelFormat(CARD, _build)


@dataclass(frozen=True, eq=False)
class Voice:
    """A trained voice; `card` says where it comes from and how well it does.

    Attributes:
        instrument: which one it is, where the model knows several.
    """

    model: Decoder
    card: dict[str, Any]
    instrument: int | None = None

    @classmethod
    def load(cls, path: Path) -> Voice:
        """Read a voice.

        Raises:
            ModelError: the file is no voice, or damaged.
        """
        model, card = FORMAT.load(path)
        voice = cls(model, card)
        return voice if len(voice.instruments) > 1 else voice.of(voice.instruments[0])

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

    @property
    def device(self) -> torch.device:
        """Where its weights lie, and so where it computes."""
        return next(self.model.parameters()).device

    @property
    def instruments(self) -> tuple[str, ...]:
        """The names of those it knows."""
        return tuple(self.card.get("instruments", {self.card["name"]: None}))

    def of(self, name: str) -> Voice:
        """One of its instruments.

        Raises:
            KnobError: it does not know that one.
        """
        if name not in self.instruments:
            raise KnobError(
                f"{self.card['name']!r} knows no {name!r}."
                if name
                else f"{self.card['name']!r} knows several instruments.",
                nearest(name, self.instruments) or f"Say which: {', '.join(self.instruments)}.",
            )
        number = self.instruments.index(name) if self.model.shape.instruments else None
        return replace(self, card=self.card | self.card.get("instruments", {}).get(name, {}), instrument=number)

    def embedding(self, towards: Voice | None = None, share: Floats | float = 0.0) -> Tensor | None:
        """What tells the model the instrument, ``(1, frames or 1, EMBEDDING)``.

        Args:
            towards: another instrument of the same model.
            share: from this one, 0, to that, 1; may change with every frame.
        """
        if self.instrument is None:
            return None
        with inference():
            ours = self.model.colours.weight[self.instrument].expand(1, 1, -1)
            if towards is None or towards.instrument is None:
                return ours
            moved = torch.tensor(np.atleast_1d(share), dtype=torch.float32, device=self.device)[None, :, None]
            return ours + (self.model.colours.weight[towards.instrument] - ours) * moved

    def sing(
        self, given: Features, seed: int = 0, follow: bool = True, embedding: Tensor | None = None, room: float = 1.0
    ) -> Audio:
        """The sound of pitch and loudness as they are.

        Args:
            follow: bring the loudness to what is asked for, by up to `FOLLOW` dB; needs the whole sound.
            embedding: of `embedding`, where it is not the instrument as it is.
            room: how much of the room it was learned in is heard.
        """
        pitch, amplitudes, bands, _ = self.controls(given.hz, given.loudness, embedding)
        with inference():
            made = self.in_room(self._rendered(pitch, amplitudes, bands, seed), room)[
                :, : (given.frames - 1) * self.model.shape.hop
            ]
        return followed(Audio(made, self.rate), given) if follow else Audio(made, self.rate)

    @inference()
    def controls(
        self, hz: Floats, loud: Floats, embedding: Tensor | None = None, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pitch in octaves from 220 Hz, amplitudes of harmonics and of bands of noise, and the state (see `Decoder`).

        A pitch that lies outside what the voice was trained on gets the timbre of its lowest or highest note, for a
        network says nothing sensible of what it never saw.

        Args:
            hz: ``(frames,)``.
            loud: ``(frames,)``, in dB(A).
        """
        pitch = torch.tensor(np.log2(hz / 220), dtype=torch.float32, device=self.device)[None]
        scaled = self.scaled(torch.tensor(loud, dtype=torch.float32, device=self.device))[None]
        known = pitch.clamp(self.card["lowest_octave"] - BEYOND, self.card["highest_octave"] + BEYOND)
        embedding = self.embedding() if embedding is None else embedding
        amplitudes, bands, state = self.model.controls(known, scaled, embedding, state)
        made = amplitudes * audible(220.0 * torch.exp2(pitch), amplitudes.shape[2], self.rate)
        made = made * (amplitudes.sum(-1, keepdim=True) / made.sum(-1, keepdim=True).clamp_min(1e-7))
        return pitch, made, bands, state

    def in_room(self, dry: np.ndarray, share: float = 1.0) -> np.ndarray:
        """Sounds ``(channels, frames)`` with the echoes of the room behind them, ``(channels, frames + room)``."""
        count = self.model.shape.room
        if not count or not share or not dry.shape[1]:
            return dry
        from scipy.signal import oaconvolve

        with inference():
            impulse = np.concatenate([[1.0], share * self.model.room().cpu().numpy()])
        return np.asarray(oaconvolve(dry, impulse[None].astype(np.float32), axes=1), np.float32)

    def _rendered(self, pitch: Tensor, amplitudes: Tensor, bands: Tensor, seed: int) -> np.ndarray:
        """In pieces that stay in the processor's cache, so that an hour needs no more memory than a second."""
        hop, frames, piece = self.model.shape.hop, pitch.shape[1] - 1, 64
        random = torch.Generator().manual_seed(seed)
        white = (torch.rand(1, frames * hop, generator=random) * 2 - 1).to(self.device)
        out: list[Tensor] = []
        phase: Tensor | None = None
        for first in range(0, frames, piece):
            last = min(first + piece, frames)
            # The filters of the noise reach over the border, so a frame more is made on either side.
            left, right = max(first - 1, 0), min(last + 1, frames)
            start: Tensor | None = phase
            if left < first and phase is not None:
                start = (phase - torch.tensor([self._turn(pitch, left)], device=self.device)) % 1
            sound, _ = self.model.sound(
                pitch[:, left : right + 1],
                amplitudes[:, left : right + 1],
                bands[:, left : right + 1],
                white[:, left * hop : right * hop],
                start,
            )
            _, phase = self._phase(pitch[:, first : last + 1], phase)
            out.append(sound[:, (first - left) * hop : (last - left) * hop])
        return torch.cat(out, dim=1).cpu().numpy() if out else np.zeros((1, 0), np.float32)

    def _phase(self, pitch: Tensor, start: Tensor | None) -> tuple[Tensor, Tensor]:
        return phases(220.0 * torch.exp2(pitch), self.model.shape.hop, self.rate, start)

    def _turn(self, pitch: Tensor, frame: int) -> float:
        """Turns of the fundamental during one frame."""
        return float(self._phase(pitch[:, frame : frame + 2], None)[1][0])

    def scaled(self, loudness: Tensor) -> Tensor:
        """dB(A) in standard deviations from the mean of the training sound."""
        out: Tensor = (loudness - self.card["loudness_mean"]) / self.card["loudness_spread"]
        return out


BEYOND = 0.25
"""Octaves beyond the trained range in which the network is still asked for the timbre of the pitch itself."""

FOLLOW = 2.0
"""dB by which a sound is made louder at most to follow the loudness that it is given."""

_HUSH = 60.0


def followed(made: Audio, given: Features) -> Audio:
    """A sound brought to the loudness of features, in steps a frame long without corners.

    It is made louder by up to `FOLLOW` dB, for more would raise what is only noise, and softer as far as it takes.
    """
    found = loudness(made)
    wanted = given.loudness[: len(found)]
    change = np.clip(wanted - found, -_HUSH, np.where(wanted > QUIETEST + 10, FOLLOW, 0.0))
    change = np.where(found > QUIETEST + 10, change, 0.0)
    smooth = np.convolve(np.pad(change, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")
    frames = np.arange(made.frames) / hop_of(made.rate)
    gain = 10 ** (np.interp(frames, np.arange(len(smooth)), smooth) / 20)
    return Audio((made.samples * gain).astype(np.float32), made.rate)
