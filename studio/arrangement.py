"""A song as an arrangement: spans of the timeline it is written on, put one behind the other on the one it sounds on.

Both are measured in beats. What lies on the written timeline (notes, clips, drawn curves, tempo and meter) follows; what
a device does by itself (an LFO, an echo, the tail of a room) runs on through the song.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from studio.errors import KnobError
from studio.tempo import Floats, Meter, Tempo, TempoMap

_NEAR = 1e-9
"""Beats: a time that falls short of the edge of a span by rounding lies on it."""

_LEAD = Fraction(1)
"""Beats of the first section that come behind the last round of a song that goes round."""

_BEFORE = Fraction(1, 960)
"""Beats before the end of a span at which a ramp that leads out of it stands still."""


@dataclass(frozen=True)
class SectionSpan:
    """A part of the written timeline, and where in the song it sounds.

    Attributes:
        name: the section.
        start, end: its beats on the written timeline.
        at: the beat of the song at which it begins.
        transpose: semitones by which it is higher.
        speed: its tempo, as a multiple of the written one.
        without: the tracks that are silent in it.
        untransposed: the tracks that keep their pitch all the same.
    """

    name: str
    start: Fraction
    end: Fraction
    at: Fraction
    transpose: int = 0
    speed: Fraction = Fraction(1)
    without: frozenset[str] = frozenset()
    untransposed: frozenset[str] = frozenset()

    @property
    def until(self) -> Fraction:
        """The beat of the song at which it is over."""
        return self.at + self.end - self.start

    def heard(self, track: str) -> bool:
        """Whether a track sounds in it."""
        return track not in self.without

    def interval(self, track: str) -> int:
        """The semitones by which a track is higher in it."""
        return 0 if track in self.untransposed else self.transpose

    def goes_on_in(self, after: SectionSpan, track: str | None) -> bool:
        """Whether `after` follows in the song as it does where it is written, for a track or for the tempo alone."""
        follows = self.end == after.start and self.until == after.at and self.speed == after.speed
        alike = track is None or (self.heard(track), self.interval(track)) == (
            after.heard(track),
            after.interval(track),
        )
        return follows and alike


def runs(spans: Sequence[SectionSpan], track: str | None = None) -> Iterator[SectionSpan]:
    """The spans, those that follow on one another as they are written in one; of a track only those it sounds in."""
    held: SectionSpan | None = None
    for span in spans:
        if held is not None and held.goes_on_in(span, track):
            held = replace(held, end=span.end)
            continue
        if held is not None and (track is None or held.heard(track)):
            yield held
        held = span
    if held is not None and (track is None or held.heard(track)):
        yield held


@dataclass(frozen=True)
class Arrangement:
    """Spans in the order in which they sound, and the tempo map of the timeline they are written on.

    Of a song that goes round the spans come `rounds` times, so that in the last one all has come round that rings on, and
    then the beginning of the first once more, for what leads into it.
    """

    spans: tuple[SectionSpan, ...]
    written: TempoMap
    rounds: int = 1

    @property
    def last_round(self) -> Fraction:
        """The beat of the song at which its last round begins."""
        return self.spans[(self.rounds - 1) * (len(self.spans) // self.rounds)].at

    @property
    def last_end(self) -> Fraction:
        """The beat of the song at which its last round is over."""
        return self.spans[self.rounds * (len(self.spans) // self.rounds) - 1].until

    def going_round(self, rounds: int) -> Arrangement:
        """The same so many times in a row."""
        moved = [replace(span, at=span.at + self.end * each) for each in range(rounds + 1) for span in self.spans]
        again = moved[rounds * len(self.spans)]
        again = replace(again, end=min(again.end, again.start + _LEAD))
        return Arrangement((*moved[: rounds * len(self.spans)], again), self.written, rounds)

    @property
    def end(self) -> Fraction:
        """The beat of the song at which the last one is over."""
        return self.spans[-1].until

    def written_seconds(self, seconds: Floats, song: TempoMap) -> Floats:
        """Where on the written timeline what sounds at each of `seconds` stands; behind the song it stays at its end."""
        beats = song.beats_at(seconds) + _NEAR
        start, end, at = self._columns
        index = np.maximum(np.searchsorted(at, beats, side="right") - 1, 0)
        place = start[index] + np.maximum(beats - at[index] - _NEAR, 0.0)
        return self.written.seconds_at(np.minimum(place, end[index] - _NEAR))

    def tempo_map(self) -> TempoMap:
        """The tempo and meter of the song; a name means the place at which its section first sounds."""
        tempos, meters = list[Tempo](), list[Meter]()
        for run in runs(self.spans):
            tempos += _tempos(run, self.written)
            meters += _meters(run, self.written)
        marks: dict[str, Fraction] = {}
        for span in self.spans:
            marks.setdefault(span.name, span.at)
        return ArrangedTempoMap(tuple(tempos), tuple(meters), tuple(marks.items()), arrangement=self)

    def data(self) -> list[object]:
        """Plain data that two equal arrangements share, for hashing."""
        spans = [
            [
                *(str(beat) for beat in (span.start, span.end, span.at, span.speed)),
                span.transpose,
                sorted(span.without),
                sorted(span.untransposed),
            ]
            for span in self.spans
        ]
        return [spans, self.written.data()]

    @cached_property
    def _columns(self) -> tuple[Floats, Floats, Floats]:
        rows = ((span.start, span.end, span.at) for span in self.spans)
        start, end, at = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
        return start, end, at


@dataclass(frozen=True)
class ArrangedTempoMap(TempoMap):
    """The tempo map of a song that is an arrangement of what is written."""

    arrangement: Arrangement = field(kw_only=True)

    def beat_of_mark(self, name: str) -> Fraction:
        """The beat at which a section first sounds.

        Raises:
            KnobError: there is none of that name, or it does not sound.
        """
        if name not in dict(self.marks) and name in dict(self.arrangement.written.marks):
            raise KnobError(f"the section {name!r} is not in the arrangement.", "Add it there, or name another.")
        return super().beat_of_mark(name)

    def data(self) -> list[object]:
        """Plain data that two equal maps share, for hashing."""
        return [*super().data(), self.arrangement.data()]


def arrangement_of(tempo: TempoMap) -> Arrangement | None:
    """What is put where in the song of a tempo map; None where it is as it is written."""
    return tempo.arrangement if isinstance(tempo, ArrangedTempoMap) else None


def _tempos(run: SectionSpan, written: TempoMap) -> Iterator[Tempo]:
    def bpm(beat: Fraction) -> Fraction:
        return run.speed * written.exact_bpm_at(beat)

    inside = [tempo for tempo in written.tempos if run.start < tempo.beat < run.end]
    before = [tempo for tempo in written.tempos if tempo.beat <= run.start][-1]
    first = Tempo(run.start, bpm(run.start) / run.speed, before.ramp)
    for tempo in (first, *inside):
        yield Tempo(run.at + tempo.beat - run.start, tempo.bpm * run.speed, tempo.ramp)
    last = inside[-1] if inside else first
    if last.ramp and any(tempo.beat >= run.end for tempo in written.tempos):
        edge = max(run.end - _BEFORE, (last.beat + run.end) / 2)
        yield Tempo(run.at + edge - run.start, bpm(edge))


def _meters(run: SectionSpan, written: TempoMap) -> Iterator[Meter]:
    before = [meter for meter in written.meters if meter.beat <= run.start][-1]
    for meter in (replace(before, beat=run.start), *written.meters):
        if run.start < meter.beat < run.end or meter.beat == run.start:
            yield replace(meter, beat=run.at + meter.beat - run.start)


def overlaps(spans: Sequence[SectionSpan]) -> Iterator[tuple[SectionSpan, SectionSpan]]:
    """The spans of the written timeline, in twos, that share a part of it with the one before."""
    ordered = sorted((span for span in spans if span.start < span.end), key=lambda span: (span.start, span.end))
    return ((one, other) for one, other in pairwise(ordered) if other.start < one.end)


__all__ = ["ArrangedTempoMap", "Arrangement", "SectionSpan", "arrangement_of", "overlaps", "runs"]
