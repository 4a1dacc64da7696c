"""The binary interface of CLAP plugins, as far as hosting them without a window needs it.

Written from the specification: https://github.com/free-audio/clap.
"""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
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
    sizeof,
)  # fmt: skip

from studio.hosting.contract import Transport


class ClapVersion(Structure):
    """A version of CLAP."""

    _fields_ = [("major", c_uint32), ("minor", c_uint32), ("revision", c_uint32)]


class ClapEntry(Structure):
    """What a library with plugins shows."""

    _fields_ = [
        ("version", ClapVersion),
        ("init", CFUNCTYPE(c_bool, c_char_p)),
        ("deinit", CFUNCTYPE(None)),
        ("get_factory", CFUNCTYPE(c_void_p, c_char_p)),
    ]


class ClapDescriptor(Structure):
    """What a plugin says of itself."""

    _fields_ = [
        ("version", ClapVersion),
        *((word, c_char_p) for word in ("id", "name", "vendor", "url", "manual", "support", "release", "about")),
        ("features", POINTER(c_char_p)),
    ]


class ClapFactory(Structure):
    """What makes plugins."""

    _fields_ = [
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("describe", CFUNCTYPE(POINTER(ClapDescriptor), c_void_p, c_uint32)),
        ("create", CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_char_p)),
    ]


class ClapHost(Structure):
    """A host, as plugins see it."""

    _fields_ = [
        ("version", ClapVersion),
        ("data", c_void_p),
        *((word, c_char_p) for word in ("name", "vendor", "url", "release")),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
        *((word, CFUNCTYPE(None, c_void_p)) for word in ("request_restart", "request_process", "request_callback")),
    ]


class ClapPlugin(Structure):
    """The functions of a plugin."""

    _fields_ = [
        ("descriptor", POINTER(ClapDescriptor)),
        ("data", c_void_p),
        ("init", CFUNCTYPE(c_bool, c_void_p)),
        ("destroy", CFUNCTYPE(None, c_void_p)),
        ("activate", CFUNCTYPE(c_bool, c_void_p, c_double, c_uint32, c_uint32)),
        ("deactivate", CFUNCTYPE(None, c_void_p)),
        ("start_processing", CFUNCTYPE(c_bool, c_void_p)),
        ("stop_processing", CFUNCTYPE(None, c_void_p)),
        ("reset", CFUNCTYPE(None, c_void_p)),
        ("process", CFUNCTYPE(c_int32, c_void_p, c_void_p)),
        ("get_extension", CFUNCTYPE(c_void_p, c_void_p, c_char_p)),
        ("on_main_thread", CFUNCTYPE(None, c_void_p)),
    ]


class ClapBuffer(Structure):
    """The channels of one port in one block."""

    _fields_ = [
        ("samples", POINTER(POINTER(c_float))),
        ("samples64", c_void_p),
        ("channels", c_uint32),
        ("latency", c_uint32),
        ("constant", c_uint64),
    ]


class ClapTurn(Structure):
    """A parameter that is turned."""

    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("parameter", c_uint32), ("cookie", c_void_p), ("note", c_int32),
        ("port", c_int16), ("channel", c_int16), ("key", c_int16), ("value", c_double),
    ]  # fmt: skip


class ClapNote(Structure):
    """A note that starts or ends."""

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


class ClapMidi(Structure):
    """A message of MIDI as it is."""

    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("port", c_uint16), ("bytes", c_ubyte * 3),
    ]  # fmt: skip


class ClapTransport(Structure):
    """Where the song is."""

    _fields_ = [
        ("size", c_uint32), ("time", c_uint32), ("space", c_uint16), ("kind", c_uint16), ("flags", c_uint32),
        ("says", c_uint32), ("beats", c_int64), ("seconds", c_int64), ("bpm", c_double), ("slope", c_double),
        *((word, c_int64) for word in ("loop_start", "loop_end", "loop_start_seconds", "loop_end_seconds", "bar_start")),
        ("bar", c_int32), ("numerator", c_uint16), ("denominator", c_uint16),
    ]  # fmt: skip


class ClapEvents(Structure):
    """The events of a block."""

    _fields_ = [
        ("context", c_void_p),
        ("size", CFUNCTYPE(c_uint32, c_void_p)),
        ("get", CFUNCTYPE(c_void_p, c_void_p, c_uint32)),
    ]


class ClapProcess(Structure):
    """All that a plugin is given for a block."""

    _fields_ = [
        ("steady_time", c_int64), ("frames", c_uint32), ("transport", c_void_p),
        ("inputs", POINTER(ClapBuffer)), ("outputs", POINTER(ClapBuffer)),
        ("input_count", c_uint32), ("output_count", c_uint32), ("events", POINTER(ClapEvents)), ("events_out", c_void_p),
    ]  # fmt: skip


class ClapParameterInfo(Structure):
    """What is told of a parameter."""

    _fields_ = [
        ("id", c_uint32), ("flags", c_uint32), ("cookie", c_void_p), ("name", c_char * 256), ("module", c_char * 1024),
        ("low", c_double), ("high", c_double), ("initial", c_double),
    ]  # fmt: skip


