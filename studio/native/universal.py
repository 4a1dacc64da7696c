"""One file of Apple's for several processors.

The layout is that of `fat_header` and `fat_arch` in Apple's <mach-o/fat.h>: big-endian numbers, each library on a page
of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

_MAGIC = 0xCAFEBABE
_PROCESSORS = {"x86_64": (0x01000007, 3, 12), "aarch64": (0x0100000C, 0, 14)}
"""Kind, kind within the kind, and the power of two that its pages begin at."""


def universal(libraries: Sequence[tuple[str, bytes]]) -> bytes:
    """Libraries for different processors as one; a single one stays as it is."""
    if len(libraries) == 1:
        return libraries[0][1]
    head, body = [struct.pack(">II", _MAGIC, len(libraries))], b""
    start = 8 + 20 * len(libraries)
    for machine, library in libraries:
        kind, within, align = _PROCESSORS[machine]
        offset = (start + len(body) + (1 << align) - 1) >> align << align
        body += b"\0" * (offset - start - len(body)) + library
        head.append(struct.pack(">IIIII", kind, within, offset, len(library), align))
    return b"".join(head) + body
