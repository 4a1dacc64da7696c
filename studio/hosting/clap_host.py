"""CLAP plugins in a host of our own.

Written from the specification: https://github.com/free-audio/clap.
"""

from __future__ import annotations

import ctypes
import json
import sys
from collections.abc import Sequence
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_double, c_float, c_void_p, cast, pointer
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.floating_point import all_as_in_a_daw
from studio.hosting import clap_abi as abi
from studio.hosting.clap_presets import LOAD, ClapPresetLoad, presets_of
from studio.hosting.contract import About, PluginError, Transport
from studio.hosting.lateness import Lateness
from studio.hosting.parameters import Raw

LARGEST = 4096
"""Frames that a plugin is given at most at once."""

_FACTORY = b"clap.plugin-factory"
_TEXT = 256

_VALUES = b'{"clap": '
"""How the file begins in which the parameters of a plugin are kept that gives no state."""


class _HostSide:
    """What a plugin finds when it asks its host for something."""

    def __init__(self) -> None:
        self.working = self.called = False
        nothing = CFUNCTYPE(None, c_void_p)(lambda _: None)
        self._kept = {
            b"clap.params": abi.ClapHostParameters(
                abi.ClapHostParameters._fields_[0][1](lambda _host, _flags: None),
                abi.ClapHostParameters._fields_[1][1](lambda _host, _number, _flags: None),
                nothing,
            ),
            b"clap.thread-check": abi.ClapThreads(
                abi.ClapThreads._fields_[0][1](lambda _: not self.working),
                abi.ClapThreads._fields_[1][1](lambda _: self.working),
            ),
            b"clap.log": abi.ClapLog(abi.ClapLog._fields_[0][1](self._said)),
            # A state that has changed, a latency that has, a tail that has: each is one call that asks for nothing here.
            b"clap.state": abi.ClapLatency(abi.ClapLatency._fields_[0][1](lambda _: 0)),
            b"clap.latency": abi.ClapLatency(abi.ClapLatency._fields_[0][1](lambda _: 0)),
            b"clap.tail": abi.ClapLatency(abi.ClapLatency._fields_[0][1](lambda _: 0)),
        }
        self.table = abi.ClapHost(
            abi.ClapVersion(1, 2, 0), None, b"mirepoix", b"", b"", b"1",
            CFUNCTYPE(c_void_p, c_void_p, ctypes.c_char_p)(lambda _, name: self._extension(name)), nothing, nothing,
            CFUNCTYPE(None, c_void_p)(lambda _: setattr(self, "called", True)),
        )  # fmt: skip

    def _extension(self, name: bytes) -> int | None:
        return ctypes.addressof(self._kept[name]) if name in self._kept else None

    def _said(self, _host: object, _severity: int, text: bytes) -> None:
        sys.stderr.write(f"{text.decode('utf-8', 'replace')}\n")


