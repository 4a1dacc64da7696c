"""The two timelines of a recipe: the one it is written on, and that of the song, where its arrangement puts the sections."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

from studio.arrangement import Arrangement, SectionSpan, overlaps
from studio.errors import Gather, RecipeError, nearest, within
from studio.recipe.sections import Section, Turn, played
from studio.recipe.timing import Meters, TempoPoints, tempo_map
from studio.score import Score
from studio.tempo import TempoMap, Time

LONGEST_HOURS = 4
"""A longer song is taken for a mistake."""

_MOST_ROUNDS = 4_000
"""So many spans a song that goes round may have."""

Extent = tuple[Fraction, Fraction]
"""The beats between which a section lies on the written timeline."""


class Arrangeable(Protocol):
    """What of a recipe its timelines are made of."""

    @property
    def tempo(self) -> TempoPoints | None:
        """Its tempo; the score's if None."""
        ...

    @property
    def meter(self) -> Meters | None:
        """Its meter; the score's if None."""
        ...

    @property
    def length(self) -> Time | None:
        """How long the song is, if that is said."""
        ...

    @property
    def tail(self) -> Time:
        """How long anything may ring on."""
        ...

    @property
    def sections(self) -> Mapping[str, Section] | str:
        """Its sections by name, or `markers`."""
        ...

    @property
    def arrangement(self) -> tuple[Turn, ...]:
        """The sections in the order in which they sound."""
        ...

    @property
    def seamless(self) -> bool:
        """Whether it goes round."""
        ...

    @property
    def tracks(self) -> Mapping[str, object]:
        """Its tracks by name."""
        ...


def written_tempo(recipe: Arrangeable, score: Score | None) -> TempoMap:
    """The tempo map of the timeline that a recipe is written on, with the beginnings of its sections.

    Raises:
        StudioError: tempos, or sections, that are not in order.
    """
    base = score.tempo if score is not None else TempoMap()
    plain = tempo_map(None, recipe.meter, base)
    counted = {
        name: beats for name, beats in _extents(recipe, score, plain).items() if not _in_seconds(recipe.sections, name)
    }
    bare = tempo_map(recipe.tempo, recipe.meter, base, _marks(counted))
    return replace(bare, marks=_marks(_extents(recipe, score, bare)))


def check_extents(recipe: Arrangeable, score: Score | None, written: TempoMap) -> None:
    """See that no section is empty, and that no two share a part of what is written.

    Raises:
        StudioError: some do (all mistakes at once).
    """
    gather, extents = Gather(), _extents(recipe, score, written)
    spans = [SectionSpan(name, start, end, Fraction(0)) for name, (start, end) in extents.items()]
    for span in spans:
        if span.end <= span.start:
            with gather, within("sections", span.name):
                raise RecipeError(f"the section {span.name!r} is empty.", "Let it end behind its beginning.")
    for one, other in overlaps(spans):
        late = max(one, other, key=lambda span: list(extents).index(span.name))
        shared = _length(written, other.start, min(one.end, other.end))
        with gather, within("sections", late.name):
            raise RecipeError(
                f"the sections {one.name!r} and {other.name!r} overlap, by {shared}.",
                f"Let {other.name!r} begin where {one.name!r} ends.",
            )
    gather.done()


def song_tempo(recipe: Arrangeable, score: Score | None) -> TempoMap:
    """The tempo map of the song: that of what is written, or of its sections as they are arranged.

    Raises:
        StudioError: tempos, or sections, that are not in order, empty or not there.
    """
    written = written_tempo(recipe, score)
    check_extents(recipe, score, written)
    extents = _extents(recipe, score, written)
    turns = list(_turns(recipe, extents))
    if not turns and recipe.seamless:
        extents = {"": (Fraction(0), _whole(recipe, score, written))}
        turns = [Turn(section="")]
    if not turns:
        return written
    if recipe.seamless and recipe.arrangement and recipe.length is not None:
        raise RecipeError("a loop is as long as its arrangement.", "Take `length` out.", path=("length",))
    arrangement = Arrangement(tuple(_spans(recipe, turns, extents, written)), written)
    tempo = arrangement.tempo_map()
    seconds = tempo.second_at(arrangement.end)
    if seconds > LONGEST_HOURS * 3600:
        raise RecipeError(
            f"a song of {float(seconds) / 3600:,.1f} hours.", f"Songs go up to {LONGEST_HOURS} hours: repeat its sections less.",
            path=("arrangement",),
        )  # fmt: skip
    if not recipe.seamless:
        return tempo
    if not seconds or (1 + math.ceil(written.second_of(recipe.tail) / seconds)) * len(turns) > _MOST_ROUNDS:
        raise RecipeError(
            f"a loop of {float(seconds):g} s, whose tail goes round too often.", "Make it longer, or `tail` shorter.",
            path=("seamless",),
        )  # fmt: skip
    return arrangement.going_round(1 + math.ceil(written.second_of(recipe.tail) / seconds)).tempo_map()


