"""Lanes of a session as the points of curves in a recipe."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from studio.interchange.lane import Lane, simplified
from studio.levels import SILENCE_DB
from studio.tempo import Floats, Time

_NEAR_DB = 1e-2
"""How far a fader's curve in dB may stray from the straight line in factors that it stands for."""

_PIECE = 0.1
"""Into pieces of how many nepers such a line is cut."""


def points(lane: Lane) -> list[list[Any]]:
    """The points of a lane in the unit of what it moves."""
    straight = lane.straight()
    return [[_second(second), value] for second, value in zip(straight.seconds, straight.values, strict=True)]


def fader_points(lane: Lane, loudest_db: float) -> list[list[Any]]:
    """A lane of factors as a curve in dB: a straight line in factors is bent there, so it gets more points."""
    straight = lane.straight()
    seconds, levels = _bent(np.array(straight.seconds), np.array(straight.values))
    db = np.clip(20 * np.log10(np.maximum(levels, 10 ** (SILENCE_DB / 20))), SILENCE_DB, loudest_db)
    rises = len(seconds) > 2 and np.all(np.diff(seconds) > 0)
    kept = simplified(seconds, db, _NEAR_DB) if rises else np.arange(len(seconds))
    return [[_second(float(seconds[index])), decibels_said(float(db[index]))] for index in kept]


def _bent(seconds: Floats, factors: Floats) -> tuple[Floats, Floats]:
    """A polyline with more points, at even steps in dB between the ends of each line, which is where the bend is."""
    floor = 10 ** (SILENCE_DB / 20)
    times, levels = [seconds[:1]], [factors[:1]]
    for start, end, low, high in zip(seconds, seconds[1:], factors, factors[1:], strict=False):
        if low == high or end <= start:
            times.append(np.array([end]))
            levels.append(np.array([high]))
            continue
        ends = np.log([max(low, floor), max(high, floor)])
        count = int(np.ceil(abs(ends[1] - ends[0]) / _PIECE)) + 1
        at = (np.exp(np.linspace(ends[0], ends[1], count + 1)) - low) / (high - low)
        part = np.clip(np.append(at[1:-1], 1.0), 0.0, 1.0)
        times.append(start + part * (end - start))
        levels.append(low + (high - low) * part)
    return np.concatenate(times), np.concatenate(levels)


def decibels_said(db: float) -> str:
    """A level as a recipe says it, in few digits if they mean the same factor."""
    if db <= SILENCE_DB:
        return "-inf dB"
    short = round(db, 6)
    return f"{short if abs(short - db) < 1e-9 else db!r} dB"


def _second(second: float) -> str:
    return str(Time(seconds=Fraction(repr(round(second, 9)))))
