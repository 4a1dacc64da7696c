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
    c_char_p,
    c_double,
    c_float,
    c_uint32,
    c_void_p,
    cast,
    create_string_buffer,
    memmove,
    pointer,
)  # fmt: skip
from pathlib import Path
from typing import Any

import numpy as np

from studio.exporting.plugin.vst3_probe import transport_at
from studio.hosting.clap_abi import (
    ClapBuffer,
    ClapEntry,
    ClapEvents,
    ClapFactory,
    ClapHost,
    ClapHostParameters,
    ClapLatency,
    ClapParameterInfo,
    ClapParameters,
    ClapPlugin,
    ClapProcess,
    ClapState,
    ClapStream,
    ClapVersion,
    heard,
    told,
    turned,
)
from studio.hosting.contract import Transport


class _Loaded:
    """One instance of a plugin, and what it needs kept alive."""

    def __init__(self, entry: ClapEntry) -> None:
        factory = cast(entry.get_factory(b"clap.plugin-factory"), POINTER(ClapFactory)).contents
        address = pointer(factory)
        described = factory.describe(address, 0).contents
        nothing = CFUNCTYPE(None, c_void_p)(lambda host: None)
        self.rescans: list[int] = []
        self._rescan = ClapHostParameters(
            CFUNCTYPE(None, c_void_p, c_uint32)(lambda host, flags: self.rescans.append(flags)),
            CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)(lambda host, known, flags: None),
            nothing,
        )
        known = CFUNCTYPE(c_void_p, c_void_p, c_char_p)(
            lambda host, name: ctypes.addressof(self._rescan) if name == b"clap.params" else None
        )
        self._host = ClapHost(ClapVersion(1, 2, 0), None, b"studio", b"", b"", b"1", known, nothing, nothing, nothing)
        self.name, self.id = described.name.decode(), described.id
        self.address = factory.create(address, byref(self._host), described.id)
        self.calls = cast(self.address, POINTER(ClapPlugin)).contents
        _must(self.calls.init(self.address))

    def extension(self, name: bytes, kind: type[Structure]) -> Any:
        return cast(self.calls.get_extension(self.address, name), POINTER(kind)).contents

    @property
    def parameters(self) -> list[ClapParameterInfo]:
        extension, infos = self.extension(b"clap.params", ClapParameters), []
        for index in range(extension.count(self.address)):
            info = ClapParameterInfo()
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
        events += [turned(known, value) for known, value in values.items()]
        listed = ClapEvents(
            None,
            CFUNCTYPE(c_uint32, c_void_p)(lambda _: len(events)),
            CFUNCTYPE(c_void_p, c_void_p, c_uint32)(lambda _, index: ctypes.addressof(events[index])),
        )
        out = np.zeros_like(sound)
        outputs = _buffer(out)
        fed = [_buffer(array) for array in (sound, beside) if array is not None and notes is None]
        inputs = (ClapBuffer * len(fed))(*fed)
        where = pointer(told(song)) if song else None
        process = ClapProcess(
            -1,
            sound.shape[1],
            cast(where, c_void_p) if where else None,
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

        stream = ClapStream(None, ClapStream._fields_[1][1](write))
        _must(self.extension(b"clap.state", ClapState).save(self.address, byref(stream)))
        return b"".join(found)

    def restore(self, state: bytes) -> None:
        rest = [state]

        def read(stream: int, data: int, size: int) -> int:
            piece, rest[0] = rest[0][:size], rest[0][size:]
            memmove(data, piece, len(piece))
            return len(piece)

        stream = ClapStream(None, ClapStream._fields_[1][1](read))
        _must(self.extension(b"clap.state", ClapState).load(self.address, byref(stream)))

    def value(self, id: int) -> float:
        found = c_double()
        _must(self.extension(b"clap.params", ClapParameters).value(self.address, id, byref(found)))
        return found.value

    def read(self, id: int, text: str) -> float | None:
        """The value that a text means; None if the plugin cannot read it."""
        found = c_double()
        extension = self.extension(b"clap.params", ClapParameters)
        return found.value if extension.from_text(self.address, id, text.encode(), byref(found)) else None

    def text(self, id: int, value: float) -> str:
        buffer = create_string_buffer(64)
        _must(self.extension(b"clap.params", ClapParameters).to_text(self.address, id, value, buffer, 64))
        return buffer.value.decode()

    def close(self) -> None:
        self.calls.deactivate(self.address)
        self.calls.destroy(self.address)


def _must(done: object) -> None:
    """What a plugin was asked for and has to do.

    Raises:
        RuntimeError: it refused.
    """
    if not done:
        raise RuntimeError("the plugin refused what CLAP says it must do")


def _buffer(array: Any) -> ClapBuffer:
    rows = (POINTER(c_float) * len(array))(*(row.ctypes.data_as(POINTER(c_float)) for row in array))
    return ClapBuffer(rows, None, len(array), 0, 0)


def in_clap_probe(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play the signals of a job, as the other hosts do."""
    library = ctypes.CDLL(job["plugin"])
    entry = ClapEntry.in_dll(library, "clap_entry")
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
    entry = ClapEntry.in_dll(library, "clap_entry")
    _must(entry.init(str(path).encode()))
    plugin = _Loaded(entry)
    ports = plugin.extension(b"clap.note-ports", ClapLatency)
    _must(ports is not None)
    _must(plugin.calls.activate(plugin.address, float(rate), 1, block))
    _must(plugin.calls.start_processing(plugin.address))
    return plugin


def play_events(path: Path, events: Sequence[tuple[int, bytes]], rate: int, frames: int, block: int = 333) -> Any:
    """An instrument's sound: `events` are messages of MIDI at their frames. Notes are given as notes."""
    plugin = opened(path, rate, block)
    late = int(plugin.extension(b"clap.latency", ClapLatency).get(plugin.address))
    out = []
    for start in range(0, frames + late, block):
        due = [heard(frame - start, message) for frame, message in events if start <= frame < start + block]
        out.append(plugin.process(np.zeros((2, block), np.float32), {}, notes=due))
    plugin.close()
    return np.concatenate(out, axis=1)[:, late:]


def play_notes(
    path: Path, notes: Sequence[tuple[float, float, int, int]], rate: int, frames: int, block: int = 333
) -> Any:
    """An instrument's sound: notes are (start, end, key, velocity), in seconds and MIDI's numbers."""
    events = [(round(start * rate), bytes((0x90, key, velocity))) for start, _, key, velocity in notes]
    events += [(round(end * rate), bytes((0x80, key, 64))) for _, end, key, _ in notes]
    return play_events(path, sorted(events), rate, frames, block)


def _played(
    plugin: _Loaded, infos: list[ClapParameterInfo], signal: dict[str, Any], sound: Any, beside: Any
) -> tuple[Any, int]:
    block = signal["block"]
    _must(plugin.calls.activate(plugin.address, signal["rate"], 1, block))
    _must(plugin.calls.start_processing(plugin.address))
    latency = int(plugin.extension(b"clap.latency", ClapLatency).get(plugin.address))
    given = [np.pad(array, ((0, 0), (0, latency))) for array in (sound, beside) if array is not None]
    moves, out = dict(signal["moves"]), []
    for start in range(0, given[0].shape[1], block):
        positions = moves.get(start, ())
        turned = {info.id: _at(info, position) for info, position in zip(infos, positions, strict=False)}
        first, *rest = (np.ascontiguousarray(array[:, start : start + block]) for array in given)
        out.append(plugin.process(first, turned, rest[0] if rest else None, song=transport_at(signal, start)))
    plugin.close()
    return np.concatenate(out, axis=1)[:, latency:], latency


def _at(info: ClapParameterInfo, position: float) -> float:
    return float(info.low + (info.high - info.low) * position)


def _read(plugin: _Loaded, info: ClapParameterInfo) -> dict[str, Any]:
    texts = [plugin.text(info.id, _at(info, position)) for position in (0.0, 0.5, 1.0)]
    return {"name": info.name.decode(), "unit": " ".join(texts[0].split()[1:]), "texts": texts}


def _comes_back(load: Callable[[], _Loaded], infos: list[ClapParameterInfo]) -> bool:
    """Whether parameters come back from a saved state."""
    one, other = load(), load()
    _must(one.calls.activate(one.address, 44_100, 1, 64))
    random = np.random.default_rng(3)
    values = {info.id: _at(info, round(random.random()) if info.flags & 1 else random.random()) for info in infos}
    one.process(np.zeros((2, 64), np.float32), values)
    other.restore(one.saved())
    return all(abs(other.value(known) - value) < 1e-9 for known, value in values.items())