@all_as_in_a_daw
class Clap:
    """A CLAP plugin in this process.

    Args:
        path: its file, or on macOS its bundle.
        inner: its name or id, where the file holds several.

    Attributes:
        about: what it says of itself.
        infos: all its parameters, in its own order, as it describes them.
    """

    def __init__(self, path: Path, inner: str = "") -> None:
        self._library, entry = _entry(path)
        found = entry.get_factory(_FACTORY)
        if not found:
            raise PluginError(f"{path.name} makes no plugins.")
        factory = cast(found, POINTER(abi.ClapFactory))
        described = _chosen(factory, path, inner)
        self._host = _HostSide()
        self._at = factory.contents.create(factory, byref(self._host.table), described.id)
        if not self._at:
            raise PluginError(f"{path.name} would not start.")
        self._calls = cast(self._at, POINTER(abi.ClapPlugin)).contents
        if not self._calls.init(self._at):
            raise PluginError(f"{path.name} would not start.")
        self._parameters = self._extension(b"clap.params", abi.ClapParameters)
        self.infos = self._infos()
        self._active, self._rate, self._lateness = False, 44_100, Lateness("")
        self._turned: dict[int, float] = {}
        self._channels = [self._ports(True), self._ports(False)]
        self._notes = self._dialects()
        self.about = self._about(described)
        self._presets = presets_of(entry, described.id)
        if not self.about.outputs:
            raise PluginError(f"{self.about.name} makes no sound: it has no output of audio.")

    def _about(self, described: abi.ClapDescriptor) -> About:
        features, index = set[str](), 0
        while described.features and described.features[index]:
            features.add(described.features[index].decode("utf-8", "replace"))
            index += 1
        ins, outs = self._channels
        plays = not ins or ("instrument" in features and self._notes)
        return About(
            name=_plain(described.name),
            vendor=_plain(described.vendor),
            version=_plain(described.release),
            id=_plain(described.id),
            instrument=bool(plays),
            inputs=0 if plays else ins[0],
            sides=0 if plays else sum(ins[1:]),
            outputs=outs[0] if outs else 0,
        )

    def _extension(self, name: bytes, kind: Any) -> Any:
        found = self._calls.get_extension(self._at, name)
        return cast(found, POINTER(kind)).contents if found else None

    def _ports(self, inputs: bool) -> list[int]:
        """The channels of each port of sound."""
        ports, found = self._extension(b"clap.audio-ports", abi.ClapPorts), []
        for index in range(ports.count(self._at, inputs) if ports else 0):
            info = abi.ClapPortInfo()
            ports.get(self._at, index, inputs, byref(info))
            found.append(int(info.channels))
        return found

    def _dialects(self) -> int:
        """How notes may be given to it; 0 when it takes none."""
        ports, info = self._extension(b"clap.note-ports", abi.ClapNotePorts), abi.ClapNotePortInfo()
        if not ports or not ports.count(self._at, True) or not ports.get(self._at, 0, True, byref(info)):
            return 0
        return int(info.dialects)

    def _infos(self) -> list[abi.ClapParameterInfo]:
        infos = []
        for index in range(self._parameters.count(self._at) if self._parameters else 0):
            info = abi.ClapParameterInfo()
            if self._parameters.info(self._at, index, byref(info)):
                infos.append(info)
        return infos

    def parameters(self) -> Sequence[Raw]:
        """What a person can turn: neither meters, nor what is hidden."""
        return [
            Raw(
                title=_plain(info.name),
                label="",
                index=index,
                default=self._position(info),
                steps=round(info.high - info.low) + 1
                if info.flags & abi.STEPPED and info.high - info.low < 1 << 15
                else 0,
                live=bool(info.flags & abi.AUTOMATABLE),
                text=partial(self._text, info),
            )
            for index, info in enumerate(self.infos)
            if not info.flags & (abi.HIDDEN | abi.READ_ONLY)
        ]

    def _position(self, info: abi.ClapParameterInfo) -> float:
        found = c_double(info.initial)
        self._parameters.value(self._at, info.id, byref(found))
        return (found.value - info.low) / (info.high - info.low) if info.high > info.low else 0.0

    def _text(self, info: abi.ClapParameterInfo, position: float) -> str:
        buffer = ctypes.create_string_buffer(_TEXT)
        done = self._parameters.to_text(self._at, info.id, _value(info, position), buffer, _TEXT)
        return _plain(buffer.value) if done else f"{_value(info, position):.6g}"

    @property
    def latency(self) -> int:
        """Frames by which it says it is late."""
        found = self._extension(b"clap.latency", abi.ClapLatency)
        return int(found.get(self._at)) if found else 0

    def programs(self) -> Sequence[str]:
        """The names of the presets that its file tells of."""
        return [preset.name for preset in self._presets]

    def choose(self, program: int) -> None:
        """Load one of these presets.

        Raises:
            PluginError: it would not.
        """
        preset = self._presets[program]
        found = next(filter(None, (self._extension(name, ClapPresetLoad) for name in LOAD)), None)
        if found is None or not found.from_location(self._at, preset.kind, preset.location, preset.key):
            raise PluginError(
                f"{self.about.name} does not load its preset {preset.name!r}.", "Use a file of its state."
            )
        self._turned.clear()

    # Sound

    def turn(self, index: int, position: float) -> None:
        """Turn a parameter to a position from 0 to 1, with the next sound."""
        self._turned[index] = _value(self.infos[index], position)

    def prepare(self, rate: int) -> None:
        """Begin anew at a sample rate, with all sound of before forgotten."""
        self._stop()
        if self._turned and self._parameters:
            # So that it begins at rest where its parameters are, and not on the way there.
            self._parameters.flush(self._at, pointer(_events(self._turns())), cast(pointer(_NOWHERE), c_void_p))
        if not self._calls.activate(self._at, float(rate), 1, LARGEST):
            raise PluginError(f"{self.about.name} does not work at {rate} Hz.")
        self._active, self._rate = True, rate
        self._host.working = True
        self._calls.reset(self._at)
        begun = self._calls.start_processing(self._at)
        self._host.working = False
        if not begun:
            raise PluginError(f"{self.about.name} would not begin to process.")
        self._lateness = Lateness(self.about.name, self.latency)

    def _stop(self) -> None:
        if self._active:
            self._host.working = True
            self._calls.stop_processing(self._at)
            self._host.working = False
            self._calls.deactivate(self._at)
            self._active = False

    def process(self, block: Block, transport: Transport | None) -> Block:
        """The next frames through an effect, side inputs behind the main ones; while latency fills fewer come out."""
        return self._cut(block, (), transport)

    def play(self, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None) -> Block:
        """The next frames of an instrument, with MIDI messages at frames of the block."""
        return self._cut(np.zeros((0, frames), np.float32), events, transport)

    def _cut(self, block: Block, events: Sequence[tuple[int, bytes]], transport: Transport | None) -> Block:
        out = [np.zeros((self.about.outputs, 0), np.float32)]
        for start in range(0, block.shape[1], LARGEST):
            due = [(frame - start, data) for frame, data in events if start <= frame < start + LARGEST]
            song = None if transport is None else transport.later(start, self._rate)
            out.append(self._run(block[:, start : start + LARGEST], due, song))
        whole = np.concatenate(out, axis=1)
        return self._lateness.taken_off(whole, self.latency)

    def _run(self, block: Block, events: Sequence[tuple[int, bytes]], song: Transport | None) -> Block:
        frames, (ins, outs) = block.shape[1], self._channels
        given, out = np.zeros((sum(ins), frames), np.float32), np.zeros((sum(outs), frames), np.float32)
        given[: min(len(block), len(given))] = block[: len(given)]
        listed = self._turns()
        as_notes = bool(self._notes & abi.DIALECT_CLAP)
        heard = [(frame, data) for frame, data in events if data[0] < 0xF0 and (as_notes or self._notes)]
        listed += [abi.heard(frame, data, as_notes) for frame, data in heard if self._takes(data, as_notes)]
        inputs, outputs = _buffers(given, ins), _buffers(out, outs)
        where = pointer(abi.told(song)) if song else None
        process = abi.ClapProcess(
            song.frame if song else -1, frames, cast(where, c_void_p) if where else None, inputs, outputs, len(ins), len(outs),
            pointer(_events(listed)), cast(pointer(_NOWHERE), c_void_p),
        )  # fmt: skip
        self._host.working = True
        done = self._calls.process(self._at, byref(process))
        self._host.working = False
        if not done:
            raise PluginError(f"{self.about.name} refused a block of {frames} frames.")
        if self._host.called:
            self._host.called = False
            self._calls.on_main_thread(self._at)
        return out[: self.about.outputs]

    def _turns(self) -> list[Structure]:
        """What has been turned, as events; it is told once."""
        turned = [(self.infos[index], value) for index, value in self._turned.items()]
        self._turned.clear()
        return [abi.turned(info.id, value, info.cookie) for info, value in turned]

    def _takes(self, data: bytes, as_notes: bool) -> bool:
        """Whether it takes a message: one that only knows notes gets no controllers."""
        return bool(self._notes & abi.DIALECT_MIDI) or (as_notes and data[0] >> 4 in (8, 9))

    # State

    def state(self) -> bytes:
        """The bytes that it would save in a session."""
        if not self._active:
            self.prepare(self._rate)
        # What was turned reaches it with the next sound only.
        self._run(np.zeros((0, 64), np.float32), (), None)
        state, found = self._extension(b"clap.state", abi.ClapState), list[bytes]()
        if state is None:
            return self._values()

        def write(_stream: object, data: int, size: int) -> int:
            found.append(ctypes.string_at(data, size))
            return size

        stream = abi.ClapStream(None, abi.ClapStream._fields_[1][1](write))
        if not state.save(self._at, byref(stream)):
            raise PluginError(f"{self.about.name} gives no state.")
        return b"".join(found)

    def load_state(self, content: bytes) -> None:
        """Take up bytes that `state` gave.

        Raises:
            PluginError: it does not take them.
        """
        state, rest = self._extension(b"clap.state", abi.ClapState), [content]
        if content.startswith(_VALUES):
            self._take_values(content)
            return

        def read(_stream: object, data: int, size: int) -> int:
            piece, rest[0] = rest[0][:size], rest[0][size:]
            ctypes.memmove(data, piece, len(piece))
            return len(piece)

        stream = abi.ClapStream(None, abi.ClapStream._fields_[1][1](read))
        if state is None or not state.load(self._at, byref(stream)):
            raise PluginError(f"{self.about.name} does not take that state: it is another plugin's, or cut short.")
        self._turned.clear()

    def _values(self) -> bytes:
        """Where the parameters of a plugin stand that keeps no state itself."""
        held = {
            str(info.id): _value(info, self._position(info)) for info in self.infos if not info.flags & abi.READ_ONLY
        }
        return json.dumps({"clap": self.about.id, "values": held}).encode()

    def _take_values(self, content: bytes) -> None:
        try:
            plain = json.loads(content)
            theirs, held = str(plain["clap"]), {int(key): float(value) for key, value in plain["values"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            raise PluginError("the preset is cut short.") from None
        if theirs != self.about.id:
            raise PluginError(f"the preset belongs to another plugin ({theirs}), not to {self.about.name}.")
        for index, info in enumerate(self.infos):
            if info.id in held:
                self._turned[index] = min(max(held[info.id], info.low), info.high)

    def close(self) -> None:
        """Let go of it."""
        self._stop()
        self._calls.destroy(self._at)


def _events(listed: Sequence[Structure]) -> abi.ClapEvents:
    """Events as a plugin reads them."""
    return abi.ClapEvents(
        None,
        abi.ClapEvents._fields_[1][1](lambda _: len(listed)),
        abi.ClapEvents._fields_[2][1](lambda _, index: ctypes.addressof(listed[index])),
    )


_NOWHERE = abi.ClapEventsOut(None, abi.ClapEventsOut._fields_[1][1](lambda _list, _event: True))
"""Where events go that a plugin puts out."""


def _entry(path: Path) -> tuple[Any, abi.ClapEntry]:
    """The library of a file, and what it shows."""
    binary = path / "Contents" / "MacOS" / path.stem if path.is_dir() else path
    try:
        library = ctypes.CDLL(str(binary))
        entry = abi.ClapEntry.in_dll(library, "clap_entry")
    except (OSError, ValueError) as error:
        raise PluginError(f"{path.name} cannot be loaded: {error}") from None
    if entry.version.major < 1 or not entry.init(str(path).encode()):
        raise PluginError(f"{path.name} would not start, or is of a kind from before CLAP 1.0.")
    return library, entry


def _chosen(factory: Any, path: Path, inner: str) -> abi.ClapDescriptor:
    """The plugin of a file that is meant: the only one, the one called so, or the one called as the file.

    Raises:
        PluginError: there is none, or it is not clear which.
    """
    known: list[abi.ClapDescriptor] = [
        factory.contents.describe(factory, index).contents for index in range(factory.contents.count(factory))
    ]
    for each in known:
        if (inner or path.stem) in (_plain(each.name), _plain(each.id)):
            return each
    if len(known) == 1 and not inner:
        return known[0]
    listed = ", ".join(_plain(each.name) for each in known[:12]) or "none"
    raise PluginError(f"{path.name} holds {len(known)} plugins: {listed}.", f"Write which one: `{path.name}#NAME`.")


def _plain(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")


def _value(info: abi.ClapParameterInfo, position: float) -> float:
    value = info.low + (info.high - info.low) * position
    return float(round(value)) if info.flags & abi.STEPPED else float(value)


def _buffers(block: Block, channels: Sequence[int]) -> Any:
    """The channels of a block as ports; each channel must lie in one piece."""
    buffers, row = (abi.ClapBuffer * max(1, len(channels)))(), 0
    for port, count in enumerate(channels):
        rows = (POINTER(c_float) * max(1, count))()
        for index in range(count):
            rows[index] = cast(block[row + index].ctypes.data, POINTER(c_float))
        buffers[port] = abi.ClapBuffer(rows, None, count, 0, 0)
        row += count
    return buffers