def _turns(recipe: Arrangeable, extents: Mapping[str, Extent]) -> Iterator[Turn]:
    sections = {} if isinstance(recipe.sections, str) else recipe.sections
    for index, turn in enumerate(recipe.arrangement):
        for each in played((turn,), sections):
            if each.section not in extents:
                with within("arrangement", index, "section"):
                    raise RecipeError(f"there is no section {each.section!r}.", nearest(each.section, extents))
            yield each


def _spans(
    recipe: Arrangeable, turns: list[Turn], extents: Mapping[str, Extent], written: TempoMap
) -> Iterator[SectionSpan]:
    at = Fraction(0)
    for turn in turns:
        start, end = extents[turn.section]
        speed = Fraction(1) if turn.tempo is None else Fraction(repr(turn.tempo)) / written.exact_bpm_at(start)
        without = {str(track) for track in turn.without}
        if turn.only:
            without |= recipe.tracks.keys() - {str(track) for track in turn.only}
        silent, fixed = frozenset(without), frozenset(str(track) for track in turn.untransposed)
        yield SectionSpan(turn.section, start, end, at, int(turn.transpose), speed, silent, fixed)
        at += end - start


def _whole(recipe: Arrangeable, score: Score | None, written: TempoMap) -> Fraction:
    """The beat at which a song without an arrangement goes round: its length, or the end of the last bar of its score."""
    if recipe.length is not None:
        with within("length"):
            return written.beat_of(recipe.length)
    if score is None or not score.end:
        raise RecipeError("a loop without a length.", "Write `length: 4 bars`.", path=("seamless",))
    bar = written.bar_of_beat(score.beat(score.end))
    return written.beat_of_bar(Fraction(-(-bar.numerator // bar.denominator)))


def _extents(recipe: Arrangeable, score: Score | None, tempo: TempoMap) -> dict[str, Extent]:
    """Where the sections lie on a tempo map; those that are made of others are not among them."""
    if isinstance(recipe.sections, str):
        return _of_markers(score)
    found: dict[str, Extent] = {}
    before = Fraction(0)
    for name, section in recipe.sections.items():
        if section.turns:
            continue
        with within("sections", name):
            start = before if section.start is None else tempo.beat_of(section.start)
            found[name] = start, _end(section, start, tempo)
        before = found[name][1]
    return found


def _end(section: Section, start: Fraction, tempo: TempoMap) -> Fraction:
    if section.end is not None:
        return tempo.beat_of(section.end)
    length = section.length if section.length is not None else Time()
    bars = tempo.beat_of_bar(tempo.bar_of_beat(start) + length.bars) + length.beats
    return tempo.beat_at(tempo.second_at(bars) + length.seconds) if length.seconds else bars


def _in_seconds(sections: Mapping[str, Section] | str, name: str) -> bool:
    """Whether a section, or one before it, is measured in seconds."""
    if isinstance(sections, str):
        return False
    upto = list(sections)[: list(sections).index(name) + 1]
    times = [time for each in upto for time in (sections[each].start, sections[each].end, sections[each].length)]
    return any(time is not None and time.seconds for time in times)


def _of_markers(score: Score | None) -> dict[str, Extent]:
    """The sections that the markers of a score begin; a name that comes again is counted on: chorus, chorus 2."""
    if score is None:
        return {}
    named = marker_names(score)
    starts = [score.beat(tick) for _, tick in named]
    ends = [*starts[1:], score.beat(score.end)]
    return {name: (start, end) for (name, _), start, end in zip(named, starts, ends, strict=True) if end > start}


def marker_names(score: Score) -> list[tuple[str, int]]:
    """The names and ticks of the sections that the markers of a score begin.

    Raises:
        RecipeError: it has none.
    """
    marks = sorted(
        (mark for mark in score.marks if mark.kind == "marker" and mark.text.strip()), key=lambda mark: mark.tick
    )
    if not marks:
        raise RecipeError("the score has no markers.", "Write where the sections lie: `sections: {verse: 0–16 bars}`.")
    counts: dict[str, int] = {}
    named = []
    for mark in marks:
        name = " ".join(mark.text.split())
        counts[name] = counts.get(name, 0) + 1
        named.append((name if counts[name] == 1 else f"{name} {counts[name]}", mark.tick))
    return named


def _marks(extents: Mapping[str, Extent]) -> tuple[tuple[str, Fraction], ...]:
    return tuple((name, start) for name, (start, _) in extents.items())


def _length(tempo: TempoMap, start: Fraction, end: Fraction) -> Time:
    """How long a part is, in bars where they are whole, else in beats."""
    bars = tempo.bar_of_beat(end) - tempo.bar_of_beat(start)
    return Time(bars=bars) if bars.denominator == 1 else Time(beats=end - start)


__all__ = ["marker_names", "song_tempo", "written_tempo"]
