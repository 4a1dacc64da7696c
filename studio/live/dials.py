"""Knobs that a hand turns while the sound runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from studio.errors import KnobError, RecipeError, nearest
from studio.hosting.plugin import Plugin
from studio.knobs import Number
from studio.records import Record
from studio.steps import Step
from studio.tempo import Floats, TempoMap


class Dial:
    """The value of a knob that may be turned at any time: a curve that glides to where it is turned in one block."""

    musical = False

    def __init__(self, kind: Number, value: float) -> None:
        self.kind = kind
        self.target = value
        self._from, self._to = value, value
        self._start, self._end = 0.0, 1.0

    def begin(self, start: float, end: float) -> None:
        """Begin a block of the song that lasts from one second to another."""
        self._from, self._to = self._to, self.target
        self._start, self._end = start, end

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        if self._from == self._to:
            return np.full_like(seconds, self._to)
        return np.interp(seconds, (self._start, self._end), (self._from, self._to))

    def turn(self, value: object) -> float:
        """Turn it to a value in its unit, as a number or text.

        Raises:
            KnobError: it does not fit.
        """
        self.target = float(self.kind.number(value))
        return self.target

    @property
    def position(self) -> float:
        """Where it stands on a slider from 0 to 1."""
        return self.kind.position(self.target)

    def slide(self, position: float) -> float:
        """Turn it to a place on a slider from 0 to 1.

        Raises:
            KnobError: no number from 0 to 1.
        """
        if not 0.0 <= position <= 1.0:
            raise KnobError(f"{position} is no place on a slider.", "It goes from 0 to 1.")
        self.target = float(self.kind.number(min(max(self.kind.at(position), self.kind.low), self.kind.high)))
        return self.target

    def __float__(self) -> float:
        return float(self.target)


Dials = Mapping[str, Dial]
"""Dials by address: ``chorus.rate``, or for steps inside others the labels on the way."""


def with_dials(chain: Iterable[Step]) -> tuple[tuple[Step, ...], dict[str, Dial]]:
    """A copy of a chain in which every knob that can move and stands still is a dial, and the dials by address."""
    dials: dict[str, Dial] = {}
    taken: dict[str, int] = {}
    steps = []
    for step in chain:
        copy = step.replace()
        count = taken[step.label] = taken.get(step.label, 0) + 1
        _equip(copy, step.label if count == 1 else f"{step.label} {count}", dials)
        steps.append(copy)
    return tuple(steps), dials


def _equip(record: Record, address: str, dials: dict[str, Dial]) -> None:
    """Put dials into a record and the records inside it, all of which belong to nobody else."""
    if isinstance(record, Plugin):
        kinds, settings = record.now(), dict(record.settings)
        for name, value in settings.items():
            kind = kinds.get(name)
            if isinstance(kind, Number) and isinstance(value, (int, float)):
                settings[name] = dials[f"{address}.{name}"] = Dial(kind, float(value))
        object.__setattr__(record, "settings", settings)
        return
    for name, kind in record.kinds().items():
        value = getattr(record, name)
        if isinstance(kind, Number) and kind.live and isinstance(value, (int, float)):
            dial = dials[f"{address}.{name}"] = Dial(kind, float(value))
            object.__setattr__(record, name, dial)
        else:
            object.__setattr__(record, name, _inside(value, address, dials))


def _inside(value: object, address: str, dials: dict[str, Dial]) -> object:
    if isinstance(value, Step):
        copy = value.replace()
        _equip(copy, f"{address}.{copy.label}", dials)
        return copy
    if isinstance(value, tuple) and any(isinstance(item, (Step, tuple)) for item in value):
        return tuple(_inside(item, address, dials) for item in value)
    return value


def dial(dials: Dials, address: str) -> Dial:
    """The dial at an address.

    Raises:
        RecipeError: there is none; the nearest one is offered.
    """
    if address not in dials:
        raise RecipeError(f"there is no knob {address!r} to turn.", nearest(address, dials))
    return dials[address]
