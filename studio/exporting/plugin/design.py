"""What is exported: a chain of effects, and the knobs that become the plugin's parameters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from studio.address import locate
from studio.context import RenderContext
from studio.curves import Curve, Mapped, moves, stretch
from studio.effects.blocks import Chain, RackBlock
from studio.errors import KnobError, RecipeError, RenderError, within
from studio.exporting.samples import Sampled
from studio.exporting.target import LONGEST_NAME, Target
from studio.knobs import LINEAR, LOG, Live, Number
from studio.macros import Macro, settle
from studio.steps import Effect, Step
from studio.tempo import Floats, TempoMap
from studio.typed import expect

_NAMESPACE = uuid.UUID("6f9c3c0e-6d3b-5b8e-9a55-6d6972657078")


@dataclass(frozen=True)
class PluginParameter:
    """A knob of the plugin, and `index`, its place among them."""

    name: str
    number: Number
    index: int

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
        """Where it stands when the plugin is loaded, from 0 to 1."""
        return float(self.number.default)

    @property
    def ends(self) -> tuple[float, float]:
        """Its lowest and highest value, in its unit."""
        return float(self.number.low), float(self.number.high)


@dataclass(frozen=True)
class Turned:
    """A curve that is not known yet: the host will turn the parameter."""

    index: int

    @property
    def musical(self) -> bool:
        """Whether the tempo map has a say in it."""
        return False

    def values(self, seconds: Floats, tempo: TempoMap) -> Floats:
        """The value at each of `seconds`, in the knob's unit."""
        raise RenderError("a plugin's parameter stands nowhere before it is turned.")


@dataclass(frozen=True)
class Design:
    """What is exported under the name that hosts show, with its knobs, ready to be written as a program.

    The chain of an instrument may be empty: samples, played by notes, stand in front of it (`sampled`, once there are).
    `parameters` are the knobs of the recipe that reach into the chain, then those of racks and presets standing
    in it that nothing drives; `baked` tells of what they drive in the recipe but cannot in a plugin.
    """

    name: str
    target: Target
    sampled: Sampled | None = None

    def __post_init__(self) -> None:
        if not self.name.strip() or len(self.name) > LONGEST_NAME or not self.name.isprintable():
            raise KnobError(
                f"{self.name[:80]!r} cannot be the name of a plugin.", f"1 to {LONGEST_NAME} printable characters."
            )
        if self.target.playing and self.side:
            raise RecipeError(
                "a side-chain has no way into an instrument.", "Export the instrument and its chain as two plugins."
            )
        if not self.plain and not self.target.playing:
            raise RecipeError("the chain has no effect that is not bypassed.", "Export a chain with at least one.")
        ids: dict[int, str] = {}
        for parameter in self.parameters:
            if parameter.id in ids:
                raise RecipeError(
                    f"the knobs {ids[parameter.id]!r} and {parameter.name!r} would have the same id.", "Rename one."
                )
            ids[parameter.id] = parameter.name

    @classmethod
    def of(cls, given: object, name: str | None = None, *, strip: str = "", folder: Path = Path()) -> Design:
        """The design of anything that `Target.parse` reads, under its own name if none is given.

        Raises:
            StudioError: there is no such chain, or it holds what a plugin cannot.
        """
        target = Target.parse(given, strip, folder)
        return cls(target.name if name is None else name, target)

    @property
    def vendor(self) -> str:
        """Who made it."""
        return self.target.vendor

    @property
    def rack(self) -> RackBlock:
        """The chain as it was given, with the knobs that reach into it."""
        return self.target.rack

    @property
    def version(self) -> str:
        """The version that hosts show."""
        return version("mirepoix")

    @cached_property
    def id(self) -> uuid.UUID:
        """Made of name and vendor, so a DAW finds the plugin again whatever has changed in it."""
        return uuid.uuid5(_NAMESPACE, f"{self.vendor}/{self.name}")

    @property
    def uri(self) -> str:
        """The identity of the plugin as a URI."""
        return f"urn:uuid:{self.id}"

    @cached_property
    def hash(self) -> str:
        """Of all that decides how it sounds and what its knobs are."""
        plain = [self.name, self.vendor, self.version, self.target.bpm, self.target.bar, self.rack.data(full=True)]
        if self.sampled:
            plain.append(self.sampled.digest)
        return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]

    @property
    def parameters(self) -> tuple[PluginParameter, ...]:
        """The parameters, in the order hosts show them."""
        return self._turned[1]

    @property
    def plain(self) -> Chain:
        """The chain without racks and bypassed steps; knobs that move hold `Mapped` over `Turned`."""
        return self._turned[0]

    @cached_property
    def baked(self) -> tuple[str, ...]:
        """Addresses that a knob drives in a render and that cannot move in a plugin."""
        return tuple(_still_addresses(self.rack))

    @cached_property
    def _turned(self) -> tuple[Chain, tuple[PluginParameter, ...]]:
        found: list[PluginParameter] = []

        def turn(name: str, label: str, macro: Macro) -> Live:
            taken = {parameter.name for parameter in found}
            free = next(free for free in _names(name, label) if free not in taken)
            low, high = macro.number.low, macro.number.high
            number = Number(
                default=_initial(macro, self.context), low=low, high=high, unit=macro.number.unit, taper=macro.taper,
                live=True, help=macro.help,
            )  # fmt: skip
            found.append(PluginParameter(free, number, len(found)))
            return Mapped(Turned(len(found) - 1), (low, high), False, low, high)

        return flat(_settled(self.rack, turn, self.context, "")), tuple(found)

    @property
    def context(self) -> RenderContext:
        """What its steps know in a render of the song."""
        return self.target.context()

    def chain(self, values: Mapping[str, Live]) -> Chain:
        """The chain as a render runs it, with parameters at `values` (numbers or curves) or where they stand."""
        known = [values.get(parameter.name, parameter.initial) for parameter in self.parameters]
        return tuple(_at(step, known) for step in self.plain)

    @cached_property
    def mono(self) -> bool:
        """Whether it runs on one channel: some steps need two."""
        from studio.effect_chain import EffectChain

        if self.target.playing:
            return False
        try:
            EffectChain(self.chain({}), self.target.context(channels=1)).push(np.zeros((1, 64), np.float32))
        except RenderError:
            return False
        return True

    @property
    def side(self) -> bool:
        """Whether a step listens to another track or bus."""
        return any(True for step in self.plain for inner in (step, *step.inner()) for _ in inner.ports())

    @property
    def tempo(self) -> bool:
        """Whether a step follows the tempo."""
        return any(step.follows_tempo() for step in self.plain)


