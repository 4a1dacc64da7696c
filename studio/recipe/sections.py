"""Sections of a song and their arrangement, as a recipe writes them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from studio import units
from studio.errors import Gather, KnobError, RecipeError, nearest, shown, within
from studio.knobs import KnobKind, Number, count, text
from studio.midi.files import FASTEST_BPM, SLOWEST_BPM
from studio.records import Kind, ListOf, MapOf, Nested, Parsed, Record, field
from studio.tempo import POSITION_PATTERN, Time

MARKERS = "markers"
"""What stands for the sections when they are the markers of the score."""

MOST_TURNS = 1_000
"""So many sections a song may have, repeats included."""

_TIMES = re.compile(r"(?P<name>.+?)\s*(?:×|\*|(?<=\s)x)\s*(?P<times>\d{1,4})")
_RANGE = re.compile(r"(?P<start>.+?)\s*(?:–|—|\bto\b|(?<=[\w.\s])-)\s*(?P<end>.+)")
_BARE = re.compile(r"\d+(?:\.\d*)?")
_HINT = "Write where it lies (0–16 bars, or [0 bars, 16 bars]), how long it is (16 bars), or what it is made of ([verse, chorus])."


class Turn(Record):
    """A section in its place in the arrangement: as it is written, or changed."""

    section: str = text(help="the section")
    times: int = count(1, 1, MOST_TURNS, help="how many times it is played")
    transpose: Parsed[float] = field(
        Number(default=0.0, low=-48, high=48, unit=units.SEMITONES, whole=True, help="how much higher, drums excepted")
    )
    tempo: Parsed[float | None] = field(
        Number(
            default=None, unit=units.BPM, low=SLOWEST_BPM, high=FASTEST_BPM,
            help="the tempo at its beginning; changes of tempo in it keep their proportions",
        )
    )  # fmt: skip
    without: Parsed[tuple[str, ...]] = field(ListOf(each=Kind(), help="tracks that are left out"))
    only: Parsed[tuple[str, ...]] = field(ListOf(each=Kind(), help="tracks that all others are left out for"))
    untransposed: Parsed[tuple[str, ...]] = field(ListOf(each=Kind(), help="tracks that keep their pitch"))

    @classmethod
    def called(cls) -> str:
        """What error messages call it, with its article."""
        return "a section of the arrangement"

    @classmethod
    def parse(cls, data: object) -> Self:
        """As a mapping, or the name alone: `chorus`, `chorus × 2`."""
        if isinstance(data, str):
            words = _TIMES.fullmatch(data.strip())
            data = {"section": words["name"], "times": int(words["times"])} if words else {"section": data.strip()}
        return super().parse(data)

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        plain = super().data(full=full)
        if full or plain.keys() - {"section", "times"}:
            return plain
        return self.section if self.times == 1 else f"{self.section} × {self.times}"

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        name = {"type": "string", "description": "a section: chorus, or chorus × 2"}
        whole = super().schema()
        return {"anyOf": [name, {**whole, "required": ["section"]}]}


ARRANGEMENT = ListOf(
    each=Nested(of=Turn), help="the sections in the order in which they sound; as written if not given"
)


@dataclass(frozen=True)
class Section:
    """A named part of what is written: from one place to another, of a length behind the one before, or of others."""

    start: Time | None = None
    end: Time | None = None
    length: Time | None = None
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SectionKind(KnobKind):
    """One section, in any of the ways in which it may be written."""

    def parse(self, value: object) -> Section:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if isinstance(value, Section):
            return value
        if isinstance(value, Mapping):
            return self._mapping(value)
        if isinstance(value, (list, tuple)) and value:
            if len(value) == 2 and all(_is_time(each) for each in value):
                return _between(*value)
            turns = ARRANGEMENT.parse(value)
            return Section(turns=turns)
        if isinstance(value, str):
            words = _RANGE.fullmatch(value.strip())
            if words:
                start, end = words["start"].strip(), words["end"].strip()
                if _BARE.fullmatch(start):
                    start += re.sub(r"^[\d./]+", "", end) or " s"
                return _between(start, end)
            return Section(length=_longer_than_nothing(Time.parse(value), value))
        raise KnobError(f"{shown(value)} is not a section.", _HINT)

    def _mapping(self, value: Mapping[Any, Any]) -> Section:
        known = ("from", "to", "length")
        for key in value:
            if key not in known:
                raise KnobError(f"a section has no {key!r}.", nearest(str(key), known), path=(str(key),))
        if "to" in value and "length" in value:
            raise KnobError("`to` and `length` at once.", "Keep one of them.", path=("length",))
        if "to" in value:
            return _between(value.get("from", 0), value["to"])
        if "length" not in value:
            raise KnobError("a section needs to end.", "Write `to` or `length`.")
        with within("length"):
            length = _longer_than_nothing(Time.parse(value["length"]), value["length"])
        with within("from"):
            start = _place(value["from"]) if "from" in value else None
        return Section(start=start, length=length)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        if value.turns:
            return [turn.data(full=full) for turn in value.turns]
        if value.end is not None:
            return [str(value.start), str(value.end)]
        return {"from": str(value.start), "length": str(value.length)} if value.start is not None else str(value.length)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        place = {"anyOf": [{"type": "string", "pattern": POSITION_PATTERN}, {"type": "number"}]}
        span = {"type": "array", "items": place, "minItems": 2, "maxItems": 2}
        words = {
            "type": "object",
            "additionalProperties": False,
            "properties": dict.fromkeys(("from", "to", "length"), place),
        }
        turns = {"type": "array", "items": Turn.schema(), "minItems": 1}
        return {"description": _HINT, "anyOf": [{"type": "string"}, {"type": "number"}, span, words, turns]}


@dataclass(frozen=True, kw_only=True)
class SectionsKind(MapOf):
    """The sections by name, or `markers`."""

    each: Kind = SectionKind(help="where it lies")
    what: str = "section"
    help: str = "parts of the song by name, such as {verse: 0–16 bars, chorus: 8 bars}; or markers: those of the score"

    def parse(self, value: object) -> Any:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        return MARKERS if value == MARKERS else super().parse(value)

    def check_name(self, key: object) -> str:
        """The key as the name of a section: one that begins with a letter, and is none of the words for times."""
        name = super().check_name(key)
        if not name[0].isalpha() or not re.fullmatch(r"[\w' -]+", name) or _reads(name):
            raise RecipeError(f"{name!r} cannot be a section.", "Begin it with a letter, and use no words for times.")
        return name

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return value if value == MARKERS else super().data(value, full)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.help, "anyOf": [{"enum": [MARKERS]}, super().schema()]}


def _is_time(value: object) -> bool:
    """Whether it is a time rather than the name of a section."""
    return isinstance(value, (int, float, Time)) or (isinstance(value, str) and _reads(value))


def _reads(text: str) -> bool:
    """Whether a text is a time without the help of any section."""
    try:
        return not Time.parse(text, position=True).mark
    except KnobError:
        return False


def _place(value: object) -> Time:
    place = Time.parse(value, position=True)
    if place.mark:
        raise KnobError(f"a section that begins at {place}.", "Give its bars, beats or seconds.")
    if min(place.bars, place.beats, place.seconds) < 0:
        raise KnobError(f"{place} is before the start.", "Write a time of zero or more.")
    return place


def _between(start: object, end: object) -> Section:
    begin, stop = _place(start), _place(end)
    if not begin.before(stop):
        # What mixes bars and seconds is compared where the tempo is known.
        alike = [begin.musical or not begin, stop.musical or not stop]
        if begin == stop or stop.before(begin) or all(alike) or not any(alike):
            raise KnobError(f"a section from {begin} to {stop} is empty.", "Let it end behind its beginning.")
    return Section(begin, stop)


def _longer_than_nothing(length: Time, value: object) -> Time:
    if min(length.bars, length.beats, length.seconds) < 0 or not length:
        raise KnobError(f"a section of {value} is empty.", _HINT)
    return length


def played(turns: Sequence[Turn], sections: Mapping[str, Section]) -> Iterator[Turn]:
    """The turns with those of sections that are made of others unfolded, each once for every time it is played.

    Changes of a section that is made of others hold for all of them, and add to theirs.
    """
    for turn in turns:
        inner = sections[turn.section].turns if turn.section in sections else ()
        for _ in range(turn.times):
            if not inner:
                yield turn.replace(times=1)
            for each in played(inner, sections):
                yield each.replace(
                    transpose=each.transpose + turn.transpose,
                    tempo=each.tempo if each.tempo is not None else turn.tempo,
                    without=(*each.without, *turn.without),
                    only=each.only or turn.only,
                    untransposed=(*each.untransposed, *turn.untransposed),
                )


def check_arrangement(turns: Sequence[Turn], sections: Mapping[str, Section] | str, tracks: Sequence[str]) -> None:
    """See that an arrangement names sections and tracks that are there, and that no section is made of itself.

    Raises:
        StudioError: it does not (all mistakes at once), each with its path in the recipe.
    """
    gather = Gather()
    named = {} if isinstance(sections, str) else sections
    lists = [(("arrangement",), turns), *((("sections", name), each.turns) for name, each in named.items())]
    if turns and not sections:
        with gather, within("arrangement"):
            raise RecipeError(
                "an arrangement without sections.", "Name them: `sections: {verse: 0–16 bars, chorus: 16–24 bars}`."
            )
    for path, members in lists:
        for index, turn in enumerate(members):
            if named and turn.section not in named:
                with gather, within(*path, index, "section"):
                    raise RecipeError(f"there is no section {turn.section!r}.", nearest(turn.section, named))
            if turn.without and turn.only:
                with gather, within(*path, index, "only"):
                    raise RecipeError("`without` and `only` at once.", "Keep one of them.")
            for word in ("without", "only", "untransposed"):
                for number, track in enumerate(getattr(turn, word)):
                    if str(track) not in tracks:
                        with gather, within(*path, index, word, number):
                            raise RecipeError(f"there is no track {track!r}.", nearest(str(track), tracks))
    for name in named:
        circle = _circle(name, named)
        if circle:
            index = next(at for at, turn in enumerate(named[name].turns) if turn.section == circle[1])
            with gather, within("sections", name, index, "section"):
                raise RecipeError(
                    f"the section is made of itself: {' → '.join(circle)}.", "Take one of these out of another."
                )
    if not gather.caught and named and sum(1 for _ in _counted(turns, named)) > MOST_TURNS:
        with gather, within("arrangement"):
            raise RecipeError(f"more than {MOST_TURNS:,} sections.", "Repeat them less.")
    gather.done()


def _counted(turns: Sequence[Turn], named: Mapping[str, Section]) -> Iterator[Turn]:
    """The turns as they are played, no more of them than it takes to see that there are too many."""
    for number, turn in enumerate(played(turns, named)):
        if number > MOST_TURNS:
            return
        yield turn


def _circle(name: str, named: Mapping[str, Section]) -> list[str]:
    """The way from a section to itself, through those it is made of; empty where there is none."""
    ways = [[name]]
    seen = {name}
    for way in ways:
        for turn in named[way[-1]].turns if way[-1] in named else ():
            if turn.section == name:
                return [*way, name]
            if turn.section not in seen:
                seen.add(turn.section)
                ways.append([*way, turn.section])
    return []
