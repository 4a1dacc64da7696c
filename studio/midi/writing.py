"""Notes written in the recipe itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

from studio.context import RenderContext
from studio.errors import Gather, KnobError, nearest, shown, within
from studio.knobs import Number, Span, Text, count, text
from studio.midi.drums import drum_keys, keys_of
from studio.midi.general_midi import program_names, program_number
from studio.midi.patterns import VELOCITIES, Hit, Pattern, euclid, hits_of, parse_pattern
from studio.records import MapOf, Parsed, field
from studio.score import DRUM_CHANNEL, PROGRAM, Event, Note, Score
from studio.steps import ScoreStep
from studio.tempo import Time
from studio.units import COUNT

_RESOLUTION = 1920
_STEPS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_NOTE = re.compile(r"(?P<letter>[a-gA-G])(?P<signs>[#sb♯♭]*)(?P<octave>-?\d)?(?:'(?P<chord>[\w#+-]+))?")
_SIGNS = {"#": 1, "s": 1, "♯": 1, "b": -1, "♭": -1}

CHORDS: Mapping[str, tuple[int, ...]] = {
    "maj": (0, 4, 7), "min": (0, 3, 7), "m": (0, 3, 7), "dim": (0, 3, 6), "aug": (0, 4, 8), "sus2": (0, 2, 7), "sus4": (0, 5, 7),
    "5": (0, 7), "6": (0, 4, 7, 9), "m6": (0, 3, 7, 9), "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "m7": (0, 3, 7, 10),
    "dim7": (0, 3, 6, 9), "m7b5": (0, 3, 6, 10), "mmaj7": (0, 3, 7, 11), "7sus4": (0, 5, 7, 10), "9": (0, 4, 7, 10, 14),
    "maj9": (0, 4, 7, 11, 14), "m9": (0, 3, 7, 10, 14), "add9": (0, 4, 7, 14), "11": (0, 4, 7, 10, 14, 17), "13": (0, 4, 7, 10, 14, 21),
}  # fmt: skip
"""Chords by their names, in semitones above their root."""


def keys_of_word(word: str, octave: int) -> tuple[int, ...]:
    """The keys that a word of a pattern plays: ``c4``, ``eb``, ``c4'maj7``, or a number from 0 to 127.

    Args:
        word: the word; middle C is c4, which is key 60.
        octave: of words that name none.

    Raises:
        KnobError: it is no note, or lies beyond the keys there are.
    """
    if word.isdecimal():
        keys: tuple[int, ...] = (int(word),)
    else:
        found = _NOTE.fullmatch(word)
        if found is None:
            raise KnobError(
                f"{shown(word)} is not a note.", "Write c4, eb3, f#5, c4'maj7, a key from 0 to 127, or ~ for a rest."
            )
        chord = found["chord"] or ""
        if chord and chord not in CHORDS:
            raise KnobError(f"there is no chord {chord!r}.", nearest(chord, CHORDS))
        high = int(found["octave"]) if found["octave"] else octave
        root = 12 * (high + 1) + _STEPS[found["letter"].lower()] + sum(_SIGNS[sign] for sign in found["signs"])
        keys = tuple(root + above for above in CHORDS[chord or "maj"][: None if chord else 1])
    if not 0 <= min(keys) <= max(keys) <= 127:
        raise KnobError(f"{shown(word)} lies beyond the keys there are.", "They go from c-1 to g9, which are 0 to 127.")
    return keys


_MOST_CYCLES = 20_000


def _whole(default: int, low: int, high: int, about: str) -> Number:
    return Number(default=default, low=low, high=high, unit=COUNT, whole=True, help=about)


class Writing(ScoreStep, abstract=True):
    """A step that makes notes of its own, cycle by cycle; a track that begins with one needs no part of a score."""

    writes = True

    cycle: Time = field(Span(default="1 bar", help="how long one cycle is"), kw_only=True)
    times: int = field(_whole(1, 1, 10_000, "how many cycles are played"), kw_only=True)
    until: Time | None = field(Span(default=None, help="where it ends, instead of `times`"), kw_only=True)
    at: Time = field(Span(default="0 bars", help="where it begins"), kw_only=True)
    velocity: int = field(_whole(96, 1, 127, "how hard notes are struck that do not say it"), kw_only=True)
    gate: float = field(
        Number(default=1.0, low=0.05, high=1.0, help="how long each note sounds, of its step"), kw_only=True
    )
    program: str | None = field(
        Text(default=None, help="a General MIDI program, by name or number from 0"), kw_only=True
    )
    seed: int = field(_whole(0, 0, 2**31 - 1, "for what is left to chance"), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        with within("program"):
            if self.program is not None:
                self._finish("program", program_names()[program_number(self.program)])

    @property
    def midi_channel(self) -> int:
        """The channel its notes are on, from 0."""
        return 0

    def hits(self, cycles: int) -> Iterator[tuple[Hit, tuple[int, ...]]]:
        """What begins in the first cycles, with the keys that it plays.

        Raises:
            StudioError: it cannot be read, or makes too many.
        """
        raise NotImplementedError

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with the written notes added, on a track of their own."""
        score = score.finer(_RESOLUTION)
        cycles = self._cycles(score)
        track, channel = (len(score.tracks), self.midi_channel) if score.events else (0, self.midi_channel)
        stop = cycles[-1][1] if cycles else 0
        if self.until is not None:
            stop = score.tick(score.tempo.beat_of(self.until))
        notes = []
        for hit, keys in self.hits(len(cycles)):
            start = _tick(hit.start, cycles)
            end = _tick(hit.start + (hit.end - hit.start) * Fraction(self.gate), cycles)
            if start < stop:
                loud = hit.velocity or self.velocity
                notes += [Note(start, max(min(end, stop), start + 1), key, loud, channel, track) for key in keys]
        chosen = bytes((PROGRAM << 4 | channel, program_number(self.program))) if self.program is not None else None
        events = (Event(0, chosen, track),) if chosen else ()
        own = Score(events, score.resolution, score.tempo, ("",) * (track + 1)).with_notes(notes)
        return replace(
            score,
            events=(*score.events, *own.events),
            tracks=(*score.tracks, *[""] * (track + 1 - len(score.tracks))),
            end=max(score.end, stop),
        )

    def _cycles(self, score: Score) -> list[tuple[int, int]]:
        """The first tick of every cycle and the first behind it, by the tempo map and the meters of the song."""
        tempo = score.tempo
        beat = tempo.beat_of(self.at)
        last = tempo.beat_of(self.until) if self.until is not None else None
        cycles: list[tuple[int, int]] = []
        while (len(cycles) < self.times) if last is None else beat < last:
            after = tempo.beat_at(tempo.second_at(beat) + tempo.length_of(self.cycle, beat))
            if score.tick(after) <= score.tick(beat):
                raise KnobError("a cycle of no length.", "Write 1 bar, 2 beats or so.", path=("cycle",))
            if len(cycles) >= _MOST_CYCLES:
                raise KnobError(f"more than {_MOST_CYCLES:,} cycles.", "Make them longer.", path=("cycle",))
            cycles.append((score.tick(beat), score.tick(after)))
            beat = after
        return cycles


