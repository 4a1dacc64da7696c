"""What is exported: a chain of effects, and the knobs that become the plugin's parameters."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from studio.address import locate
from studio.context import RenderContext
from studio.curves import Curve, Mapped, moves, stretch
from studio.effects.blocks import Chain, RackBlock
from studio.errors import KnobError, RecipeError, RenderError, nearest, within
from studio.exporting.plugin.categories import Category, categories
from studio.exporting.plugin.parameters import PluginParameter, Turned, all_knobs, free_name, instrument_parameters
from studio.exporting.samples import Sampled
from studio.exporting.target import LONGEST_NAME, Target
from studio.knobs import LINEAR, LOG, Live, Number
from studio.macros import Macro, settle
from studio.steps import Effect, Step
from studio.typed import expect

_NAMESPACE = uuid.UUID("6f9c3c0e-6d3b-5b8e-9a55-6d6972657078")


@dataclass(frozen=True)
class Design:
    """What is exported under the name that hosts show, with its knobs, ready to be written as a program.

    The chain of an instrument may be empty: samples, played by notes, stand in front of it (`sampled`, once there are).
    `parameters` are the knobs of the recipe that reach into the chain, then those of racks and presets standing
    in it that nothing drives; without any, all live knobs of all steps; behind them those of an instrument. `baked`
    tells of what they drive in the recipe but cannot in a plugin. `presets` are other settings of parameters, by name.
    """

    name: str
    target: Target
    sampled: Sampled | None = None
    presets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)

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
        _ = self.programs

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
        presets = [[name, list(values)] for name, values in self.programs]
        plain = [
            self.name,
            self.vendor,
            self.version,
            self.target.bpm,
            self.target.bar,
            self.rack.data(full=True),
            presets,
        ]
        if self.sampled:
            plain.append(self.sampled.digest)
        return hashlib.sha256(json.dumps(plain, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]

    @property
    def parameters(self) -> tuple[PluginParameter, ...]:
        """The parameters, in the order hosts show them."""
        return self._turned[1]

    @property
    def plain(self) -> Chain:
        """The chain without racks and bypassed steps; what named knobs drive holds `Mapped` over `Turned`."""
        return self._named[0]

    @property
    def turned(self) -> Chain:
        """The same, where everything that parameters move holds `Mapped` over `Turned`."""
        return self._turned[0]

    @cached_property
    def categories(self) -> tuple[Category, ...]:
        """Under what hosts list it, the best first."""
        return categories(self.plain)

    @cached_property
    def programs(self) -> tuple[tuple[str, tuple[float, ...]], ...]:
        """The presets in the plugin: how it is in the recipe, then those that were given, with all parameters' values.

        Raises:
            KnobError: one names no parameter, or a value that it cannot have.
        """
        if not self.parameters:
            return ()
        found = [(self.target.name or self.name, tuple(parameter.initial for parameter in self.parameters))]
        known = {parameter.name: parameter for parameter in self.parameters}
        for preset, values in self.presets.items():
            if not preset.strip() or not preset.isprintable() or len(preset) > LONGEST_NAME:
                raise KnobError(f"{preset[:80]!r} cannot be the name of a preset.", f"1 to {LONGEST_NAME} characters.")
            settings = {name: parameter.initial for name, parameter in known.items()}
            for name, value in values.items():
                with within("preset", preset, str(name)):
                    if name not in known:
                        raise KnobError(f"the plugin has no knob {name!r}.", nearest(str(name), known))
                    parsed: Any = known[name].number.parse(value)
                    if not isinstance(parsed, (int, float)):
                        raise KnobError("a preset holds numbers.", "Automate curves in the DAW.")
                    settings[name] = float(parsed)
            found.append((preset, tuple(settings.values())))
        return tuple(found)

    @cached_property
    def baked(self) -> tuple[str, ...]:
        """Addresses that a knob drives in a render and that cannot move in a plugin."""
        return tuple(_still_addresses(self.rack))

    @property
    def first_of_instrument(self) -> int:
        """The index of the first parameter that belongs to the instrument itself."""
        return len(self.parameters) - len(self._turned[2])

    @cached_property
    def _turned(self) -> tuple[Chain, tuple[PluginParameter, ...], tuple[PluginParameter, ...]]:
        """The chain with what moves in it, all parameters, and those of the instrument among them."""
        chain, found = self._named
        if not found:
            chain, found = all_knobs(chain)
        own = instrument_parameters(found) if self.target.playing else ()
        return chain, (*found, *own), own

    @cached_property
    def _named(self) -> tuple[Chain, tuple[PluginParameter, ...]]:
        """The chain and the parameters of knobs that have names in the recipe."""
        found: list[PluginParameter] = []

        def turn(name: str, label: str, macro: Macro) -> Live:
            free = free_name(name, label, found)
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
        return tuple(_at(step, known) for step in self.turned)

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
