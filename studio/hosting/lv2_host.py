"""LV2 plugins in a host of our own: lilv reads their bundles, and we run what is in them.

Written against the specifications at https://lv2plug.in/ns/.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from ctypes import POINTER, byref, c_double, c_float, c_int32, c_int64, c_uint32, c_void_p, cast
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.floating_point import all_as_in_a_daw
from studio.hosting import lv2_abi as abi
from studio.hosting.contract import About, PluginError, Transport
from studio.hosting.lateness import Lateness
from studio.hosting.lv2_abi import World, each, lilv, text_of
from studio.hosting.lv2_events import old_events, room_for_events, sequence
from studio.hosting.lv2_features import FIXED, LARGEST, Lv2Features
from studio.hosting.lv2_ports import Lv2Port, ports_of
from studio.hosting.parameters import Raw

_HELD = {f"{abi.CORE}enabled": 1.0, f"{abi.CORE}freeWheeling": 0.0}
"""Controls that are the host's own, and where they stand."""

_PORTABLE = 3
"""Flags of a state: plain data that other machines understand."""

_NUMBERS = {"Float": c_float, "Double": c_double, "Int": c_int32, "Bool": c_int32, "Long": c_int64}


def contents(bundles: Sequence[Path]) -> list[tuple[Path, str, str]]:
    """The plugins of bundles: (bundle, URI, name). What is no Turtle counts as empty.

    Raises:
        PluginError: lilv is not here.
    """
    found = []
    for bundle in bundles:
        world = World()
        world.take(bundle)
        found += [
            (bundle, text_of(lilv().lilv_plugin_get_uri(each)), text_of(lilv().lilv_plugin_get_name(each)))
            for each in world.plugins()
        ]
        lilv().lilv_world_free(world.at)
    return found


