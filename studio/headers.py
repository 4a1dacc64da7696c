"""How much sound the header of an audio file announces, against what is there."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

_FORMS = {b"RIFF": "<", b"RIFX": ">", b"RF64": "<", b"FORM": ">"}
_KINDS = {b"WAVE": b"data", b"AIFF": b"SSND", b"AIFC": b"SSND"}
_UNKNOWN = 0x7FFFF000
"""Programs that write into a pipe announce as much as they can, or nothing, and mean that they do not know."""

_ACCIDENT = 1024
"""Bytes that may be missing without a word: some programs count a last frame or a byte of padding wrongly."""


def cut_short(path: Path) -> str:
    """What is missing of the sound that the header of a WAV, RF64 or AIFF file announces, in words; empty if nothing is.

    Such a file is read as far as it goes, with this for a remark: recordings that broke off are often all there is.
    """
    if not path.is_file():
        return ""
    try:
        announced, there = _sizes(path)
    except (OSError, struct.error):
        return ""
    missing = announced - there
    known = 0 < announced < _UNKNOWN or announced > 0xFFFFFFFF
    if not known or missing <= _ACCIDENT:
        return ""
    return (
        f"the audio file {path.name!r} is cut short: its header announces {announced:,} bytes of sound, {there:,} are there"
        f" ({missing / announced:.1%} are missing), and it plays only as far."
    )


def _sizes(path: Path) -> tuple[int, int]:
    """The bytes of sound that are announced, and those that are there; zeros when there is no such word in the file."""
    length, long_size = path.stat().st_size, 0
    with path.open("rb") as file:
        form, _, kind = struct.unpack("4s4s4s", file.read(12))
        wanted, order = _KINDS.get(kind), _FORMS.get(form)
        if wanted is None or order is None:
            return 0, 0
        position = 12
        while position + 8 <= length:
            file.seek(position)
            name, size = struct.unpack(f"{order}4sI", file.read(8))
            if name == b"ds64":
                long_size = struct.unpack("<8xQ", file.read(16))[0]
            if name == wanted:
                return (long_size if form == b"RF64" and size == 0xFFFFFFFF else size), length - position - 8
            position += 8 + size + size % 2
    return 0, 0


def chunk_of(path: Path, wanted: bytes) -> bytes:
    """The first 64 KiB of the chunk of a WAV, RF64 or AIFF file with a name of four bytes; empty where there is none."""
    try:
        return next((found for name, found in _chunks(path, wanted) if name == wanted), b"")
    except (OSError, struct.error):
        return b""


def order_of(path: Path) -> str:
    """How the numbers of a file's chunks are written, as `struct` says it: ``<`` or, in AIFF and RIFX, ``>``."""
    with path.open("rb") as file:
        return _FORMS.get(file.read(4), "<")


def _chunks(path: Path, wanted: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The names of the chunks, and of those called `wanted` the beginning."""
    length = path.stat().st_size
    with path.open("rb") as file:
        form, _, kind = struct.unpack("4s4s4s", file.read(12))
        order = _FORMS.get(form)
        if kind not in _KINDS or order is None:
            return
        position = 12
        while position + 8 <= length:
            file.seek(position)
            name, size = struct.unpack(f"{order}4sI", file.read(8))
            yield name, file.read(min(size, 65_536)) if name == wanted else b""
            position += 8 + size + size % 2
