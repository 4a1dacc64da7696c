"""The binary interface of VST 3 plugins, as far as asking for their parameters needs it.

Written from the interface that is publicly known; the numbers are facts of the format. pedalboard, which hosts these
plugins, does not tell by which number a plugin knows a parameter, and sessions keep automation under that number.
"""

from __future__ import annotations

import ctypes
import platform
import sys
from ctypes import CFUNCTYPE, POINTER, Structure, byref, c_char, c_double, c_int32, c_uint16, c_uint32, c_void_p
from pathlib import Path
from typing import Any

from studio.hosting.contract import PluginError

# The slots of the interfaces' tables: each begins with the three of FUnknown, components and controllers go on with
# the two of IPluginBase.
QUERY = 0
COUNT_CLASSES, CLASS_INFO, CREATE = 4, 5, 6
INITIALIZE = 3
CONTROLLER_CLASS = 5
CONNECT = 3
COUNT_PARAMETERS, PARAMETER_INFO, TO_PLAIN = 8, 9, 12

COMPONENT, CONTROLLER = "E831FF31F2D54301928EBBEE25697802", "DCD7BBE37742448DA874AACC979C759E"
CONNECTION = "70A4156F6E6E4026989148BFAA60D8D1"

# What a parameter says of itself.
CAN_AUTOMATE, READ_ONLY, PROGRAM_CHANGE = 1 << 0, 1 << 1, 1 << 15

OK, NO_INTERFACE, NOT_DONE = 0, -1, 1
_IDENTITY = c_char * 16
_Text = c_uint16 * 128


class ClassInfo(Structure):
    """A class of a factory."""

    _fields_ = [("id", _IDENTITY), ("cardinality", c_int32), ("category", c_char * 32), ("name", c_char * 64)]


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


_QUERY = CFUNCTYPE(c_int32, c_void_p, c_void_p, POINTER(c_void_p))
_COUNTING = CFUNCTYPE(c_uint32, c_void_p)
_NAMING = CFUNCTYPE(c_int32, c_void_p, POINTER(c_uint16))
_CREATING = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p, POINTER(c_void_p))


class _Table(Structure):
    _fields_ = [("query", _QUERY), ("keep", _COUNTING), ("drop", _COUNTING), ("name", _NAMING), ("create", _CREATING)]


class _Context(Structure):
    """A host that tells its name and nothing else: IHostApplication."""

    _fields_ = [("table", POINTER(_Table))]


def _no_interface(_this: Any, _wanted: Any, found: Any) -> int:
    found[0] = None
    return NO_INTERFACE


def _named(_this: Any, text: Any) -> int:
    for place, mark in enumerate("mirepoix\0"):
        text[place] = ord(mark)
    return OK


def _nothing_created(_this: Any, _class: Any, _wanted: Any, found: Any) -> int:
    found[0] = None
    return NOT_DONE


_TABLE = _Table(
    _QUERY(_no_interface), _COUNTING(lambda _: 1), _COUNTING(lambda _: 1), _NAMING(_named), _CREATING(_nothing_created)
)
_CONTEXT = _Context(ctypes.pointer(_TABLE))


def call(thing: c_void_p, slot: int, result: Any, *arguments: tuple[Any, Any]) -> Any:
    """Call what stands in a slot of an object's table; arguments as (type, value)."""
    table = ctypes.cast(thing, POINTER(POINTER(c_void_p))).contents
    kinds = [kind for kind, _ in arguments]
    address = table[slot]
    return CFUNCTYPE(result, c_void_p, *kinds)(address)(thing, *(value for _, value in arguments))


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


def controller(path: Path, digits: str) -> c_void_p:
    """The controller of a plugin that is told apart by its class id, 32 hexadecimal digits.

    Raises:
        PluginError: the module has no such plugin, or it has no controller.
    """
    module = factory(path)
    component = _made(module, identity(digits), COMPONENT)
    context = ctypes.cast(ctypes.pointer(_CONTEXT), c_void_p)
    if not component or call(component, INITIALIZE, c_int32, (c_void_p, context)) != OK:
        raise PluginError(f"{path.name} holds no plugin {digits} that can be opened.")
    if found := _as(component, CONTROLLER):
        return found
    apart = _IDENTITY()
    call(component, CONTROLLER_CLASS, c_int32, (c_void_p, byref(apart)))
    found = _made(module, bytes(apart), CONTROLLER)
    if not found or call(found, INITIALIZE, c_int32, (c_void_p, context)) != OK:
        raise PluginError(f"{path.name} has no controller that can be opened.")
    ends = _as(component, CONNECTION), _as(found, CONNECTION)
    if all(ends):
        # Some controllers learn of their parameters from the component only.
        for one, other in (ends, ends[::-1]):
            call(one, CONNECT, c_int32, (c_void_p, other))
    return found


def _as(thing: c_void_p, interface: str) -> c_void_p:
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
