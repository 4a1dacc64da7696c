"""The .vstpreset file in which hosts pass on the state of a VST3 plugin.

Steinberg, "Preset Format" (VST 3 developer documentation): a header with the class id, the chunks, and a list of them.
"""

from __future__ import annotations

import re
import struct

from studio.errors import RecipeError

CLASS_ID = re.compile(r"[0-9A-Fa-f]{32}")
_HEADER = struct.Struct("<4si32sq")
_ENTRY = struct.Struct("<4sqq")
_MOST_CHUNKS = 128


def class_id(preset: bytes) -> str:
    """The class id of the plugin a preset is for, 32 hexadecimal digits.

    Raises:
        RecipeError: it is no .vstpreset.
    """
    return _header(preset)[0]


def chunks(preset: bytes) -> dict[str, bytes]:
    """The chunks of a preset: Comp is the processor's state, Cont the controller's.

    Raises:
        RecipeError: it is no .vstpreset, or cut short.
    """
    _, start = _header(preset)
    if preset[start : start + 4] != b"List" or len(preset) < start + 8:
        raise RecipeError("the list of a .vstpreset is not where its header says.")
    count = int.from_bytes(preset[start + 4 : start + 8], "little")
    if count > _MOST_CHUNKS or len(preset) < start + 8 + count * _ENTRY.size:
        raise RecipeError("the list of a .vstpreset is cut short.")
    found: dict[str, bytes] = {}
    for index in range(count):
        name, offset, size = _ENTRY.unpack_from(preset, start + 8 + index * _ENTRY.size)
        if offset < 0 or size < 0 or offset + size > len(preset):
            raise RecipeError(f"the chunk {name!r} of a .vstpreset lies outside it.")
        found[name.decode("ascii", "replace")] = preset[offset : offset + size]
    return found


def vstpreset(identity: str, parts: dict[str, bytes]) -> bytes:
    """A preset of a class id and its chunks."""
    body, entries, offset = b"", b"", _HEADER.size
    for name, data in parts.items():
        entries += _ENTRY.pack(name.encode("ascii"), offset + len(body), len(data))
        body += data
    header = _HEADER.pack(b"VST3", 1, identity.upper().encode("ascii"), _HEADER.size + len(body))
    return header + body + b"List" + struct.pack("<i", len(parts)) + entries


def _header(preset: bytes) -> tuple[str, int]:
    if len(preset) < _HEADER.size or preset[:4] != b"VST3":
        raise RecipeError("the state is no .vstpreset: it does not begin with VST3.")
    _, _, identity, start = _HEADER.unpack_from(preset)
    text = identity.decode("ascii", "replace")
    if not CLASS_ID.fullmatch(text) or not _HEADER.size <= start <= len(preset):
        raise RecipeError("the header of the .vstpreset is damaged.")
    return text.upper(), start
