"""Macros: one knob that drives several, each through a range of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from studio import units
from studio.address import locate, put
from studio.curves import SHAPES, Mapped, stretch
from studio.errors import Gather, KnobError, RecipeError, Told, attempt, collector, nearest, shown, within
from studio.knobs import LINEAR, LOG, Live, Number, choice, text
from studio.records import Kind, ListOf, MapOf, Nested, Record, field
from studio.typed import expect

_UNITS = {unit.symbol: unit for unit in (units.PLAIN, units.DB, units.HZ, units.MS, units.SECONDS, units.SEMITONES)}


@dataclass(frozen=True)
class Drive:
    """From `low` to `high` in the target's unit, as the macro goes over its range; `shape` is one of `SHAPES`."""

    low: object
    high: object
    shape: str | None = None


@dataclass(frozen=True, kw_only=True)
class _DriveKind(Kind):
    def parse(self, value: object) -> Drive:
        if isinstance(value, Drive):
            return value
        if not isinstance(value, (list, tuple)) or not 2 <= len(value) <= 3:
            raise KnobError(f"{shown(value)} is not a range.", "Write [from, to] or [from, to, shape].")
        shape = str(value[2]) if len(value) == 3 else None
        if shape is not None and shape not in SHAPES:
            raise KnobError(f"there is no curve shape {shape!r}.", nearest(shape, SHAPES))
        return Drive(value[0], value[1], shape)

    def data(self, value: Any, full: bool = False) -> object:
        return [value.low, value.high, *([value.shape] if value.shape else [])]

    def schema(self) -> dict[str, Any]:
        return {"type": "array", "minItems": 2, "maxItems": 3}


class _DriveMap(MapOf):
    def check_name(self, key: object) -> str:
        """The keys are addresses, which hold dots."""
        return str(key)


class Macro(Record):
    """A knob of a recipe or rack; without `range` it goes from 0 to 1."""

    value: Live = field(Kind(default=0.5, help="where it stands: a number, or a curve"))
    drives: Mapping[str, Drive] = field(
        _DriveMap(each=_DriveKind(), what="address", help="addresses of knobs, and the range each is driven over")
    )
    range: tuple[Any, ...] = field(ListOf(each=Kind(), default=(0, 1), help="its lowest and highest value"))
    unit: str = choice("", *_UNITS, help="the unit of its range")
    taper: str = choice(LINEAR, LINEAR, LOG, help="how its range is spread over a slider")
    help: str = text(help="what it does, in a phrase")

    def __post_init__(self) -> None:
        super().__post_init__()
        unit = Number(unit=_UNITS[self.unit])
        if len(self.range) != 2:
            raise KnobError("a range has two ends.", "Write [lowest, highest].", path=("range",))
        low, high = (unit.number(end) for end in self.range)
        if not low < high or (self.taper == LOG and low <= 0):
            raise KnobError(
                f"a range from {unit.data(low)} to {unit.data(high)}.",
                "It must rise, and a log taper must stay above zero.",
                path=("range",),
            )
        self._finish("range", (low, high))
        with within("value"):
            self._finish("value", self.number.parse(self.value))

    @property
    def number(self) -> Number:
        """It as a knob."""
        low, high = (float(end) for end in self.range)
        return Number(
            default=self.value, low=low, high=high, unit=_UNITS[self.unit], taper=self.taper, live=True, help=self.help
        )

    def changed(self) -> list[str]:
        """Where it stands is always written, since that is what a macro is for."""
        return list(dict.fromkeys(["value", *super().changed()]))

    def kind_of(self, name: str) -> Kind:
        """The kind of one field as it is now."""
        return self.number if name == "value" else super().kind_of(name)

    def data(self, *, full: bool = False) -> Any:
        """Plain data that `parse` reads back as an equal value."""
        plain = super().data(full=full)
        if "range" in plain:
            plain["range"] = [self.number.data(end) for end in self.range]
        return plain


MACROS = MapOf(each=Nested(of=Macro), what="knob", help="knobs that drive others")

Owner = TypeVar("Owner", bound=Record)


def checked(owner: Record) -> dict[str, Macro]:
    """The macros of `owner.knobs`, checked against what they drive, with their ranges in the targets' units.

    Raises:
        StudioError: an address that leads nowhere, a target that cannot move or has two masters, or a range
            that does not fit it.
    """
    macros: Mapping[str, Macro] = owner.knobs  # type: ignore[attr-defined]
    masters: dict[tuple[object, ...], str] = {}
    gather, neat = Gather(), dict[str, Macro]()
    for name, macro in macros.items():
        drives = dict[str, Drive]()
        for address, drive in macro.drives.items():
            with gather, within("knobs", name, "drives", address):
                if _about_what_is_lost(address):
                    raise Told
                path, kind = locate(owner, address)
                if not isinstance(kind, Number) or kind.whole or path[:1] == ("knobs",):
                    raise RecipeError(f"{address!r} is not a number that a knob can drive.")
                if path in masters:
                    raise RecipeError(f"{address!r} is driven by {masters[path]!r} too.", "Let one knob drive it.")
                masters[path] = name
                low, high, _ = kind.span(drive.low, drive.high, drive.shape)
                drives[address] = Drive(kind.data(low), kind.data(high), drive.shape)
        neat[name] = macro
        with gather, within("knobs", name):
            if drives != macro.drives:
                neat[name] = macro.replace(drives=drives)
    gather.done()
    return neat


def _about_what_is_lost(address: str) -> bool:
    """Whether an address leads into a track or bus of which it has been told that it cannot be read."""
    taking = collector()
    lost = taking.lost if taking else ()
    return any(len(way) == 2 and way[0] in ("tracks", "buses") and way[1] in address.split(".") for way in lost)


def settle(owner: Owner) -> Owner:
    """A copy of `owner` in which every driven knob stands where its macro puts it.

    Raises:
        RecipeError: a moving macro drives a knob that cannot move while the song plays.
    """
    settled = owner
    macros: Mapping[str, Macro] = owner.knobs  # type: ignore[attr-defined]
    for name, macro in macros.items():
        for address, drive in macro.drives.items():
            with attempt():
                path, found = locate(owner, address)
                kind = expect(Number, found)
                low, high, shape = kind.span(drive.low, drive.high, drive.shape)
                value: object
                if isinstance(macro.value, float):
                    position = macro.number.position(macro.value)
                    value = min(max(float(stretch(position, low, high, shape)), kind.low), kind.high)  # type: ignore[arg-type]
                elif kind.live and not isinstance(macro.value, str):
                    start, end = macro.range
                    value = Mapped(macro.value, (start, end), macro.taper == LOG, low, high, shape)
                else:
                    raise RecipeError(
                        f"{address!r} cannot move while the song plays.",
                        f"Give the knob {name!r} a number instead of a curve, or let it drive something else.",
                        path=("knobs", name, "drives", address),
                    )
                settled = put(settled, path, value)
    return settled
