"""The ports of an LV2 plugin, as its bundle describes them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from ctypes import byref, c_uint32, c_void_p
from dataclasses import dataclass
from typing import Any

from studio.hosting import lv2_abi as abi
from studio.hosting.lv2_abi import World, lilv, number_of, text_of
from studio.hosting.parameters import MOST_CHOICES, Raw

DESCRIBED_AT = 44_100.0
"""The rate in Hz at which bounds that are given as parts of it are told."""

_SYMBOLS = {
    "db": "dB", "hz": "Hz", "khz": "kHz", "mhz": "MHz", "ms": "ms", "s": "s", "min": "min", "pc": "%", "bpm": "bpm",
    "semitone12TET": "st", "cent": "ct", "degree": "°", "oct": "oct", "bar": "bars", "beat": "beats", "frame": "frames",
    "m": "m", "cm": "cm", "mm": "mm", "coef": "", "midiNote": "",
}  # fmt: skip


@dataclass(frozen=True)
class Lv2Port:
    """One port: `kind` is ``audio``, ``control``, ``cv``, ``events`` or ``old_events``."""

    index: int
    symbol: str
    name: str
    kind: str
    input: bool
    low: float = 0.0
    initial: float = 0.0
    high: float = 1.0
    unit: str = ""
    toggled: bool = False
    whole: bool = False
    log: bool = False
    side: bool = False
    designation: str = ""
    points: tuple[tuple[float, str], ...] = ()
    """Values with names; all that it may stand at, where it is an enumeration."""
    choices: bool = False
    midi: bool = False
    time: bool = False
    optional: bool = False

    def value(self, position: float) -> float:
        """The value at a position from 0 to 1."""
        if self.choices:
            return self.points[round(position * (len(self.points) - 1))][0]
        if self.log:
            return float(self.low * (self.high / self.low) ** position)
        value = self.low + (self.high - self.low) * position
        return float(round(value)) if self.whole or self.toggled else value

    def position(self, value: float) -> float:
        """The position of a value."""
        if self.choices:
            nearest = min(range(len(self.points)), key=lambda index: abs(self.points[index][0] - value))
            return nearest / max(1, len(self.points) - 1)
        if self.high == self.low:
            return 0.0
        held = min(max(value, self.low), self.high)
        if self.log:
            return math.log(held / self.low) / math.log(self.high / self.low)
        return (held - self.low) / (self.high - self.low)

    @property
    def raw(self) -> Raw:
        """It as something that can be turned."""
        steps = 0
        if self.choices:
            steps = len(self.points)
        elif self.toggled:
            steps = 2
        elif self.whole and self.high - self.low < MOST_CHOICES:
            steps = round(self.high - self.low) + 1
        position = self.position(self.initial)
        return Raw(self.name, self.unit, self.index, position, steps, True, self._text)

    def _text(self, position: float) -> str:
        if self.choices:
            return self.points[round(position * (len(self.points) - 1))][1]
        if self.toggled:
            return "on" if position >= 0.5 else "off"
        return f"{self.value(position):.7g} {self.unit}".strip()


def ports_of(world: World, plugin: c_void_p) -> list[Lv2Port]:
    """All ports of a plugin, in their order."""
    reader = _Reader(world, plugin)
    return [reader.port(index) for index in range(lilv().lilv_plugin_get_num_ports(plugin))]


class _Reader:
    def __init__(self, world: World, plugin: c_void_p) -> None:
        self._world, self._plugin = world, plugin
        self._nodes: dict[str, c_void_p] = {}

    def _node(self, uri: str) -> c_void_p:
        if uri not in self._nodes:
            self._nodes[uri] = self._world.node(uri)
        return self._nodes[uri]

    def port(self, index: int) -> Lv2Port:
        at = c_void_p(lilv().lilv_plugin_get_port_by_index(self._plugin, c_uint32(index)))

        def is_a(uri: str) -> bool:
            return bool(lilv().lilv_port_is_a(self._plugin, at, self._node(uri)))

        def has(uri: str) -> bool:
            return bool(lilv().lilv_port_has_property(self._plugin, at, self._node(uri)))

        kinds = {
            f"{abi.CORE}AudioPort": "audio", f"{abi.CORE}ControlPort": "control", f"{abi.CORE}CVPort": "cv",
            f"{abi.ATOM}AtomPort": "events", f"{abi.NS}ext/event#EventPort": "old_events",
        }  # fmt: skip
        kind = next((kind for uri, kind in kinds.items() if is_a(uri)), "unknown")
        designation = text_of(lilv().lilv_port_get(self._plugin, at, self._node(f"{abi.CORE}designation")))
        if has(f"{abi.CORE}reportsLatency"):
            designation = f"{abi.CORE}latency"
        plain: dict[str, Any] = {
            "index": index, "symbol": text_of(lilv().lilv_port_get_symbol(self._plugin, at)),
            "name": text_of(lilv().lilv_port_get_name(self._plugin, at)), "kind": kind, "input": is_a(f"{abi.CORE}InputPort"),
            "side": has(f"{abi.CORE}isSideChain"), "designation": designation,
            "optional": has(f"{abi.CORE}connectionOptional"),
        }  # fmt: skip
        if kind == "control":
            return Lv2Port(**plain, **self._control(at, has))
        if kind in ("events", "old_events"):
            return Lv2Port(
                **plain,
                midi=kind == "old_events" or self._hears(at, abi.MIDI),
                time=self._hears(at, f"{abi.TIME}Position"),
            )
        return Lv2Port(**plain)

    def _hears(self, port: c_void_p, uri: str) -> bool:
        return bool(lilv().lilv_port_supports_event(self._plugin, port, self._node(uri)))

    def _control(self, port: c_void_p, said: Callable[[str], bool]) -> dict[str, Any]:
        initial, low, high = (c_void_p() for _ in range(3))
        lilv().lilv_port_get_range(self._plugin, port, byref(initial), byref(low), byref(high))
        least, first, most = (number_of(node.value) for node in (low, initial, high))
        points = tuple(sorted(self._points(port)))
        toggled, whole = said(f"{abi.CORE}toggled"), said(f"{abi.CORE}integer")
        least = 0.0 if least is None else least
        most = max(1.0, least, first or 0.0) if most is None else most
        scale = DESCRIBED_AT if said(f"{abi.CORE}sampleRate") else 1.0
        if most < least:
            least, most = most, least
        first = least if first is None else first
        if toggled:
            least, most = 0.0, 1.0
        least, first, most = (each * scale if math.isfinite(each) else 0.0 for each in (least, first, most))
        choices = said(f"{abi.CORE}enumeration") and len(points) > 1
        return {
            "low": least, "initial": min(max(first, least), most), "high": most, "unit": self._unit(port),
            "toggled": toggled, "whole": whole, "log": said(f"{abi.PROPERTIES}logarithmic") and 0 < least < most,
            "points": points, "choices": choices,
        }  # fmt: skip

    def _points(self, port: c_void_p) -> Iterator[tuple[float, str]]:
        known = c_void_p(lilv().lilv_port_get_scale_points(self._plugin, port))
        place = c_void_p(lilv().lilv_scale_points_begin(known)) if known else None
        while place is not None and not lilv().lilv_scale_points_is_end(known, place):
            point = c_void_p(lilv().lilv_scale_points_get(known, place))
            value = number_of(lilv().lilv_scale_point_get_value(point))
            if value is not None:
                yield value, text_of(lilv().lilv_scale_point_get_label(point))
            place = c_void_p(lilv().lilv_scale_points_next(known, place))

    def _unit(self, port: c_void_p) -> str:
        unit = lilv().lilv_port_get(self._plugin, port, self._node(f"{abi.UNITS}unit"))
        if not unit:
            return ""
        name = text_of(unit)
        if name.startswith(abi.UNITS):
            known = name.removeprefix(abi.UNITS)
            return _SYMBOLS.get(known, known)
        symbol = lilv().lilv_world_get(self._world.at, c_void_p(unit), self._node(f"{abi.UNITS}symbol"), None)
        return text_of(symbol)
