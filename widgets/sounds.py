"""What a player can play: named sounds of one length and rate, read in parts of any size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio, Block
from studio.audiofile import read_audio
from studio.engine import Engine, Plan
from studio.engine.nodes import Node
from studio.engine.preview import Preview
from studio.errors import AudioError, shown
from studio.rendering.deliverables import stem_of
from studio.rendering.render import Result

_LARGEST_STEP, _FEWEST_PEAKS = 512, 1200

MIX = "mix"


class Sounds(Protocol):
    """The first sound is what is heard; the others are what it is made of."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sounds, in order."""
        ...

    @property
    def rate(self) -> int:
        """The rate of the sounds in Hz."""
        ...

    @property
    def frames(self) -> int:
        """How long the longest is, in frames."""
        ...

    def read(self, track: int, start: int, frames: int) -> Block:
        """Part of a sound, silence beyond its end."""
        ...


@dataclass(frozen=True, eq=False)
class Given:
    """Sounds that are there already."""

    sounds: Mapping[str, Audio]

    def __post_init__(self) -> None:
        rates = {audio.rate for audio in self.sounds.values()}
        if len(rates) != 1:
            raise AudioError(
                "sounds of different rates cannot be played together." if rates else "there is nothing to play.",
                "Resample them first." if rates else "Give at least one sound.",
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sounds, in order."""
        return tuple(self.sounds)

    @property
    def rate(self) -> int:
        """The rate of the sounds in Hz."""
        return next(iter(self.sounds.values())).rate

    @property
    def frames(self) -> int:
        """How long the longest is, in frames."""
        return max(audio.frames for audio in self.sounds.values())

    def read(self, track: int, start: int, frames: int) -> Block:
        """The sound in blocks of shape (channels, frames) of any length."""
        block = list(self.sounds.values())[track].samples[:, start : start + frames]
        return np.pad(block, ((0, 0), (0, frames - block.shape[1])))


@dataclass(frozen=True, eq=False)
class Rendered:
    """A plan whose nodes the engine has finished: the mix, and with `stems` what it is made of."""

    plan: Plan
    engine: Engine
    frames: int
    stems: bool = False

    @classmethod
    def of(cls, result: Result) -> Rendered:
        """A result with its stems."""
        return cls(result.plan, result.engine, result.frames, True)

    @property
    def nodes(self) -> dict[str, Node]:
        """The mix first, then tracks and buses."""
        strips = {**self.plan.tracks, **self.plan.buses} if self.stems else {}
        recipe = self.plan.recipe
        tracks = {
            name: stem_of(strip, recipe) if name in self.plan.tracks else strip.post for name, strip in strips.items()
        }
        return {MIX: self.plan.mix, **tracks}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the sounds, in order."""
        return tuple(self.nodes)

    @property
    def rate(self) -> int:
        """The rate of the sounds in Hz."""
        return self.plan.context.rate

    def read(self, track: int, start: int, frames: int) -> Block:
        """The sound in blocks of shape (channels, frames) of any length."""
        return Preview(self.engine, start).read(list(self.nodes.values())[track], start, frames)


def sounds_of(source: object) -> Sounds:
    """The sounds that somebody means: a result, audio, the path of a file, or several by name.

    Raises:
        AudioError: it is none of these, or holds no sound.
    """
    if isinstance(source, Result):
        return Rendered.of(source)
    if isinstance(source, (str, Path)):
        return Given({Path(source).stem: read_audio(Path(source))})
    if isinstance(source, Audio):
        return Given({MIX: source})
    if isinstance(source, Mapping):
        wrong = next((name for name, audio in source.items() if not isinstance(audio, (Audio, str, Path))), None)
        if wrong is not None:
            raise AudioError(f"{shown(source[wrong])} is not a sound.", "Give studio.Audio or the path of a file.")
        return Given(
            {str(name): audio if isinstance(audio, Audio) else read_audio(audio) for name, audio in source.items()}
        )
    raise AudioError(
        f"{shown(source)} cannot be played.", "Give a Result, a Recipe, studio.Audio, a file, or several by name."
    )


def heard(sounds: Sounds) -> dict[str, Audio]:
    """What is heard before anybody mutes anything: the first sound, or where they are all of a kind, each."""
    names = sounds.names if MIX not in sounds.names else sounds.names[:1]
    return {name: Audio(sounds.read(track, 0, sounds.frames), sounds.rate) for track, name in enumerate(names)}


def peak_step(frames: int) -> int:
    """Frames behind one pair of peaks in the outline of a sound of so many frames: a power of two, 512 at most."""
    return min(_LARGEST_STEP, 1 << max(0, (frames // _FEWEST_PEAKS).bit_length() - 1))


def outline(samples: Block, step: int) -> NDArray[np.float32]:
    """The lowest and highest sample of every `step` frames: shape (steps, 2)."""
    missing = -samples.shape[1] % step
    padded = np.pad(samples, ((0, 0), (0, missing)), mode="edge") if missing and samples.shape[1] else samples
    shaped = padded.reshape(samples.shape[0], -1, step)
    if not padded.size:
        return np.zeros((0, 2), np.float32)
    return np.stack([shaped.min(axis=(0, 2)), shaped.max(axis=(0, 2))], axis=1)


def pcm(samples: Block) -> bytes:
    """Interleaved 16-bit samples, as they travel to the browser; what is over full scale clips."""
    return np.rint(np.clip(samples, -1, 1) * 32767).astype("<i2").T.tobytes()
