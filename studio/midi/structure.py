"""Which bars, and whose."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from studio.errors import within
from studio.knobs import file, span
from studio.midi.files import read_midi
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, PRESSURE, PROGRAM, Event, Score
from studio.stage import Stage
from studio.steps import ScoreStep
from studio.tempo import Time


class Excerpt(ScoreStep):
    """Keep only some bars, moved to the start of the song.

    Notes that begin in them are kept to their full length or to the end of the excerpt; programs, controllers
    and bends from before are set again at its start.
    """

    start: Time = span("0 bars", help="where it begins")
    length: Time | None = span(None, help="how long it is, to the end of the song if not given")

    def edit(self, score: Score, stage: Stage) -> Score:
        begin = score.tick(score.tempo.beat_of(self.start))
        end = score.end
        if self.length is not None:
            beat = score.beat(begin)
            second = score.tempo.second_at(beat) + score.tempo.length_of(self.length, beat)
            end = score.tick(score.tempo.beat_at(second))
        inside = score.keep(lambda note: begin <= note.start < end)
        cut = inside.map_notes(lambda note: note._replace(end=min(note.end, end)))
        moved = [
            event._replace(tick=event.tick - begin)
            for event in cut.events
            if begin <= event.tick < end or event.status in (NOTE_ON, NOTE_OFF)
        ]
        marks = tuple(mark._replace(tick=mark.tick - begin) for mark in score.marks if begin <= mark.tick < end)
        return replace(cut, events=(*_chased(score, begin), *moved), marks=marks, end=max(0, end - begin))


def _chased(score: Score, tick: int) -> list[Event]:
    """The last program, bend, pressure and controller values before `tick`, in the order they were set."""
    last: dict[tuple[int, ...], Event] = {}
    for event in score.events:
        if event.tick >= tick:
            break
        if event.status in (CONTROL, PROGRAM, BEND, PRESSURE):
            detail = event.data[1] if event.status == CONTROL else -1
            key = (event.port, event.channel, event.status, detail)
            last.pop(key, None)
            last[key] = event
    return [event._replace(tick=0) for event in last.values()]


class Merge(ScoreStep):
    """Add the notes and controllers of another MIDI file."""

    file: str = file(help="a MIDI file")
    at: Time = span("0 bars", help="where its start falls")

    def edit(self, score: Score, stage: Stage) -> Score:
        with within("file"):
            other = read_midi(stage.find(self.file))
        start = score.tempo.beat_of(self.at)
        fine = score.finer(max(score.resolution, other.resolution))
        added = [
            event._replace(tick=fine.tick(start + Fraction(event.tick, other.resolution)), track=event.track)
            for event in other.events
        ]
        return replace(fine, events=(*fine.events, *added), end=max(fine.end, fine.tick(start + other.beat(other.end))))
