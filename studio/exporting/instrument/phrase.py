"""The notes an instrument plays when it is verified, and what its recipe makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from studio.audio import Block
from studio.context import GRID
from studio.effect_chain import EffectChain
from studio.exporting.plugin.design import Design
from studio.score import NOTE_OFF, NOTE_ON, Event, Score
from studio.typed import present

RATE = 44_100
_RESOLUTION = 1500
_LONGEST = 12
"""Single notes that are played."""


@dataclass(frozen=True)
class Tone:
    """A note: when it starts and ends, in seconds."""

    start: float
    end: float
    key: int
    velocity: int


@dataclass(frozen=True)
class Phrase:
    """Notes that sound alone, then some that sound together; `seconds` is the whole with its tail."""

    single: tuple[Tone, ...]
    together: tuple[Tone, ...]
    seconds: float

    @property
    def tones(self) -> tuple[Tone, ...]:
        """The notes of the phrase, in order."""
        return (*self.single, *self.together)

    @property
    def frames(self) -> int:
        """How long it is, in frames."""
        return round(self.seconds * RATE) // GRID * GRID


def phrase(keys: Sequence[int], velocities: Sequence[int], drums: bool, held: float) -> Phrase:
    """Notes on sampled keys and between them, at sampled velocities and between, a chord, and one held past its sample."""
    low, high = min(keys), max(keys)
    if drums:
        chosen = list(keys)[:: max(1, len(keys) // _LONGEST)][:_LONGEST]
    else:
        chosen = sorted({round(low + (high - low) * place / (_LONGEST - 1)) for place in range(_LONGEST)})
    between = [round((one + other) / 2) for one, other in pairwise(velocities)]
    strengths = [*velocities, *between, max(1, round(min(velocities) * 0.7))]
    single = tuple(
        Tone(0.64 + 1.92 * place, 0.64 + 1.92 * place + 0.8, key, strengths[(place * 2) % len(strengths)])
        for place, key in enumerate(chosen)
    )
    then = 0.64 + 1.92 * len(chosen)
    middle = chosen[len(chosen) // 2]
    chord = [key for key in (middle, middle + 4, middle + 7) if low <= key <= high or not drums]
    loud = max(velocities)
    together = [Tone(then, then + 1.2, key, loud) for key in dict.fromkeys(chord) if key in keys or not drums]
    if not drums:
        together.append(Tone(then + 2.56, then + 2.56 + 1.7 * held, middle, loud))
    return Phrase(single, tuple(together), max(tone.end for tone in together) + 2.0)


def original(design: Design, notes: Phrase, later: float = 0.0) -> Block:
    """The phrase as the recipe renders it; with `later`, when it begins so many seconds later."""
    target, context = design.target, design.target.context(RATE)
    playing = present(target.playing)
    channel = playing.channel
    events = [Event(0, message) for message in playing.before]
    ticks = _RESOLUTION * target.bpm / 60
    for tone in notes.tones:
        start, end = (round((time + later) * ticks) for time in (tone.start, tone.end))
        events.append(Event(start, bytes((NOTE_ON << 4 | channel, tone.key, tone.velocity))))
        events.append(Event(end, bytes((NOTE_OFF << 4 | channel, tone.key, 64))))
    score = Score(tuple(events), _RESOLUTION, context.tempo, end=round((notes.seconds + later) * ticks))
    played = np.concatenate(list(playing.instrument.play(score, context)), axis=1)[:, round(later * RATE) :]
    whole = np.pad(played, ((0, 0), (0, max(0, notes.frames - played.shape[1]))))[:, : notes.frames]
    return rendered(design, whole)


def rendered(design: Design, sound: Block) -> Block:
    """A sound through the chain behind an instrument."""
    line = EffectChain(design.chain({}), design.target.context(RATE))
    out = [line.push(sound)]
    while sum(block.shape[1] for block in out) < sound.shape[1]:
        out.append(line.push(np.zeros((2, 4096), np.float32)))
    return np.concatenate(out, axis=1)[:, : sound.shape[1]]
