"""What stands where in a project.xml, by our reading of the published Project.xsd of version 1.0."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

VERSION = "1.0"
UNITS = ("linear", "normalized", "percent", "decibel", "hertz", "semitones", "seconds", "beats", "bpm")
TIME_UNITS = ("beats", "seconds")
ROLES = ("regular", "master", "effect", "submix", "vca")
CONTENT = ("audio", "automation", "notes", "video", "markers", "tracks")
DEVICE_ROLES = ("instrument", "noteFX", "audioFX", "analyzer")
EXPRESSIONS = (
    "gain", "pan", "transpose", "timbre", "formant", "pressure", "channelController", "channelPressure",
    "polyPressure", "pitchBend", "programChange",
)  # fmt: skip

Check = Callable[[str], bool]


def number(low: float = -math.inf, high: float = math.inf) -> Check:
    """A finite number between two ends."""

    def check(text: str) -> bool:
        try:
            return math.isfinite(float(text)) and low <= float(text) <= high
        except ValueError:
            return False

    return check


def whole(low: int, high: int) -> Check:
    """A whole number between two ends."""
    return lambda text: text.lstrip("+-").isdecimal() and low <= int(text) <= high


def word(*words: str) -> Check:
    """One of some words."""
    return lambda text: text in words


def words(*known: str) -> Check:
    """Some of some words, with spaces between."""
    return lambda text: bool(text.split()) and set(text.split()) <= set(known)


def anything(text: str) -> bool:
    """Any text."""
    return True


def some(text: str) -> bool:
    """Any text but none."""
    return bool(text.strip())


_COLOUR = re.compile(r"#[0-9a-fA-F]{6}([0-9a-fA-F]{2})?")
_IDENTITY = re.compile(r"[A-Za-z_][\w.\-]*")


def colour(text: str) -> bool:
    """#rrggbb."""
    return bool(_COLOUR.fullmatch(text))


def identity(text: str) -> bool:
    """An xs:ID."""
    return bool(_IDENTITY.fullmatch(text))


_bool, _any = word("true", "false"), number()
_later, _long = number(0), number(0)
_named: dict[str, Check] = {"name": anything, "color": colour, "comment": anything}
_thing: dict[str, Check] = {"id": identity, **_named}
_timeline: dict[str, Check] = {**_thing, "timeUnit": word(*TIME_UNITS), "track": identity}
_number: dict[str, Check] = {**_thing, "parameterID": whole(0, 2**32 - 1), "unit": word(*UNITS)} | dict.fromkeys(
    ("min", "max", "value"), _any
)
_switch: dict[str, Check] = {**_thing, "parameterID": whole(0, 2**32 - 1), "value": _bool}
_device: dict[str, Check] = {
    **_thing, "deviceID": some, "deviceName": some, "deviceRole": word(*DEVICE_ROLES), "deviceVendor": anything,
    "loaded": _bool, "pluginVersion": anything,
}  # fmt: skip
_PARAMETERS = ("RealParameter", "BoolParameter", "IntegerParameter", "EnumParameter", "TimeSignatureParameter")
PLUGINS = ("Vst2Plugin", "Vst3Plugin", "ClapPlugin", "AuPlugin")
BUILTINS = ("BuiltinDevice", "Equalizer", "Compressor", "NoiseGate", "Limiter", "Device")
TIMELINES = ("Lanes", "Notes", "Clips", "ClipSlot", "Warps", "Audio", "Video", "Points", "Markers", "markers")
_POINTS = ("RealPoint", "BoolPoint", "IntegerPoint", "EnumPoint", "TimeSignaturePoint")


@dataclass(frozen=True)
class Spec:
    """One element: its attributes, those it needs, and its children.

    Attributes:
        ordered: children that stand in this order, each once at most.
        free: children of any number, in any order; where both are given, `ordered` come first.
        needs: children it cannot do without.
    """

    attributes: dict[str, Check] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    ordered: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


_points = Spec({**_timeline, "unit": word(*UNITS)}, ordered=("Target",), free=_POINTS)
_plugin = Spec(_device, ("deviceRole", "deviceName"), ("Parameters", "Enabled", "State"))
_builtin_parts = (
    "Threshold", "Ratio", "Attack", "Release", "InputGain", "OutputGain", "AutoMakeup", "Range", "Freq", "Gain", "Q",
)  # fmt: skip

