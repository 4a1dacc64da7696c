"""Curves: anywhere a number stands, a curve may stand.

`Points` is drawn automation, `Lfo` a repeating one, `Mapped` what a macro makes of either. They hold plain
values in a knob's unit and musical times; `values` gives numbers for any instants of a song.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from types import NoneType
from typing import Protocol, TypeGuard, runtime_checkable

import numpy as np

from studio.arrangement import arrangement_of
from studio.errors import KnobError
from studio.tempo import Floats, TempoMap, Time, grid


@runtime_checkable
class Curve(Protocol):
    """A value that moves during a song: `Points`, an `Lfo`, or anything else with these two."""

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """The value at each instant of `seconds`."""
        ...

    @property
    def musical(self) -> bool:
        """Whether the tempo map has a say in it."""
        ...


def moves(value: object) -> TypeGuard[Curve]:
    """Whether a knob's value is a curve rather than a number, a text, a switch or nothing."""
    return not isinstance(value, (float, int, str, NoneType)) and isinstance(value, Curve)


@dataclass(frozen=True)
class Point:
    """`value` is reached at `at`; `shape` is how the curve travels there from the point before."""

    at: Time
    value: float
    shape: str = "linear"


def _smooth(position: Floats) -> Floats:
    return position * position * (3 - 2 * position)


SHAPES: dict[str, str] = {
    "linear": "a straight line in the knob's unit",
    "exponential": "equal ratios in equal times; both values must be above zero",
    "smooth": "an S, level at both ends (3x² − 2x³)",
    "step": "holds the value before and jumps",
}


@dataclass(frozen=True)
class Points:
    """A curve through points in order of time; level before the first and after the last.

    Between two points with a musical time the way is measured in beats, so it bends with the tempo map. In a song that is
    an arrangement it is drawn on the timeline that its sections are written on, and follows them.
    """

    points: tuple[Point, ...]

    @property
    def musical(self) -> bool:
        """Whether the tempo map has a say in it."""
        return any(point.at.musical for point in self.points)

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """The value at each of `seconds`, in the knob's unit; of an arranged song where they stand as it is written."""
        if (arrangement := arrangement_of(tempo)) is not None:
            seconds, tempo = arrangement.written_seconds(seconds, tempo), arrangement.written
        x = tempo.beats_at(seconds) if self.musical else seconds
        at = grid([point.at for point in self.points], tempo, self.musical)
        if np.any(np.diff(at) < 0):
            late = self.points[int(np.argmax(np.diff(at) < 0)) + 1]
            raise KnobError(f"a curve comes to {late.at} after a later point.", "Write the points in order of time.")
        value = np.array([point.value for point in self.points])
        last = len(at) - 1
        left = np.clip(np.searchsorted(at, x, side="right") - 1, 0, last)
        right = np.minimum(left + 1, last)
        span = at[right] - at[left]
        position = np.clip((x - at[left]) / np.where(span > 0, span, 1.0), 0.0, 1.0)
        out = np.empty_like(x)
        shapes = np.array([point.shape for point in self.points])[right]
        for shape in set(shapes):
            here = shapes == shape
            out[here] = stretch(position[here], value[left][here], value[right][here], shape)
        return out


def _random(cycle: Floats, seed: int) -> Floats:
    """One number from 0 to 1 for each whole cycle, the same on every machine."""
    whole = np.floor(cycle).astype(np.int64)
    kinds, index = np.unique(whole, return_inverse=True)
    drawn = [
        int.from_bytes(hashlib.blake2b(f"{seed}:{kind}".encode(), digest_size=8).digest(), "big") / 2**64
        for kind in kinds
    ]
    return np.asarray(np.array(drawn)[index])


WAVES: dict[str, Callable[[Floats, int], Floats]] = {
    "sine": lambda cycle, seed: 0.5 - 0.5 * np.cos(2 * np.pi * cycle),
    "triangle": lambda cycle, seed: 1 - np.abs(2 * (cycle % 1) - 1),
    "up": lambda cycle, seed: cycle % 1,
    "down": lambda cycle, seed: 1 - cycle % 1,
    "square": lambda cycle, seed: (cycle % 1 < 0.5).astype(np.float64),
    "random": _random,
    "drift": lambda cycle, seed: (
        _random(cycle, seed) + (_random(cycle + 1, seed) - _random(cycle, seed)) * _smooth(cycle % 1)
    ),
}


@dataclass(frozen=True)
class Lfo:
    """A wave between `low` and `high`, one cycle every `period`; it starts at `low` when `phase` is 0.

    `log` makes equal ratios of equal steps, as a filter sweep wants. `random` holds a new value each
    cycle and `drift` glides between such values; both repeat exactly for the same `seed`.
    """

    wave: str
    period: Time
    low: float
    high: float
    phase: float = 0.0
    seed: int = 0
    log: bool = False

    @property
    def musical(self) -> bool:
        """Whether the tempo map has a say in it."""
        return self.period.musical

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """The value at each of `seconds`, in the knob's unit."""
        # Rounded, so that a wave with edges turns on the same frame wherever it is computed.
        position = WAVES[self.wave](np.round(self._cycles(seconds, tempo) + self.phase, 9), self.seed)
        if self.log:
            return np.asarray(self.low * (self.high / self.low) ** position)
        return np.asarray(self.low + (self.high - self.low) * position)

    def _cycles(self, seconds: Floats, tempo: TempoMap) -> Floats:
        if not self.musical:
            return np.asarray(seconds / float(self.period.seconds))
        beats = float(tempo.beat_of_bar(self.period.bars) + self.period.beats)
        return np.asarray(tempo.beats_at(seconds) / beats)


@dataclass(frozen=True)
class Mapped:
    """What a moving macro makes of a knob: `source` goes over `ends` (by ratios if `log`), the knob over low to high."""

    source: Curve
    ends: tuple[float, float]
    log: bool
    low: float
    high: float
    shape: str = "linear"

    @property
    def musical(self) -> bool:
        """Whether the tempo map has a say in it."""
        return self.source.musical

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """The value at each of `seconds`, in the knob's unit."""
        start, end = self.ends
        value = self.source.values(seconds, tempo)
        position = np.log(value / start) / np.log(end / start) if self.log else (value - start) / (end - start)
        return stretch(position, self.low, self.high, self.shape)


def stretch(position: Floats, low: Floats | float, high: Floats | float, shape: str) -> Floats:
    """Where `position` (0 to 1) lies between `low` and `high` along one of `SHAPES`."""
    if shape == "exponential":
        return np.asarray(low * (np.asarray(high) / low) ** position)
    if shape == "smooth":
        position = _smooth(position)
    elif shape == "step":
        position = np.floor(position)
    return np.asarray(low + (np.asarray(high) - low) * position)
