"""Automation as every session format has it: points in time with straight lines or held values between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from studio.context import GRID
from studio.tempo import Floats

TOLERANCE = 1e-4
"""How far a lane may stray from the curve it was drawn after, in its own unit (−80 dB for a gain)."""

_PIECES = 16
"""Straight lines for a parabola."""

MOST_POINTS = 200_000
"""A lane with more points is taken for damage."""


@dataclass(frozen=True)
class Lane:
    """Values over time.

    Attributes:
        seconds: when each value is reached, rising; two at one time are a jump.
        values: in the unit of what they move: a factor for levels, −1 to 1 for pan.
        held: for each point, whether its value stays until the next one instead of going there in a straight line.
    """

    seconds: tuple[float, ...]
    values: tuple[float, ...]
    held: tuple[bool, ...] = ()

    def __post_init__(self) -> None:
        if not self.held:
            object.__setattr__(self, "held", (False,) * len(self.seconds))
        if not self.seconds or not len(self.seconds) == len(self.values) == len(self.held):
            raise ValueError("a lane needs as many values as times, and one at least")

    def at(self, seconds: Floats) -> Floats:
        """The value at each instant; level before the first point and after the last."""
        times, values = np.array(self.seconds), np.array(self.values)
        left = np.clip(np.searchsorted(times, seconds, side="right") - 1, 0, len(times) - 1)
        right = np.minimum(left + 1, len(times) - 1)
        span = times[right] - times[left]
        position = np.clip((seconds - times[left]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
        position = np.where(np.array(self.held)[left], 0.0, position)
        return np.asarray(values[left] + (values[right] - values[left]) * position)

    def mapped(self, change: Callable[[float], float]) -> Lane:
        """The same lane with every value changed."""
        return Lane(self.seconds, tuple(change(value) for value in self.values), self.held)

    def straight(self) -> Lane:
        """The same lane without held values: each becomes a second point just where the next begins."""
        seconds: list[float] = []
        values: list[float] = []
        for index, (second, value) in enumerate(zip(self.seconds, self.values, strict=True)):
            if index and self.held[index - 1] and values[-1] != value:
                seconds.append(second)
                values.append(values[-1])
            seconds.append(second)
            values.append(value)
        return Lane(tuple(seconds), tuple(values))

    def between(self, start: float, end: float) -> Lane:
        """What of it lies between two seconds, counted from the first."""
        straight = self.straight()
        inner = [pair for pair in zip(straight.seconds, straight.values, strict=True) if start < pair[0] < end]
        ends = straight.at(np.array([start, np.nextafter(end, start)])).tolist()
        points = [(start, ends[0]), *inner, (end, ends[1])]
        return Lane(tuple(second - start for second, _ in points), tuple(value for _, value in points))

    def at_speed(self, speed: float) -> Lane:
        """The same lane passed through so many times as fast."""
        return Lane(tuple(second / speed for second in self.seconds), self.values, self.held)


Value: TypeAlias = "float | Lane"
"""A number, or one that moves."""


def first(value: Value) -> float:
    """The number it starts with."""
    return value.values[0] if isinstance(value, Lane) else value


def product(one: Value, other: Value) -> Value:
    """One value times another; where both move between two points, a parabola of sixteen lines."""
    if not isinstance(one, Lane):
        return other.mapped(lambda value: value * one) if isinstance(other, Lane) else one * other
    if not isinstance(other, Lane):
        return product(other, one)
    times = sorted({*one.seconds, *other.seconds})
    points: list[tuple[float, float]] = []
    for start, end in pairwise(times):
        marks = np.linspace(start, end, _PIECES + 1)
        looked = np.append(marks[:-1], np.nextafter(end, start))  # the value before a jump, not behind it
        first, second = one.at(looked), other.at(looked)
        bent = first[0] != first[-1] and second[0] != second[-1]
        points += list(zip(marks.tolist(), (first * second).tolist(), strict=True))[:: 1 if bent else _PIECES]
    last = np.array(times[-1:])
    points += zip(times[-1:], (one.at(last) * other.at(last)).tolist(), strict=True)
    kept = [point for before, point in zip([None, *points], points, strict=False) if point != before]
    return Lane(*zip(*kept, strict=True))


def drawn(
    curve: Callable[[Floats], Floats], frames: int, rate: int, tolerance: float = TOLERANCE, after: int = 0
) -> Lane | float:
    """The fewest points, on the grid of the engine's automation, that stay within `tolerance` of a curve.

    Args:
        curve: gives the values for an array of seconds.
        frames: how much of it is wanted.
        rate: in Hz.
        tolerance: the largest difference of a point of the grid.
        after: frames by which the points lie behind the grid.
    """
    marks = (np.arange(0, frames + GRID, GRID, dtype=np.float64) + after) / rate
    values = np.asarray(curve(marks), dtype=np.float64)
    kept = simplified(marks, values, tolerance)
    if len(kept) == 2 and abs(values[kept[0]] - values[kept[1]]) <= tolerance / 10:
        return float(values[0])
    return Lane(tuple(marks[kept].tolist()), tuple(values[kept].tolist()))


def simplified(x: Floats, y: Floats, tolerance: float | Floats) -> NDArray[np.int64]:
    """Indices of points whose polyline stays within `tolerance` (in y, for each point) of all of them.

    The halving of Ramer (1972) and Douglas & Peucker (1973), with the distance measured along y, since x is time.
    """
    allowed = np.broadcast_to(np.asarray(tolerance, dtype=np.float64), y.shape)
    keep = {0, len(x) - 1}
    stack = [(0, len(x) - 1)]
    while stack:
        low, high = stack.pop()
        if high - low < 2:
            continue
        inner = slice(low + 1, high)
        line = y[low] + (y[high] - y[low]) * (x[inner] - x[low]) / (x[high] - x[low])
        excess = np.abs(y[inner] - line) - allowed[inner]
        worst = int(np.argmax(excess))
        if excess[worst] > 0:
            middle = low + 1 + worst
            keep.add(middle)
            stack += [(low, middle), (middle, high)]
    return np.array(sorted(keep), dtype=np.int64)