def _tick(time: Fraction, cycles: Sequence[tuple[int, int]]) -> int:
    """The tick of a time that counts cycles; what lies behind the last goes on at its pace."""
    index = min(int(time), len(cycles) - 1)
    first, after = cycles[index]
    return round(first + (time - index) * (after - first))


class Write(Writing):
    """Play notes that are written here: `write: "c4 e4 g4 <b4 c5>"` is one cycle, a bar long.

    Words share the cycle evenly. `~` is a rest, `[c4 e4]` a group in the place of one word, `[c4, e4, g4]` or `c4'maj` a chord,
    `<c4 d4>` another note in every cycle, `c4*2` twice as fast and `c4/2` half, `c4!3` three in a row, `c4@3` three times as
    long, `_` holds, `c4(3,8)` is Euclid's rhythm, `c4?` is sometimes left out, `[c4|e4]` is one of them, and `c4:100` has a
    velocity: the notation of TidalCycles and Strudel.
    """

    text: str = field(Text(longest=20_000, help="one cycle of notes"))
    octave: int = count(4, -1, 9, help="the octave of notes that name none; c4 is key 60")
    channel: int = count(1, 1, 16, help="the MIDI channel")

    def __post_init__(self) -> None:
        super().__post_init__()
        with within("text"):
            _ = self._pattern

    @cached_property
    def _pattern(self) -> Pattern:
        return parse_pattern(self.text, lambda word: keys_of_word(word, self.octave), self.seed)

    @property
    def midi_channel(self) -> int:
        """The channel its notes are on, from 0."""
        return self.channel - 1

    def hits(self, cycles: int) -> Iterator[tuple[Hit, tuple[int, ...]]]:
        """What begins in the first cycles, with the keys that it plays."""
        with within("text"):
            for hit in hits_of(self._pattern, cycles):
                yield hit, keys_of_word(hit.word, self.octave)