@all_as_in_a_daw
class Lv2:
    """An LV2 plugin in this process.

    Args:
        bundle: its folder.
        inner: its name or URI, where the bundle holds several.

    Attributes:
        about: what it says of itself.
        ports: all its ports, in their order.
    """

    def __init__(self, bundle: Path, inner: str = "") -> None:
        self._world = World()
        self._world.take(bundle)
        self._plugin = _chosen(self._world, bundle, inner)
        self._uri = text_of(lilv().lilv_plugin_get_uri(self._plugin))
        wanted = [text_of(node) for node in each(lilv().lilv_plugin_get_required_features(self._plugin))]
        self._fixed = any(uri.endswith(("fixedBlockLength", "powerOf2BlockLength")) for uri in wanted)
        self.ports = ports_of(self._world, self._plugin)
        self.about = self._about()
        if lacking := Lv2Features(44_100.0, self._fixed).missing(wanted):
            raise PluginError(f"{self.about.name} wants what this host has not: {', '.join(sorted(lacking))}.")
        if not self.about.outputs:
            raise PluginError(f"{self.about.name} makes no sound: it has no output of audio.")
        if strange := [port.name for port in self.ports if port.kind == "unknown" and not port.optional]:
            raise PluginError(f"{self.about.name} has ports of an unknown kind: {', '.join(strange)}.")
        for sibling in _with_presets(bundle, self._uri):
            self._world.take(sibling)
        self._values = {port.symbol: c_float(_HELD.get(port.designation, port.initial)) for port in self.ports}
        self._made: Any = None
        self._kept: bytes | str | None = None
        self._rate, self._lateness = 44_100, Lateness("")

    def _about(self) -> About:
        outputs = self._sounding(False)
        ins = self._sounding(True)
        sides = [port for port in ins if port.side]
        main = [port for port in ins if not port.side]
        # What a plugin takes beyond what it gives is a side input.
        sides += main[min(len(main), max(1, len(outputs)), 2) :]
        main = [port for port in main if port not in sides]
        self._inputs, self._outputs = [*main, *sides], outputs
        kinds = {text_of(node) for node in each(self._value(abi.RDF_TYPE))}
        plays = f"{abi.CORE}InstrumentPlugin" in kinds and any(port.midi and port.input for port in self.ports)
        version = [text_of(next(each(self._value(f"{abi.CORE}{part}Version")), None)) for part in ("minor", "micro")]
        instrument = plays or not main
        return About(
            name=text_of(lilv().lilv_plugin_get_name(self._plugin)),
            vendor=text_of(lilv().lilv_plugin_get_author_name(self._plugin)),
            version=".".join(part or "0" for part in version),
            id=self._uri,
            instrument=instrument,
            inputs=0 if instrument else len(main),
            sides=0 if instrument else len(sides),
            outputs=len(outputs),
        )

    def _sounding(self, inputs: bool) -> list[Lv2Port]:
        return [port for port in self.ports if port.kind == "audio" and port.input == inputs]

    def _value(self, uri: str) -> int | None:
        found: int | None = lilv().lilv_plugin_get_value(self._plugin, self._world.node(uri))
        return found

    @property
    def latency(self) -> int:
        """Frames by which it says it is late."""
        port = next((port for port in self.ports if port.designation == f"{abi.CORE}latency"), None)
        return 0 if port is None else max(0, round(self._values[port.symbol].value))

    def parameters(self) -> Sequence[Raw]:
        """The controls that are a person's to turn."""
        return [port.raw for port in self.ports if _turnable(port)]

    def turn(self, index: int, position: float) -> None:
        """Turn a parameter to a position from 0 to 1."""
        port = self.ports[index]
        self._values[port.symbol].value = port.value(position)

    def turn_to(self, symbol: str, value: float) -> None:
        """Put a control, by its symbol, to a value."""
        self._values[symbol].value = value

    # Presets

    def programs(self) -> Sequence[str]:
        """The names of the presets that are installed with it."""
        return [name for name, _ in self._presets()]

    def choose(self, program: int) -> None:
        """Load one of these presets."""
        self._keep(self._presets()[program][1])

    def _presets(self) -> list[tuple[str, str]]:
        found = []
        related = lilv().lilv_plugin_get_related(self._plugin, self._world.node(abi.PRESET))
        for preset in each(related):
            lilv().lilv_world_load_resource(self._world.at, c_void_p(preset))
            name = lilv().lilv_world_get(self._world.at, c_void_p(preset), self._world.node(abi.LABEL), None)
            if name:
                found.append((text_of(name), text_of(preset)))
        return sorted(found)

    def load_state(self, content: bytes) -> None:
        """Take up a state or a preset, as Turtle.

        Raises:
            PluginError: it is none, or another plugin's.
        """
        self._keep(content)

    def state(self) -> bytes:
        """What it would save in a session, as a preset in Turtle."""
        if self._made is None:
            self.prepare(self._rate)
        kinds = self._features.number(f"{abi.ATOM}Float")

        def value(symbol: bytes, _data: object, size: Any, kind: Any) -> int:
            size[0], kind[0] = 4, kinds
            return ctypes.addressof(self._values[symbol.decode()])

        asking = abi.GetValue(value)
        maps = byref(self._features.map)
        state = lilv().lilv_state_new_from_instance(
            self._plugin, self._made, maps, None, None, None, None, asking, None, c_uint32(_PORTABLE), self._features.array
        )  # fmt: skip
        lilv().lilv_state_set_label(c_void_p(state), self.about.name.encode())
        text = lilv().lilv_state_to_string(
            self._world.at, maps, byref(self._features.unmap), c_void_p(state), b"urn:mirepoix:state", None
        )
        lilv().lilv_state_free(c_void_p(state))
        if not text:
            raise PluginError(f"{self.about.name} gives no state that can be written down.")
        return ctypes.string_at(text)

    def _keep(self, kept: bytes | str) -> None:
        """Take up a state's controls now, and the rest with the next instance."""
        features = self._features if self._made is not None else Lv2Features(self._rate, self._fixed)
        self._restore(kept, features, self._made)
        self._kept = kept

    def _restore(self, kept: bytes | str, features: Lv2Features, made: Any) -> None:
        maps = byref(features.map)
        if isinstance(kept, str):
            state = lilv().lilv_state_new_from_world(self._world.at, maps, self._world.node(kept))
        else:
            state = lilv().lilv_state_new_from_string(self._world.at, maps, kept.replace(b"\0", b""))
        if not state:
            raise PluginError("the preset is none of LV2's, or cut short.")
        theirs = text_of(lilv().lilv_state_get_plugin_uri(c_void_p(state)))
        if theirs != self._uri:
            raise PluginError(f"the preset belongs to another plugin ({theirs or 'none'}), not to {self.about.name}.")
        numbers = {features.number(abi.ATOM + name): kind for name, kind in _NUMBERS.items()}

        def put(symbol: bytes, _data: object, value: int, size: int, kind: int) -> None:
            if kind in numbers and (name := symbol.decode("utf-8", "replace")) in self._values:
                self._values[name].value = float(_number(numbers[kind], value))

        putting = abi.SetValue(put)
        lilv().lilv_state_restore(c_void_p(state), made, putting, None, c_uint32(0), features.array)
        lilv().lilv_state_free(c_void_p(state))

    # Sound

    def prepare(self, rate: int) -> None:
        """Begin anew at a sample rate, with all sound of before forgotten."""
        if self._made is not None and rate == self._rate:
            self._switch(False)
        else:
            self._instantiate(rate)
        self._switch(True)
        if any(port.designation == f"{abi.CORE}latency" for port in self.ports):
            # How late it is it tells only once it has worked.
            self._run(np.zeros((len(self._inputs), FIXED), np.float32), (), None)
            # Not all are at rest again when they are switched off and on.
            self._instantiate(rate)
            self._switch(True)
        self._lateness = Lateness(self.about.name, self.latency)

    def _instantiate(self, rate: int) -> None:
        self.close()
        self._rate, self._features = rate, Lv2Features(float(rate), self._fixed)
        self._load()
        made = lilv().lilv_plugin_instantiate(self._plugin, c_double(rate), self._features.array)
        if not made:
            raise PluginError(f"{self.about.name} would not start at {rate} Hz.")
        self._made, self._handle, self._calls = made, made.contents.handle, made.contents.descriptor.contents
        found = self._calls.extension_data(f"{abi.WORKER}interface".encode()) if self._calls.extension_data else None
        self._worker = cast(found, POINTER(abi.WorkerInterface)).contents if found else None
        self._scratch: dict[int, Any] = {}
        for port in self.ports:
            if port.kind == "control":
                self._connect(port, byref(self._values[port.symbol]))
            elif port.kind == "cv":
                self._scratch[port.index] = np.zeros(LARGEST, np.float32)
                self._connect(port, self._scratch[port.index].ctypes.data_as(c_void_p))
            elif port.kind == "unknown":
                self._connect(port, None)
        if self._kept is not None:
            self._restore(self._kept, self._features, made)

    def _load(self) -> None:
        """Load its binary for good: lilv would unload it with the last instance, which not all survive."""
        node = lilv().lilv_plugin_get_library_uri(self._plugin)
        path = lilv().lilv_file_uri_parse(c_void_p(lilv().lilv_node_as_uri(c_void_p(node))), None) if node else None
        if not path:
            raise PluginError(f"{self.about.name} cannot be loaded: its bundle names no binary.")
        try:
            ctypes.CDLL(ctypes.string_at(path).decode("utf-8", "replace"))
        except OSError as error:
            raise PluginError(f"{self.about.name}: its binary cannot be loaded ({error}).") from None

    def _switch(self, on: bool) -> None:
        """Tell it that sound begins or ends, if it wants to know."""
        wanted = self._calls.activate if on else self._calls.deactivate
        if wanted:
            wanted(self._handle)

    def _connect(self, port: Lv2Port, to: Any) -> None:
        self._calls.connect_port(self._handle, port.index, cast(to, c_void_p) if to is not None else None)

    def process(self, block: Block, transport: Transport | None) -> Block:
        """The next frames through an effect, side inputs behind the main ones; while latency fills fewer come out."""
        return self._cut(block, (), transport)

    def play(self, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None) -> Block:
        """The next frames of an instrument, with MIDI messages at frames of the block."""
        return self._cut(np.zeros((len(self._inputs), frames), np.float32), events, transport)

    def _cut(self, block: Block, events: Sequence[tuple[int, bytes]], transport: Transport | None) -> Block:
        step, frames = FIXED if self._fixed else LARGEST, block.shape[1]
        out = [np.zeros((self.about.outputs, 0), np.float32)]
        for start in range(0, frames, step):
            due = [(frame - start, data) for frame, data in events if start <= frame < start + step]
            song = None if transport is None else transport.later(start, self._rate)
            out.append(self._run(np.ascontiguousarray(block[:, start : start + step]), due, song))
        whole = np.concatenate(out, axis=1)
        return self._lateness.taken_off(whole, self.latency)

    def _run(self, block: Block, events: Sequence[tuple[int, bytes]], song: Transport | None) -> Block:
        frames = block.shape[1]
        out = np.zeros((len(self._outputs), frames), np.float32)
        given = np.zeros((len(self._inputs), frames), np.float32)
        given[: len(block)] = block[: len(given)]
        for port, row in [*zip(self._inputs, given, strict=True), *zip(self._outputs, out, strict=True)]:
            self._connect(port, row.ctypes.data_as(c_void_p))
        held = [*self._given_events(events, song)]
        if song is not None:
            self._tell(song)
        self._calls.run(self._handle, frames)
        self._features.work(self._handle, self._worker)
        del held
        return out

    def _given_events(self, events: Sequence[tuple[int, bytes]], song: Transport | None) -> Iterator[Any]:
        """Connect the ports of events for a block; what is given must live until it is done."""
        first = next((port for port in self.ports if port.midi and port.input), None)
        for port in self.ports:
            heard = events if port is first else ()
            if port.kind == "events":
                buffer = (
                    sequence(self._features, heard, song if port.time else None)
                    if port.input
                    else room_for_events(self._features)
                )
            elif port.kind == "old_events":
                buffer = old_events(self._features, heard)
            else:
                continue
            self._connect(port, byref(buffer))
            yield buffer

    def _tell(self, song: Transport) -> None:
        """Put the controls that are told the time to where it is."""
        said = {
            "beatsPerMinute": song.tempo_bpm, "speed": 1.0, "beatsPerBar": song.numerator, "beatUnit": song.denominator,
            "barBeat": (song.quarters - song.bar_start) * song.denominator / 4, "frame": song.frame,
        }  # fmt: skip
        for port in self.ports:
            if port.input and port.kind == "control" and port.designation.startswith(abi.TIME):
                name = port.designation.removeprefix(abi.TIME)
                self._values[port.symbol].value = float(said.get(name, self._values[port.symbol].value))

    def close(self) -> None:
        """Let go of it."""
        if self._made is not None:
            self._switch(False)
            lilv().lilv_instance_free(self._made)
            self._made = None


