"""What a SoundFont's own tables say of its samples (SoundFont 2.04, sections 3 and 7.10)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

_HEADER = struct.Struct("<20sIIIIIBbHH")
_ROM, _PACKED = 0x8000, 0x10


def damaged_samples(font: Path) -> tuple[int, int]:
    """How many samples lie outside the sound of a SoundFont, or are too short to play; and how many there are in all.

    Notes that need one of them are silent. A file that cannot be read has none.
    """
    try:
        return _damaged(font, font.stat().st_mtime_ns)
    except (OSError, ValueError, struct.error):
        return 0, 0


@lru_cache(maxsize=16)
def _damaged(font: Path, changed: int) -> tuple[int, int]:
    points, headers = 0, b""
    with font.open("rb") as file:
        if file.read(4) != b"RIFF":
            return 0, 0
        file.seek(12)
        for name, size in _chunks(file, font.stat().st_size):
            if name == b"smpl":
                points = size // 2
            elif name == b"shdr":
                headers = file.read(size)
    whole = len(headers) // _HEADER.size * _HEADER.size
    # The last header only marks the end.
    samples = list(_HEADER.iter_unpack(headers[:whole]))[:-1]
    bad = 0
    for _, start, end, _, _, _, _, _, _, kind in samples:
        if not kind & (_ROM | _PACKED):
            bad += not (start + 4 <= end <= points)
    return bad, len(samples)


def _chunks(file: BinaryIO, length: int) -> Iterator[tuple[bytes, int]]:
    """Every chunk, the lists opened; while one is looked at the file stands at the beginning of its data."""
    position = file.tell()
    while position + 8 <= length:
        file.seek(position)
        name, size = struct.unpack("<4sI", file.read(8))
        if name == b"LIST":
            position += 12
            continue
        yield name, size
        position += 8 + size + size % 2
