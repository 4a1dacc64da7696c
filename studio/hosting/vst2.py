"""VST2 plugins, hosted through their binary interface.

DawDreamer can load them too, but renders only whole songs from the start, reads automation once a block, and tells
parameters without their texts. A host of one's own streams, compensates latency and passes tempo and side-chains on.
"""

from __future__ import annotations

import ctypes
import struct
import sys
from collections import deque
from collections.abc import Sequence
from ctypes import POINTER, c_float, c_void_p, cast
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.floating_point import all_as_in_a_daw, as_in_a_daw
from studio.hosting import vst2_abi as abi
from studio.hosting.contract import About, PluginError, Transport
from studio.hosting.parameters import Raw

PIECE = 64
"""Frames a plugin is given at a time, always: many were never tried with a size that changes, and some run away."""

_TEXT = 1024
"""Bytes for texts of a plugin: the standard says 8, and nobody keeps to it."""

_FXP_HEAD = struct.Struct(">4si4siiii28s")
_FXB_HEAD = struct.Struct(">4si4siiii128s")


@all_as_in_a_daw
class Vst2:
    """A VST2 plugin in this process."""

    def __init__(self, path: Path) -> None:
        self._rate = 44_100.0
        self._time = abi.TimeInfo()
        self._answer = abi.CALLBACK(self._asked)
        try:
            library = ctypes.CDLL(str(_binary(path)))
        except OSError as error:
            raise PluginError(
                f"{path.name} cannot be loaded: {error}.", "Look with `ldd` for what it misses."
            ) from None
        entry = getattr(library, "VSTPluginMain", None) or getattr(library, "main", None)
        if entry is None:
            raise PluginError(f"{path.name} is a library, but no VST2 plugin.")
        effect = abi.MAIN(cast(entry, c_void_p).value or 0)(self._answer)
        if not effect or effect.contents.magic != abi.MAGIC:
            raise PluginError(f"{path.name} would not start.")
        self._library, self._effect = library, effect
        self._plugin: Any = effect.contents
        if not self._plugin.flags & abi.REPLACING:
            raise PluginError(f"{path.name} is of a kind from before VST 2.4.")
        self._running, self._skip, self._begun = False, 0, False
        self._ask(abi.OPEN)
        self._process = self._plugin.process_replacing
        self._taken, self._given = (np.zeros((max(1, count), PIECE), np.float32) for count in self._sockets)
        self._inputs, self._outputs = _channels(self._taken), _channels(self._given)
        self.about = self._about(path)

    def _about(self, path: Path) -> About:
        synth = bool(self._plugin.flags & abi.SYNTH)
        inputs, outputs = int(self._plugin.inputs), int(self._plugin.outputs)
        # What a plugin takes beyond what it gives is a side input.
        main = min(inputs, max(1, outputs), 2)
        name = self._text(abi.EFFECT_NAME) or self._text(abi.PRODUCT) or path.stem
        version = self._ask(abi.VENDOR_VERSION) or self._plugin.version
        identity = (int(self._plugin.unique_id) & 0xFFFFFFFF).to_bytes(4, "big")
        return About(
            name=name,
            vendor=self._text(abi.VENDOR),
            version=str(version),
            id="VST2-" + identity.hex(),
            instrument=synth or inputs == 0,
            inputs=main,
            sides=inputs - main,
            outputs=outputs,
        )

    @property
    def _sockets(self) -> tuple[int, int]:
        return int(self._plugin.inputs), int(self._plugin.outputs)

    @property
    def latency(self) -> int:
        """Frames by which the sound comes later."""
        return max(0, int(self._plugin.latency))

    def parameters(self) -> Sequence[Raw]:
        """The parameters, in their order."""
        return [self._parameter(index) for index in range(self._plugin.parameters)]

    def _parameter(self, index: int) -> Raw:
        default = float(self._plugin.get_parameter(self._effect, index))
        return Raw(
            title=self._text(abi.PARAMETER_NAME, index) or f"parameter {index + 1}",
            label=self._text(abi.PARAMETER_LABEL, index),
            index=index,
            default=min(max(default, 0.0), 1.0) if np.isfinite(default) else 0.0,
            steps=0,
            live=True,
            text=partial(self._reading, index, default),
        )

    @as_in_a_daw
    def _reading(self, index: int, default: float, position: float) -> str:
        self._plugin.set_parameter(self._effect, index, position)
        text = self._text(abi.PARAMETER_TEXT, index)
        self._plugin.set_parameter(self._effect, index, default)
        return text

    def turn(self, index: int, position: float) -> None:
        """Set a parameter to a position from 0 to 1."""
        self._plugin.set_parameter(self._effect, index, position)

    def programs(self) -> Sequence[str]:
        """The names of the programs it carries."""
        return [self._text(abi.PROGRAM_NAME, index) for index in range(min(self._plugin.programs, 512))]

    def choose(self, program: int) -> None:
        """Switch to a program by its number."""
        self._ask(abi.SET_PROGRAM, value=program)

    def prepare(self, rate: int) -> None:
        """Get ready to process at a rate in Hz."""
        self._stop()
        self._rate = float(rate)
        self._ask(abi.SET_RATE, option=self._rate)
        self._ask(abi.SET_BLOCK, value=PIECE)
        self._taken[:] = 0
        self._start()
        self._begun = False

    def _start(self) -> None:
        self._ask(abi.SWITCH, value=1)
        self._ask(abi.START)
        self._running = True

    def _stop(self) -> None:
        if self._running:
            self._ask(abi.STOP)
            self._ask(abi.SWITCH, value=0)
            self._running = False

    def process(self, block: Block, transport: Transport | None) -> Block:
        """Process a block of shape (channels, frames)."""
        return self._run(block, (), block.shape[1], transport)

    def play(self, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None) -> Block:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        silence = np.zeros((int(self._plugin.inputs), frames), np.float32)
        return self._run(silence, events, frames, transport)

    def _run(
        self, block: Block, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None
    ) -> Block:
        if not self._begun:
            self._begin()
        late = self.latency
        given = np.zeros((max(1, self._plugin.outputs), frames), np.float32)
        waiting = deque(events)
        for start in range(0, frames, PIECE):
            stop = min(start + PIECE, frames)
            self._taken[: block.shape[0], : stop - start] = block[:, start:stop]
            due = []
            while waiting and waiting[0][0] < stop:
                frame, data = waiting.popleft()
                due.append((frame - start, data))
            self._piece(due, transport, start)
            given[:, start:stop] = self._given[:, : stop - start]
        if self.latency != late:
            raise PluginError(
                f"{self.about.name} changed its latency from {late} to {self.latency} frames in mid-song."
            )
        skipped = min(self._skip, frames)
        self._skip -= skipped
        return given[: max(1, self._plugin.outputs), skipped:]

    def _begin(self) -> None:
        """Find out the latency, which many plugins tell only once they have worked with every parameter in its place."""
        self._piece((), None, 0)
        self._stop()
        self._start()
        self._skip, self._begun = self.latency, True

    def _piece(self, events: Sequence[tuple[int, bytes]], transport: Transport | None, offset: int) -> None:
        self._tell(transport, offset)
        if events:
            held = [_event(frame, data) for frame, data in events]
            listed = abi.event_list(len(held))(count=len(held))
            for index, event in enumerate(held):
                listed.events[index] = ctypes.addressof(event)
            self._ask(abi.EVENTS, pointer=ctypes.addressof(listed))
        self._process(self._effect, self._inputs, self._outputs, PIECE)

    def _tell(self, transport: Transport | None, offset: int) -> None:
        if transport is None:
            self._time.flags = 0
            return
        seconds = offset / self._rate
        now = self._time
        now.samples, now.rate, now.tempo = transport.frame + offset, self._rate, transport.tempo_bpm
        now.quarters, now.bar = transport.quarters + seconds * transport.tempo_bpm / 60, transport.bar_start
        now.numerator, now.denominator = transport.numerator, transport.denominator
        now.flags = abi.PLAYING | abi.QUARTERS | abi.TEMPO | abi.BARS | abi.SIGNATURE

    def state(self) -> bytes:
        """An .fxp file: the plugin's bytes where it has such, else its parameters."""
        plugin = self._plugin
        if plugin.flags & abi.CHUNKS:
            pointer = c_void_p()
            size = self._ask(abi.GET_CHUNK, index=1, pointer=ctypes.addressof(pointer))
            body = ctypes.string_at(pointer.value, size) if pointer.value and size > 0 else b""
            kind, body = b"FPCh", struct.pack(">i", len(body)) + body
        else:
            values = [float(plugin.get_parameter(self._effect, index)) for index in range(plugin.parameters)]
            kind, body = b"FxCk", struct.pack(f">{len(values)}f", *values)
        size = _FXP_HEAD.size - 8 + len(body)
        head = _FXP_HEAD.pack(
            b"CcnK", size, kind, 1, plugin.unique_id, plugin.version, plugin.parameters, self.about.name.encode()[:27]
        )
        return head + body

    def load_state(self, content: bytes) -> None:
        """From an .fxp or .fxb file, or a chunk as it is.

        Raises:
            PluginError: it is cut short, or another plugin's.
        """
        if content[:4] != b"CcnK":
            self._set_chunk(content, bank=False)
            return
        kind = content[8:12]
        head = _FXB_HEAD if kind in (b"FBCh", b"FxBk") else _FXP_HEAD
        if len(content) < head.size:
            raise PluginError("the preset is cut short.")
        owner = int(head.unpack_from(content)[4])
        if owner != self._plugin.unique_id:
            theirs = (owner & 0xFFFFFFFF).to_bytes(4, "big")
            raise PluginError(f"the preset belongs to another plugin, {theirs!r}, not to {self.about.name}.")
        body = content[head.size :]
        if kind in (b"FPCh", b"FBCh"):
            size = int(struct.unpack(">i", body[:4])[0]) if len(body) >= 4 else -1
            if not 0 <= size <= len(body) - 4:
                raise PluginError("the preset is cut short.")
            self._set_chunk(body[4 : 4 + size], bank=kind == b"FBCh")
        elif kind == b"FxCk":
            count = min(int(head.unpack_from(content)[6]), self._plugin.parameters, len(body) // 4)
            for index, value in enumerate(struct.unpack_from(f">{count}f", body)):
                self._plugin.set_parameter(self._effect, index, value)
        else:
            raise PluginError(f"a bank of kind {kind!r} cannot be loaded.", "Save one program of it as .fxp.")

    def _set_chunk(self, body: bytes, bank: bool) -> None:
        if not self._plugin.flags & abi.CHUNKS:
            raise PluginError(f"{self.about.name} keeps no state of its own.", "Use an .fxp file of its parameters.")
        held = ctypes.create_string_buffer(body, len(body))
        self._ask(abi.SET_CHUNK, index=0 if bank else 1, value=len(body), pointer=ctypes.addressof(held))

    def _ask(
        self, opcode: int, *, index: int = 0, value: int = 0, pointer: int | None = None, option: float = 0.0
    ) -> int:
        return int(self._plugin.dispatcher(self._effect, opcode, index, value, pointer, option))

    def _text(self, opcode: int, index: int = 0) -> str:
        buffer = ctypes.create_string_buffer(_TEXT)
        self._ask(opcode, index=index, pointer=ctypes.addressof(buffer))
        return buffer.value.decode("utf-8", "replace").strip()

    def _asked(self, effect: int, opcode: int, index: int, value: int, pointer: int | None, option: float) -> int:
        match opcode:
            case abi.ASKS_VERSION:
                return abi.HOST_VERSION
            case abi.ASKS_TIME:
                return ctypes.addressof(self._time) if self._time.flags else 0
            case abi.ASKS_RATE:
                return int(self._rate)
            case abi.ASKS_BLOCK:
                return PIECE
            case abi.ASKS_LEVEL:
                return abi.OFFLINE
            case abi.ASKS_VENDOR | abi.ASKS_PRODUCT if pointer:
                ctypes.memmove(pointer, b"studio\0", 7)
                return 1
            case abi.ASKS_VENDOR_VERSION:
                return 1
            case abi.ASKS_LANGUAGE:
                return abi.ENGLISH
            case abi.ASKS_CAN_DO if pointer:
                word = ctypes.string_at(pointer)
                return int(word in (b"sendVstEvents", b"sendVstMidiEvent", b"sendVstTimeInfo", b"supplyIdle"))
        return 0

    def close(self) -> None:
        """It ends with its process: many of that age do not stand being closed."""


def _channels(block: Block) -> Any:
    """The channels as C has them; each must lie in one piece."""
    rows = (POINTER(c_float) * block.shape[0])()
    for index in range(block.shape[0]):
        rows[index] = cast(block[index].ctypes.data, POINTER(c_float))
    return rows


def _event(frame: int, data: bytes) -> ctypes.Structure:
    if data[0] >= 0xF0:
        return abi.SysexEvent(
            type=abi.SYSEX, size=ctypes.sizeof(abi.SysexEvent), offset=frame, bytes=len(data), data=data
        )
    event = abi.MidiEvent(type=abi.MIDI, size=ctypes.sizeof(abi.MidiEvent), offset=frame)
    event.data[: len(data)] = data
    return event


def _binary(path: Path) -> Path:
    """The library inside a bundle."""
    if not path.is_dir():
        return path
    inside = (path / "Contents" / "MacOS").glob("*") if sys.platform == "darwin" else path.glob("*.so")
    return next(iter(sorted(inside)), path)
