"""The binary interface of VST 2.4 plugins, as far as a host without windows needs it.

Written from the interface that is publicly known; the numbers are facts of the format.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_char, c_double, c_float, c_int32, c_ssize_t, c_void_p

MAGIC = int.from_bytes(b"VstP", "big")
HOST_VERSION = 2400

# What a host asks of a plugin.
OPEN, CLOSE, SET_PROGRAM = 0, 1, 2
PARAMETER_LABEL, PARAMETER_TEXT, PARAMETER_NAME = 6, 7, 8
SET_RATE, SET_BLOCK, SWITCH = 10, 11, 12
GET_CHUNK, SET_CHUNK, EVENTS, CAN_MOVE = 23, 24, 25, 26
PROGRAM_NAME = 29
EFFECT_NAME, VENDOR, PRODUCT, VENDOR_VERSION = 45, 47, 48, 49
START, STOP = 71, 72

# What a plugin says of itself.
REPLACING, CHUNKS, SYNTH = 1 << 4, 1 << 5, 1 << 8

# What a plugin asks of its host.
ASKS_VERSION, ASKS_ID, ASKS_TIME = 1, 2, 7
IO_CHANGED, ASKS_RATE, ASKS_BLOCK, ASKS_LEVEL = 13, 16, 17, 23
ASKS_VENDOR, ASKS_PRODUCT, ASKS_VENDOR_VERSION, ASKS_CAN_DO, ASKS_LANGUAGE = 32, 33, 34, 37, 38
OFFLINE = 4
ENGLISH = 1

# Which fields of `TimeInfo` hold.
PLAYING, QUARTERS, TEMPO, BARS, SIGNATURE = 1 << 1, 1 << 9, 1 << 10, 1 << 11, 1 << 13

Pointer = c_void_p


class AEffect(Structure):
    """A plugin, as it shows itself to its host."""


DISPATCHER = CFUNCTYPE(c_ssize_t, POINTER(AEffect), c_int32, c_int32, c_ssize_t, c_void_p, c_float)
PROCESS = CFUNCTYPE(None, POINTER(AEffect), POINTER(POINTER(c_float)), POINTER(POINTER(c_float)), c_int32)
SET_PARAMETER = CFUNCTYPE(None, POINTER(AEffect), c_int32, c_float)
GET_PARAMETER = CFUNCTYPE(c_float, POINTER(AEffect), c_int32)
# The effect may not be complete when a plugin first calls its host, so it comes as an address.
CALLBACK = CFUNCTYPE(c_ssize_t, c_void_p, c_int32, c_int32, c_ssize_t, c_void_p, c_float)
MAIN = CFUNCTYPE(POINTER(AEffect), CALLBACK)

AEffect._fields_ = [
    ("magic", c_int32),
    ("dispatcher", DISPATCHER),
    ("process", PROCESS),
    ("set_parameter", SET_PARAMETER),
    ("get_parameter", GET_PARAMETER),
    ("programs", c_int32),
    ("parameters", c_int32),
    ("inputs", c_int32),
    ("outputs", c_int32),
    ("flags", c_int32),
    ("reserved", c_ssize_t * 2),
    ("latency", c_int32),
    ("qualities", c_int32 * 2),
    ("io_ratio", c_float),
    ("object", c_void_p),
    ("user", c_void_p),
    ("unique_id", c_int32),
    ("version", c_int32),
    ("process_replacing", PROCESS),
    ("process_double", c_void_p),
    ("future", c_char * 56),
]


class TimeInfo(Structure):
    """Where the song is; `quarters` and `bar` count in quarter notes from its start."""

    _fields_ = [
        ("samples", c_double),
        ("rate", c_double),
        ("nanoseconds", c_double),
        ("quarters", c_double),
        ("tempo", c_double),
        ("bar", c_double),
        ("cycle", c_double * 2),
        ("numerator", c_int32),
        ("denominator", c_int32),
        ("smpte", c_int32 * 2),
        ("to_next_clock", c_int32),
        ("flags", c_int32),
    ]


class MidiEvent(Structure):
    """A channel message, `offset` frames into the block."""

    _fields_ = [
        ("type", c_int32),
        ("size", c_int32),
        ("offset", c_int32),
        ("flags", c_int32),
        ("length", c_int32),
        ("note_offset", c_int32),
        ("data", ctypes.c_ubyte * 4),
        ("detune", ctypes.c_byte),
        ("release", ctypes.c_ubyte),
        ("reserved", ctypes.c_ubyte * 2),
    ]


class SysexEvent(Structure):
    """A system exclusive message."""

    _fields_ = [
        ("type", c_int32),
        ("size", c_int32),
        ("offset", c_int32),
        ("flags", c_int32),
        ("bytes", c_int32),
        ("reserved", c_ssize_t),
        ("data", ctypes.c_char_p),
        ("reserved_too", c_ssize_t),
    ]


MIDI, SYSEX = 1, 6


def event_list(size: int) -> type[Structure]:
    """The type of a list of so many events."""
    fields = [("count", c_int32), ("reserved", c_ssize_t), ("events", c_void_p * max(2, size))]
    return type("Events", (Structure,), {"_fields_": fields})
