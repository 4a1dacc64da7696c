"""VST3 plugins in a host of our own, which tells them the tempo, feeds side inputs, and moves parameters at a frame.

Written against the public description of the format: https://steinbergmedia.github.io/vst3_doc/
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Sequence
from ctypes import (
    POINTER,
    byref,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from functools import partial
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.floating_point import all_as_in_a_daw
from studio.hosting import vst3_abi as abi
from studio.hosting.contract import About, PluginError, Transport
from studio.hosting.lateness import Lateness
from studio.hosting.parameters import Raw
from studio.hosting.vst3_files import juce_state, preset_parts
from studio.hosting.vst3_served import Changes, Events, Vst3Stream

LARGEST = 8192
"""Frames that a plugin is given at most at once."""

_DPF = "2046504473616C63"
"""How class ids begin that DISTRHO's framework gives. It reads sound from the first bus alone, and takes the channels of
side inputs behind those of that bus (`process` in DistrhoPluginVST3.cpp, at least up to 2023)."""

_WORTHLESS = abi.READ_ONLY | abi.HIDDEN
_Text = c_uint16 * 128


@all_as_in_a_daw
class Vst3:
    """A VST3 plugin in this process.

    Attributes:
        about: what it says of itself.
        controls: all its parameters, in its own order, as it describes them.
    """

    def __init__(self, path: Path, inner: str = "") -> None:
        module = abi.factory(path)
        found = abi.classes(module)
        named = [each for each in found if not inner or each.name.decode("utf-8", "replace") == inner]
        if not named:
            raise PluginError(f"{path.name} holds no plugin{f' {inner!r}' if inner else ''}.")
        chosen = named[0]
        self._module = module
        self._component, self._controller = abi.opened(module, bytes(chosen)[:16], path.name)
        self._processor = abi.interface(self._component, abi.PROCESSOR)
        if not self._processor:
            raise PluginError(f"{path.name} makes no sound.")
        self._handler = abi.Served(
            (c_int32, (c_uint32,), lambda _: abi.OK), (c_int32, (c_uint32, c_double), lambda *_: abi.OK),
            (c_int32, (c_uint32,), lambda _: abi.OK), (c_int32, (c_int32,), lambda _: abi.OK),
        )  # fmt: skip
        abi.call(self._controller, abi.SET_HANDLER, c_int32, (c_void_p, self._handler.address))
        self._mapping = abi.interface(self._controller, abi.MAPPING)
        self._pass_state(self._component_state())
        self.controls = self._infos()
        self._turns, self._happened = Changes(), Events()
        self._sink, self._nowhere = Changes(), Events()
        self._rate, self._active, self._lateness = 44_100, False, Lateness("")
        self._arrange()
        self.about = self._about(chosen)

    def close(self) -> None:
        """Let go of the plugin."""
        self._stop()
        abi.call(self._controller, abi.SET_HANDLER, c_int32, (c_void_p, None))
        abi.closed(self._component, self._controller, self._processor, *filter(None, (self._mapping,)))

    # What it is

    def _about(self, chosen: abi.ClassInfo) -> About:
        ins, outs = self._channels[abi.INPUT], self._channels[abi.OUTPUT]
        two, more = abi.interface(self._module, abi.FACTORY_2), abi.ClassInfo2()
        for index in range(abi.call(self._module, abi.COUNT_CLASSES, c_int32) if two else 0):
            abi.call(two, abi.CLASS_INFO_2, c_int32, (c_int32, index), (c_void_p, byref(more)))
            if bytes(more)[:16] == bytes(chosen)[:16]:
                break
        maker = abi.FactoryInfo()
        abi.call(self._module, abi.FACTORY_INFO, c_int32, (c_void_p, byref(maker)))
        return About(
            name=chosen.name.decode("utf-8", "replace"),
            vendor=(more.vendor or maker.vendor).decode("utf-8", "replace"),
            version=more.version.decode("utf-8", "replace"),
            id=abi.identity(bytes(chosen)[:16].hex()).hex().upper(),
            instrument=b"Instrument" in more.kinds or not ins,
            inputs=ins[0] if ins else 0,
            sides=sum(ins[1:]),
            outputs=outs[0] if outs else 0,
        )

    def _infos(self) -> list[abi.ParameterInfo]:
        infos = []
        for index in range(abi.call(self._controller, abi.COUNT_PARAMETERS, c_int32)):
            info = abi.ParameterInfo()
            if (
                abi.call(self._controller, abi.PARAMETER_INFO, c_int32, (c_int32, index), (c_void_p, byref(info)))
                == abi.OK
            ):
                infos.append(info)
        return infos

    def parameters(self) -> Sequence[Raw]:
        """What a person can turn: neither meters, nor what is hidden."""
        return [
            Raw(
                title=abi.text_of(info.title),
                label=abi.text_of(info.units),
                index=index,
                default=self.position(info.id),
                steps=info.steps + 1 if 0 < info.steps < 1 << 15 else 0,
                live=bool(info.flags & abi.CAN_AUTOMATE),
                text=partial(self.text, info.id),
            )
            for index, info in enumerate(self.controls)
            if not info.flags & _WORTHLESS
        ]

    def position(self, number: int) -> float:
        """Where the parameter of a number stands, from 0 to 1."""
        return float(abi.call(self._controller, abi.GET_POSITION, c_double, (c_uint32, number)))

    def text(self, number: int, position: float) -> str:
        """What the plugin shows of a parameter at a position."""
        found = _Text()
        abi.call(
            self._controller, abi.TO_TEXT, c_int32, (c_uint32, number), (c_double, position), (c_void_p, byref(found))
        )
        return abi.text_of(found)

    @property
    def latency(self) -> int:
        """Frames by which it says it is late."""
        return int(abi.call(self._processor, abi.LATENCY, c_uint32))

    def programs(self) -> Sequence[str]:
        """The names of its own programs: those of its first list."""
        units, about = abi.interface(self._controller, abi.UNITS), abi.ProgramList()
        if not units or not abi.call(units, abi.LIST_COUNT, c_int32):
            return ()
        abi.call(units, abi.LIST_INFO, c_int32, (c_int32, 0), (c_void_p, byref(about)))
        names = []
        for index in range(about.programs):
            name = _Text()
            abi.call(units, abi.PROGRAM_NAME, c_int32, (c_int32, about.id), (c_int32, index), (c_void_p, byref(name)))
            names.append(abi.text_of(name))
        return names

    def choose(self, program: int) -> None:
        """Load one of its own programs.

        Raises:
            PluginError: it has none.
        """
        chooser = next((index for index, info in enumerate(self.controls) if info.flags & abi.PROGRAM_CHANGE), None)
        if chooser is None:
            raise PluginError(f"{self.about.name} has no programs.", "Use a .vstpreset file.")
        self.turn(chooser, program / max(1, self.controls[chooser].steps))

    # Sound

    def turn(self, index: int, position: float, frame: int = 0) -> None:
        """Turn a parameter to a position from 0 to 1, at a frame of the next block."""
        number = self.controls[index].id
        abi.call(self._controller, abi.SET_POSITION, c_int32, (c_uint32, number), (c_double, position))
        self._turns.add(number, frame, position)

    def prepare(self, rate: int, mono: bool = False) -> None:
        """Begin anew at a sample rate, with all sound of before forgotten; the first bus in stereo, or in `mono`."""
        self._stop()
        self._arrange(abi.MONO if mono else abi.STEREO)
        setup = abi.Setup(0, 0, LARGEST, float(rate))
        if abi.call(self._processor, abi.SET_UP, c_int32, (c_void_p, byref(setup))) not in (abi.OK, abi.NOT_DONE):
            raise PluginError(f"{self.about.name} does not work at {rate} Hz.")
        self._rate = rate
        self._start()
        if self._turns:
            # So that it begins at rest where its parameters are, and not on the way there.
            self._run(np.zeros((0, 64), np.float32), None)
            self._stop()
            self._start()
        self._lateness = Lateness(self.about.name, self.latency)

    def _start(self) -> None:
        abi.call(self._component, abi.SET_ACTIVE, c_int32, (c_uint8, 1))
        abi.call(self._processor, abi.SET_PROCESSING, c_int32, (c_uint8, 1))
        self._active = True

    def _stop(self) -> None:
        if self._active:
            abi.call(self._processor, abi.SET_PROCESSING, c_int32, (c_uint8, 0))
            abi.call(self._component, abi.SET_ACTIVE, c_int32, (c_uint8, 0))
            self._active = False

    def _arrange(self, main: int = abi.STEREO) -> None:
        """Ask for a layout, take the one it has, and open all its buses."""
        own = [self._arrangements(way) for way in (abi.INPUT, abi.OUTPUT)]
        # Side inputs stay as they are: some shut those that they are asked to change.
        wanted = [[main, *each[1:]] if each else each for each in own]
        for layout in (wanted, own):
            ins, outs = ((c_uint64 * max(1, len(each)))(*each) for each in layout)
            given = (c_void_p, byref(ins)), (c_int32, len(own[0])), (c_void_p, byref(outs)), (c_int32, len(own[1]))
            if abi.call(self._processor, abi.ARRANGE, c_int32, *given) == abi.OK:
                break
        self._channels: list[list[int]] = [[], []]
        for media in (abi.AUDIO, abi.EVENTS):
            for way in (abi.INPUT, abi.OUTPUT):
                for bus in range(abi.call(self._component, abi.BUS_COUNT, c_int32, (c_int32, media), (c_int32, way))):
                    info = abi.BusInfo()
                    asked = (c_int32, media), (c_int32, way), (c_int32, bus)
                    abi.call(self._component, abi.BUS_INFO, c_int32, *asked, (c_void_p, byref(info)))
                    abi.call(self._component, abi.ACTIVATE_BUS, c_int32, *asked, (c_uint8, 1))
                    if media == abi.AUDIO:
                        self._channels[way].append(int(info.channels))

    def _arrangements(self, way: int) -> list[int]:
        """The speakers of each bus of sound, as it has them now."""
        found = []
        for bus in range(abi.call(self._component, abi.BUS_COUNT, c_int32, (c_int32, abi.AUDIO), (c_int32, way))):
            speakers = c_uint64(abi.STEREO)
            asked = (c_int32, way), (c_int32, bus), (c_void_p, byref(speakers))
            abi.call(self._processor, abi.ARRANGEMENT, c_int32, *asked)
            found.append(speakers.value)
        return found

    def process(self, block: Block, transport: Transport | None) -> Block:
        """The next frames through an effect, its side inputs behind the main one; while latency fills fewer come out."""
        pieces = [
            self._run(block[:, start : start + LARGEST], transport and transport.later(start, self._rate))
            for start in range(0, block.shape[1], LARGEST)
        ]
        out = np.concatenate(pieces, axis=1) if pieces else np.zeros((self.about.outputs, 0), np.float32)
        return self._lateness.taken_off(out, self.latency)

    def play(self, events: Sequence[tuple[int, bytes]], frames: int, transport: Transport | None) -> Block:
        """The next frames of an instrument, with MIDI messages at frames of the block, which has at most `LARGEST`."""
        for frame, message in events:
            self._hear(frame, message)
        return self.process(np.zeros((0, frames), np.float32), transport)

    def _hear(self, frame: int, message: bytes) -> None:
        """Notes are events; what turns is a parameter, if the plugin has given one to it."""
        kind, channel = message[0] >> 4, message[0] & 15
        event = abi.Vst3Event(offset=frame)
        if kind == 9 and message[2]:
            event.what.on = abi.NoteOn(channel, message[1], 0.0, message[2] / 127, 0, -1)
        elif kind in (8, 9):
            event.kind, event.what.off = abi.NOTE_OFF, abi.NoteOff(channel, message[1], message[2] / 127, -1, 0.0)
        elif kind == 10:
            event.kind, event.what.pressure = (
                abi.POLY_PRESSURE,
                abi.PolyPressure(channel, message[1], message[2] / 127, -1),
            )
        else:
            number, position = {
                11: lambda: (message[1], message[2] / 127),
                13: lambda: (abi.CHANNEL_PRESSURE, message[1] / 127),
                14: lambda: (abi.PITCH_BEND, (message[1] | message[2] << 7) / 16383),
            }.get(kind, lambda: (-1, 0.0))()
            parameter = c_uint32()
            asked = (c_int32, 0), (c_int16, channel), (c_int16, number), (c_void_p, byref(parameter))
            if self._mapping and number >= 0 and abi.call(self._mapping, abi.ASSIGNMENT, c_int32, *asked) == abi.OK:
                self._turns.add(parameter.value, frame, position)
            return
        self._happened.list.append(event)

    def _run(self, block: Block, transport: Transport | None) -> Block:
        frames = block.shape[1]
        ins, outs = self._channels
        if self.about.id.startswith(_DPF) and ins:
            ins = [sum(ins)]
        given = np.zeros((sum(ins), frames), np.float32)
        given[: min(len(block), len(given))] = block[: len(given)]
        out = np.zeros((sum(outs), frames), np.float32)
        inputs, outputs = _buses(given, ins), _buses(out, outs)
        block_of = abi.Block(
            0, 0, frames, len(ins), len(outs), inputs, outputs, self._turns.address, self._sink.address,
            self._happened.address, self._nowhere.address, ctypes.pointer(_context(transport, self._rate)),
        )  # fmt: skip
        done = abi.call(self._processor, abi.PROCESS, c_int32, (c_void_p, byref(block_of)))
        for each in (self._turns, self._sink):
            each.clear()
        self._happened.list.clear()
        self._nowhere.list.clear()
        if done != abi.OK:
            raise PluginError(f"{self.about.name} refused a block of {frames} frames.")
        return out[: outs[0] if outs else 0]

    # State

    def state(self) -> bytes:
        """A .vstpreset file of where it stands."""
        # What was turned reaches the component, whose state this is, with the next sound only.
        if not self._active:
            self.prepare(self._rate)
        self._run(np.zeros((0, 64), np.float32), None)
        parts = [(b"Comp", self._component_state()), (b"Cont", self._own_state())]
        head = 48
        body, entries = b"", b""
        for name, content in parts:
            entries += name + struct.pack("<qq", head + len(body), len(content))
            body += content
        listing = b"List" + struct.pack("<i", len(parts)) + entries
        return struct.pack("<4si32sq", b"VST3", 1, self.about.id.encode(), head + len(body)) + body + listing

    def load_state(self, content: bytes) -> None:
        """From a .vstpreset file, a state as JUCE's hosts keep it, or the component's bytes as they are.

        Raises:
            PluginError: it is another plugin's, damaged, or refused.
        """
        own = b""
        if content[:4] == b"VST3":
            theirs = content[8:40].decode("ascii", "replace")
            if theirs.upper() != self.about.id:
                raise PluginError(f"the preset belongs to another plugin ({theirs}), not to {self.about.name}.")
            parts = preset_parts(content)
            content, own = parts.get(b"Comp", b""), parts.get(b"Cont", b"")
        elif (kept := juce_state(content)) is not None:
            content, own = kept
        stream = Vst3Stream(content)
        if abi.call(self._component, abi.SET_STATE, c_int32, (c_void_p, stream.address)) not in (abi.OK, abi.NOT_DONE):
            raise PluginError(f"{self.about.name} does not take that state.")
        self._pass_state(content)
        if own:
            stream = Vst3Stream(own)
            abi.call(self._controller, abi.SET_OWN_STATE, c_int32, (c_void_p, stream.address))

    def _component_state(self) -> bytes:
        stream = Vst3Stream()
        abi.call(self._component, abi.GET_STATE, c_int32, (c_void_p, stream.address))
        return bytes(stream.content)

    def _own_state(self) -> bytes:
        if found := abi.interface(self._component, abi.CONTROLLER):
            abi.released(found)
            return b""
        stream = Vst3Stream()
        abi.call(self._controller, abi.GET_OWN_STATE, c_int32, (c_void_p, stream.address))
        return bytes(stream.content)

    def _pass_state(self, content: bytes) -> None:
        if content:
            stream = Vst3Stream(content)
            abi.call(self._controller, abi.SET_COMPONENT_STATE, c_int32, (c_void_p, stream.address))


def _context(transport: Transport | None, rate: int) -> abi.Context:
    if transport is None:
        return abi.Context(0, float(rate))
    state = abi.PLAYING | abi.HAS_QUARTERS | abi.HAS_TEMPO | abi.HAS_BAR | abi.HAS_SIGNATURE | abi.HAS_CONTINUOUS
    return abi.Context(
        state, float(rate), transport.frame, 0, transport.frame, transport.quarters, transport.bar_start, 0.0, 0.0,
        transport.tempo_bpm, transport.numerator, transport.denominator,
    )  # fmt: skip


def _buses(block: Block, channels: Sequence[int]) -> ctypes.Array[abi.Buses]:
    """The channels of a block as buses; each must lie in one piece."""
    buses, row = (abi.Buses * max(1, len(channels)))(), 0
    for bus, count in enumerate(channels):
        rows = (POINTER(c_float) * max(1, count))()
        for index in range(count):
            rows[index] = ctypes.cast(block[row + index].ctypes.data, POINTER(c_float))
        buses[bus] = abi.Buses(count, 0, rows)
        row += count
    return buses
