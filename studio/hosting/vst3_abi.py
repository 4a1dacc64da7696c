"""The binary interface of VST 3 plugins, as far as hosting them without a window needs it.

Written from the interface that is publicly known; the numbers are facts of the format:
https://steinbergmedia.github.io/vst3_doc/
"""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    Union,
    byref,
    c_char,
    c_double,
    c_float,
    c_int16,
    c_int32,
    c_int64,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)  # fmt: skip
from pathlib import Path
from typing import Any

from studio.hosting.contract import PluginError

# The slots of the interfaces' tables: each begins with the three of FUnknown, components and controllers go on with
# the two of IPluginBase.
QUERY, RELEASE = 0, 2
FACTORY_INFO, COUNT_CLASSES, CLASS_INFO, CREATE, CLASS_INFO_2 = 3, 4, 5, 6, 7
INITIALIZE, TERMINATE = 3, 4
CONTROLLER_CLASS, BUS_COUNT, BUS_INFO, ACTIVATE_BUS, SET_ACTIVE, SET_STATE, GET_STATE = 5, 7, 8, 10, 11, 12, 13
ARRANGE, ARRANGEMENT, LATENCY, SET_UP, SET_PROCESSING, PROCESS = 3, 4, 6, 7, 8, 9
SET_COMPONENT_STATE, SET_OWN_STATE, GET_OWN_STATE = 5, 6, 7
COUNT_PARAMETERS, PARAMETER_INFO, TO_TEXT, TO_PLAIN, GET_POSITION, SET_POSITION, SET_HANDLER = 8, 9, 10, 12, 14, 15, 16
CONNECT, DISCONNECT = 3, 4
ASSIGNMENT = 3
UNIT_COUNT, UNIT_INFO, LIST_COUNT, LIST_INFO, PROGRAM_NAME = 3, 4, 5, 6, 7

COMPONENT, CONTROLLER = "E831FF31F2D54301928EBBEE25697802", "DCD7BBE37742448DA874AACC979C759E"
CONNECTION, PROCESSOR = "70A4156F6E6E4026989148BFAA60D8D1", "42043F99B7DA453CA569E79D9AAEC33D"
MAPPING, UNITS = "DF0FF9F749B74669B63AB7327ADBF5E5", "3D4BD6B5913A4FD2A886E768A5EB92C1"
FACTORY_2, UNKNOWN = "0007B650F24B4C0BA464EDB9F00B2ABB", "0000000000000000C000000000000046"

# What a parameter says of itself.
CAN_AUTOMATE, READ_ONLY, HIDDEN, PROGRAM_CHANGE, IS_BYPASS = 1 << 0, 1 << 1, 1 << 4, 1 << 15, 1 << 16

OK, NO_INTERFACE, NOT_DONE = 0, -1, 1
_IDENTITY = c_char * 16
_Text = c_uint16 * 128


class ClassInfo(Structure):
    """A class of a factory."""

    _fields_ = [("id", _IDENTITY), ("cardinality", c_int32), ("category", c_char * 32), ("name", c_char * 64)]


class ClassInfo2(Structure):
    """A class of a factory, with what it is and who made it."""

    _fields_ = [
        *ClassInfo._fields_,
        ("flags", c_uint32), ("kinds", c_char * 128), ("vendor", c_char * 64), ("version", c_char * 64), ("sdk", c_char * 64),
    ]  # fmt: skip


class FactoryInfo(Structure):
    """Who made a module."""

    _fields_ = [("vendor", c_char * 64), ("url", c_char * 256), ("email", c_char * 128), ("flags", c_int32)]


class BusInfo(Structure):
    """A bus of a component; `kind` is 0 for the main one."""

    _fields_ = [
        ("media", c_int32), ("direction", c_int32), ("channels", c_int32), ("name", _Text), ("kind", c_int32),
        ("flags", c_uint32),
    ]  # fmt: skip


AUDIO, EVENTS = 0, 1
INPUT, OUTPUT = 0, 1
MONO, STEREO = 1 << 19, 3


class Setup(Structure):
    """How a processor is to work; mode 0 is real time, 2 offline."""

    _fields_ = [("mode", c_int32), ("sample_size", c_int32), ("most_frames", c_int32), ("rate", c_double)]


class Buses(Structure):
    """The channels of one bus in one block."""

    _fields_ = [("channels", c_int32), ("silent", c_uint64), ("samples", POINTER(POINTER(c_float)))]


class Context(Structure):
    """Where the song is at the first frame of a block."""

    _fields_ = [
        ("state", c_uint32), ("rate", c_double), ("frame", c_int64), ("system_time", c_int64), ("continuous", c_int64),
        ("quarters", c_double), ("bar_start", c_double), ("cycle_start", c_double), ("cycle_end", c_double),
        ("tempo_bpm", c_double), ("numerator", c_int32), ("denominator", c_int32), ("chord", c_int32),
        ("smpte", c_int32), ("frame_rate", c_uint32), ("frame_flags", c_uint32), ("next_clock", c_int32),
    ]  # fmt: skip


