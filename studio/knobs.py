"""Knobs: the one description of a parameter.

Range, unit, taper, default and help are written once, where a step declares its field, and serve file
validation, command-line help, the JSON Schema, documentation, widgets, automation and exported plugins.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from studio import units
from studio.curves import SHAPES, WAVES, Curve, Lfo, Mapped, Point, Points
from studio.errors import Gather, KnobError, Told, nearest, shown, within
from studio.levels import SILENCE_DB
from studio.records import REQUIRED, Kind, field
from studio.tempo import POSITION_PATTERN, TIME_PATTERN, Time
from studio.units import Unit

LINEAR, LOG = "linear", "log"

Live = float | str | Curve
"""The type of a knob that may move: give a number, text with a unit, or a curve; it holds a number or a curve."""


@dataclass(frozen=True, kw_only=True)
class KnobKind(Kind):
    """What every parameter has in common: with `live` it may move while the song plays."""

    live: bool = False


@dataclass(frozen=True, kw_only=True)
class Number(KnobKind):
    """A number in a unit, between `low` and `high`.

    With taper `LOG` equal steps of a slider are equal ratios, and an LFO sweeps the same way.
    """

    unit: Unit = units.PLAIN
    low: float = -math.inf
    high: float = math.inf
    taper: str = LINEAR
    whole: bool = False

    def parse(self, value: object) -> float | Curve | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None and self.default is None:
            return None
        if self.live and isinstance(value, (list, tuple)):
            return self._points(value)
        if self.live and isinstance(value, Mapping):
            return self._lfo(value)
        if self.live and isinstance(value, Points):
            if self._has_checked(value):
                return value
            return self._points([(point.at, point.value, point.shape) for point in value.points])
        if self.live and isinstance(value, Lfo):
            return self._lfo(_lfo_words(value))
        if self.live and isinstance(value, Mapped):
            return value
        return self.number(value)

    def number(self, value: object) -> float:
        """The plain number `value` means, inside the range.

        Raises:
            KnobError: not a number, another unit, not finite, or out of range.
        """
        if isinstance(value, str):
            value = self.unit.parse(value)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise KnobError(f"{shown(value)} is not {self.unit.what}.", self.unit.hint)
        number = _float(value)
        if number == -math.inf and self.low == SILENCE_DB:
            return SILENCE_DB
        if not math.isfinite(number) or not self.low <= number <= self.high:
            raise KnobError(f"{self.unit.format(number)} is out of range.", f"It goes from {self.range}.")
        if self.whole and number != int(number):
            raise KnobError(f"{value} is not a whole number.", f"It goes from {self.range}.")
        return int(number) if self.whole else number + 0.0

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        if value is None:
            return None
        if isinstance(value, Points):
            return [self._point_data(point) for point in value.points]
        if isinstance(value, Lfo):
            words = _lfo_words(value)
            words |= {"period": str(value.period), "from": self.data(value.low), "to": self.data(value.high)}
            return {word: given for word, given in words.items() if given or word not in ("phase", "seed")}
        if isinstance(value, Mapped):
            # Only ever hashed: a file keeps the macro, not what it makes of its targets.
            return [self.data(value.source), list(value.ends), value.log, value.low, value.high, value.shape]
        number = float(value)
        if not self.unit.symbol:
            if number == int(number):
                return int(number)
            # YAML libraries disagree on exponents; as text they come back to the last digit.
            return repr(number) if "e" in repr(number) else number
        return "-inf dB" if number == SILENCE_DB == self.low else self.unit.format(number)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        number: dict[str, Any] = {"type": "integer" if self.whole else "number"}
        if math.isfinite(self.low):
            number["minimum"] = self.low
        if math.isfinite(self.high):
            number["maximum"] = self.high
        text = {"type": "string", "pattern": self.unit.pattern, "examples": [self.unit.example]}
        moving = [{"$ref": f"#/$defs/{curve}-{self.unit.slug}"} for curve in ("points", "lfo")] if self.live else []
        either = [number, text, *moving]
        return {"description": self.describe(), "anyOf": either}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        low = "-inf dB" if self.low == SILENCE_DB and self.unit is units.DB else self.unit.format(self.low)
        return f"{low} to {self.unit.format(self.high)}"

    def position(self, value: float) -> float:
        """Where `value` stands on a slider from 0 to 1."""
        if self.taper == LOG:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def at(self, position: float) -> float:
        """The inverse of `position`."""
        if self.taper == LOG:
            return float(self.low * (self.high / self.low) ** position)
        return self.low + (self.high - self.low) * position

    def span(self, low: object, high: object, shape: str | None = None) -> tuple[float, float, str]:
        """Two ends and the shape between them, as a macro drives it; the shape follows the taper."""
        ends = self.number(low), self.number(high)
        shape = shape or ("exponential" if self.taper == LOG else "linear")
        _check_shape(shape, *ends)
        return *ends, shape

    def _has_checked(self, curve: Points) -> bool:
        """Whether a curve went through this knob's checks, or through those of one with a wider range."""
        by = curve.__dict__.get("_checked_by")
        if by is None or by is self or self.whole:
            return by is self
        return all(self.low <= point.value <= self.high for point in curve.points)

    def _points(self, value: Sequence[object]) -> Points:
        gather, points = Gather(), list[Point]()
        for index, item in enumerate(value):
            with gather, within(index):
                if not isinstance(item, (list, tuple)) or not 2 <= len(item) <= 3:
                    raise KnobError(
                        f"{shown(item)} is not a point of a curve.",
                        "Write [time, value] or [time, value, shape], such as [4 bars, -3 dB, smooth].",
                    )
                shape = str(item[2]) if len(item) == 3 else "linear"
                point = Point(Time.parse(item[0], position=True), self.number(item[1]), shape)
                if points and point.at.before(points[-1].at):
                    raise KnobError(f"{point.at} comes after {points[-1].at}.", "Write the points in order of time.")
                _check_shape(shape, points[-1].value if points else point.value, point.value)
                points.append(point)
        gather.done()
        if not points and not gather.caught:
            raise KnobError("a curve without points.", "Write at least one [time, value].")
        if gather.caught:
            raise Told
        curve = Points(tuple(points))
        # A record checks its fields once more when it is made; long curves need not be gone through twice.
        object.__setattr__(curve, "_checked_by", self)
        return curve

    def _point_data(self, point: Point) -> list[object]:
        return [str(point.at), self.data(point.value), *([point.shape] if point.shape != "linear" else [])]

    def _lfo(self, value: Mapping[str, object]) -> Lfo:
        known = {"lfo", "period", "from", "to", "phase", "seed"}
        for key in value:
            if key not in known:
                raise KnobError(f"an LFO has no {key!r}.", nearest(str(key), known), path=(str(key),))
        for key in ("lfo", "period", "from", "to"):
            if key not in value:
                raise KnobError(
                    f"an LFO needs {key!r}.", "Such as {lfo: sine, period: 1 bar, from: 200 Hz, to: 2 kHz}."
                )
        wave = str(value["lfo"])
        if wave not in WAVES:
            raise KnobError(f"there is no LFO wave {wave!r}.", nearest(wave, WAVES), path=("lfo",))
        with within("period"):
            period = Time.parse(value["period"])
            if min(period.bars, period.beats, period.seconds) < 0 or not period:
                raise KnobError(f"{period} is no period.", "It must be longer than nothing.")
            if period.musical and period.seconds:
                raise KnobError(f"{period} mixes beats and seconds.", "Give the period in one or the other.")
        with within("from"):
            low = self.number(value["from"])
        with within("to"):
            high = self.number(value["to"])
        with within("phase"):
            phase = PHASE.number(value.get("phase", 0.0))
        with within("seed"):
            seed = COUNT.number(value.get("seed", 0))
        log = self.taper == LOG and low > 0 and high > 0
        return Lfo(wave, period, low, high, phase, int(seed), log)


