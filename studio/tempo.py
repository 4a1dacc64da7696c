"""Musical time: a `Time` as a person writes it, and the `TempoMap` that gives it seconds and frames.

A beat is a quarter note, whatever the meter, as in MIDI. Positions count from zero: "4 bars" is the
start of the fifth bar.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from studio.errors import KnobError, nearest, shown

Floats = NDArray[np.float64]

_DECIMAL = r"\d+(?:\.\d*)?|\.\d+"
_BARE = re.compile(rf"[+\-]?(?:{_DECIMAL})")
_TERM = re.compile(
    rf"(?P<number>[+\-]?(?:\d+/0*[1-9]\d*|{_DECIMAL}))\s*(?P<unit>bars?\b|beats?\b|ms\b|min\b|s\b)"
    r"|(?P<note>\d{1,6}/0*[1-9]\d{0,5})(?!\d)\s*(?P<dot>\.(?!\d)|d(?:otted)?\b|t(?:riplet)?\b)?",
)
_JSON_TERM = (
    r"(?:[+\-−]?(?:\d+/0*[1-9]\d*|\d+(?:\.\d*)?|\.\d+)\s*(?:bars?|beats?|ms|min|s)"
    r"|\d{1,6}/0*[1-9]\d{0,5}\s*(?:\.|d(?:otted)?|t(?:riplet)?)?)"
)
TIME_PATTERN = rf"^\s*(?:[+\-−]?(?:\d+(?:\.\d*)?|\.\d+)|{_JSON_TERM}(?:\s*\+?\s*{_JSON_TERM})*)\s*$"
"""A regular expression, as a JSON Schema has them, of the texts that `Time.parse` reads."""
_STRETCH = {"": Fraction(1), ".": Fraction(3, 2), "d": Fraction(3, 2), "t": Fraction(2, 3)}
_SECONDS = {"ms": Fraction(1, 1000), "min": Fraction(60)}
_HINT = "Write a time such as 1.5 s, 80 ms, 2 beats, 4 bars, 1/8, 1/8. (dotted), 1/8t (triplet) or 4 bars 2 beats."
_LONGEST, _LONGEST_TEXT = 1_000_000, 2_000

_BAR = re.compile(r"bar\s+(?P<bar>\d{1,7})(?:\s+beat\s+(?P<beat>\d{1,7}(?:\.\d+)?))?(?![\d.])")
_BAR_BEAT_SIXTEENTH = re.compile(r"(?P<bar>\d{1,7})\.(?P<beat>\d{1,7})\.(?P<sixteenth>\d{1,7})(?![\d.])")
_JSON_OFFSET = rf"(?:\s*[+\-−]\s*{_JSON_TERM}(?:\s*\+?\s*{_JSON_TERM})*)?"
POSITION_PATTERN = rf"{TIME_PATTERN}|^\s*(?:\d+\.\d+\.\d+|[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ0-9_' -]*){_JSON_OFFSET}\s*$"
"""The same for positions, which may be named by a section, a bar (``bar 5``), or as DAWs do (``5.1.1``)."""

ANY_SECTION = "*"
"""Stands for every name, where those of the sections cannot be known while a recipe is read."""

_ANY = re.compile(r"[^\W\d_][\w' ]*")

_named: ContextVar[frozenset[str]] = ContextVar("the sections of the song that is being read", default=frozenset())


@contextmanager
def naming(names: Iterable[str]) -> Iterator[None]:
    """While it lasts, positions may be given by these names."""
    token = _named.set(frozenset(names))
    try:
        yield
    finally:
        _named.reset(token)


@dataclass(frozen=True)
class Time:
    """A position or a length: so many bars, plus so many beats, plus so many seconds; a position may go from a section.

    >>> Time.parse("1/8.")
    Time(beats=Fraction(3, 4))
    """

    bars: Fraction = Fraction(0)
    beats: Fraction = Fraction(0)
    seconds: Fraction = Fraction(0)
    mark: str = ""

    @classmethod
    def parse(cls, value: object, *, position: bool = False) -> Time:
        """Read text such as ``"4 bars 2 beats"``; a bare number is seconds.

        Args:
            value: a time, or what means one.
            position: whether it is a place in the song, which may also be ``"bar 5"``, ``"5.1.1"``, ``"verse"`` or
                ``"verse + 2 bars"``.

        Raises:
            KnobError: the text is not a time, or a place where a length is wanted.
        """
        if isinstance(value, Time):
            return value._wanted(position)._checked()
        if isinstance(value, (int, float, Fraction)) and not isinstance(value, bool):
            if isinstance(value, float) and not math.isfinite(value):
                raise KnobError(f"{value} is not a time.", _HINT)
            return cls(seconds=_exact(value))._checked()
        if not isinstance(value, str) or len(value) > _LONGEST_TEXT:
            raise KnobError(f"{shown(value)} is not a time.", _HINT)
        text = value.replace("−", "-").strip()
        # Most times are lengths, and read at once.
        placed = _position(text) if text[:1].isalpha() or text.count(".") > 1 else None
        if placed is not None:
            return placed._wanted(position)._checked()
        try:
            return cls._read(value)
        except KnobError as error:
            if position and (names := sorted(_named.get())):
                error.mend += f" Sections are: {', '.join(names[:12])}."
            raise

    @classmethod
    @lru_cache(maxsize=1024)
    def _read(cls, value: str) -> Time:
        bars = beats = seconds = Fraction(0)
        rest = value.replace("−", "-").strip()
        if _BARE.fullmatch(rest):
            rest += " s"
        while rest or not value.strip():
            term = _TERM.match(rest)
            if term is None:
                raise KnobError(f"{shown(value)} is not a time.", _HINT)
            if term["note"]:
                beats += 4 * Fraction(term["note"]) * _STRETCH[(term["dot"] or "")[:1]]
            elif term["unit"].startswith("bar"):
                bars += _fraction(term["number"])
            elif term["unit"].startswith("beat"):
                beats += _fraction(term["number"])
            elif term["unit"] == "s":
                seconds += _fraction(term["number"])
            else:
                seconds += _fraction(term["number"]) * _SECONDS[term["unit"]]
            rest = rest[term.end() :].strip().removeprefix("+").strip()
        return cls(bars, beats, seconds)._checked()

    def _wanted(self, position: bool) -> Time:
        if not position and self.mark:
            raise KnobError(f"{self} is a place in the song, and this is a length.", _HINT)
        return self

    def _checked(self) -> Time:
        parts = (self.bars, self.beats, self.seconds)
        if any(abs(part.numerator) > _LONGEST * part.denominator for part in parts):  # fractions compare slowly
            raise KnobError("a time longer than any song.", f"{_LONGEST} bars, beats or seconds at most.")
        return self

    def __hash__(self) -> int:
        parts = (self.bars, self.beats, self.seconds)
        return hash(
            tuple((part.numerator, part.denominator) for part in parts)
        )  # that of a fraction takes ten times as long

    @property
    def musical(self) -> bool:
        """Whether it moves with the tempo map."""
        return bool(self.bars or self.beats or self.mark)

    def before(self, other: Time) -> bool:
        """Whether it is earlier on every tempo map; that of bars and seconds, or of two sections, only a map can tell."""
        if self.mark != other.mark:
            return False
        pairs = ((self.bars, other.bars), (self.beats, other.beats), (self.seconds, other.seconds))
        # As fractions are compared, without making any: long curves ask it for every point.
        signs = [mine.numerator * its.denominator - its.numerator * mine.denominator for mine, its in pairs]
        return min(signs) < 0 and max(signs) <= 0

    def __bool__(self) -> bool:
        return bool(self.bars or self.beats or self.seconds or self.mark)

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        if self.mark:
            offset = Time(self.bars, self.beats, self.seconds)
            if not offset:
                return self.mark
            back = min(self.bars, self.beats, self.seconds) < 0 and max(self.bars, self.beats, self.seconds) <= 0
            return f"{self.mark} - {-offset}" if back else f"{self.mark} + {offset}"
        terms = []
        if self.bars:
            terms.append(f"{_decimal(self.bars)} bar{'' if self.bars == 1 else 's'}")
        if self.beats:
            note = self.beats / 4
            short = self.beats.denominator > 1 and 0 < note.numerator < 1000 and note.denominator < 1000
            terms.append(str(note) if short else f"{_decimal(self.beats)} beat{'' if self.beats == 1 else 's'}")
        if self.seconds or not terms:
            terms.append(f"{_decimal(self.seconds)} s")
        return " ".join(terms)

    def __neg__(self) -> Time:
        return Time(-self.bars, -self.beats, -self.seconds)

    def __repr__(self) -> str:
        parts = ", ".join(
            f"{name}={getattr(self, name)!r}" for name in ("bars", "beats", "seconds", "mark") if getattr(self, name)
        )
        return f"Time({parts})"


def _position(text: str) -> Time | None:
    """The position that a text names by a section, a bar or as DAWs do; None where it does not begin so."""
    lower, place = text.lower(), None
    if bar := _BAR.match(lower):
        place, rest = _counted(bar["bar"], bar["beat"] or "1", "1"), text[bar.end() :]
    elif bar := _BAR_BEAT_SIXTEENTH.match(text):
        place, rest = _counted(bar["bar"], bar["beat"], bar["sixteenth"]), text[bar.end() :]
    else:
        known = _named.get()
        if ANY_SECTION in known and (word := _ANY.match(text)):
            known = frozenset({word[0].strip()})
        for name in sorted(known, key=len, reverse=True):
            if lower.startswith(name.lower()) and text[len(name) :].lstrip()[:1] in ("", "+", "-"):
                place, rest = Time(mark=name), text[len(name) :]
                break
    if place is None:
        return None
    rest = rest.strip()
    if not rest:
        return place
    if rest[0] not in "+-" or not rest[1:].strip():
        raise KnobError(f"{shown(text)} is not a time.", f"Write {place} + 2 bars, or so.")
    offset = Time.parse(rest[1:].strip())
    if rest[0] == "-":
        offset = -offset
    return Time(place.bars + offset.bars, place.beats + offset.beats, place.seconds + offset.seconds, place.mark)


def _counted(bar: str, beat: str, sixteenth: str) -> Time:
    """A position by numbers that count from one."""
    numbers = [Fraction(each) - 1 for each in (bar, beat, sixteenth)]
    if min(numbers) < 0:
        raise KnobError(f"bar {bar}, beat {beat}.", "Bars, beats and sixteenths are counted from 1.")
    return Time(bars=numbers[0], beats=numbers[1] + numbers[2] / 4)


def _fraction(text: str) -> Fraction:
    """As `Fraction` reads it, but whole numbers five times as fast."""
    return Fraction(int(text)) if text.isdecimal() else Fraction(text)


def _exact(number: float | Fraction) -> Fraction:
    return number if isinstance(number, Fraction) else Fraction(repr(number))


def _decimal(number: Fraction) -> str:
    """A text that reads back as exactly `number`: a decimal when one exists, else a fraction."""
    if number.denominator == 1:
        return str(number.numerator)
    for digits in range(1, 40):
        scaled = number * 10**digits
        if scaled.denominator == 1:
            sign, text = ("-" if number < 0 else ""), str(abs(scaled.numerator)).rjust(digits + 1, "0")
            return f"{sign}{text[:-digits]}.{text[-digits:]}"
    return str(number)


@dataclass(frozen=True)
class Tempo:
    """From `beat` on, `bpm` quarter notes a minute; with `ramp`, gliding to the next tempo (linear over beats)."""

    beat: Fraction
    bpm: Fraction
    ramp: bool = False


@dataclass(frozen=True)
class Meter:
    """From `beat` on, bars of `count` notes of `1/unit`."""

    beat: Fraction
    count: int = 4
    unit: int = 4

    @property
    def bar(self) -> Fraction:
        """The length of a bar in beats."""
        return Fraction(4 * self.count, self.unit)


@dataclass(frozen=True)
class TempoMap:
    """Tempo and meter over a song; seconds ↔ beats ↔ bars both ways, exact wherever the tempo is constant.

    Tempos lie between 1 and 2000 bpm by contract of whoever builds the map (`midi.files` and `recipe.timing`
    refuse others by name). A meter change in the middle of a bar starts a new bar.
    """

    tempos: tuple[Tempo, ...] = (Tempo(Fraction(0), Fraction(120)),)
    meters: tuple[Meter, ...] = (Meter(Fraction(0)),)
    marks: tuple[tuple[str, Fraction], ...] = ()
    """The beats at which sections begin, by name."""

    _starts: tuple[Fraction, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        tempos = _in_order(self.tempos) or (Tempo(Fraction(0), Fraction(120)),)
        meters = _in_order(self.meters) or (Meter(Fraction(0)),)
        if tempos[0].beat > 0:
            tempos = (Tempo(Fraction(0), tempos[0].bpm), *tempos)
        if meters[0].beat > 0:
            meters = (Meter(Fraction(0)), *meters)
        starts = [Fraction(0)]
        for tempo, after in pairwise(tempos):
            starts.append(starts[-1] + _stretch(tempo, after, after.beat - tempo.beat))
        object.__setattr__(self, "tempos", tempos)
        object.__setattr__(self, "meters", meters)
        object.__setattr__(self, "_starts", tuple(starts))

    @classmethod
    def constant(cls, bpm: float | Fraction, count: int = 4, unit: int = 4) -> TempoMap:
        """Whether it is one tempo throughout."""
        return cls((Tempo(Fraction(0), _exact(bpm)),), (Meter(Fraction(0), count, unit),))

    def second_at(self, beat: Fraction) -> Fraction:
        """Seconds from the start to `beat`: exact, but for the rounding of a logarithm inside ramps."""
        index = max(0, bisect_right(self._beats, beat) - 1)
        after = self.tempos[index + 1] if index + 1 < len(self.tempos) else None
        return self._starts[index] + _stretch(self.tempos[index], after, beat - self.tempos[index].beat)

    def beat_at(self, seconds: Fraction) -> Fraction:
        """The inverse of `second_at`."""
        index = max(0, bisect_right(self._starts, seconds) - 1)
        tempo = self.tempos[index]
        after = self.tempos[index + 1] if index + 1 < len(self.tempos) else None
        gone, slope = seconds - self._starts[index], _slope(tempo, after)
        if not slope:
            return tempo.beat + gone * tempo.bpm / 60
        return tempo.beat + Fraction(float(tempo.bpm) / slope * math.expm1(slope * float(gone) / 60))

    def beats_at(self, seconds: Floats) -> Floats:
        """`beat_at` for an array of seconds, in float64 (good to better than a nanosecond over an hour)."""
        index = np.maximum(np.searchsorted(self._start_array, seconds, side="right") - 1, 0)
        gone = seconds - self._start_array[index]
        beat, bpm, slope = (column[index] for column in self._columns)
        with np.errstate(divide="ignore", invalid="ignore"):
            ramp = bpm / slope * np.expm1(slope * gone / 60)
        return np.asarray(beat + np.where(slope == 0, gone * bpm / 60, ramp))

    def seconds_at(self, beats: Floats) -> Floats:
        """`second_at` for an array of beats, in float64."""
        index = np.maximum(np.searchsorted(self._columns[0], beats, side="right") - 1, 0)
        beat, bpm, slope = (column[index] for column in self._columns)
        gone = beats - beat
        with np.errstate(divide="ignore", invalid="ignore"):
            ramp = 60 / slope * np.log1p(slope * gone / bpm)
        return np.asarray(self._start_array[index] + np.where(slope == 0, gone * 60 / bpm, ramp))

    def behind(self, beat: Fraction) -> TempoMap:
        """The map as it goes on from a beat, counted from there; a new bar begins on it."""
        ramp = self.tempos[max(0, bisect_right(self._beats, beat) - 1)].ramp
        tempos = [replace(each, beat=each.beat - beat) for each in self.tempos if each.beat > beat]
        meter = [each for each in self.meters if each.beat <= beat][-1]
        meters = [replace(each, beat=each.beat - beat) for each in self.meters if each.beat > beat]
        first = Tempo(Fraction(0), self.exact_bpm_at(beat), ramp)
        return TempoMap((first, *tempos), (replace(meter, beat=Fraction(0)), *meters))

    def exact_bpm_at(self, beat: Fraction) -> Fraction:
        """The tempo at `beat`, exact wherever it is constant."""
        tempo = self.tempos[max(0, bisect_right(self._beats, beat) - 1)]
        return tempo.bpm if beat == tempo.beat or not tempo.ramp else Fraction(self.bpm_at(beat))

    def bpm_at(self, beat: Fraction) -> float:
        """The tempo at `beat`."""
        index = max(0, bisect_right(self._beats, beat) - 1)
        after = self.tempos[index + 1] if index + 1 < len(self.tempos) else None
        tempo = self.tempos[index]
        return float(tempo.bpm) + _slope(tempo, after) * float(beat - tempo.beat)

    def beat_of_bar(self, bar: Fraction) -> Fraction:
        """The beat on which `bar` (counted from zero, fractions allowed) starts."""
        index = max(0, bisect_right(self._bars, bar) - 1)
        return self.meters[index].beat + (bar - self._bars[index]) * self.meters[index].bar

    def bar_of_beat(self, beat: Fraction) -> Fraction:
        """The bar in which `beat` lies, as a fraction: 2.5 is the middle of the third bar."""
        index = max(0, bisect_right([meter.beat for meter in self.meters], beat) - 1)
        return self._bars[index] + (beat - self.meters[index].beat) / self.meters[index].bar

    def beat_of(self, time: Time) -> Fraction:
        """The beat of a position that may mix bars, beats and seconds, and go from a section.

        Raises:
            KnobError: there is no such section.
        """
        if time.mark:
            start = self.bar_of_beat(self.beat_of_mark(time.mark))
            beat = self.beat_of_bar(start + time.bars) + time.beats
        else:
            beat = self.beat_of_bar(time.bars) + time.beats
        return self.beat_at(self.second_at(beat) + time.seconds) if time.seconds else beat

    def second_of(self, time: Time) -> Fraction:
        """The second of a position that may mix bars, beats and seconds."""
        if not time.musical:
            return time.seconds
        if time.mark:
            return self.second_at(self.beat_of(time))
        return self.second_at(self.beat_of_bar(time.bars) + time.beats) + time.seconds

    def beat_of_mark(self, name: str) -> Fraction:
        """The beat at which a section begins.

        Raises:
            KnobError: there is none of that name.
        """
        for mark, beat in self.marks:
            if mark == name:
                return beat
        raise KnobError(f"the section {name!r} is not there.", nearest(name, [mark for mark, _ in self.marks]))

    def frame_of(self, time: Time, rate: int) -> int:
        """The frame of a position, rounded half up from the exact second."""
        return math.floor(self.second_of(time) * rate + Fraction(1, 2))

    def length_of(self, time: Time, start: Fraction = Fraction(0)) -> Fraction:
        """Seconds that a stretch of `time` lasts when it begins on beat `start`."""
        end_beat = self.beat_of_bar(self.bar_of_beat(start) + time.bars) if time.bars else start
        return self.second_at(end_beat + time.beats) - self.second_at(start) + time.seconds

    def held_length_of(self, time: Time, beat: Fraction) -> float:
        """Seconds that a stretch of `time` lasts at the tempo and meter that stand at `beat`, whatever comes after."""
        meter = self.meters[max(0, bisect_right([meter.beat for meter in self.meters], beat) - 1)]
        beats = time.bars * meter.bar + time.beats
        return float(beats) * 60.0 / self.bpm_at(beat) + float(time.seconds)

    def data(self) -> list[object]:
        """Plain data that two equal maps share, for hashing."""
        plain: list[object] = [
            [[str(tempo.beat), str(tempo.bpm), tempo.ramp] for tempo in self.tempos],
            [[str(meter.beat), meter.count, meter.unit] for meter in self.meters],
        ]
        if self.marks:
            plain.append([[name, str(beat)] for name, beat in self.marks])
        return plain

    @cached_property
    def _beats(self) -> tuple[Fraction, ...]:
        return tuple(tempo.beat for tempo in self.tempos)

    @cached_property
    def _bars(self) -> tuple[Fraction, ...]:
        """The bar number at which each meter starts."""
        bars = [Fraction(0)]
        for meter, after in zip(self.meters, self.meters[1:], strict=False):
            bars.append(bars[-1] + math.ceil((after.beat - meter.beat) / meter.bar))
        return tuple(bars)

    @cached_property
    def _start_array(self) -> Floats:
        return np.array([float(start) for start in self._starts])

    @cached_property
    def _columns(self) -> tuple[Floats, Floats, Floats]:
        pairs = list(zip(self.tempos, [*self.tempos[1:], None], strict=True))
        return (
            np.array([float(tempo.beat) for tempo in self.tempos]),
            np.array([float(tempo.bpm) for tempo in self.tempos]),
            np.array([_slope(tempo, after) for tempo, after in pairs]),
        )


Change = TypeVar("Change", Tempo, Meter)


def _in_order(changes: Iterable[Change]) -> tuple[Change, ...]:
    """By beat; of several on one beat, the last one written counts."""
    by_beat: dict[Fraction, Change] = {}
    for change in changes:
        by_beat[change.beat] = change
    return tuple(by_beat[beat] for beat in sorted(by_beat))


def _slope(tempo: Tempo, after: Tempo | None) -> float:
    """Change of bpm per beat inside a ramp, 0 where the tempo is constant."""
    if after is None or not tempo.ramp:
        return 0.0
    return float((after.bpm - tempo.bpm) / (after.beat - tempo.beat))


def _stretch(tempo: Tempo, after: Tempo | None, beats: Fraction) -> Fraction:
    """Seconds that `beats` take from the start of a tempo segment."""
    slope = _slope(tempo, after)
    if not slope:
        return beats * 60 / tempo.bpm
    return Fraction(60 / slope * math.log1p(slope * float(beats) / float(tempo.bpm)))


def grid(points: Sequence[Time], tempo: TempoMap, musical: bool) -> Floats:
    """Where `points` lie on the axis a curve runs along: beats when it is musical, seconds when not."""
    measure = tempo.beat_of if musical else tempo.second_of
    return np.array([float(measure(point)) for point in points])
