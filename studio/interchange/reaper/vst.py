"""The state of a VST3 plugin as REAPER keeps it: base64 of a header, of the two parts of the state, and of a name."""

from __future__ import annotations

import base64
import binascii
import re
import struct

from studio.errors import RecipeError
from studio.interchange.reaper.text import Chunk, RppLine, dump
from studio.interchange.timeline import Device
from studio.interchange.vstpreset import CLASS_ID, chunks, vstpreset

_MAGIC = 0xFEED5EEE
_WIDTH = 96
_MOST_PINS = 128
_END = b"\0Default\0\x10\0\0\0"
_NAMED = re.compile(r"(?P<kind>VST3i?|VSTi?|CLAPi?|AUi?|LV2i?): (?P<name>.*?)(?: \((?P<vendor>[^()]*)\))?$")
_FORMATS = {"VST3": "vst3", "VST": "vst2", "CLAP": "clap", "AU": "au", "LV2": "lv2"}


def write_vst(chain: Chunk, device: Device) -> None:
    """Add a VST3 plugin to a chain.

    Raises:
        RecipeError: its state is no .vstpreset.
    """
    identity = device.id.upper()
    number = _fnv(bytes.fromhex(identity)) & 0x7FFFFFFF
    vendor = f" ({device.vendor})" if device.vendor else ""
    title = f"VST3{'i' if device.instrument else ''}: {device.name}{vendor}"
    file = device.file.name if device.file else f"{device.name}.vst3"
    chain.add("BYPASS", 0 if device.enabled else 1, 0, 0)
    vst = chain.open("VST", title, file, 0, "", f"{number}{{{identity}}}", "")
    for line in _encoded(number, device.state or b"", device.instrument):
        vst.add(line)


def _encoded(number: int, preset: bytes, instrument: bool) -> list[str]:
    parts = chunks(preset)
    component, controller = parts.get("Comp", b""), parts.get("Cont", b"")
    data = struct.pack("<II", len(component), 1) + component + struct.pack("<II", len(controller), 0) + controller
    inputs = 0 if instrument else 2
    header = struct.pack("<III", number, _MAGIC, inputs) + b"".join(
        struct.pack("<Q", 1 << each) for each in range(inputs)
    )
    header += struct.pack("<IQQ", 2, 1, 2) + struct.pack("<III", len(data), 1, 0x100000)
    lines = [base64.b64encode(header).decode()]
    text = base64.b64encode(data).decode()
    lines += [text[start : start + _WIDTH] for start in range(0, len(text), _WIDTH)]
    return [*lines, base64.b64encode(_END).decode()]


def read_vst(vst: Chunk, enabled: bool) -> Device:
    """The plugin that a chunk of a chain means; without a state where it cannot be understood."""
    words = vst.head.all()
    title = words[0] if words else "plugin"
    named = _NAMED.match(title)
    kind = named["kind"] if named else vst.tag
    identity = next((word.partition("{")[2].rstrip("}") for word in words if "{" in word), "")
    state = None
    if kind.startswith("VST3") and CLASS_ID.fullmatch(identity):
        try:
            state = vstpreset(identity, _decoded(vst))
        except (RecipeError, binascii.Error, struct.error, ValueError):
            state = None
    return Device(
        named["name"] if named else title,
        _FORMATS.get(kind.removesuffix("i"), "vst2"),
        identity or (words[1] if len(words) > 1 else ""),
        state,
        instrument=kind.endswith("i"),
        enabled=enabled,
        vendor=(named["vendor"] or "") if named else "",
        kept=None if state is not None else kept(vst),
        sided=_sided(vst),
    )


def kept(effect: Chunk) -> tuple[str, bytes]:
    """An effect as a chain that REAPER can load, for what cannot be kept otherwise: an ending, and a content."""
    return ".RfxChain", "\n".join(["BYPASS 0 0 0", *dump(effect), ""]).encode()


def _sided(vst: Chunk) -> bool:
    """Whether one of its inputs behind the first two hears channels behind the first two of the track."""
    try:
        header = base64.b64decode(next(each.tag for each in vst.inside if isinstance(each, RppLine)), validate=True)
        inputs = struct.unpack_from("<I", header, 8)[0]
        masks = struct.unpack_from(f"<{inputs}Q", header, 12) if inputs <= _MOST_PINS else ()
    except (StopIteration, binascii.Error, struct.error):
        return False
    return any(mask >> 2 for mask in masks[2:])


def _decoded(vst: Chunk) -> dict[str, bytes]:
    """The parts of the state: the header says how long the data is, which may end within a line."""
    lines = [each.tag for each in vst.inside if isinstance(each, RppLine)]
    header = base64.b64decode(lines[0], validate=True)
    inputs = struct.unpack_from("<I", header, 8)[0]
    offset = 12 + 8 * inputs
    outputs = struct.unpack_from("<I", header, offset)[0]
    size = struct.unpack_from("<I", header, offset + 4 + 8 * outputs)[0]
    data = b"".join(base64.b64decode(line, validate=True) for line in lines[1:])[:size]
    length = struct.unpack_from("<I", data)[0]
    component = data[8 : 8 + length]
    if len(component) < length:
        raise RecipeError("the state of a plugin is cut short.")
    parts = {"Comp": component}
    rest = data[8 + length :]
    if len(rest) >= 8 and (size := struct.unpack_from("<I", rest)[0]):
        parts["Cont"] = rest[8 : 8 + size]
    return parts


def _fnv(data: bytes) -> int:
    """FNV-1a of 32 bits (Fowler, Noll & Vo)."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