def flat(chain: Chain) -> Chain:
    """A chain without its bypassed steps, racks opened."""
    steps: list[Effect] = []
    for step in chain:
        if not step.bypass:
            steps.extend(flat(settle(step).chain) if isinstance(step, RackBlock) else (step,))
    return tuple(steps)


Whole = TypeVar("Whole")


def _at(whole: Whole, values: Sequence[Live]) -> Whole:
    """The same step, or tuple of steps, with parameters at `values`."""
    if isinstance(whole, tuple):
        return tuple(_at(part, values) for part in whole)  # type: ignore[return-value]
    if not isinstance(whole, Step):
        return whole
    changed: dict[str, Any] = {}
    for name in whole.parameters():
        value = getattr(whole, name)
        if isinstance(value, Mapped):
            found, kind = _resolved(value, values), expect(Number, whole.kind_of(name))
            value = min(max(found, kind.low), kind.high) if isinstance(found, float) else found
        elif isinstance(value, tuple):
            value = _at(value, values)
        if value is not getattr(whole, name):
            changed[name] = value
    return whole.replace(**changed) if changed else whole


def _resolved(curve: Mapped, values: Sequence[Live]) -> float | Curve:
    """A curve over parameters, once these are known: a number if they stand still."""
    if isinstance(curve.source, Turned):
        told: Any = values[curve.source.index]
        return told if moves(told) else float(told)
    if isinstance(curve.source, Mapped):
        source = _resolved(curve.source, values)
    else:
        return curve
    if not isinstance(source, float):
        return dataclasses.replace(curve, source=source)
    low, high = curve.ends
    slider = Number(low=low, high=high, taper=LOG if curve.log else LINEAR)
    return float(stretch(slider.position(source), curve.low, curve.high, curve.shape))  # type: ignore[arg-type]


def _settled(rack: RackBlock, turn: Callable[[str, str, Macro], Live], context: RenderContext, label: str) -> Chain:
    """The chain of a rack whose free knobs are where `turn` puts them, and those of racks directly in it."""
    still: dict[str, Macro] = {}
    moving: dict[str, Macro] = {}
    for name, macro in rack.knobs.items():
        drives = {address: _lives(rack, address) for address in macro.drives}
        if isinstance(macro.value, Mapped):  # another knob turns it
            moving[name] = macro
            continue
        at = _initial(macro, context)
        still[name] = macro.replace(value=at, drives={a: d for a, d in macro.drives.items() if not drives[a]})
        live = {address: drive for address, drive in macro.drives.items() if drives[address]}
        if live:
            moving[name] = macro.replace(value=turn(name, label, macro), drives=live)
    opened: RackBlock = settle(settle(rack.replace(knobs=still)).replace(knobs=moving))
    chain: list[Effect] = []
    for step in opened.chain:
        if isinstance(step, RackBlock) and not step.bypass:
            with within(step.label):
                chain.extend(_settled(step, turn, context, step.label))
        else:
            chain.append(step)
    return tuple(chain)


def _lives(rack: RackBlock, address: str) -> bool:
    return bool(getattr(locate(rack, address)[1], "live", False))


def _still_addresses(rack: RackBlock) -> Iterator[str]:
    for macro in rack.knobs.values():
        yield from (address for address in macro.drives if not _lives(rack, address))
    for step in rack.chain:
        if isinstance(step, RackBlock) and not step.bypass:
            yield from (f"{step.label}.{address}" for address in _still_addresses(step))


def _initial(macro: Macro, context: RenderContext) -> float:
    """Where it stands at the beginning of the song."""
    value = macro.value
    if isinstance(value, (int, float, str)):
        return float(value)
    return float(value.values(np.zeros(1), context.tempo)[0])


def _names(name: str, label: str) -> Iterator[str]:
    yield name
    if label:
        yield f"{label} {name}"
    number = 2
    while True:
        yield f"{label} {name} {number}".strip()
        number += 1
