"""Declarations as data for the browser: what a dial shows comes from `studio.knobs` and nowhere else."""

from __future__ import annotations

import math
from typing import Any

from studio.knobs import LINEAR, Number
from studio.levels import SILENCE_DB

FADER = "fader"
"""How a level whose lowest value is silence lies on a dial: amplitude with the cube of the way, as on a mixer."""


def can_turn(number: Number) -> bool:
    """Whether it has two ends, as a dial needs."""
    return math.isfinite(number.low) and math.isfinite(number.high) and number.high > number.low


def spec(number: Number, label: str, value: float | None = None) -> dict[str, Any]:
    """A number for `dial.js`: range, taper, unit, default, and how it is written."""
    silent = number.low == SILENCE_DB
    default = number.default if isinstance(number.default, (int, float, str)) else None
    return {
        "label": label,
        "help": number.help,
        "low": number.low,
        "high": number.high,
        "default": number.number(default) if default is not None else None,
        "value": value,
        "taper": FADER if silent and number.taper == LINEAR else number.taper,
        "whole": number.whole,
        "symbol": number.unit.symbol,
        "suffixes": _suffixes(number),
        "silent": silent,
    }


def _suffixes(number: Number) -> list[tuple[str, float]]:
    """Larger units a value may be shown in, rising: kHz beside Hz, s beside ms."""
    shown: dict[float, str] = {}
    for suffix, factor in number.unit.suffixes.items():
        # Intervals stay in semitones, and minutes are no length for a knob.
        if factor > 1 and factor >= 1000:
            shown.setdefault(factor, suffix)
    return [(suffix, factor) for factor, suffix in sorted(shown.items())]


def readable(name: str) -> str:
    """A knob's name as people read it: `room_size` is "room size"."""
    return name.replace("_", " ")
