"""Score: timed MIDI events of every kind, with the tempo map they lie on.

Events keep their bytes and their order, so what is not edited is played exactly as written. Notes are a view
on pairs of events; edits take notes and give them back with `Score.with_notes`.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from studio.errors import ScoreError
from studio.tempo import Floats, TempoMap

NOTE_OFF, NOTE_ON, POLY_PRESSURE, CONTROL, PROGRAM, PRESSURE, BEND, SYSTEM = range(8, 16)
"""The upper four bits of a status byte."""

DRUM_CHANNEL = 9


class Event(NamedTuple):
    """A MIDI message as its bytes, at a tick of the score; `track` and `port` tell where it was written."""

    tick: int
    data: bytes
    track: int = 0
    port: int = 0

    @property
    def status(self) -> int:
        """What kind of message: one of the constants above."""
        return self.data[0] >> 4

    @property
    def channel(self) -> int:
        """0 to 15; meaningless for system messages."""
        return self.data[0] & 15

    @property
    def starts_note(self) -> bool:
        """Whether it is a key going down."""
        return self.status == NOTE_ON and self.data[2] > 0

    @property
    def ends_note(self) -> bool:
        """Whether it is a key going up."""
        return self.status == NOTE_OFF or (self.status == NOTE_ON and self.data[2] == 0)


class Note(NamedTuple):
    """A note from `start` to `end` in ticks; pitch and velocities are MIDI's 0 to 127."""

    start: int
    end: int
    pitch: int
    velocity: int
    channel: int = 0
    track: int = 0
    port: int = 0
    release: int = 64


class Mark(NamedTuple):
    """A word in the score: `kind` is marker, cue, lyric, text or key."""

    tick: int
    kind: str
    text: str
    track: int = 0


@dataclass(frozen=True)
class Score:
    """Music as events.

    Attributes:
        events: sorted by tick; in one tick, in the order they are to be played.
        resolution: ticks per beat (quarter note).
        tempo: the tempo and meter map.
        tracks: the names of the tracks, by the track number in the events; empty where there is none.
        marks: markers, cues, lyrics, texts and key signatures.
        end: the tick at which the score is over, its last rests included.
        remarks: what had to be mended when it was read.
    """

    events: tuple[Event, ...] = ()
    resolution: int = 480
    tempo: TempoMap = field(default_factory=TempoMap)
    tracks: tuple[str, ...] = ("",)
    marks: tuple[Mark, ...] = ()
    end: int = 0
    remarks: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.resolution < 1:
            raise ScoreError(f"a resolution of {self.resolution} ticks per beat.", "It must be at least 1.")
        events = tuple(sorted(self.events, key=lambda event: event.tick))
        if events and events[0].tick < 0:
            raise ScoreError(f"an event at tick {events[0].tick}.", "Nothing can happen before the start.")
        nameless = 1 + max((event.track for event in events), default=0) - len(self.tracks)
        object.__setattr__(self, "tracks", (*self.tracks, *[""] * nameless))
        object.__setattr__(self, "events", events)
        object.__setattr__(self, "end", max(self.end, events[-1].tick if events else 0))

    @cached_property
    def notes(self) -> tuple[Note, ...]:
        """All notes by start; a note that is never released lasts to the end of the score."""
        return tuple(note for note, _, _ in self.pairs)

    @cached_property
    def pairs(self) -> tuple[tuple[Note, int, int | None], ...]:
        """Each note with the indices of the events that start and end it."""
        waiting: dict[tuple[int, ...], deque[int]] = defaultdict(deque)
        ended: dict[int, int] = {}
        starts: list[int] = []
        for index, event in enumerate(self.events):
            if event.status not in (NOTE_ON, NOTE_OFF):
                continue
            key = (event.port, event.channel, event.track, event.data[1])
            if event.starts_note:
                waiting[key].append(index)
                starts.append(index)
            elif waiting[key]:
                ended[waiting[key].popleft()] = index
        pairs = []
        for index in starts:
            event, last = self.events[index], ended.get(index)
            off = self.events[last] if last is not None else None
            note = Note(
                start=event.tick,
                end=off.tick if off else max(self.end, event.tick),
                pitch=event.data[1],
                velocity=event.data[2],
                channel=event.channel,
                track=event.track,
                port=event.port,
                release=off.data[2] if off and off.status == NOTE_OFF else 64,
            )
            pairs.append((note, index, last))
        return tuple(pairs)

    def with_notes(self, notes: Iterable[Note]) -> Score:
        """The same score with other notes; controllers, programs and the rest stay where they are.

        In one tick, notes end first, then controllers act, then notes start.
        """
        ends: list[Event] = []
        starts: list[Event] = []
        for note in notes:
            start = max(0, note.start)
            on = bytes((NOTE_ON << 4 | note.channel, note.pitch, note.velocity))
            off = bytes((NOTE_OFF << 4 | note.channel, note.pitch, note.release))
            starts.append(Event(start, on, note.track, note.port))
            ends.append(Event(max(note.end, start + 1), off, note.track, note.port))
        others = [event for event in self.events if event.status not in (NOTE_ON, NOTE_OFF)]
        return replace(self, events=(*ends, *others, *starts))

    def map_notes(self, change: Callable[[Note], Note | None]) -> Score:
        """The same score with every note changed; None takes it out."""
        changed = (change(note) for note in self.notes)
        return self.with_notes(note for note in changed if note is not None)

    def keep(self, wanted: Callable[[Note], bool]) -> Score:
        """The same score with only some of its notes, and every other event."""
        kept: set[int] = set()
        for note, first, last in self.pairs:
            if wanted(note):
                kept.update((first,) if last is None else (first, last))
        events = (
            event for index, event in enumerate(self.events) if index in kept or event.status not in (NOTE_ON, NOTE_OFF)
        )
        return replace(self, events=tuple(events))

    def finer(self, resolution: int) -> Score:
        """The same score with at least `resolution` ticks per beat, every event exactly where it was."""
        factor = -(-resolution // self.resolution)
        if factor <= 1:
            return self
        return replace(
            self,
            events=tuple(event._replace(tick=event.tick * factor) for event in self.events),
            marks=tuple(mark._replace(tick=mark.tick * factor) for mark in self.marks),
            resolution=self.resolution * factor,
            end=self.end * factor,
        )

    def beat(self, tick: int) -> Fraction:
        """The beat on which a tick lies."""
        return Fraction(tick, self.resolution)

    def tick(self, beat: Fraction | float) -> int:
        """The tick nearest to a beat."""
        return round(beat * self.resolution)

    @cached_property
    def seconds(self) -> Floats:
        """The second of every event."""
        ticks = np.array([event.tick for event in self.events], dtype=np.float64)
        return self.tempo.seconds_at(ticks / self.resolution)

    @property
    def length(self) -> Fraction:
        """The second at which the score is over."""
        return self.tempo.second_at(self.beat(self.end))

    @cached_property
    def digest(self) -> str:
        """A hash of everything that is heard."""
        digest = hashlib.blake2b(f"{self.resolution}:{self.end}:{self.tempo.data()}".encode(), digest_size=16)
        for event in self.events:
            digest.update(b"%d:%d:%d:%b;" % (event.tick, event.port, len(event.data), event.data))
        return digest.hexdigest()

    def __repr__(self) -> str:
        return f"Score({len(self.notes)} notes, {len(self.events)} events, {float(self.length):.1f} s)"