PLAYING, HAS_QUARTERS, HAS_TEMPO, HAS_BAR, HAS_SIGNATURE, HAS_CONTINUOUS = (1 << bit for bit in (1, 9, 10, 11, 13, 17))


class Block(Structure):
    """All that a processor is given for some frames."""

    _fields_ = [
        ("mode", c_int32), ("sample_size", c_int32), ("frames", c_int32), ("input_buses", c_int32),
        ("output_buses", c_int32), ("inputs", POINTER(Buses)), ("outputs", POINTER(Buses)), ("changes", c_void_p),
        ("changes_out", c_void_p), ("events", c_void_p), ("events_out", c_void_p), ("context", POINTER(Context)),
    ]  # fmt: skip


class NoteOn(Structure):
    """A note that starts, as VST3 lays it out."""

    _fields_ = [
        ("channel", c_int16), ("key", c_int16), ("tuning", c_float), ("velocity", c_float), ("length", c_int32),
        ("note", c_int32),
    ]  # fmt: skip


class NoteOff(Structure):
    """A note that ends, as VST3 lays it out."""

    _fields_ = [
        ("channel", c_int16), ("key", c_int16), ("velocity", c_float), ("note", c_int32), ("tuning", c_float),
    ]  # fmt: skip


class PolyPressure(Structure):
    """Pressure on one key, as VST3 lays it out."""

    _fields_ = [("channel", c_int16), ("key", c_int16), ("pressure", c_float), ("note", c_int32)]


class _What(Union):
    _fields_ = [("on", NoteOn), ("off", NoteOff), ("pressure", PolyPressure), ("room", c_double * 3)]


class Vst3Event(Structure):
    """Something that happens at a frame of a block."""

    _fields_ = [
        ("bus", c_int32), ("offset", c_int32), ("quarters", c_double), ("flags", c_uint16), ("kind", c_uint16),
        ("what", _What),
    ]  # fmt: skip


NOTE_ON, NOTE_OFF, POLY_PRESSURE = 0, 1, 3
CHANNEL_PRESSURE, PITCH_BEND = 128, 129


class ProgramList(Structure):
    """A list of programs of a unit."""

    _fields_ = [("id", c_int32), ("name", _Text), ("programs", c_int32)]


class ParameterInfo(Structure):
    """What a controller tells of a parameter."""

    _fields_ = [
        ("id", c_uint32),
        ("title", _Text),
        ("short_title", _Text),
        ("units", _Text),
        ("steps", c_int32),
        ("default", c_double),
        ("unit", c_int32),
        ("flags", c_int32),
    ]


def call(thing: c_void_p, slot: int, result: Any, *arguments: tuple[Any, Any]) -> Any:
    """Call what stands in a slot of an object's table; arguments as (type, value)."""
    table = ctypes.cast(thing, POINTER(POINTER(c_void_p))).contents
    kinds = [kind for kind, _ in arguments]
    return CFUNCTYPE(result, c_void_p, *kinds)(table[slot])(thing, *(value for _, value in arguments))


class Served:
    """An object that the plugin calls.

    Args:
        functions: what stands in its table behind the three of FUnknown, as (result, argument types, function); the
            function is not given the object itself.
    """

    def __init__(self, *functions: tuple[Any, tuple[Any, ...], Callable[..., Any]]) -> None:
        query = CFUNCTYPE(c_int32, c_void_p, c_void_p, POINTER(c_void_p))(_itself)
        counted = CFUNCTYPE(c_uint32, c_void_p)(lambda _: 1)
        self._calls = [query, counted, counted]
        for result, kinds, function in functions:
            self._calls.append(CFUNCTYPE(result, c_void_p, *kinds)(_without_this(function)))
        self._table = (c_void_p * len(self._calls))(*(ctypes.cast(each, c_void_p).value for each in self._calls))
        self._object = c_void_p(ctypes.addressof(self._table))
        self.address = c_void_p(ctypes.addressof(self._object))


