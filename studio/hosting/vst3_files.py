"""What hosts keep of a VST3 plugin, taken apart: .vstpreset files, and the states and names that JUCE's hosts give.

Recipes that were made while pedalboard hosted VST3 plugins hold such states and names.
"""

from __future__ import annotations

import struct
import xml.etree.ElementTree as ElementTree

import numpy as np

from studio.hosting.contract import PluginError

_XML = 0x21324356
"""The number before XML that JUCE keeps as bytes (`AudioProcessor::copyXmlToBinary`)."""

_MARKS = ".ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"
"""JUCE's own base 64 (`MemoryBlock::toBase64Encoding`), least significant bits first."""

_LARGEST = 1 << 28


def preset_parts(content: bytes) -> dict[bytes, bytes]:
    """The chunks of a .vstpreset file by their names.

    Raises:
        PluginError: it is cut short.
    """
    try:
        (start,) = struct.unpack_from("<q", content, 40)
        (count,) = struct.unpack_from("<i", content, start + 4)
        found = {}
        for index in range(min(count, 64)):
            name, offset, size = struct.unpack_from("<4sqq", content, start + 8 + 20 * index)
            if not 0 <= offset <= offset + size <= len(content):
                raise PluginError("the preset is cut short.")
            found[name] = content[offset : offset + size]
        return found
    except struct.error:
        raise PluginError("the preset is cut short.") from None


def juce_state(content: bytes) -> tuple[bytes, bytes] | None:
    """The component's and the controller's state in what a host of JUCE's keeps; None if it is no such thing.

    Raises:
        PluginError: it is damaged.
    """
    if len(content) < 8 or int.from_bytes(content[:4], "little") != _XML:
        return None
    if b"<!" in content[8:]:
        raise PluginError("the state declares entities, which no host writes.")
    try:
        whole = ElementTree.fromstring(content[8 : 8 + int.from_bytes(content[4:8], "little")].rstrip(b"\0"))
    except (ElementTree.ParseError, LookupError, ValueError):  # the latter two of encodings that there are not
        raise PluginError("the state is damaged.") from None
    if whole.tag != "VST3PluginState":
        return None
    return _bytes(whole.findtext("IComponent")), _bytes(whole.findtext("IEditController"))


def _bytes(text: str | None) -> bytes:
    size, _, marks = (text or "0.").strip().partition(".")
    if not size.isdecimal() or int(size) > _LARGEST or not set(marks) <= set(_MARKS):
        raise PluginError("the state is damaged.")
    numbers = np.array([_MARKS.index(mark) for mark in marks], np.uint8)[:, np.newaxis]
    bits = np.unpackbits(numbers, axis=1, bitorder="little")[:, :6]
    return np.packbits(bits.ravel(), bitorder="little").tobytes()[: int(size)].ljust(int(size), b"\0")


def juce_name(name: str, identity: str) -> str:
    """How JUCE's hosts, pedalboard among them, call a VST3 plugin of a class id, as far as its path is not in it.

    It is `VST3-NAME-PATH-CLASS`, where PATH and CLASS are hashes; the empty text stands for PATH here.
    """
    number = 0
    for part in struct.unpack(">4I", bytes.fromhex(identity)):
        number = (number * 31 + part) & 0xFFFFFFFF
    return f"VST3-{name}--{number:x}"


def is_named(theirs: str, name: str, identity: str) -> bool:
    """Whether an id that a recipe was made with is that of a VST3 plugin: its class id, or what JUCE's hosts call it."""
    if theirs.casefold() == identity.casefold():
        return True
    start, _, rest = theirs.rpartition("-")
    before, _, _ = start.rpartition("-")
    return len(identity) == 32 and f"{before}--{rest}" == juce_name(name, identity)