class ClapParameters(Structure):
    """How parameters are asked and turned."""

    _fields_ = [
        ("count", CFUNCTYPE(c_uint32, c_void_p)),
        ("info", CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(ClapParameterInfo))),
        ("value", CFUNCTYPE(c_bool, c_void_p, c_uint32, POINTER(c_double))),
        ("to_text", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_double, c_char_p, c_uint32)),
        ("from_text", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_char_p, POINTER(c_double))),
        ("flush", CFUNCTYPE(None, c_void_p, POINTER(ClapEvents), c_void_p)),
    ]


class ClapHostParameters(Structure):
    """What a host hears of parameters."""

    _fields_ = [
        ("rescan", CFUNCTYPE(None, c_void_p, c_uint32)),
        ("clear", CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)),
        ("request_flush", CFUNCTYPE(None, c_void_p)),
    ]


class ClapStream(Structure):
    """Bytes to read or to write."""

    _fields_ = [("context", c_void_p), ("move", CFUNCTYPE(c_int64, c_void_p, c_void_p, c_uint64))]


class ClapState(Structure):
    """How states are saved and loaded."""

    _fields_ = [
        ("save", CFUNCTYPE(c_bool, c_void_p, POINTER(ClapStream))),
        ("load", CFUNCTYPE(c_bool, c_void_p, POINTER(ClapStream))),
    ]


class ClapLatency(Structure):
    """How late a plugin is."""

    _fields_ = [("get", CFUNCTYPE(c_uint32, c_void_p))]


class ClapPortInfo(Structure):
    """What is told of a port of sound."""

    _fields_ = [
        ("id", c_uint32), ("name", c_char * 256), ("flags", c_uint32), ("channels", c_uint32), ("kind", c_char_p),
        ("pair", c_uint32),
    ]  # fmt: skip


class ClapPorts(Structure):
    """How a plugin is asked for its ports of sound."""

    _fields_ = [
        ("count", CFUNCTYPE(c_uint32, c_void_p, c_bool)),
        ("get", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_bool, POINTER(ClapPortInfo))),
    ]


class ClapNotePortInfo(Structure):
    """What is told of a port of notes; bit 0 of a dialect is CLAP's own, bit 1 MIDI."""

    _fields_ = [("id", c_uint32), ("dialects", c_uint32), ("preferred", c_uint32), ("name", c_char * 256)]


class ClapNotePorts(Structure):
    """How a plugin is asked for its ports of notes."""

    _fields_ = [
        ("count", CFUNCTYPE(c_uint32, c_void_p, c_bool)),
        ("get", CFUNCTYPE(c_bool, c_void_p, c_uint32, c_bool, POINTER(ClapNotePortInfo))),
    ]


class ClapThreads(Structure):
    """What a plugin may ask its host about threads."""

    _fields_ = [("is_main", CFUNCTYPE(c_bool, c_void_p)), ("is_audio", CFUNCTYPE(c_bool, c_void_p))]


class ClapLog(Structure):
    """What a plugin says to people."""

    _fields_ = [("log", CFUNCTYPE(None, c_void_p, c_int32, c_char_p))]


class ClapEventsOut(Structure):
    """Where a plugin puts events."""

    _fields_ = [("context", c_void_p), ("push", CFUNCTYPE(c_bool, c_void_p, c_void_p))]


DIALECT_CLAP, DIALECT_MIDI = 1, 2
STEPPED, HIDDEN, READ_ONLY, AUTOMATABLE = 1 << 0, 1 << 2, 1 << 3, 1 << 5

TURN, MIDI_MESSAGE, NOTE_ON, NOTE_OFF, TRANSPORT = 5, 10, 0, 1, 9

_TEMPO, _BEATS, _METER, _PLAYING, _BEAT = 1 << 0, 1 << 1, 1 << 3, 1 << 4, 1 << 31


def turned(number: int, value: float, cookie: int | None = None) -> ClapTurn:
    """A parameter put to a value at the start of a block."""
    return ClapTurn(sizeof(ClapTurn), 0, 0, TURN, 0, number, cookie, -1, -1, -1, -1, value)


def heard(frame: int, message: bytes, notes: bool = True) -> Structure:
    """A message of MIDI as an event: a note where it is one and the plugin takes such, else as it is."""
    kind, channel = message[0] >> 4, message[0] & 15
    if kind in (8, 9) and notes:
        on = kind == 9 and message[2] > 0
        number = NOTE_ON if on else NOTE_OFF
        return ClapNote(sizeof(ClapNote), frame, 0, number, 0, -1, 0, channel, message[1], message[2] / 127)
    plain = (c_ubyte * 3)(*message[:3], *bytes(3 - len(message[:3])))
    return ClapMidi(sizeof(ClapMidi), frame, 0, MIDI_MESSAGE, 0, 0, plain)


def told(song: Transport) -> ClapTransport:
    """Where the song is, as an event."""
    says = _TEMPO | _BEATS | _METER | _PLAYING
    beats, bar = round(song.quarters * _BEAT), round(song.bar_start * _BEAT)
    return ClapTransport(
        sizeof(ClapTransport), 0, 0, 9, 0, says, beats, 0, song.tempo_bpm, 0.0, 0, 0, 0, 0, bar, 0,
        song.numerator, song.denominator,
    )  # fmt: skip
