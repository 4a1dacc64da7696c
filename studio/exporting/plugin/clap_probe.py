"""A host for CLAP of our own, since Python and Debian have none: it loads a plugin as any host would, with ctypes.

Written against the specification alone and sharing nothing with the shell; still, what it proves is less than what
another's host would prove, and the card says so.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping, Sequence
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_int64,
    c_ubyte,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
    cast,
    create_string_buffer,
    memmove,
    pointer,
    sizeof,
)  # fmt: skip
from pathlib import Path
from typing import Any

import numpy as np

from studio.exporting.plugin.vst3_probe import transport_at
from studio.hosting.contract import Transport

_Call = CFUNCTYPE


class _Version(Structure):
    _fields_ = [("major", c_uint32), ("minor", c_uint32), ("revision", c_uint32)]


class _Entry(Structure):
    _fields_ = [
        ("version", _Version),
        ("init", _Call(c_bool, c_char_p)),
        ("deinit", _Call(None)),
        ("get_factory", _Call(c_void_p, c_char_p)),
    ]


class _Descriptor(Structure):
    _fields_ = [
        ("version", _Version),
        *((word, c_char_p) for word in ("id", "name", "vendor", "url", "manual", "support", "release", "about")),
        ("features", POINTER(c_char_p)),
    ]


class _Factory(Structure):
    _fields_ = [
        ("count", _Call(c_uint32, c_void_p)),
        ("describe", _Call(POINTER(_Descriptor), c_void_p, c_uint32)),
        ("create", _Call(c_void_p, c_void_p, c_void_p, c_char_p)),
    ]


class _Host(Structure):
    _fields_ = [
        ("version", _Version),
        ("data", c_void_p),
        *((word, c_char_p) for word in ("name", "vendor", "url", "release")),
        ("get_extension", _Call(c_void_p, c_void_p, c_char_p)),
        *((word, _Call(None, c_void_p)) for word in ("request_restart", "request_process", "request_callback")),
    ]


class _Plugin(Structure):
    _fields_ = [
        ("descriptor", POINTER(_Descriptor)),
        ("data", c_void_p),
        ("init", _Call(c_bool, c_void_p)),
        ("destroy", _Call(None, c_void_p)),
        ("activate", _Call(c_bool, c_void_p, c_double, c_uint32, c_uint32)),
        ("deactivate", _Call(None, c_void_p)),
        ("start_processing", _Call(c_bool, c_void_p)),
        ("stop_processing", _Call(None, c_void_p)),
        ("reset", _Call(None, c_void_p)),
        ("process", _Call(c_int32, c_void_p, c_void_p)),
        ("get_extension", _Call(c_void_p, c_void_p, c_char_p)),
        ("on_main_thread", _Call(None, c_void_p)),
    ]


class _Buffer(Structure):
    _fields_ = [
        ("samples", POINTER(POINTER(c_float))),
        ("samples64", c_void_p),
        ("channels", c_uint32),
        ("latency", c_uint32),
        ("constant", c_uint64),
    ]


class _Event(Structure):
    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("parameter", c_uint32), ("cookie", c_void_p), ("note", c_int32),
        ("port", c_int16), ("channel", c_int16), ("key", c_int16), ("value", c_double),
    ]  # fmt: skip


class _Note(Structure):
    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("note", c_int32), ("port", c_int16), ("channel", c_int16), ("key", c_int16), ("velocity", c_double),
    ]  # fmt: skip


class NoteExpression(Structure):
    """A note that is moved while it sounds: 2 is its tuning in semitones."""

    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("what", c_int32), ("note", c_int32), ("port", c_int16), ("channel", c_int16), ("key", c_int16), ("value", c_double),
    ]  # fmt: skip


class _Midi(Structure):
    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("port", c_uint16), ("bytes", c_ubyte * 3),
    ]  # fmt: skip


class _Transport(Structure):
    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("says", c_uint32), ("beats", c_int64), ("seconds", c_int64), ("bpm", c_double), ("slope", c_double),
        *((word, c_int64) for word in ("loop_start", "loop_end", "loop_start_seconds", "loop_end_seconds", "bar_start")),
        ("bar", c_int32), ("numerator", c_uint16), ("denominator", c_uint16),
    ]  # fmt: skip


_TEMPO, _BEATS, _METER, _PLAYING, _BEAT = 1 << 0, 1 << 1, 1 << 3, 1 << 4, 1 << 31


class _Events(Structure):
    _fields_ = [
        ("context", c_void_p),
        ("size", _Call(c_uint32, c_void_p)),
        ("get", _Call(c_void_p, c_void_p, c_uint32)),
    ]


class _Process(Structure):
    _fields_ = [
        ("steady_time", c_int64), ("frames", c_uint32), ("transport", c_void_p),
        ("inputs", POINTER(_Buffer)), ("outputs", POINTER(_Buffer)),
        ("input_count", c_uint32), ("output_count", c_uint32), ("events", POINTER(_Events)), ("events_out", c_void_p),
    ]  # fmt: skip


class _ParameterInfo(Structure):
    _fields_ = [
        ("id", c_uint32), ("flags", c_uint32), ("cookie", c_void_p), ("name", c_char * 256), ("module", c_char * 1024),
        ("low", c_double), ("high", c_double), ("initial", c_double),
    ]  # fmt: skip


class _Parameters(Structure):
    _fields_ = [
        ("count", _Call(c_uint32, c_void_p)),
        ("info", _Call(c_bool, c_void_p, c_uint32, POINTER(_ParameterInfo))),
        ("value", _Call(c_bool, c_void_p, c_uint32, POINTER(c_double))),
        ("to_text", _Call(c_bool, c_void_p, c_uint32, c_double, c_char_p, c_uint32)),
        ("from_text", _Call(c_bool, c_void_p, c_uint32, c_char_p, POINTER(c_double))),
        ("flush", _Call(None, c_void_p, POINTER(_Events), c_void_p)),
    ]


class _HostParameters(Structure):
    _fields_ = [
        ("rescan", _Call(None, c_void_p, c_uint32)),
        ("clear", _Call(None, c_void_p, c_uint32, c_uint32)),
        ("request_flush", _Call(None, c_void_p)),
    ]


class _Stream(Structure):
    _fields_ = [("context", c_void_p), ("move", _Call(c_int64, c_void_p, c_void_p, c_uint64))]


class _State(Structure):
    _fields_ = [
        ("save", _Call(c_bool, c_void_p, POINTER(_Stream))),
        ("load", _Call(c_bool, c_void_p, POINTER(_Stream))),
    ]


class _Latency(Structure):
    _fields_ = [("get", _Call(c_uint32, c_void_p))]


class _Loaded:
    """One instance of a plugin, and what it needs kept alive."""

    def __init__(self, entry: _Entry) -> None:
        factory = cast(entry.get_factory(b"clap.plugin-factory"), POINTER(_Factory)).contents
        address = pointer(factory)
        described = factory.describe(address, 0).contents
        nothing = _Call(None, c_void_p)(lambda host: None)
        self.rescans: list[int] = []
        self._rescan = _HostParameters(
            _Call(None, c_void_p, c_uint32)(lambda host, flags: self.rescans.append(flags)),
            _Call(None, c_void_p, c_uint32, c_uint32)(lambda host, known, flags: None),
            nothing,
        )
        known = _Call(c_void_p, c_void_p, c_char_p)(
            lambda host, name: ctypes.addressof(self._rescan) if name == b"clap.params" else None
        )
        self._host = _Host(_Version(1, 2, 0), None, b"studio", b"", b"", b"1", known, nothing, nothing, nothing)
        self.name, self.id = described.name.decode(), described.id
        self.address = factory.create(address, byref(self._host), described.id)
        self.calls = cast(self.address, POINTER(_Plugin)).contents
        _must(self.calls.init(self.address))

    def extension(self, name: bytes, kind: type[Structure]) -> Any:
        return cast(self.calls.get_extension(self.address, name), POINTER(kind)).contents

    @property
    def parameters(self) -> list[_ParameterInfo]:
        extension, infos = self.extension(b"clap.params", _Parameters), []
        for index in range(extension.count(self.address)):
            info = _ParameterInfo()
            _must(extension.info(self.address, index, byref(info)))
            infos.append(info)
        return infos

    def process(
        self,
        sound: Any,
        values: Mapping[int, float],
        beside: Any = None,
        notes: Sequence[Structure] | None = None,
        song: Transport | None = None,
    ) -> Any:
        """One block; parameters by id, in the host's values, are turned at its beginning.

        With `notes` it is an instrument, which is fed no sound.
        """
        events: list[Structure] = [*(notes or ())]
        events += [
            _Event(sizeof(_Event), 0, 0, 5, 0, known, None, -1, -1, -1, -1, value) for known, value in values.items()
        ]
        listed = _Events(
            None,
            _Call(c_uint32, c_void_p)(lambda _: len(events)),
            _Call(c_void_p, c_void_p, c_uint32)(lambda _, index: ctypes.addressof(events[index])),
        )
        out = np.zeros_like(sound)
        outputs = _buffer(out)
        fed = [_buffer(array) for array in (sound, beside) if array is not None and notes is None]
        inputs = (_Buffer * len(fed))(*fed)
        told = pointer(_told(song)) if song else None
        process = _Process(
            -1,
            sound.shape[1],
            cast(told, c_void_p) if told else None,
            inputs,
            pointer(outputs),
            len(fed),
            1,
            pointer(listed),
            None,
        )
        _must(self.calls.process(self.address, byref(process)) == 1)
        return out

    def saved(self) -> bytes:
        found: list[bytes] = []

        def write(stream: int, data: int, size: int) -> int:
            found.append(ctypes.string_at(data, size))
            return size

        stream = _Stream(None, _Stream._fields_[1][1](write))
        _must(self.extension(b"clap.state", _State).save(self.address, byref(stream)))
        return b"".join(found)

    def restore(self, state: bytes) -> None:
        rest = [state]

        def read(stream: int, data: int, size: int) -> int:
            piece, rest[0] = rest[0][:size], rest[0][size:]
            memmove(data, piece, len(piece))
            return len(piece)

        stream = _Stream(None, _Stream._fields_[1][1](read))
        _must(self.extension(b"clap.state", _State).load(self.address, byref(stream)))

    def value(self, id: int) -> float:
        found = c_double()
        _must(self.extension(b"clap.params", _Parameters).value(self.address, id, byref(found)))
        return found.value

    def read(self, id: int, text: str) -> float | None:
        """The value that a text means; None if the plugin cannot read it."""
        found = c_double()
        extension = self.extension(b"clap.params", _Parameters)
        return found.value if extension.from_text(self.address, id, text.encode(), byref(found)) else None

    def text(self, id: int, value: float) -> str:
        buffer = create_string_buffer(64)
        _must(self.extension(b"clap.params", _Parameters).to_text(self.address, id, value, buffer, 64))
        return buffer.value.decode()

    def close(self) -> None:
        self.calls.deactivate(self.address)
        self.calls.destroy(self.address)


def _told(song: Transport) -> _Transport:
    says = _TEMPO | _BEATS | _METER | _PLAYING
    beats, bar = round(song.quarters * _BEAT), round(song.bar_start * _BEAT)
    return _Transport(
        sizeof(_Transport), 0, 0, 9, 0, says, beats, 0, song.tempo_bpm, 0.0, 0, 0, 0, 0, bar, 0,
        song.numerator, song.denominator,
    )  # fmt: skip


def _must(done: object) -> None:
    """What a plugin was asked for and has to do.

    Raises:
        RuntimeError: it refused.
    """
    if not done:
        raise RuntimeError("the plugin refused what CLAP says it must do")


def _buffer(array: Any) -> _Buffer:
    rows = (POINTER(c_float) * len(array))(*(row.ctypes.data_as(POINTER(c_float)) for row in array))
    return _Buffer(rows, None, len(array), 0, 0)


def in_clap_probe(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play the signals of a job, as the other hosts do."""
    library = ctypes.CDLL(job["plugin"])
    entry = _Entry.in_dll(library, "clap_entry")
    _must(entry.init(job["plugin"].encode()))
    first = _Loaded(entry)
    infos = first.parameters
    answer: dict[str, Any] = {
        "host": "our own CLAP probe", "name": first.name, "state": _comes_back(lambda: _Loaded(entry), infos),
        "parameters": [_read(first, info) for info in infos], "signals": [],
    }  # fmt: skip
    for index, signal in enumerate(job["signals"]):
        sound, beside = (np.load(folder / signal[role]) if signal[role] else None for role in ("sound", "beside"))
        out, latency = _played(_Loaded(entry), infos, signal, sound, beside)
        np.save(folder / f"{index}.npy", out)
        answer["signals"].append({"latency": latency, "seconds": []})
    return answer


