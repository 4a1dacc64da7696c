"""The notes an instrument plays when it is verified, and what its recipe makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from studio.audio import Block
from studio.context import GRID
from studio.effect_chain import EffectChain
from studio.exporting.plugin.design import Design
from studio.score import NOTE_OFF, NOTE_ON, Event, Score
from studio.typed import present

RATE = 44_100
GRID_SECONDS = 0.64
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
    """Notes that sound alone, then some that sound together, then those whose sound is moved while they are held.

    Attributes:
        single, together, moved: the notes.
        gestures: what moves them, as (seconds, message of MIDI on channel 1).
        seconds: the whole with its tail.
    """

    single: tuple[Tone, ...]
    together: tuple[Tone, ...]
    seconds: float
    moved: tuple[Tone, ...] = ()
    gestures: tuple[tuple[float, bytes], ...] = ()

    @property
    def tones(self) -> tuple[Tone, ...]:
        """The notes of the phrase, in order."""
        return (*self.single, *self.together, *self.moved)

    @property
    def messages(self) -> list[tuple[float, bytes]]:
        """All of it as MIDI on channel 1, in the order in which it is heard; what ends comes before what begins."""
        found = [(tone.start, bytes((NOTE_ON << 4, tone.key, tone.velocity))) for tone in self.tones]
        found += [(tone.end, bytes((NOTE_OFF << 4, tone.key, 64))) for tone in self.tones]
        order = {NOTE_OFF: 0, NOTE_ON: 2}
        both = [*self.gestures, *found]
        return sorted(both, key=lambda each: (each[0], order.get(each[1][0] >> 4, 1)))

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
        chosen = sorted({round(low + (high - low) * index / (_LONGEST - 1)) for index in range(_LONGEST)})
    between = [round((one + other) / 2) for one, other in pairwise(velocities)]
    strengths = [*velocities, *between, max(1, round(min(velocities) * 0.7))]
    single = tuple(
        Tone(0.64 + 1.92 * index, 0.64 + 1.92 * index + 0.8, key, strengths[(index * 2) % len(strengths)])
        for index, key in enumerate(chosen)
    )
    then = 0.64 + 1.92 * len(chosen)
    middle = chosen[len(chosen) // 2]
    chord = [key for key in (middle, middle + 4, middle + 7) if low <= key <= high or not drums]
    loud = max(velocities)
    together = [Tone(then, then + 1.2, key, loud) for key in dict.fromkeys(chord) if key in keys or not drums]
    if not drums:
        together.append(Tone(then + 2.56, then + 2.56 + 1.7 * held, middle, loud))
    whole = Phrase(single, tuple(together), max(tone.end for tone in together) + 2.0)
    return whole if drums else _moved(whole, middle, loud)


def _moved(before: Phrase, key: int, velocity: int) -> Phrase:
    """With notes behind it on which a player moves everything there is to move."""
    begin = -(-before.seconds // GRID_SECONDS) * GRID_SECONDS
    starts = [begin + GRID_SECONDS * 5 * index for index in range(5)]
    swell, fade, shake, bend, pedal = starts
    gestures = [(swell - 0.1, _control(11, 10)), (swell + 2.6, _control(11, 127))]
    gestures += [(swell + 2.0 * index / 60, _control(11, round(10 + 117 * index / 60))) for index in range(1, 61)]
    for index in range(41):
        down = abs(index - 20) / 20
        gestures.append((fade + 0.05 * index, _control(7, round(30 + 70 * down))))
        gestures.append((fade + 0.05 * index, _control(10, round(24 + 40 * down))))
    for index in range(21):
        gestures.append((shake + 0.05 * index, _control(1, round(127 * index / 20))))
        gestures.append((shake + 1.1 + 0.05 * index, bytes((0xD0, round(100 * (1 - index / 20))))))
    gestures += [(shake + 1.05, _control(1, 0)), (shake + 1.06, bytes((0xA0, key, 90)))]
    gestures += [(bend - 0.1, message) for message in _bend_range(7)]
    gestures += [(bend + 0.05 * index, _wheel(round(8191 * index / 30))) for index in range(31)]
    gestures += [(bend + 2.6, _wheel(0)), *((bend + 2.7, message) for message in _bend_range(2))]
    gestures += [(pedal + 0.3, _control(64, 127)), (pedal + 1.2, _control(64, 0))]
    gestures += [(pedal + 1.7, _control(66, 127)), (pedal + 2.4, _control(66, 0)), (pedal + 2.5, _control(67, 127))]
    gestures += [(pedal + 2.9, _control(67, 0))]
    tones = [Tone(start, start + 2.2, key, velocity) for start in (swell, fade, shake, bend)]
    tones += [Tone(pedal, pedal + 0.5, key, velocity), Tone(pedal + 1.5, pedal + 1.9, key, velocity)]
    tones.append(Tone(pedal + 2.56, pedal + 2.8, key, velocity))
    ordered = tuple(sorted(gestures, key=lambda each: each[0]))
    return replace(before, moved=tuple(tones), gestures=ordered, seconds=pedal + 4.5)


def _control(number: int, value: int) -> bytes:
    return bytes((0xB0, number, value))


def _wheel(bend: int) -> bytes:
    whole = bend + 8192
    return bytes((0xE0, whole & 127, whole >> 7))


def _bend_range(semitones: int) -> list[bytes]:
    """Registered parameter 0, and none afterwards."""
    return [_control(*pair) for pair in ((101, 0), (100, 0), (6, semitones), (38, 0), (101, 127), (100, 127))]


def original(design: Design, notes: Phrase, later: float = 0.0) -> Block:
    """The phrase as the recipe renders it; with `later`, when it begins so many seconds later."""
    target, context = design.target, design.target.context(RATE)
    playing = present(target.playing)
    channel = playing.channel
    events = [Event(0, message) for message in playing.setting]
    ticks = _RESOLUTION * target.bpm / 60
    for time, message in notes.messages:
        events.append(Event(round((time + later) * ticks), bytes((message[0] | channel, *message[1:]))))
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