SPECS: dict[str, Spec] = {
    "Project": Spec(
        {"version": word(VERSION)},
        ("version",),
        ("Application", "Transport", "Structure", "Arrangement", "Scenes"),
        needs=("Application", "Structure"),
    ),
    "Application": Spec({"name": some, "version": some}, ("name", "version")),
    "Transport": Spec({}, (), ("Tempo", "TimeSignature")),
    "Tempo": Spec(_number, ("value",)),
    "TimeSignature": Spec(
        {
            **_thing,
            "parameterID": anything,
            "numerator": whole(1, 64),
            "denominator": word("1", "2", "4", "8", "16", "32", "64"),
        },
        ("numerator", "denominator"),
    ),
    "Structure": Spec({}, free=("Track", "Channel")),
    "Track": Spec({**_thing, "contentType": words(*CONTENT), "loaded": _bool}, (), ("Channel",), ("Track",)),
    "Channel": Spec(
        {**_thing, "role": word(*ROLES), "audioChannels": whole(1, 64), "destination": identity, "solo": _bool},
        (),
        ("Devices", "Mute", "Pan", "Sends", "Volume"),
    ),
    "Devices": Spec({}, free=(*PLUGINS, *BUILTINS)),
    "Volume": Spec(_number, ("value",)),
    "Pan": Spec(_number, ("value",)),
    "Mute": Spec(_switch, ("value",)),
    "Sends": Spec({}, free=("Send",)),
    "Send": Spec(
        {**_thing, "destination": identity, "type": word("pre", "post")},
        ("destination",),
        ("Enable", "Pan", "Volume"),
        needs=("Volume",),
    ),
    "Enable": Spec(_switch, ("value",)),
    "Enabled": Spec(_switch, ("value",)),
    "Parameters": Spec({}, free=_PARAMETERS),
    "RealParameter": Spec(_number, ()),
    "BoolParameter": Spec(_switch, ()),
    "IntegerParameter": Spec(
        {
            **_thing,
            "parameterID": anything,
            "min": whole(-(2**31), 2**31),
            "max": whole(-(2**31), 2**31),
            "value": whole(-(2**31), 2**31),
        }
    ),
    "EnumParameter": Spec(
        {**_thing, "parameterID": anything, "count": whole(1, 2**31), "labels": anything, "value": whole(0, 2**31)}
    ),
    "TimeSignatureParameter": Spec(
        {**_thing, "parameterID": anything, "numerator": whole(1, 64), "denominator": whole(1, 64)}
    ),
    "State": Spec({"path": some, "external": _bool}, ("path",)),
    "File": Spec({"path": some, "external": _bool}, ("path",)),
    "Arrangement": Spec(_thing, (), ("Lanes", "Markers", "TempoAutomation", "TimeSignatureAutomation")),
    "Lanes": Spec(_timeline, free=TIMELINES),
    "Clips": Spec(_timeline, free=("Clip",)),
    "ClipSlot": Spec({**_timeline, "hasStop": _bool}, (), ("Clip",)),
    "Clip": Spec(
        {
            **_named,
            "time": _any,
            "duration": _long,
            "contentTimeUnit": word(*TIME_UNITS),
            "playStart": _later,
            "playStop": _later,
            "loopStart": _later,
            "loopEnd": _later,
            "fadeTimeUnit": word(*TIME_UNITS),
            "fadeInTime": _any,
            "fadeOutTime": _any,
            "enable": _bool,
            "reference": identity,
        },
        ("time",),
        free=TIMELINES,
    ),
    "Notes": Spec(_timeline, free=("Note",)),
    "Note": Spec(
        {
            "time": _any,
            "duration": number(1e-9),
            "channel": whole(0, 15),
            "key": whole(0, 127),
            "vel": number(0, 1),
            "rel": number(0, 1),
        },
        ("time", "duration", "key"),
        free=TIMELINES,
    ),
    "Warps": Spec({**_timeline, "contentTimeUnit": word(*TIME_UNITS)}, ("contentTimeUnit",), free=(*TIMELINES, "Warp")),
    "Warp": Spec({"time": _any, "contentTime": _any}, ("time", "contentTime")),
    "Audio": Spec(
        {
            **_timeline,
            "algorithm": anything,
            "channels": whole(1, 64),
            "sampleRate": whole(1, 1_536_000),
            "duration": number(1e-9),
        },
        ("channels", "sampleRate", "duration"),
        ("File",),
        needs=("File",),
    ),
    "Video": Spec(
        {**_timeline, "algorithm": anything, "channels": anything, "sampleRate": anything, "duration": _long},
        (),
        ("File",),
    ),
    "Points": _points,
    "TempoAutomation": _points,
    "TimeSignatureAutomation": _points,
    "Target": Spec(
        {
            "parameter": identity,
            "expression": word(*EXPRESSIONS),
            "channel": whole(0, 15),
            "key": whole(0, 127),
            "controller": whole(0, 127),
        }
    ),
    "RealPoint": Spec({"time": _any, "value": _any, "interpolation": word("hold", "linear")}, ("time", "value")),
    "BoolPoint": Spec({"time": _any, "value": _bool}, ("time", "value")),
    "IntegerPoint": Spec({"time": _any, "value": whole(-(2**31), 2**31)}, ("time", "value")),
    "EnumPoint": Spec({"time": _any, "value": whole(0, 2**31)}, ("time", "value")),
    "TimeSignaturePoint": Spec(
        {"time": _any, "numerator": whole(1, 64), "denominator": word("1", "2", "4", "8", "16", "32", "64")},
        ("time", "numerator", "denominator"),
    ),
    "Markers": Spec(_timeline, free=("Marker",)),
    "markers": Spec(_timeline, free=("Marker",)),
    "Marker": Spec({**_named, "time": number(0)}, ("time", "name")),
    "Scenes": Spec({}, free=("Scene",)),
    "Scene": Spec(_thing, free=TIMELINES),
    **dict.fromkeys(PLUGINS, _plugin),
    **dict.fromkeys(
        BUILTINS, Spec(_device, ("deviceRole",), ("Parameters", "Enabled", "State"), (*_builtin_parts, "Band"))
    ),
    "Band": Spec({**_device, "type": anything, "order": anything}, (), (), (*_builtin_parts, "Enabled")),
    **dict.fromkeys(_builtin_parts, Spec({**_number, "value": anything})),
}
"""Every element there is."""
