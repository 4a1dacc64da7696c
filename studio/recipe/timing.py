"""Tempo and meter as a recipe writes them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, ClassVar

from studio import units
from studio.curves import Point
from studio.errors import Gather, KnobError, Told, nearest, shown, within
from studio.knobs import KnobKind, Number
from studio.midi.files import FASTEST_BPM, SLOWEST_BPM
from studio.tempo import POSITION_PATTERN, Meter, Tempo, TempoMap, Time

TempoPoints = tuple[Point, ...]
Meters = tuple[tuple[int, int, int], ...]
"""Triples of bar, beats in the bar, and beat unit."""


@dataclass(frozen=True, kw_only=True)
class TempoKind(KnobKind):
    """The score's own tempo, one tempo, or a map of points in bars or beats."""

    default: Any = None
    help: str = "the tempo: score, 92 bpm, or a map such as [[0 bars, 92 bpm], [16 bars, 120 bpm, linear]]"

    _bpm: ClassVar[Number] = Number(default=120.0, unit=units.BPM, low=SLOWEST_BPM, high=FASTEST_BPM)

    def parse(self, value: object) -> tuple[Point, ...] | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None or value == "score":
            return None
        if not isinstance(value, (list, tuple)):
            return (Point(Time(), self._bpm.number(value), "step"),)
        gather, points = Gather(), list[Point]()
        for index, item in enumerate(value):
            with gather, within(index):
                points.append(self._point((item.at, item.value, item.shape) if isinstance(item, Point) else item))
                if len(points) > 1 and points[-1].at == points[-2].at:
                    raise KnobError("two tempos at the same time.", "Take one out.")
                if len(points) > 1 and points[-1].at.before(points[-2].at):
                    raise KnobError(
                        f"{points[-1].at} comes after {points[-2].at}.", "Write the tempos in order of time."
                    )
        gather.done()
        if not points and not gather.caught:
            raise KnobError("a tempo map without points.", "Write [[0 bars, 92 bpm], …].")
        if gather.caught:
            raise Told
        return tuple(points)

    def _point(self, item: object) -> Point:
        if not isinstance(item, (list, tuple)) or not 2 <= len(item) <= 3:
            raise KnobError(f"{shown(item)} is not a tempo.", "Write [4 bars, 92 bpm] or [4 bars, 92 bpm, linear].")
        at, shape = Time.parse(item[0], position=True), str(item[2]) if len(item) == 3 else "step"
        if at.seconds or ((at.bars < 0 or at.beats < 0) and not at.mark):
            raise KnobError(f"a tempo at {item[0]}.", "Tempos stand at bars, beats or sections.")
        if shape not in ("step", "linear"):
            raise KnobError(f"a tempo cannot move {shape}.", nearest(shape, ["step", "linear"]))
        return Point(at, self._bpm.number(item[1]), shape)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        if value is None:
            return "score"
        if len(value) == 1 and not value[0].at:
            return self._bpm.data(value[0].value)
        return [
            [str(point.at), self._bpm.data(point.value), *(["linear"] if point.shape == "linear" else [])]
            for point in value
        ]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        bpm = {"type": "string", "pattern": units.BPM.pattern}
        number = {"type": "number", "minimum": SLOWEST_BPM, "maximum": FASTEST_BPM}
        at = {"anyOf": [{"type": "string", "pattern": POSITION_PATTERN}, {"type": "number"}]}
        point = {
            "type": "array",
            "items": [at, {"anyOf": [bpm, number]}, {"enum": ["step", "linear"]}],
            "minItems": 2,
            "maxItems": 3,
        }
        either = [{"enum": ["score"]}, bpm, number, {"type": "array", "items": point, "minItems": 1}]
        return {"description": self.help, "anyOf": either}


