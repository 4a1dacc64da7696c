"""What a voice is trained on: sounds of one instrument, and the phrases a SoundFont plays for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from studio.audio import Audio
from studio.audiofile import read_audio
from studio.context import RenderContext
from studio.errors import AudioError, within
from studio.nets.features import QUIETEST, Features, features, hop_of
from studio.score import Note, Score
from studio.sources.soundfont import SoundFont
from studio.tempo import Floats, TempoMap

HELD_OUT = 0.15
"""The share at the end of the material that is never trained on."""


@dataclass(frozen=True, eq=False)
class Material:
    """Sounds with their features, end to end: what is trained on, and what is held out.

    Attributes:
        pitch: ``(frames + 1,)`` octaves from 220 Hz.
        loudness: ``(frames + 1,)`` dB(A).
        sound: ``(frames * hop,)``.
        voiced: the share of frames that have a pitch.
    """

    pitch: Tensor
    loudness: Tensor
    sound: Tensor
    voiced: float
    rate: int

    @property
    def hop(self) -> int:
        """Samples from one frame of features to the next."""
        return hop_of(self.rate)

    @property
    def frames(self) -> int:
        """How many frames of features there are."""
        return len(self.pitch) - 1

    @property
    def seconds(self) -> float:
        """How long the recordings are."""
        return len(self.sound) / self.rate

    def split(self) -> tuple[Material, Material]:
        """What is trained on, and what is held out."""
        border = round(self.frames * (1 - HELD_OUT))
        return self.part(0, border), self.part(border, self.frames)

    def to(self, device: torch.device) -> Material:
        """The same where it is to be trained on."""
        return replace(
            self, pitch=self.pitch.to(device), loudness=self.loudness.to(device), sound=self.sound.to(device)
        )

    def part(self, first: int, last: int) -> Material:
        """The frames from `first` to `last`."""
        return Material(
            self.pitch[first : last + 1],
            self.loudness[first : last + 1],
            self.sound[first * self.hop : last * self.hop],
            self.voiced,
            self.rate,
        )

    def draw(self, step: int, count: int, frames: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pitch, loudness and sound of `count` pieces drawn for a step, the same each time."""
        random = np.random.default_rng(step)
        starts = random.integers(0, max(1, self.frames - frames), count).tolist()
        parts = [self.part(start, start + frames) for start in starts]
        return (
            torch.stack([part.pitch for part in parts]),
            torch.stack([part.loudness for part in parts]),
            torch.stack([part.sound for part in parts]),
        )


def material(sounds: Sequence[Audio], known: Sequence[Features] | None = None) -> Material:
    """Sounds of one instrument, made ready.

    Args:
        known: their features, where they are known better than by listening.

    Raises:
        AudioError: there is too little, it is silent, or it has no pitch.
    """
    found = known or [features(sound) for sound in sounds]
    hop = hop_of(sounds[0].rate)
    joined: list[tuple[Features, np.ndarray]] = []
    for sound, given in zip(sounds, found, strict=True):
        frames = min(given.frames - 1, sound.frames // hop)
        joined.append((given, sound.samples.mean(axis=0)[: frames * hop]))
    hz, loud, voiced = (
        np.concatenate([getattr(given, name)[: len(wave) // hop] for given, wave in joined])
        for name in ("hz", "loudness", "voiced")
    )
    heard = loud > QUIETEST + 10
    if not heard.any():
        raise AudioError("the sound is silent.", "Give recordings of one instrument.")
    if len(hz) < 1000:
        raise AudioError(f"{len(hz) / 100:.1f} s of sound.", "Give ten seconds at least, of one instrument.")
    if voiced[heard].mean() < 0.3:
        raise AudioError(
            f"only {voiced[heard].mean():.0%} of it has one pitch.", "Give recordings of one voice or instrument alone."
        )
    return Material(
        torch.tensor(np.append(np.log2(hz / 220), np.log2(hz[-1] / 220)), dtype=torch.float32),
        torch.tensor(np.append(loud, loud[-1]), dtype=torch.float32),
        torch.tensor(np.concatenate([wave for _, wave in joined]), dtype=torch.float32),
        float(voiced[heard].mean()),
        sounds[0].rate,
    )


def recordings(folder: Path, rate: int) -> list[Audio]:
    """The audio files of a folder, in the order of their names.

    Raises:
        AudioError: there are none, or one cannot be read.
    """
    endings = {".wav", ".flac", ".aif", ".aiff", ".ogg", ".mp3"}
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in endings)
    if not paths:
        raise AudioError(f"there are no audio files in {folder}.", "Give a folder with recordings of one instrument.")
    sounds = []
    for path in paths:
        with within(path.name):
            sounds.append(read_audio(path, rate, 1))
    return sounds


@dataclass(frozen=True)
class Phrases:
    """Phrases of one instrument in a range: scales and leaps, long and short, soft and loud, tied and apart.

    Args:
        program: of General MIDI.
        low, high: the lowest and the highest note.
        minutes: at least so long.
        font: the SoundFont that plays.
    """

    program: int
    low: int
    high: int
    minutes: float
    rate: int
    seed: int = 0
    font: str = "gm"

    def score(self) -> Score:
        """The notes, at 120 beats a minute; each phrase begins anywhere in the range."""
        random = np.random.default_rng(self.seed)
        notes, tick = [], 0
        while tick < self.minutes * 60 * 2 * 480:
            velocity = int(random.integers(30, 120))
            pitch = int(random.integers(self.low, self.high + 1))
            for _ in range(int(random.integers(3, 9))):
                length = int(random.choice([120, 240, 240, 480, 480, 960, 1440]))
                held = length - int(random.choice([10, 30, length // 4]))
                loud = int(np.clip(velocity + random.integers(-12, 13), 20, 127))
                notes.append(Note(tick, tick + held, pitch, loud))
                tick += length
                pitch = int(np.clip(pitch + random.integers(-7, 8), self.low, self.high))
            tick += int(random.choice([0, 240, 480]))
        return Score((), 480, TempoMap.constant(120)).with_notes(notes)

    def sound(self) -> Audio:
        """The notes played, without reverb."""
        step = SoundFont(self.font, program=self.program, reverb=0.0, chorus=0.0)
        blocks = step.play(self.score(), RenderContext(rate=self.rate, channels=1))
        return Audio(np.concatenate(list(blocks), axis=1), self.rate)

    def features(self, sound: Audio) -> Features:
        """The features of the notes played: since the notes are known, the tracker is never an octave off."""
        found = features(sound)
        score = self.score()
        starts = np.array([note.start for note in score.notes]) / 960
        pitches = np.array([note.pitch for note in score.notes], dtype=np.float64)
        seconds = np.arange(found.frames) * hop_of(self.rate) / self.rate
        playing = np.clip(np.searchsorted(starts, seconds, side="right") - 1, 0, None)
        return guided(found, 440 * 2 ** ((pitches[playing] - 69) / 12))


def guided(found: Features, guide: Floats) -> Features:
    """Features whose pitch is brought to the octave of a guide, or is the guide's where it is a semitone off."""
    octaves = np.round(np.log2(found.hz / guide))
    folded = found.hz / 2**octaves
    near = np.abs(1200 * np.log2(folded / guide)) < 100
    return Features(np.where(near & found.voiced, folded, guide), found.loudness, found.loudness > QUIETEST + 10)


def phrases(program: int, low: int, high: int, minutes: float, rate: int, seed: int = 0, font: str = "gm") -> Audio:
    """The sound of `Phrases`."""
    return Phrases(program, low, high, minutes, rate, seed, font).sound()