def opened(path: Path, rate: int, block: int) -> _Loaded:
    """An instrument at work, in blocks of so many frames at most."""
    library = ctypes.CDLL(str(path))
    entry = _Entry.in_dll(library, "clap_entry")
    _must(entry.init(str(path).encode()))
    plugin = _Loaded(entry)
    ports = plugin.extension(b"clap.note-ports", _Latency)
    _must(ports is not None)
    _must(plugin.calls.activate(plugin.address, float(rate), 1, block))
    _must(plugin.calls.start_processing(plugin.address))
    return plugin


def play_events(path: Path, events: Sequence[tuple[int, bytes]], rate: int, frames: int, block: int = 333) -> Any:
    """An instrument's sound: `events` are messages of MIDI at their frames. Notes are given as notes."""
    plugin = opened(path, rate, block)
    late = int(plugin.extension(b"clap.latency", _Latency).get(plugin.address))
    out = []
    for start in range(0, frames + late, block):
        heard = [said(frame - start, message) for frame, message in events if start <= frame < start + block]
        out.append(plugin.process(np.zeros((2, block), np.float32), {}, notes=heard))
    plugin.close()
    return np.concatenate(out, axis=1)[:, late:]


def play_notes(
    path: Path, notes: Sequence[tuple[float, float, int, int]], rate: int, frames: int, block: int = 333
) -> Any:
    """An instrument's sound: notes are (start, end, key, velocity), in seconds and MIDI's numbers."""
    events = [(round(start * rate), bytes((0x90, key, velocity))) for start, _, key, velocity in notes]
    events += [(round(end * rate), bytes((0x80, key, 64))) for _, end, key, _ in notes]
    return play_events(path, sorted(events), rate, frames, block)