def _without_this(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _this, *arguments: function(*arguments)


def _itself(this: Any, wanted: Any, found: Any) -> int:
    """The same object, for FUnknown; nothing here has a second interface."""
    plain = ctypes.string_at(wanted, 16) == identity(UNKNOWN)
    found[0] = this if plain else None
    return OK if plain else NO_INTERFACE


def _named(text: Any) -> int:
    for index, mark in enumerate("mirepoix\0"):
        text[index] = ord(mark)
    return OK


def _nothing_created(_class: Any, _wanted: Any, found: Any) -> int:
    found[0] = None
    return NOT_DONE


_APPLICATION = Served(
    (c_int32, (POINTER(c_uint16),), _named), (c_int32, (c_void_p, c_void_p, POINTER(c_void_p)), _nothing_created)
)
"""A host that tells its name and nothing else: IHostApplication."""


def identity(digits: str) -> bytes:
    """The bytes of a class or an interface; on Windows its first half is stored the other way round."""
    plain = bytes.fromhex(digits)
    if sys.platform == "win32":
        return plain[3::-1] + plain[5:3:-1] + plain[7:5:-1] + plain[8:]
    return plain


def factory(path: Path) -> c_void_p:
    """The factory of a module, loaded into this process.

    Raises:
        PluginError: its binary is not where the format says, or gives none.
    """
    if sys.platform == "darwin":
        raise PluginError(f"{path.name} cannot be asked for its parameters' numbers on macOS.")
    windows = sys.platform == "win32"
    machine = platform.machine().lower().replace("amd64", "x86_64")
    inside = path / "Contents" / f"{machine}-{'win' if windows else 'linux'}"
    binary = inside / (path.name if windows else f"{path.stem}.so") if path.is_dir() else path
    try:
        module = ctypes.CDLL(str(binary))
        if windows:
            module.InitDll()
        else:
            module.ModuleEntry(c_void_p(module._handle))
        module.GetPluginFactory.restype = c_void_p
        found = c_void_p(module.GetPluginFactory())
    except (OSError, AttributeError) as error:
        raise PluginError(f"{path.name} cannot be loaded: {error}") from None
    if not found:
        raise PluginError(f"{path.name} gives no plugins.")
    return found


def text_of(field: Any) -> str:
    """What stands in a field of UTF-16."""
    return ctypes.string_at(field, ctypes.sizeof(field)).decode("utf-16-le", "replace").partition("\0")[0]


def classes(module: c_void_p) -> list[ClassInfo]:
    """The plugins of a module."""
    found = []
    for index in range(call(module, COUNT_CLASSES, c_int32)):
        info = ClassInfo()
        call(module, CLASS_INFO, c_int32, (c_int32, index), (c_void_p, byref(info)))
        if info.category == b"Audio Module Class":
            found.append(info)
    return found


def opened(module: c_void_p, wanted: bytes, name: str) -> tuple[c_void_p, c_void_p]:
    """A new instance of a class, by the bytes of its id: its component and its controller.

    Raises:
        PluginError: the module has no such plugin, or it has no controller.
    """
    component = _made(module, wanted, COMPONENT)
    if not component or call(component, INITIALIZE, c_int32, (c_void_p, _APPLICATION.address)) != OK:
        raise PluginError(f"{name} holds no plugin {wanted.hex()} that can be opened.")
    if found := interface(component, CONTROLLER):
        return component, found
    apart = _IDENTITY()
    call(component, CONTROLLER_CLASS, c_int32, (c_void_p, byref(apart)))
    found = _made(module, bytes(apart), CONTROLLER)
    if not found or call(found, INITIALIZE, c_int32, (c_void_p, _APPLICATION.address)) != OK:
        raise PluginError(f"{name} has no controller that can be opened.")
    # Some controllers learn of their parameters from the component only.
    _joined(component, found, CONNECT)
    return component, found


def closed(component: c_void_p, controller: c_void_p, *others: c_void_p) -> None:
    """Let go of an instance that `opened` gave, and of other interfaces of it."""
    inside = interface(component, CONTROLLER)
    _joined(component, controller, DISCONNECT)
    if inside:
        released(inside)
    else:
        call(controller, TERMINATE, c_int32)
    call(component, TERMINATE, c_int32)
    for each in (*others, controller, component):
        released(each)


def released(thing: c_void_p) -> None:
    """Give an interface back."""
    call(thing, RELEASE, c_uint32)


def _joined(component: c_void_p, controller: c_void_p, how: int) -> None:
    """Connect or disconnect both halves of a plugin, if both can be."""
    ends = interface(component, CONNECTION), interface(controller, CONNECTION)
    if all(ends):
        for one, other in (ends, ends[::-1]):
            call(one, how, c_int32, (c_void_p, other))
    for end in filter(None, ends):
        released(end)


def controller(path: Path, digits: str) -> c_void_p:
    """The controller of a plugin that is told apart by its class id, 32 hexadecimal digits.

    Raises:
        PluginError: the module has no such plugin, or it has no controller.
    """
    return opened(factory(path), identity(digits), path.name)[1]


def interface(thing: c_void_p, interface: str) -> c_void_p:
    """Another interface of an object, or null."""
    found = c_void_p()
    done = call(thing, QUERY, c_int32, (c_void_p, _at(identity(interface))), (c_void_p, byref(found)))
    return found if done == OK else c_void_p()


def _made(module: c_void_p, wanted: bytes, interface: str) -> c_void_p:
    found = c_void_p()
    call(
        module, CREATE, c_int32, (c_void_p, _at(wanted)), (c_void_p, _at(identity(interface))), (c_void_p, byref(found))
    )
    return found


def _at(content: bytes) -> Any:
    return ctypes.cast(ctypes.create_string_buffer(content, 16), c_void_p)