PHASE = Number(low=0.0, high=1.0)
COUNT = Number(unit=units.COUNT, low=0, high=2**31 - 1, whole=True)


def _float(number: float) -> float:
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _lfo_words(lfo: Lfo) -> dict[str, object]:
    return {
        "lfo": lfo.wave, "period": lfo.period, "from": lfo.low, "to": lfo.high, "phase": lfo.phase, "seed": lfo.seed,
    }  # fmt: skip


def _check_shape(shape: str, low: float, high: float) -> None:
    if shape not in SHAPES:
        raise KnobError(f"there is no curve shape {shape!r}.", nearest(shape, SHAPES))
    if shape == "exponential" and not (low > 0 and high > 0):
        raise KnobError("an exponential curve cannot touch zero or cross it.", "Use linear or smooth here.")


@dataclass(frozen=True, kw_only=True)
class Choice(KnobKind):
    """One of a few names, or `None` when that is the default."""

    options: tuple[str, ...]

    def parse(self, value: object) -> str | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None and self.default is None:
            return None
        folded = {option.casefold(): option for option in self.options}
        found = folded.get(str(value).strip().casefold())
        if found is None or isinstance(value, bool):
            raise KnobError(f"{shown(value)} is not one of its choices.", nearest(str(value), self.options))
        return found

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        numbers = [int(option) for option in self.options if option.isdecimal()]
        return {"description": self.describe(), "enum": [*self.options, *numbers]}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return " | ".join(self.options)


@dataclass(frozen=True, kw_only=True)
class Switch(KnobKind):
    """On or off, or `None` when that is the default."""

    def parse(self, value: object) -> bool | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None and self.default is None:
            return None
        words = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.casefold() in words:
            return words[value.casefold()]
        raise KnobError(f"{shown(value)} is neither on nor off.", "Write true or false.")

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.describe(), "type": "boolean"}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "true | false"


@dataclass(frozen=True, kw_only=True)
class Text(KnobKind):
    """Free text up to `longest` characters on one line, or `None` when that is the default."""

    longest: int = 4000

    def parse(self, value: object) -> str | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None and self.default is None:
            return None
        if not isinstance(value, (str, int, float)) or isinstance(value, bool):
            raise KnobError(f"{shown(value)} is not text.", "Put it in quotes if it is meant as text.")
        text = str(value)
        if len(text) > self.longest or any(_control(mark) for mark in text):
            raise KnobError("the text is too long or holds control characters.", f"{self.longest} characters at most.")
        return text

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.describe(), "type": "string"}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "text"


