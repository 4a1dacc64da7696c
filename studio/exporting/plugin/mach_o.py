"""Libraries for macOS made into bundles, which is what hosts load plugins from: Zig's linker makes none.

Of a Mach-O file the kind is changed, the name by which other programs would link it is taken out, as dyld wants it of
bundles, and the pages of an ad-hoc signature are hashed anew. Sources: <mach-o/loader.h> and `cs_blobs.h` of Apple's XNU.
"""

from __future__ import annotations

import hashlib
import struct

_MAGIC, _HEADER = 0xFEEDFACF, 32
_LIBRARY, _BUNDLE = 6, 8
_OWN_NAME, _SIGNATURE = 0xD, 0x1D
_SUPER_BLOB, _CODE_DIRECTORY = 0xFADE0CC0, 0xFADE0C02
_SHA_256 = 2


def as_bundle(library: bytes) -> bytes:
    """A library for one processor as a bundle; what is one already stays as it is.

    Raises:
        ValueError: it is no 64-bit Mach-O library.
    """
    magic, _, _, kind, count, size, _, _ = struct.unpack_from("<8I", library)
    if magic != _MAGIC or kind not in (_LIBRARY, _BUNDLE):
        raise ValueError("what was linked for macOS is no library")
    if kind == _BUNDLE:
        return library
    commands, signature, at = list[bytes](), 0, _HEADER
    for _ in range(count):
        command, length = struct.unpack_from("<2I", library, at)
        if command == _SIGNATURE:
            (signature,) = struct.unpack_from("<I", library, at + 8)
        if command != _OWN_NAME:
            commands.append(library[at : at + length])
        at += length
    body = b"".join(commands)
    whole = bytearray(library)
    struct.pack_into("<3I", whole, 12, _BUNDLE, len(commands), len(body))
    whole[_HEADER : _HEADER + size] = body.ljust(size, b"\0")
    if signature:
        _sign(whole, signature)
    return bytes(whole)


def _sign(whole: bytearray, start: int) -> None:
    """Hash the pages of a signed file anew, in place."""
    magic, _, count = struct.unpack_from(">3I", whole, start)
    if magic != _SUPER_BLOB:
        raise ValueError("the signature of what was linked for macOS is no blob")
    for index in range(count):
        _, offset = struct.unpack_from(">2I", whole, start + 12 + 8 * index)
        at = start + offset
        if struct.unpack_from(">I", whole, at) != (_CODE_DIRECTORY,):
            continue
        hashes, _, _, pages, limit = struct.unpack_from(">5I", whole, at + 16)
        size, kind, _, page = struct.unpack_from(">4B", whole, at + 36)
        if kind != _SHA_256:
            raise ValueError("the signature of what was linked for macOS is of an unknown kind")
        for number in range(pages):
            piece = whole[number << page : min((number + 1) << page, limit)]
            place = at + hashes + number * size
            whole[place : place + size] = hashlib.sha256(piece).digest()[:size]
