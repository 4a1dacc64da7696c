"""The parameters of a plugin: knobs that a recipe's maker has named, else every live knob of every step."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from studio.curves import Mapped
from studio.effects.blocks import Chain
from studio.errors import RenderError
from studio.knobs import LINEAR, LOG, Live, Number
from studio.steps import Effect, Step
from studio.tempo import Floats, TempoMap
from studio.units import DB, MS, PLAIN

_ONE = PLAIN


@dataclass(frozen=True)
class PluginParameter:
    """A knob of the plugin.

    Attributes:
        name: what hosts show.
        number: its range, unit, taper and default.
        index: its index among all.
        group: the step it belongs to; empty for knobs of the whole.
    """

    name: str
    number: Number
    index: int
    group: str = ""

    @property
    def id(self) -> int:
        """The same in every export of a knob of this name, whatever stands beside it."""
        return zlib.crc32(self.name.encode()) & 0x7FFFFFFF

    @property
    def symbol(self) -> str:
        """Its name where only letters, digits and underscores may stand; the same in every export."""
        plain = re.sub(r"\W", "_", self.name, flags=re.ASCII)
        return f"knob_{plain}" if plain == self.name else f"knob_{plain}_{self.id:08x}"

    @property
    def initial(self) -> float:
        """Where it stands in a fresh plugin, in its unit."""
        return float(self.number.default)

    @property
    def ends(self) -> tuple[float, float]:
        """Its lowest and highest value, in its unit."""
        return float(self.number.low), float(self.number.high)

    @property
    def steps(self) -> int:
        """How many steps lie between its ends, where only whole numbers mean anything; else 0."""
        return round(self.number.high - self.number.low) if self.number.whole else 0


@dataclass(frozen=True)
class Turned:
    """A curve that is not known yet: the host will turn the parameter."""

    index: int

    @property
    def musical(self) -> bool:
        """It does not follow the tempo."""
        return False

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """It has none.

        Raises:
            RenderError: always.
        """
        raise RenderError("a plugin's parameter stands nowhere before it is turned.")


def _number(default: float, low: float, high: float, unit: Any, help: str, **more: Any) -> Number:
    return Number(default=default, low=low, high=high, unit=unit, help=help, live=True, **more)


INSTRUMENT = {
    "volume": _number(0.0, -60.0, 12.0, DB, "level of the instrument"),
    "attack": _number(0.0, 0.0, 2_000.0, MS, "time in which a note rises; 0 is as it was recorded"),
    "release": _number(
        1.0, 0.1, 8.0, _ONE, "how long notes ring after they are let go, against the recording", taper=LOG
    ),
    "tone": _number(0.0, -1.0, 1.0, _ONE, "from dark to bright"),
    "velocity": _number(1.0, 0.25, 4.0, _ONE, "curve of velocity: below 1 soft playing is louder", taper=LOG),
    "voices": _number(64, 1, 64, _ONE, "notes that sound at once", whole=True),
}
"""What every instrument has, in the order of the shell's `Handling`."""


def instrument_parameters(before: Sequence[PluginParameter]) -> tuple[PluginParameter, ...]:
    """Those of an instrument, behind the others."""
    found = list(before)
    for name, number in INSTRUMENT.items():
        found.append(PluginParameter(free_name(name, "instrument", found), number, len(found), "instrument"))
    return tuple(found[len(before) :])


def all_knobs(chain: Chain) -> tuple[Chain, tuple[PluginParameter, ...]]:
    """A chain whose every live knob that stands still is turned by a parameter, grouped by step; and these."""
    found: list[PluginParameter] = []
    return _opened(chain, found), tuple(found)


Whole = TypeVar("Whole")


def _opened(whole: Whole, found: list[PluginParameter]) -> Whole:
    """The same step, or tuple of steps, with its live knobs under parameters."""
    if isinstance(whole, tuple):
        return tuple(_opened(part, found) for part in whole)  # type: ignore[return-value]
    if not isinstance(whole, Effect):
        return whole
    group, changed = whole.label, dict[str, Any]()
    if any(parameter.group == group for parameter in found):
        group = free_name(group, "", [PluginParameter(each.group, each.number, 0) for each in found])
    for name in whole.parameters():
        kind, value = whole.kind_of(name), getattr(whole, name)
        if isinstance(kind, Number) and kind.live and isinstance(value, (int, float)):
            changed[name] = _turned(name, kind, float(value), whole.label, group, found)
        elif isinstance(value, tuple):
            inner = _opened(value, found)
            if inner is not value and any(isinstance(part, (Step, tuple)) for part in value):
                changed[name] = inner
    return whole.replace(**changed) if changed else whole


def _turned(name: str, kind: Number, value: float, label: str, group: str, found: list[PluginParameter]) -> Live:
    words = name.replace("_", " ")
    called = words if words == label else f"{group} {words}"
    low, high = float(kind.low), float(kind.high)
    taper = kind.taper if kind.taper != LOG or low > 0 else LINEAR
    number = Number(
        default=min(max(value, low), high), low=low, high=high, unit=kind.unit, taper=taper, live=True, help=kind.help
    )
    found.append(PluginParameter(free_name(called, "", found), number, len(found), group))
    return Mapped(Turned(len(found) - 1), (low, high), False, low, high)


def free_name(name: str, label: str, taken: Sequence[PluginParameter]) -> str:
    """A name that no other parameter has."""
    names = {parameter.name for parameter in taken}
    return next(free for free in _names(name, label) if free not in names)


def _names(name: str, label: str) -> Iterator[str]:
    yield name
    if label:
        yield f"{label} {name}"
    number = 2
    while True:
        yield f"{label} {name} {number}".strip()
        number += 1