@dataclass(frozen=True, kw_only=True)
class MeterKind(KnobKind):
    """The score's own meter, one meter, or a map from bars to meters."""

    default: Any = None
    help: str = "the meter: score, 4/4, or a map such as [[0 bars, 4/4], [8 bars, 7/8]]"

    def parse(self, value: object) -> tuple[tuple[int, int, int], ...] | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None or value == "score":
            return None
        if not isinstance(value, (list, tuple)):
            return ((0, *_meter(value)),)
        gather, meters = Gather(), list[tuple[int, int, int]]()
        for index, item in enumerate(value):
            with gather, within(index):
                if isinstance(item, tuple) and len(item) == 3:
                    item = (f"{item[0]} bars", f"{item[1]}/{item[2]}")
                if not isinstance(item, (list, tuple)) or len(item) != 2:
                    raise KnobError(f"{shown(item)} is not a meter.", "Write [8 bars, 7/8].")
                at = Time.parse(item[0], position=True)
                if at.mark or at.seconds or at.beats or at.bars.denominator != 1 or at.bars < 0:
                    raise KnobError(f"a meter at {item[0]}.", "Meters change at whole bars.")
                if meters and at.bars <= meters[-1][0]:
                    raise KnobError("the bars do not rise.", "Write meters in order.")
                meters.append((int(at.bars), *_meter(item[1])))
        gather.done()
        if not meters and not gather.caught:
            raise KnobError("a meter map without meters.", "Write [[0 bars, 4/4], …].")
        if gather.caught:
            raise Told
        return tuple(meters)

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        if value is None:
            return "score"
        if len(value) == 1 and value[0][0] == 0:
            return f"{value[0][1]}/{value[0][2]}"
        return [[f"{bar} bars", f"{count}/{unit}"] for bar, count, unit in value]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        meter = {"type": "string", "pattern": r"^\s*\d{1,2}\s*/\s*(1|2|4|8|16|32)\s*$"}
        at = {"anyOf": [{"type": "string", "pattern": POSITION_PATTERN}, {"type": "number"}]}
        change = {"type": "array", "items": [at, meter], "minItems": 2, "maxItems": 2}
        either = [{"enum": ["score"]}, meter, {"type": "array", "items": change, "minItems": 1}]
        return {"description": self.help, "anyOf": either}


def _meter(value: object) -> tuple[int, int]:
    top, _, bottom = str(value).partition("/")
    if not (top.strip().isdecimal() and bottom.strip() in ("1", "2", "4", "8", "16", "32")) or not 1 <= int(top) <= 64:
        raise KnobError(f"{shown(value)} is not a meter.", "Write 4/4, 3/4, 7/8 or so.")
    return int(top), int(bottom)


def tempo_map(
    tempo: TempoPoints | None, meter: Meters | None, base: TempoMap, marks: tuple[tuple[str, Fraction], ...] = ()
) -> TempoMap:
    """The map a recipe means: its own tempo and meter where it gives them, else those of `base`.

    Args:
        tempo, meter: what the recipe says.
        base: the map of its score.
        marks: the beats of sections that tempos may stand at.
    """
    meters = base.meters
    if meter is not None:
        meters = ()
        for bar, top, bottom in meter:
            start = TempoMap(meters=meters).beat_of_bar(Fraction(bar))
            meters = (*meters, Meter(start, top, bottom))
    if tempo is None:
        return TempoMap(base.tempos, meters)
    bars = TempoMap(meters=meters, marks=marks)
    ramps = [*(point.shape == "linear" for point in tempo[1:]), False]
    tempos = tuple(
        Tempo(bars.beat_of(point.at), Fraction(repr(point.value)), ramp)
        for point, ramp in zip(tempo, ramps, strict=True)
    )
    for index, (one, other) in enumerate(pairwise(tempos)):
        if other.beat <= one.beat:
            raise KnobError(
                f"{tempo[index + 1].at} is not after {tempo[index].at} in this meter.",
                "Write the tempos in order of time.",
                path=("tempo", index + 1),
            )
    return TempoMap(tempos, meters)
