"""Takes of notes as clips: looped, trimmed, at their own tempo and speed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from studio.errors import MissingError, StudioError
from studio.interchange.beats import meant
from studio.interchange.lines import Tally
from studio.interchange.reaper.accounts import consume
from studio.interchange.reaper.clock import ReaperClock
from studio.interchange.reaper.takes import Take
from studio.interchange.reaper.text import Chunk
from studio.interchange.timeline import Loss, NoteClip
from studio.midi import read_midi
from studio.midi.files import FASTEST_BPM, FINEST_RESOLUTION, SLOWEST_BPM
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, PRESSURE, PROGRAM, Event, Score


@dataclass(frozen=True)
class _Source:
    """The events of a source by ticks, how many ticks a quarter note has, and how many the source lasts."""

    events: list[Event]
    resolution: int
    lasts: int


def note_clip(
    take: Take, source: Chunk, clock: ReaperClock, find: Callable[[str], Path], tally: Tally, losses: list[Loss]
) -> NoteClip | None:
    """The clip of a take of notes, or None, with the reason among the losses."""
    if take.muted:
        consume(source)
        losses.append(Loss("muted notes", take.name, "they are left out"))
        return None
    read = _source(source, take.name, find, losses)
    if read is None:
        return None
    for value, usual, what in (
        (take.gain, 1.0, "the gain"),
        (take.pan, 0.0, "the pan"),
        (take.semitones, 0.0, "the pitch"),
    ):
        if value != usual:
            losses.append(Loss(f"{what} of notes", take.name, f"it is {value:g}; a recipe's notes have none"))
    begin, end = clock.beat(take.start), clock.beat(take.start + take.length)
    own = _own_tempo(source)
    ticks = _TickMap(take, read, clock, begin, own)
    events = _heard(take, read, ticks, end - begin, tally, losses)
    score = Score(tuple(events), ticks.resolution, tracks=(take.name,))
    return NoteClip(begin, end - begin, score, take.name)


def _own_tempo(source: Chunk) -> float | None:
    """The tempo at which the source is played, whatever that of the song is."""
    line = source.line("IGNTEMPO")
    ignores, bpm = line.number(0), line.number(1, 120.0)
    return bpm if ignores and SLOWEST_BPM <= bpm <= FASTEST_BPM else None


class _TickMap:
    """Where ticks of a source lie in the clip: in its ticks, of which `resolution` make a beat."""

    def __init__(self, take: Take, source: _Source, clock: ReaperClock, begin: Fraction, own: float | None) -> None:
        self._clock, self._begin, self._start = clock, begin, take.start
        self._own = None if own is None else 60 / own / source.resolution / take.rate
        self._rate, self._source = Fraction(take.rate).limit_denominator(10**6), source.resolution
        self.resolution = source.resolution if self._own is None and take.rate == 1.0 else FINEST_RESOLUTION
        self.skipped = self._skipped(take, own)

    def _skipped(self, take: Take, own: float | None) -> Fraction:
        """The ticks of the source before its first that is heard."""
        if not take.offset:
            return Fraction(0)
        line = take.chunk.line("SOFFS")
        if own is not None:
            return Fraction(take.offset * own / 60 * self._source)
        if len(line.words) > 1 and (beats := line.number(1)):
            return Fraction(meant(Fraction(beats)) * self._source)
        # Seconds before the item, at the tempo that it begins with where they lie before the song.
        first = take.start - take.offset
        tempo = self._clock.tempo
        beat = tempo.beat_at(Fraction(max(0.0, first)))
        bpm = tempo.bpm_at(Fraction(0))
        before = beat + Fraction(min(0.0, first) * bpm / 60)
        return meant(self._begin - before) * self._source

    def tick(self, tick: Fraction | int) -> int:
        """Where a tick of the source lies, counted from the first that is heard."""
        ticks = Fraction(tick) - self.skipped
        if self._own is not None:
            second = self._start + float(ticks) * self._own
            beat = meant(self._clock.tempo.beat_at(Fraction(max(0.0, second)))) - self._begin
        else:
            beat = ticks / self._source / self._rate
        return round(beat * self.resolution)


def _heard(
    take: Take, source: _Source, ticks: _TickMap, beats: Fraction, tally: Tally, losses: list[Loss]
) -> list[Event]:
    """The events of as many passes as the item holds, in the ticks of the clip."""
    end = round(beats * ticks.resolution)
    passes = 1
    if take.looped and source.lasts > 0:
        per_pass = ticks.tick(ticks.skipped + source.lasts)
        if per_pass > 0:
            skipped = int(ticks.skipped // source.lasts)
            passes = 1 + skipped + -(-end // per_pass)
    found: list[Event] = []
    late = 0
    for index in range(passes):
        if index:
            tally.one()
        start = index * source.lasts
        if ticks.tick(start) >= end:
            break
        stop = min(end, ticks.tick(start + source.lasts)) if take.looped and passes > 1 else end
        state: dict[tuple[int, int], Event] = {}
        sounding: dict[tuple[int, int], int] = {}
        for event in source.events:
            at = ticks.tick(start + event.tick)
            key = (event.data[0] & 0xF, event.data[1])
            if at < 0:
                if event.status == NOTE_ON and event.data[2]:
                    sounding[key] = sounding.get(key, 0) + 1
                elif event.status in (NOTE_ON, NOTE_OFF):
                    sounding[key] = max(0, sounding.get(key, 0) - 1)
                elif event.status in (CONTROL, PROGRAM, BEND, PRESSURE):
                    state[(event.data[0], event.data[1] if event.status == CONTROL else 0)] = event
                continue
            if state:
                found += [held._replace(tick=0) for held in state.values()]
                state = {}
            ends = event.status == NOTE_OFF or (event.status == NOTE_ON and not event.data[2])
            if ends and sounding.get(key):
                sounding[key] -= 1
                late += at > 0
            elif at < stop or ends:
                found.append(event._replace(tick=min(at, stop)))
        found += [held._replace(tick=0) for held in state.values()]
    if late:
        why = "they begin before the item does"
        losses.append(Loss(f"{late} note{'s' * (late > 1)}", take.name, why))
    return sorted(found, key=lambda event: event.tick)


def _source(source: Chunk, where: str, find: Callable[[str], Path], losses: list[Loss]) -> _Source | None:
    if said := source.text("FILE"):
        try:
            score = read_midi(find(said))
        except (MissingError, StudioError) as error:
            losses.append(Loss(f"MIDI file {said!r}", where, error.cause))
            return None
        return _Source(list(score.events), score.resolution, score.end)
    resolution = round(source.number("HASDATA", 1, 960))
    if not 1 <= resolution <= FINEST_RESOLUTION:
        consume(source)
        losses.append(Loss("notes", where, f"{resolution} ticks a quarter note"))
        return None
    muted: list[int] = []
    events = list(_events(source, muted))
    if muted:
        losses.append(Loss(f"{len(muted)} muted events", where, "they are left out"))
    lasts = events[-1].tick if events else 0
    if events and events[-1].data[:2] == b"\xb0\x7b":
        events.pop()
    return _Source(events, resolution, lasts)


def _events(source: Chunk, muted: list[int]) -> Iterator[Event]:
    """The events of a source; the last, all notes off, only says how long it is."""
    tick = 0
    for each in source.inside:
        if each.tag.lower() not in ("e", "em", "x"):
            continue
        if isinstance(each, Chunk):
            tick += round(each.head.number(0))
            data = _system(each)
            consume(each)
        else:
            tick += round(each.number(0))
            data = _message(each.all()[1:4])
        if each.tag.lower() == "em":
            muted.append(tick)
        elif data is not None:
            yield Event(tick, data)


def _message(words: list[str]) -> bytes | None:
    """The bytes of a MIDI message; programs and pressure have two."""
    try:
        data = bytes(int(word, 16) for word in words)
    except ValueError:
        return None
    if len(data) < 3 or not 0x80 <= data[0] < 0xF0 or max(data[1:]) > 127:
        return None
    return data[:2] if data[0] >> 4 in (12, 13) else data


def _system(chunk: Chunk) -> bytes | None:
    text = "".join(each.tag for each in chunk.inside)
    try:
        data = base64.b64decode(text, validate=True)
    except binascii.Error:
        return None
    return data if data[:1] == b"\xf0" and data[-1:] == b"\xf7" else None