class Drums(Writing):
    """Play drums that are written here, a line a drum: `drums: {kick: x...x..., snare: "~ x", hat: "x*8"}`.

    A line is one cycle, a bar long. In a grid every mark is a step: `x` a hit, `X` a loud and `o` a soft one, `.` or `-` a rest.
    Or it is a pattern of `x` as under `write`: `x(3,8)`, `[x x]`, `x?`. Drums are called as under `part: {note: …}`.
    """

    lines: Parsed[Mapping[str, str]] = field(
        MapOf(each=Text(longest=20_000), what="drum", help="a pattern for each drum")
    )

    @classmethod
    def parse(cls, data: object) -> Self:
        """As any step; what is no knob of it is a drum."""
        if not isinstance(data, Mapping):
            return super().parse(data)
        drums = {key: value for key, value in data.items() if _key_of_drum(str(key)) is not None}
        knobs = {key: value for key, value in data.items() if key not in drums}
        return super().parse({**knobs, "lines": {**knobs.get("lines", {}), **drums}} if drums else knobs)

    @classmethod
    def hint(cls, word: str) -> str:
        """What somebody may have meant who wrote what is no knob and no drum."""
        return nearest(word.replace("_", " "), [*cls.kinds(), *drum_keys()])

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        if full:
            return super().data(full=True)
        plain = super().data()
        knobs = dict(plain[self.step]) if isinstance(plain, dict) else {}
        return {self.step: {**knobs.pop("lines", {}), **knobs}}

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its knobs, and a line for each drum."""
        plain = super().schema()
        lines = plain["properties"].pop("lines")
        return {**plain, "required": [], "additionalProperties": lines["additionalProperties"]}

    def __post_init__(self) -> None:
        super().__post_init__()
        gather = Gather()
        for drum, line in self.lines.items():
            with gather, within(drum):
                _drum(drum)
                parse_pattern(line, _check_hit, self.seed)
        gather.done()

    @property
    def midi_channel(self) -> int:
        """The channel of drums, from 0."""
        return DRUM_CHANNEL

    def hits(self, cycles: int) -> Iterator[tuple[Hit, tuple[int, ...]]]:
        """What begins in the first cycles, with the keys that it plays."""
        for drum, line in self.lines.items():
            with within(drum):
                for hit in hits_of(parse_pattern(line, _check_hit, self.seed), cycles):
                    yield hit._replace(velocity=hit.velocity or VELOCITIES.get(hit.word)), (_drum(drum),)


class Euclid(Writing):
    """Play one drum or key in Euclid's rhythm: `euclid: [3, 8]` spreads three hits over the eight steps of a bar."""

    beats: int = count(3, 0, 256, help="how many of the steps are struck")
    steps: int = count(8, 1, 256, help="how many steps a cycle has")
    rotate: int = count(0, 0, 255, help="at which of its steps it begins")
    note: str = text("kick", help="a drum by its name, or a key such as c4 or 60")

    @classmethod
    def parse(cls, data: object) -> Self:
        """As any step; or a list of how many are struck, how many steps there are, and where it begins."""
        if isinstance(data, (list, tuple)) and 1 < len(data) <= 3:
            data = dict(zip(("beats", "steps", "rotate"), data, strict=False))
        return super().parse(data)

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Its knobs, or a list of two or three of them."""
        listed = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3}
        return {"anyOf": [listed, super().schema()]}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.beats > self.steps:
            raise KnobError(
                f"{self.beats} hits do not fit on {self.steps} steps.", "Write fewer hits.", path=("beats",)
            )
        with within("note"):
            self._key()

    def _key(self) -> int:
        try:
            return keys_of_word(self.note, 4)[0]
        except KnobError:
            return _drum(self.note)

    @property
    def midi_channel(self) -> int:
        """The channel of drums where the note is one, else the first; from 0."""
        return 0 if _NOTE.fullmatch(self.note) or self.note.isdecimal() else DRUM_CHANNEL

    def hits(self, cycles: int) -> Iterator[tuple[Hit, tuple[int, ...]]]:
        """What begins in the first cycles, with the keys that it plays."""
        keys, row = (self._key(),), euclid(self.beats, self.steps, self.rotate)
        for cycle in range(cycles):
            for index, struck in enumerate(row):
                if struck:
                    start = cycle + Fraction(index, self.steps)
                    yield Hit(start, start + Fraction(1, self.steps), self.note), keys


def _check_hit(word: str) -> None:
    if word not in VELOCITIES:
        raise KnobError(f"{shown(word)} is not a hit.", "Write x, X or o for hits, and . or ~ for rests.")


def _drum(drum: str) -> int:
    """The key that a drum is played on.

    Raises:
        KnobError: there is no such drum.
    """
    key = _key_of_drum(drum)
    if key is None:
        raise KnobError(f"there is no drum {shown(drum)}.", nearest(drum.replace("_", " "), drum_keys()))
    return key


def _key_of_drum(drum: str) -> int | None:
    """The key that a drum is played on, if there is such a drum."""
    word = drum.replace("_", " ").strip().casefold()
    if word.isdecimal():
        return int(word) if int(word) <= 127 else None
    if word == "kick":
        return 36
    return keys_of(word)[0] if word in {name.casefold() for name in drum_keys()} else None
