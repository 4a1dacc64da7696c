"""A host for LV2 of our own: lilv reads the bundle, and we run what is in it, with time, notes and moving controls.

Written against the specification, https://lv2plug.in/ns/, and lilv's C interface, https://drobilla.net/docs/lilv/.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Mapping, Sequence
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char_p, c_double, c_float, c_uint32, c_void_p
from ctypes.util import find_library
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from studio.exporting.plugin.vst3_probe import transport_at
from studio.hosting.contract import Transport

_CORE, _ATOM = "http://lv2plug.in/ns/lv2core#", "http://lv2plug.in/ns/ext/atom#"
_TIME, _MIDI = "http://lv2plug.in/ns/ext/time#", "http://lv2plug.in/ns/ext/midi#MidiEvent"
_ROOM = 65_536
"""Bytes for the events of a block."""

_Map = CFUNCTYPE(c_uint32, c_void_p, c_char_p)


class _Descriptor(Structure):
    _fields_ = [
        ("uri", c_char_p),
        ("instantiate", c_void_p),
        ("connect_port", CFUNCTYPE(None, c_void_p, c_uint32, c_void_p)),
        ("activate", CFUNCTYPE(None, c_void_p)),
        ("run", CFUNCTYPE(None, c_void_p, c_uint32)),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("cleanup", CFUNCTYPE(None, c_void_p)),
        ("extension_data", CFUNCTYPE(c_void_p, c_char_p)),
    ]


class _Instance(Structure):
    _fields_ = [("descriptor", POINTER(_Descriptor)), ("handle", c_void_p), ("own", c_void_p)]


class _UridMap(Structure):
    _fields_ = [("handle", c_void_p), ("map", _Map)]


class _Feature(Structure):
    _fields_ = [("uri", c_char_p), ("data", c_void_p)]


@cache
def _lilv() -> Any:
    library = ctypes.CDLL(find_library("lilv-0") or "liblilv-0.so.0")
    pointers = (
        "world_new", "new_file_uri", "new_uri", "world_get_all_plugins", "plugins_get_by_uri", "plugin_get_port_by_index",
        "port_get_symbol", "port_get_name", "plugin_get_name",
    )  # fmt: skip
    for name in pointers:
        getattr(library, f"lilv_{name}").restype = c_void_p
    library.lilv_plugin_instantiate.restype = POINTER(_Instance)
    library.lilv_node_as_string.restype = c_char_p
    library.lilv_node_as_float.restype = c_float
    return library


def there() -> bool:
    """Whether lilv's library is on this machine."""
    try:
        _lilv()
    except OSError:
        return False
    return True