def _number(kind: Any, address: int) -> Any:
    return kind.from_address(address).value


def _turnable(port: Lv2Port) -> bool:
    own = port.designation in _HELD or port.designation.startswith(abi.TIME)
    return port.kind == "control" and port.input and not own


def _chosen(world: World, bundle: Path, inner: str) -> c_void_p:
    """The plugin of a bundle that is meant: the only one, the one that is called so, or the one called as the bundle.

    Raises:
        PluginError: there is none, or it is not clear which.
    """
    known = {}
    for plugin in world.plugins():
        known[text_of(lilv().lilv_plugin_get_uri(plugin))] = (text_of(lilv().lilv_plugin_get_name(plugin)), plugin)
    named = dict(known.values())
    wanted = inner or bundle.stem
    if wanted in known:
        return known[wanted][1]
    if wanted in named or (len(known) == 1 and not inner):
        return named.get(wanted) or next(iter(named.values()))
    if not known:
        raise PluginError(f"{bundle.name} holds no plugin, or its Turtle is broken.")
    listed = ", ".join(sorted(named)[:12]) + (" …" if len(named) > 12 else "")
    which = f"no plugin {inner!r}; it has" if inner else f"{len(known)} plugins"
    raise PluginError(f"{bundle.name} holds {which}: {listed}.", f"Write which one: `{bundle.name}#NAME`.")


def _with_presets(bundle: Path, uri: str) -> list[Path]:
    """The bundles beside one in which presets of a plugin of it stand."""
    found = []
    for folder in (bundle.parent, Path.home() / ".lv2"):
        for manifest in folder.glob("*/manifest.ttl"):
            if manifest.parent.resolve() == bundle.resolve():
                continue
            try:
                text = manifest.read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            if uri in text and "Preset" in text:
                found.append(manifest.parent)
    return sorted(set(found))
