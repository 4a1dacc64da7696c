"""lilv's C interface, and what an LV2 plugin and its host hand to each other.

Sources: https://drobilla.net/docs/lilv/ and the specifications at https://lv2plug.in/ns/.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_bool,
    c_char_p,
    c_float,
    c_int,
    c_uint32,
    c_void_p,
)
from ctypes.util import find_library
from functools import cache
from typing import Any

from studio.hosting.contract import PluginError

NS = "http://lv2plug.in/ns/"
CORE, ATOM, TIME = f"{NS}lv2core#", f"{NS}ext/atom#", f"{NS}ext/time#"
MIDI, UNITS, PRESET = f"{NS}ext/midi#MidiEvent", f"{NS}extensions/units#", f"{NS}ext/presets#Preset"
OPTIONS, BUFFER, WORKER = f"{NS}ext/options#", f"{NS}ext/buf-size#", f"{NS}ext/worker#"
STATE, URID, LOG = f"{NS}ext/state#", f"{NS}ext/urid#", f"{NS}ext/log#log"
PROPERTIES, PARAMETERS = f"{NS}ext/port-props#", f"{NS}ext/parameters#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
LABEL = "http://www.w3.org/2000/01/rdf-schema#label"


class Lv2Descriptor(Structure):
    """The functions of a plugin."""

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


class Lv2Instance(Structure):
    """A plugin that lilv has made."""

    _fields_ = [("descriptor", POINTER(Lv2Descriptor)), ("handle", c_void_p), ("own", c_void_p)]


class Feature(Structure):
    """Something that a host can do."""

    _fields_ = [("uri", c_char_p), ("data", c_void_p)]


MapCall, UnmapCall = CFUNCTYPE(c_uint32, c_void_p, c_char_p), CFUNCTYPE(c_void_p, c_void_p, c_uint32)


class UridMap(Structure):
    """Numbers for URIs."""

    _fields_ = [("handle", c_void_p), ("map", MapCall)]


class UridUnmap(Structure):
    """URIs for numbers."""

    _fields_ = [("handle", c_void_p), ("unmap", UnmapCall)]


OldMapCall = CFUNCTYPE(c_uint32, c_void_p, c_char_p, c_char_p)


class UriMap(Structure):
    """Numbers for URIs, as plugins from before 2012 ask for them."""

    _fields_ = [("data", c_void_p), ("map", OldMapCall)]


class Option(Structure):
    """A fact about the host."""

    _fields_ = [
        ("context", c_uint32), ("subject", c_uint32), ("key", c_uint32), ("size", c_uint32), ("kind", c_uint32),
        ("value", c_void_p),
    ]  # fmt: skip


ScheduleCall = CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p)
"""Work to be done later, and a response to it: (handle, size, data)."""


class Lv2Schedule(Structure):
    """Where a plugin hands in work that it may not do while it makes sound."""

    _fields_ = [("handle", c_void_p), ("schedule", ScheduleCall)]


class WorkerInterface(Structure):
    """How that work is done."""

    _fields_ = [
        ("work", CFUNCTYPE(c_int, c_void_p, ScheduleCall, c_void_p, c_uint32, c_void_p)),
        ("respond", CFUNCTYPE(c_int, c_void_p, c_uint32, c_void_p)),
        ("end", c_void_p),
    ]


PathCall = CFUNCTYPE(c_void_p, c_void_p, c_char_p)


class MakePath(Structure):
    """Paths of files that a plugin writes."""

    _fields_ = [("handle", c_void_p), ("path", PathCall)]


class MapPath(Structure):
    """Paths as they stand in a state, and back."""

    _fields_ = [("handle", c_void_p), ("abstract", PathCall), ("absolute", PathCall)]


class FreePath(Structure):
    """Lets go of a path."""

    _fields_ = [("handle", c_void_p), ("free", CFUNCTYPE(None, c_void_p, c_void_p))]


class Log(Structure):
    """What a plugin says to people; its values are not looked at."""

    _fields_ = [
        ("handle", c_void_p),
        ("printf", CFUNCTYPE(c_int, c_void_p, c_uint32, c_char_p)),
        ("vprintf", CFUNCTYPE(c_int, c_void_p, c_uint32, c_char_p, c_void_p)),
    ]


class OldEvents(Structure):
    """A buffer of events, as plugins from before 2012 take them."""

    _fields_ = [
        ("data", c_void_p), ("header", ctypes.c_uint16), ("stamp", ctypes.c_uint16), ("count", c_uint32),
        ("capacity", c_uint32), ("size", c_uint32),
    ]  # fmt: skip


GetValue = CFUNCTYPE(c_void_p, c_char_p, c_void_p, POINTER(c_uint32), POINTER(c_uint32))
SetValue = CFUNCTYPE(None, c_char_p, c_void_p, c_void_p, c_uint32, c_uint32)

_POINTERS = (
    "world_new", "new_file_uri", "new_uri", "world_get_all_plugins", "plugins_get_by_uri", "plugins_begin", "plugins_get",
    "plugins_next", "plugin_get_port_by_index", "plugin_get_name", "plugin_get_uri", "plugin_get_value",
    "plugin_get_author_name", "plugin_get_required_features", "plugin_get_related", "plugin_get_bundle_uri",
    "port_get_symbol", "port_get_name", "port_get", "port_get_value", "port_get_scale_points", "scale_points_begin",
    "scale_points_get", "scale_points_next", "scale_point_get_label", "scale_point_get_value", "nodes_begin", "nodes_get",
    "nodes_next", "world_get", "world_find_nodes", "state_new_from_instance", "state_new_from_world", "state_new_from_string",
    "state_get_plugin_uri", "state_to_string", "plugin_get_library_uri", "file_uri_parse", "node_as_uri",
)  # fmt: skip
_FLAGS = (
    "plugins_is_end", "nodes_is_end", "scale_points_is_end", "port_is_a", "port_has_property", "port_supports_event",
    "node_is_float", "node_is_int", "node_is_uri", "world_ask",
)  # fmt: skip


@cache
def lilv() -> Any:
    """The library.

    Raises:
        PluginError: it is not on this machine.
    """
    try:
        library = ctypes.CDLL(find_library("lilv-0") or "liblilv-0.so.0")
    except OSError:
        raise PluginError("LV2 plugins are read by lilv, which is not here.", "Install liblilv-0-0 (Debian).") from None
    for name in _POINTERS:
        getattr(library, f"lilv_{name}").restype = c_void_p
    for name in _FLAGS:
        getattr(library, f"lilv_{name}").restype = c_bool
    library.lilv_plugin_instantiate.restype = POINTER(Lv2Instance)
    library.lilv_node_as_string.restype = c_char_p
    library.lilv_node_as_float.restype = c_float
    return library


def text_of(node: int | None) -> str:
    """What a node says."""
    return lilv().lilv_node_as_string(c_void_p(node)).decode("utf-8", "replace") if node else ""


def number_of(node: int | None) -> float | None:
    """The number in a node."""
    plain = c_void_p(node)
    return float(lilv().lilv_node_as_float(plain)) if node and _is_number(plain) else None


def _is_number(node: c_void_p) -> bool:
    return bool(lilv().lilv_node_is_float(node) or lilv().lilv_node_is_int(node))


class World:
    """A world of lilv's with some bundles in it."""

    def __init__(self) -> None:
        self.at = c_void_p(lilv().lilv_world_new())

    def node(self, uri: str) -> c_void_p:
        """A URI as a node."""
        return c_void_p(lilv().lilv_new_uri(self.at, uri.encode()))

    def take(self, bundle: Any) -> None:
        """Read a bundle."""
        place = lilv().lilv_new_file_uri(self.at, None, f"{bundle.resolve()}/".encode())
        lilv().lilv_world_load_bundle(self.at, c_void_p(place))

    def plugins(self) -> Iterator[c_void_p]:
        """All plugins in it."""
        known = c_void_p(lilv().lilv_world_get_all_plugins(self.at))
        place = c_void_p(lilv().lilv_plugins_begin(known))
        while not lilv().lilv_plugins_is_end(known, place):
            yield c_void_p(lilv().lilv_plugins_get(known, place))
            place = c_void_p(lilv().lilv_plugins_next(known, place))


def each(nodes: int | None) -> Iterator[int]:
    """The nodes of a collection."""
    known = c_void_p(nodes)
    place = c_void_p(lilv().lilv_nodes_begin(known)) if nodes else None
    while place is not None and not lilv().lilv_nodes_is_end(known, place):
        yield lilv().lilv_nodes_get(known, place)
        place = c_void_p(lilv().lilv_nodes_next(known, place))