class Lv2:
    """A plugin of a bundle, in this process.

    Args:
        bundle: the folder.
        uri: which of its plugins.
        rate: sample rate in Hz.

    Attributes:
        controls: the ports that can be turned, by symbol, each with its name, lowest, initial and highest value.
    """

    def __init__(self, bundle: Path, uri: str, rate: float) -> None:
        lilv = self._lilv = _lilv()
        world = c_void_p(lilv.lilv_world_new())
        location = c_void_p(lilv.lilv_new_file_uri(world, None, f"{bundle.resolve()}/".encode()))
        lilv.lilv_world_load_bundle(world, location)
        plugins = c_void_p(lilv.lilv_world_get_all_plugins(world))
        node = c_void_p(lilv.lilv_new_uri(world, uri.encode()))
        plugin = c_void_p(lilv.lilv_plugins_get_by_uri(plugins, node))
        if not plugin:
            raise RuntimeError(f"lilv finds no {uri} in the bundle")
        self.name = self._text(lilv.lilv_plugin_get_name(plugin))
        self._known: dict[str, int] = {}
        self._map = _UridMap(None, _Map(lambda _, uri: self._urid(uri.decode())))
        feature = _Feature(b"http://lv2plug.in/ns/ext/urid#map", ctypes.cast(byref(self._map), c_void_p))
        features = (POINTER(_Feature) * 2)(ctypes.pointer(feature))
        made = lilv.lilv_plugin_instantiate(plugin, c_double(rate), features)
        if not made:
            raise RuntimeError("lilv cannot load the plugin")
        self._keep = feature, features, made
        self._handle, self._calls = made.contents.handle, made.contents.descriptor.contents
        self._rate = rate
        self._sort(world, plugin)
        self._calls.activate(self._handle)

    def _sort(self, world: c_void_p, plugin: c_void_p) -> None:
        lilv, is_a = self._lilv, {}
        for word, kind in (("audio", "AudioPort"), ("control", "ControlPort"), ("input", "InputPort")):
            is_a[word] = c_void_p(lilv.lilv_new_uri(world, f"{_CORE}{kind}".encode()))
        self.inputs: list[int] = []
        self.outputs: list[int] = []
        self.controls: dict[str, tuple[str, float, float, float]] = {}
        self._values: dict[str, c_float] = {}
        self._events: int | None = None
        for index in range(lilv.lilv_plugin_get_num_ports(plugin)):
            port = c_void_p(lilv.lilv_plugin_get_port_by_index(plugin, c_uint32(index)))
            audio, control, into = (bool(lilv.lilv_port_is_a(plugin, port, is_a[word])) for word in is_a)
            if audio:
                (self.inputs if into else self.outputs).append(index)
                continue
            if not control:
                self._events = index
                continue
            symbol = self._text(lilv.lilv_port_get_symbol(plugin, port))
            initial, low, high = (c_void_p() for _ in range(3))
            lilv.lilv_port_get_range(plugin, port, byref(initial), byref(low), byref(high))
            ends = [float(lilv.lilv_node_as_float(node)) if node else 0.0 for node in (low, initial, high)]
            self._values[symbol] = c_float(ends[1])
            if into:
                self.controls[symbol] = (self._text(lilv.lilv_port_get_name(plugin, port)), *ends)  # type: ignore[assignment]
            self._calls.connect_port(self._handle, index, ctypes.cast(byref(self._values[symbol]), c_void_p))

    def _text(self, node: int) -> str:
        return str(self._lilv.lilv_node_as_string(c_void_p(node)).decode())

    def _urid(self, uri: str) -> int:
        return self._known.setdefault(uri, len(self._known) + 1)

    def turn(self, symbol: str, value: float) -> None:
        """Put a control to a value."""
        self._values[symbol].value = value

    def value(self, symbol: str) -> float:
        """Where a control stands, or what the plugin says there."""
        return self._values[symbol].value

    def run(self, given: Any, events: Sequence[tuple[int, bytes]] = (), song: Transport | None = None) -> Any:
        """A block: `given` is float32 `(inputs, frames)`; `events` are messages of MIDI at their frames."""
        frames = given.shape[1]
        out = np.zeros((len(self.outputs), frames), np.float32)
        rows = [np.ascontiguousarray(row) for row in given]
        for port, row in [*zip(self.inputs, rows, strict=True), *zip(self.outputs, out, strict=True)]:
            self._calls.connect_port(self._handle, port, row.ctypes.data_as(c_void_p))
        if self._events is not None:
            body = self._event(0, *self._position(song)) if song else b""
            body += b"".join(self._event(frame, self._urid(_MIDI), message) for frame, message in events)
            whole = struct.pack("=IIII", 8 + len(body), self._urid(f"{_ATOM}Sequence"), 0, 0) + body
            buffer = ctypes.create_string_buffer(whole, _ROOM)
            self._calls.connect_port(self._handle, self._events, ctypes.cast(buffer, c_void_p))
        self._calls.run(self._handle, frames)
        return out

    def close(self) -> None:
        """Let go of it."""
        self._calls.deactivate(self._handle)
        self._lilv.lilv_instance_free(self._keep[2])

    def _event(self, frame: int, kind: int, body: bytes) -> bytes:
        return struct.pack("=qII", frame, len(body), kind) + body + b"\0" * (-len(body) % 8)

    def _position(self, song: Transport) -> tuple[int, bytes]:
        unit = 4.0 / song.denominator
        bar = song.numerator * unit
        said: list[tuple[str, str, bytes]] = [
            ("frame", "Long", struct.pack("=q", song.frame)),
            ("speed", "Float", struct.pack("=f", 1.0)),
            ("bar", "Long", struct.pack("=q", int(song.quarters // bar))),
            ("barBeat", "Double", struct.pack("=d", song.quarters % bar / unit)),
            ("beatUnit", "Int", struct.pack("=i", song.denominator)),
            ("beatsPerBar", "Float", struct.pack("=f", song.numerator)),
            ("beatsPerMinute", "Double", struct.pack("=d", song.tempo_bpm)),
        ]
        body = struct.pack("=II", 0, self._urid(f"{_TIME}Position"))
        for key, kind, value in said:
            body += struct.pack("=IIII", self._urid(_TIME + key), 0, len(value), self._urid(_ATOM + kind)) + value
            body += b"\0" * (-len(value) % 8)
        return self._urid(f"{_ATOM}Object"), body


def in_lv2_probe(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play the signals of a job, as the other hosts do."""
    bundle, symbols = Path(job["plugin"]), job["symbols"]
    first = Lv2(bundle, job["uris"][0], 44_100)
    read = [first.controls[symbol] for symbol in symbols]
    answer: dict[str, Any] = {
        "host": "our own LV2 host", "name": first.name, "signals": [],
        "parameters": [{"name": name, "texts": [str(low), None, str(high)]} for name, low, _, high in read],
    }  # fmt: skip
    for index, signal in enumerate(job["signals"]):
        sound = np.load(folder / signal["sound"])
        beside = np.load(folder / signal["beside"]) if signal["beside"] else None
        plugin = Lv2(bundle, job["uris"][0 if len(sound) == 2 else 1], signal["rate"])
        given = sound if beside is None else np.concatenate([sound, beside])
        out, late = _played(plugin, signal, given, symbols)
        np.save(folder / f"{index}.npy", out)
        answer["signals"].append({"latency": late, "seconds": []})
        plugin.close()
    return answer


def _played(plugin: Lv2, signal: Mapping[str, Any], given: Any, symbols: Sequence[str]) -> tuple[Any, int]:
    """The signal, in blocks of its size, aligned by the latency that the plugin reports."""
    plugin.run(np.zeros((len(plugin.inputs), 0), np.float32))
    late = int(plugin.value("latency"))
    given = np.pad(given, ((0, 0), (0, late)))
    moves, block, out = dict(signal["moves"]), signal["block"], []
    for start in range(0, given.shape[1], block):
        for symbol, value in zip(symbols, moves.get(start, ()), strict=False):
            plugin.turn(symbol, value)
        out.append(plugin.run(given[:, start : start + block], song=transport_at(signal, start)))
    return np.concatenate(out, axis=1)[:, late:], late


def play_events(bundle: Path, uri: str, events: Sequence[tuple[int, bytes]], rate: int, frames: int, block: int) -> Any:
    """An instrument's sound: `events` are messages of MIDI at their frames."""
    plugin, out = Lv2(bundle, uri, rate), []
    plugin.run(np.zeros((0, 0), np.float32))
    late = int(plugin.value("latency"))
    for start in range(0, frames + late, block):
        due = [(frame - start, message) for frame, message in events if start <= frame < start + block]
        out.append(plugin.run(np.zeros((0, block), np.float32), due))
    plugin.close()
    return np.concatenate(out, axis=1)[:, late:]
