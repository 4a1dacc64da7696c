"""A score as its song is arranged: what is written in each section, played where the section sounds.

A note that is held over the end of a section ends with it, unless what is written behind it follows. One that is held
into a section is struck where it begins, drums excepted; one that is played less than a 64th early belongs to the section
it is early for. Programs, controllers, bends and pedals stand at the beginning of a section as they do where it is
written. SysEx from before the first note is sent once.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import replace

from studio.arrangement import Arrangement, SectionSpan, runs
from studio.midi.instruments import drum_channels
from studio.midi.pitch import moved
from studio.midi.structure import chased
from studio.score import (
    BEND,
    CONTROL,
    DRUM_CHANNEL,
    NOTE_OFF,
    NOTE_ON,
    PRESSURE,
    PROGRAM,
    SYSTEM,
    Event,
    Mark,
    Note,
    Score,
)
from studio.tempo import TempoMap

_FINEST = 480
"""Ticks a beat, at least, for edges that lie anywhere."""

_EARLY = 16
"""A note may be early by less than so many parts of a beat: a 64th."""

_HELD = 8
"""A note that has as many parts of a beat or more to sound when a section begins is struck there: a 32nd."""

_AT_REST = {7: 100, 8: 64, 10: 64, 11: 127, **dict.fromkeys(range(70, 80), 64)}
"""Controllers that are not at 0 when nothing was said of them."""

_RANGE, _RANGE_OF_BENDS = (6, 38), ((101, 0), (100, 0), (6, 2), (38, 0))
_BANK = (0, 32)

_Key = tuple[int, int, int, int]
"""What is set: port, channel, kind of message and controller."""


def arrange(score: Score, arrangement: Arrangement, song: TempoMap, track: str = "") -> Score:
    """What a track plays of a score in a song that is arranged.

    Args:
        score: as it is written.
        arrangement: which parts of it sound where.
        song: the tempo map of the song.
        track: its name; some sections leave it out, or keep its pitch.
    """
    fine = score.finer(_FINEST)
    return _Arranging(fine, arrangement, song, track).score()


class _Arranging:
    def __init__(self, score: Score, arrangement: Arrangement, song: TempoMap, track: str) -> None:
        self.whole, self.arrangement, self.song, self.track = score, arrangement, song, track
        self.drums = drum_channels(score)
        self.notes = sorted(score.pairs, key=lambda pair: pair[0].start)
        self.starts = [note.start for note, _, _ in self.notes]
        self.ticks = [event.tick for event in score.events]
        self.longest = max((note.end - note.start for note, _, _ in self.notes), default=0)
        self.touched: dict[_Key, None] = {}
        self.chased: dict[int, list[Event]] = {}
        set_up = min(self.starts, default=score.end)
        # What sets the synthesiser up is sent once.
        self.setting_up = {
            index for index, event in enumerate(score.events) if event.status == SYSTEM and event.tick <= set_up
        }
        self.unsent = sorted(self.setting_up)

    def score(self) -> Score:
        """The arranged score."""
        spans = self.arrangement.spans
        end = self.whole.tick(self.arrangement.end)
        events = [event for run in runs(spans, self.track) for event in self._run(run)]
        marks = [mark for span in spans for mark in self._marks(span)]
        # Within a tick what a run begins with stands behind the releases of the one before.
        return replace(self.whole, events=tuple(events), marks=tuple(marks), end=end, tempo=self.song)

    def _run(self, run: SectionSpan) -> Iterator[Event]:
        begin, end, at = (self.whole.tick(beat) for beat in (run.start, run.end, run.at))
        sounding = list(self._sounding(begin, end))
        earliest = min([0, *(note.start - begin for note, _, _ in sounding)])
        yield from self._state(begin, max(0, at + earliest))
        placed: list[tuple[int, int, Event]] = []
        interval = run.interval(self.track)
        for note, first, last in sounding:
            pitched = interval and (note.port, note.channel) not in self.drums
            pitch = moved(note.pitch, interval) if pitched else note.pitch
            on = self.whole.events[first]
            start = max(0, at + note.start - begin)
            placed.append((start, first, on._replace(tick=start, data=bytes((on.data[0], pitch, on.data[2])))))
            stop = max(start + 1, at + min(note.end, end) - begin)
            off = self.whole.events[last] if last is not None and note.end <= end else None
            data = off.data if off is not None else bytes((NOTE_OFF << 4 | note.channel, pitch, note.release))
            order = last if last is not None and off is not None else -1
            placed.append((stop, order, on._replace(tick=stop, data=bytes((data[0], pitch, data[2])))))
        for index in range(bisect_left(self.ticks, begin), bisect_left(self.ticks, end)):
            event = self.whole.events[index]
            if event.status in (NOTE_ON, NOTE_OFF):
                continue
            if index in self.setting_up:
                if index not in self.unsent:
                    continue
                self.unsent.remove(index)
            self._touch(event)
            placed.append((at + event.tick - begin, index, event._replace(tick=at + event.tick - begin)))
        for _, _, event in sorted(placed, key=lambda each: each[:2]):
            yield event

    def _sounding(self, begin: int, end: int) -> Iterator[tuple[Note, int, int | None]]:
        """The notes of a run: those that begin in it, those that are early for it, and those that are held into it."""
        early = self.whole.resolution // _EARLY
        held = self.whole.resolution // _HELD
        stop = bisect_left(self.starts, max(begin, end - early + 1)) if end < self.whole.end else len(self.starts)
        for note, first, last in self.notes[bisect_left(self.starts, begin - self.longest - early) : stop]:
            if note.start >= end or (note.end <= begin and note.start < begin - early):
                continue
            if note.start > begin - early:
                yield note, first, last
            elif note.end >= begin + held and (note.port, note.channel) not in self.drums:
                yield note._replace(start=begin), first, last

    def _state(self, begin: int, at: int) -> Iterator[Event]:
        """What stands where a run is written, set where it sounds; what is not set there, as it is at first."""
        if begin not in self.chased:
            self.chased[begin] = [event for event in chased(self.whole, begin) if event.status != SYSTEM]
        state = self.chased[begin]
        said = {_key(event) for event in state}
        for port, channel, status, number in [key for key in self.touched if key not in said]:
            yield from _at_rest(at, port, channel, status, number)
        for index in [index for index in self.unsent if self.ticks[index] < begin]:
            self.unsent.remove(index)
            yield self.whole.events[index]._replace(tick=at)
        for event in state:
            self._touch(event)
            yield event._replace(tick=at)

    def _touch(self, event: Event) -> None:
        if event.status in (CONTROL, PROGRAM, PRESSURE, BEND):
            self.touched[_key(event)] = None

    def _marks(self, span: SectionSpan) -> Iterator[Mark]:
        begin, end, at = (self.whole.tick(beat) for beat in (span.start, span.end, span.at))
        if span.name:
            yield Mark(at, "marker", span.name)
        for mark in self.whole.marks:
            if begin <= mark.tick < end and (mark.tick, mark.kind) != (begin, "marker"):
                yield mark._replace(tick=at + mark.tick - begin)


def _key(event: Event) -> _Key:
    number = event.data[1] if event.status == CONTROL else -1
    return event.port, event.channel, event.status, number


def _at_rest(tick: int, port: int, channel: int, status: int, number: int) -> Iterator[Event]:
    """What brings something that was set back to where it stood at first."""
    first = status << 4 | channel
    if status == BEND:
        yield Event(tick, bytes((first, 0, 64)), port=port)
    elif status == PRESSURE:
        yield Event(tick, bytes((first, 0)), port=port)
    elif status == PROGRAM:
        bank = 0 if channel != DRUM_CHANNEL else None
        for each in _BANK if bank is not None else ():
            yield Event(tick, bytes((CONTROL << 4 | channel, each, 0)), port=port)
        yield Event(tick, bytes((first, 0)), port=port)
    elif number in _RANGE:
        for each, value in _RANGE_OF_BENDS:
            yield Event(tick, bytes((CONTROL << 4 | channel, each, value)), port=port)
    elif number not in (*_BANK, *range(96, 102)):
        yield Event(tick, bytes((first, number, _AT_REST.get(number, 0))), port=port)