def said(frame: int, message: bytes) -> Structure:
    """A message as an event: a note where it is one, else MIDI as it is."""
    kind, channel = message[0] >> 4, message[0] & 15
    if kind in (8, 9):
        on = kind == 9 and message[2] > 0
        return _Note(sizeof(_Note), frame, 0, 0 if on else 1, 0, -1, 0, channel, message[1], message[2] / 127)
    return _Midi(sizeof(_Midi), frame, 0, 10, 0, 0, (c_ubyte * 3)(*message, *bytes(3 - len(message))))


def _played(
    plugin: _Loaded, infos: list[_ParameterInfo], signal: dict[str, Any], sound: Any, beside: Any
) -> tuple[Any, int]:
    block = signal["block"]
    _must(plugin.calls.activate(plugin.address, signal["rate"], 1, block))
    _must(plugin.calls.start_processing(plugin.address))
    latency = int(plugin.extension(b"clap.latency", _Latency).get(plugin.address))
    given = [np.pad(array, ((0, 0), (0, latency))) for array in (sound, beside) if array is not None]
    moves, out = dict(signal["moves"]), []
    for start in range(0, given[0].shape[1], block):
        positions = moves.get(start, ())
        turned = {info.id: _at(info, position) for info, position in zip(infos, positions, strict=False)}
        first, *rest = (np.ascontiguousarray(array[:, start : start + block]) for array in given)
        out.append(plugin.process(first, turned, rest[0] if rest else None, song=transport_at(signal, start)))
    plugin.close()
    return np.concatenate(out, axis=1)[:, latency:], latency


def _at(info: _ParameterInfo, position: float) -> float:
    return float(info.low + (info.high - info.low) * position)


def _read(plugin: _Loaded, info: _ParameterInfo) -> dict[str, Any]:
    texts = [plugin.text(info.id, _at(info, position)) for position in (0.0, 0.5, 1.0)]
    return {"name": info.name.decode(), "unit": " ".join(texts[0].split()[1:]), "texts": texts}


def _comes_back(load: Callable[[], _Loaded], infos: list[_ParameterInfo]) -> bool:
    """Whether parameters come back from a saved state."""
    one, other = load(), load()
    _must(one.calls.activate(one.address, 44_100, 1, 64))
    random = np.random.default_rng(3)
    values = {info.id: _at(info, round(random.random()) if info.flags & 1 else random.random()) for info in infos}
    one.process(np.zeros((2, 64), np.float32), values)
    other.restore(one.saved())
    return all(abs(other.value(known) - value) < 1e-9 for known, value in values.items())