_LONGEST_NAME = 255
"""Bytes in the name of a file or folder, on every system that is used; to look for a longer one is an error."""


def _control(mark: str) -> bool:
    """Whether it cannot be written as text: a control character, or half of a character (a lone surrogate)."""
    return (ord(mark) < 32 and mark not in "\n\t") or 0xD800 <= ord(mark) < 0xE000


@dataclass(frozen=True, kw_only=True)
class File(Text):
    """The path of a file, relative to the recipe's folder."""

    def parse(self, value: object) -> str | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        path = super().parse(value)
        longest = max((len(os.fsencode(name)) for name in re.split(r"[/\\]", path or "")), default=0)
        if longest > _LONGEST_NAME:
            raise KnobError(
                f"the name of a file that is {longest} bytes long.",
                f"No system takes more than {_LONGEST_NAME}; rename it.",
            )
        return path

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "a file"


@dataclass(frozen=True, kw_only=True)
class Port(Text):
    """The name of a track or bus whose signal steers the step."""

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "a track or bus"


@dataclass(frozen=True, kw_only=True)
class Span(KnobKind):
    """A length of time or a position, in seconds, note values, beats or bars, not before zero."""

    position: bool = False
    """Whether it is a place in the song, which a section or the number of a bar may name."""

    def parse(self, value: object) -> Time | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None and self.default is None:
            return None
        time = Time.parse(value, position=self.position)
        # Fractions compare slowly.
        early = time.bars.numerator < 0 or time.beats.numerator < 0 or time.seconds.numerator < 0
        if early and not time.mark:
            raise KnobError(f"{time} is before the start.", "Write a time of zero or more.")
        return time

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return None if value is None else str(value)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        places = ["5.1.1", "verse + 2 bars"] if self.position else []
        pattern = POSITION_PATTERN if self.position else TIME_PATTERN
        text = {"type": "string", "pattern": pattern, "examples": ["1/8.", "2 bars", "1.5 s", *places]}
        return {"description": self.describe(), "anyOf": [text, {"type": "number", "minimum": 0}]}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "a place in the song" if self.position else "a time"


@dataclass(frozen=True, kw_only=True)
class Numbers(KnobKind):
    """Several numbers of one kind, in rising order."""

    each: Number
    fewest: int = 1
    most: int = 16

    def parse(self, value: object) -> tuple[float, ...]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        items = value if isinstance(value, (list, tuple)) else [value]
        if not self.fewest <= len(items) <= self.most:
            raise KnobError(f"{len(items)} values.", f"Give {self.fewest} to {self.most}.")
        numbers = []
        for index, item in enumerate(items):
            with within(index):
                numbers.append(self.each.number(item))
        if any(after <= before for before, after in pairwise(numbers)):
            raise KnobError("the values do not rise.", "Write them from low to high.")
        return tuple(numbers)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return [self.each.data(number) for number in value]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        one = self.each.schema()
        return {"description": self.describe(), "anyOf": [{"type": "array", "items": one}, one]}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return f"{self.fewest} to {self.most} of {self.each.range}"


def knob(
    default: float | str,
    low: float,
    high: float,
    unit: Unit = units.PLAIN,
    *,
    taper: str = LINEAR,
    help: str,
    live: bool = True,
) -> Any:
    """Declare a number that can be turned: annotate it `Live`, or `float` with ``live=False``."""
    return field(Number(default=default, low=low, high=high, unit=unit, taper=taper, help=help, live=live))


def count(default: int, low: int, high: int, *, help: str, unit: Unit = units.COUNT) -> Any:
    """Declare a whole number that stays put during a song."""
    return field(Number(default=default, low=low, high=high, unit=unit, whole=True, help=help))


def choice(default: str | None, *options: str, help: str) -> Any:
    """Declare a choice of names."""
    return field(Choice(default=default, options=options, help=help))


def switch(default: bool, *, help: str) -> Any:
    """Declare an on/off switch."""
    return field(Switch(default=default, help=help))


def text(default: str | None = "", *, help: str) -> Any:
    """Declare free text."""
    return field(Text(default=default, help=help))


def file(default: Any = REQUIRED, *, help: str) -> Any:
    """Declare the path of a file; without a default it must be given."""
    return field(File(default=default, help=help))


def port(*, help: str) -> Any:
    """Declare a side input: the name of a track or bus, or nothing."""
    return field(Port(default=None, help=help))


def span(default: Any = REQUIRED, *, help: str, position: bool = False) -> Any:
    """Declare a time; ``None`` as default makes it optional. A `position` may be named by a section or a bar's number."""
    return field(Span(default=default, help=help, position=position))


def numbers(default: Any, low: float, high: float, unit: Unit = units.PLAIN, *, help: str, most: int = 16) -> Any:
    """Declare a list of rising numbers."""
    return field(Numbers(default=default, each=Number(low=low, high=high, unit=unit), most=most, help=help))
