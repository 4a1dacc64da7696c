"""Which bars, and whose."""

from __future__ import annotations

from dataclasses import replace

from studio.context import RenderContext
from studio.errors import within
from studio.knobs import file, span
from studio.midi.files import read_midi
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, PRESSURE, PROGRAM, SYSTEM, Event, Score
from studio.steps import ScoreStep
from studio.tempo import Time


class Excerpt(ScoreStep):
    """Keep only some bars, moved to the start of the song.

    Notes that begin in them are kept to their full length or to the end of the excerpt; programs, controllers
    and bends from before are set again at its start.
    """

    start: Time = span("0 bars", help="where it begins", position=True)
    length: Time | None = span(None, help="how long it is, to the end of the song if not given")

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
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
        return replace(cut, events=(*chased(score, begin), *moved), marks=marks, end=max(0, end - begin))


_BANK = (0, 32)
_PARAMETER = (6, 38, 96, 97, 98, 99, 100, 101)
"""Controllers that set what the last (N)RPN has named, such as the range of bends."""


def chased(score: Score, tick: int) -> list[Event]:
    """What had been set before `tick`, in the order it was: of bends, pressure and most controllers the last value.

    Programs, banks, parameters and sysex act together with those before them, so all of them are kept.
    """
    last: dict[tuple[int, ...], Event] = {}
    for index, event in enumerate(score.events):
        if event.tick >= tick:
            break
        if event.status in (CONTROL, BEND, PRESSURE) and not _acts_with_others(event):
            key = (event.port, event.channel, event.status, event.data[1] if event.status == CONTROL else -1)
            last.pop(key, None)
            last[key] = event
        elif event.status in (CONTROL, PROGRAM, SYSTEM):
            last[index,] = event
    return [event._replace(tick=0) for event in last.values()]


def _acts_with_others(event: Event) -> bool:
    return event.status == CONTROL and event.data[1] in (*_BANK, *_PARAMETER)


class Merge(ScoreStep):
    """Add the notes and controllers of another MIDI file."""

    file: str = file(help="a MIDI file")
    at: Time = span("0 bars", help="where its start falls", position=True)

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        with within("file"):
            other = read_midi(context.find(self.file))
        start = score.tempo.beat_of(self.at)
        fine = score.finer(max(score.resolution, other.resolution))
        added = [
            event._replace(tick=fine.tick(start + other.beat(event.tick)), track=event.track + len(fine.tracks))
            for event in other.events
        ]
        return replace(
            fine,
            events=(*fine.events, *added),
            tracks=(*fine.tracks, *other.tracks),
            end=max(fine.end, fine.tick(start + other.beat(other.end))),
        )
