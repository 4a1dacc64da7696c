"""Knobs that a hand turns while the sound runs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from functools import partial

import numpy as np

from studio.address import Path, locate
from studio.curves import stretch
from studio.effects.blocks import RackBlock
from studio.errors import KnobError, RecipeError, nearest
from studio.hosting.plugin import Plugin
from studio.knobs import Number
from studio.macros import Macro, settle
from studio.recipe.presets import Preset
from studio.records import Kind, Record
from studio.steps import Effect, Step
from studio.tempo import Floats, TempoMap


class LiveParameter:
    """A knob that may be turned at any time, and glides in one block to where it is turned.

    While it glides it stands in its step as a curve; at rest the step holds a plain number, which costs nothing.

    Args:
        kind: its unit and range.
        value: where it stands.
        put: puts a number or curve into the step.
    """

    musical = False

    def __init__(self, kind: Number, value: float, put: Callable[[object], None]) -> None:
        self.kind, self._put = kind, put
        self._from = self._to = self._target = value
        self.origin = value
        """Where it stands in the recipe."""
        self._glides = False

    def start(self) -> None:
        """Stand in the step as a curve until the first block: what it makes ready depends on which knobs can move."""
        self._put(self)
        self._glides = True

    def begin(self) -> None:
        """Begin a block."""
        self._from, self._to = self._to, self._target
        glides = self._from != self._to
        if glides or self._glides:
            self._put(self if glides else self._to)
        self._glides = glides

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """The way from one value to the other, whichever part of the song `seconds` are: chains are not all as late."""
        if len(seconds) == 1:
            return np.full(1, self._to)
        return np.linspace(self._from, self._to, len(seconds))

    @property
    def target(self) -> float:
        """Where it has been turned."""
        return self._target

    def turn(self, value: object) -> float:
        """Turn it to a value in its unit, as a number or text.

        Raises:
            KnobError: it does not fit.
        """
        self._target = float(self.kind.number(value))
        return self._target

    @property
    def position(self) -> float:
        """Where it stands on a slider from 0 to 1."""
        return self.kind.position(self.target)

    def slide(self, position: float) -> float:
        """Turn it to a position on a slider from 0 to 1.

        Raises:
            KnobError: no number from 0 to 1.
        """
        if not 0.0 <= position <= 1.0:
            raise KnobError(f"{position} is no position on a slider.", "It goes from 0 to 1.")
        return self.turn(min(max(self.kind.at(position), self.kind.low), self.kind.high))


Driven = tuple[LiveParameter, float, float, str]
"""A dial that another one turns, the ends it goes between, and the shape of the way."""


class MacroParameter(LiveParameter):
    """A macro: it turns other dials, each over a range of its own."""

    def __init__(self, kind: Number, value: float, driven: Iterable[Driven]) -> None:
        super().__init__(kind, value, lambda held: None)
        self._driven = tuple(driven)

    def turn(self, value: object) -> float:
        """Set the macro, and all that it drives, to a position from 0 to 1."""
        super().turn(value)
        for dial, low, high, shape in self._driven:
            target = float(stretch(np.asarray(self.position), low, high, shape))
            dial.turn(min(max(target, dial.kind.low), dial.kind.high))
        return self.target


Dials = Mapping[str, LiveParameter]
"""Dials by address: ``chorus.rate``, or for steps inside others the labels on the way."""


def keep_turned(old: Dials, new: Dials) -> None:
    """Turn new dials to where old ones of the same address have been turned, unless their value was edited meanwhile."""
    same = {
        address: dial
        for address, dial in new.items()
        if address in old and (old[address].kind, old[address].origin) == (dial.kind, dial.origin)
    }
    # Macros first, outer ones before those that they drive: what they drive may have been turned by itself since.
    for address, dial in reversed(same.items()):
        if isinstance(dial, MacroParameter) and old[address].target != dial.origin:
            dial.turn(old[address].target)
    for address, dial in same.items():
        if not isinstance(dial, MacroParameter):
            dial.turn(old[address].target)


class ParameterMap:
    """Collects dials, by their address and by the way to their knob in the recipe or chain."""

    def __init__(self) -> None:
        self.dials: dict[str, LiveParameter] = {}
        self._ways: dict[Path, LiveParameter] = {}

    def equipped(self, step: Effect, address: str, way: Path) -> Effect:
        """A copy of a step, presets opened, in which every knob that can move and stands still is a dial."""
        if isinstance(step, Preset):
            step = step.unfolded()
        macros = step.knobs if isinstance(step, RackBlock) else {}
        mine = copy.copy(settle(step).replace(knobs={}) if isinstance(step, RackBlock) else step)
        if isinstance(mine, Plugin):
            self._plugin(mine, address, way)
            return mine
        for name, kind in mine.kinds().items():
            if not self.knob(mine, name, kind, f"{address}.{name}", (*way, name)):
                object.__setattr__(mine, name, self._inside(getattr(mine, name), address, (*way, name)))
        self.macros(step, macros, f"{address}.", way)
        return mine

    def knob(self, step: Step, name: str, kind: Kind, address: str, way: Path) -> bool:
        """Make a knob of a step, which belongs to nobody else, a dial; whether it is one that can move and stands still."""
        value = getattr(step, name)
        if not (isinstance(kind, Number) and kind.live and isinstance(value, (int, float))):
            return False
        self._added(LiveParameter(kind, float(value), partial(object.__setattr__, step, name)), address, way).start()
        return True

    def macros(self, owner: Record, macros: Mapping[str, Macro], prefix: str = "", way: Path = ()) -> None:
        """Take in the macros of a recipe or rack that stand still, once what they drive is here."""
        for name, macro in macros.items():
            if not isinstance(macro.value, (int, float)):
                continue
            driven: list[Driven] = []
            for address, drive in macro.drives.items():
                path, kind = locate(owner, address)
                dial = self._ways.get((*way, *path))
                if dial is not None and isinstance(kind, Number):
                    driven.append((dial, *kind.span(drive.low, drive.high, drive.shape)))
            dial = MacroParameter(macro.number, float(macro.value), driven)
            self._added(dial, f"{prefix}{name}", (*way, "knobs", name, "value"))

    def _added(self, dial: LiveParameter, address: str, way: Path) -> LiveParameter:
        self.dials[address] = self._ways[way] = dial
        return dial

    def _plugin(self, plugin: Plugin, address: str, way: Path) -> None:
        """Its settings, and what else of it can be turned as long as no preset puts it where nobody knows."""
        plugin.check_values()
        settings = dict(plugin.settings)
        object.__setattr__(plugin, "settings", settings)
        known = not (plugin.preset or plugin.program)
        for name, kind in plugin.dials().items():
            value = getattr(plugin, name)
            if not (isinstance(kind, Number) and kind.live and isinstance(value, (int, float))):
                continue
            if name in settings or known:
                dial = LiveParameter(kind, float(value), partial(settings.__setitem__, name))
                self._added(dial, f"{address}.{name}", (*way, name))
                if name in settings:
                    dial.start()

    def _inside(self, value: object, address: str, way: Path) -> object:
        if isinstance(value, Effect):
            return self.equipped(value, f"{address}.{value.label}", way)
        if isinstance(value, tuple) and any(isinstance(item, (Effect, tuple)) for item in value):
            return tuple(self._inside(item, address, (*way, index)) for index, item in enumerate(value))
        return value


def labels(chain: Iterable[Step]) -> list[str]:
    """What the steps of a chain are called, the second of a name with its number."""
    taken: dict[str, int] = {}
    called = []
    for step in chain:
        count = taken[step.label] = taken.get(step.label, 0) + 1
        called.append(step.label if count == 1 else f"{step.label} {count}")
    return called


def dial(dials: Dials, address: str) -> LiveParameter:
    """The dial at an address.

    Raises:
        RecipeError: there is none; the nearest one is offered.
    """
    if address not in dials:
        raise RecipeError(f"there is no knob {address!r} to turn.", nearest(address, dials))
    return dials[address]
