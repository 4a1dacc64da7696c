"""What a SoundFont's own tables say of its samples (SoundFont 2.04, sections 3 and 7.10)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

_HEADER = struct.Struct("<20sIIIIIBbHH")
_ROM, _PACKED = 0x8000, 0x10
_LISTS = {
    b"phdr": struct.Struct("<20sHHH12x"),
    b"pbag": struct.Struct("<HH"),
    b"pgen": struct.Struct("<HH"),
    b"pmod": struct.Struct("<HHhHH"),
    b"inst": struct.Struct("<20sH"),
    b"ibag": struct.Struct("<HH"),
    b"igen": struct.Struct("<HH"),
    b"imod": struct.Struct("<HHhHH"),
}
_PRESET = (b"pbag", b"pgen", b"pmod")
_CHORUS, _INSTRUMENT = 15, 41
_CC_93 = 221
"""A modulator's source: controller 93, from 0 up, in a straight line."""


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


def presets_with_chorus(font: Path) -> frozenset[tuple[int, int]] | None:
    """The presets, as bank and program, of which a zone sends to the chorus by itself; None where it cannot be read.

    Controller 93, which every zone obeys, is not reckoned in.
    """
    try:
        return _with_chorus(font, font.stat().st_mtime_ns)
    except (OSError, ValueError, struct.error, IndexError):
        return None


@lru_cache(maxsize=16)
def _with_chorus(font: Path, changed: int) -> frozenset[tuple[int, int]]:
    lists: dict[bytes, list[tuple[Any, ...]]] = {}
    with font.open("rb") as file:
        if file.read(4) != b"RIFF":
            raise ValueError("no RIFF file")
        file.seek(12)
        for name, size in _chunks(file, font.stat().st_size):
            if layout := _LISTS.get(name):
                lists[name] = list(layout.iter_unpack(file.read(size // layout.size * layout.size)))
    if lists.keys() != _LISTS.keys():
        raise ValueError("no SoundFont")
    instruments = _zones(lists[b"inst"], lists[b"ibag"], lists[b"igen"], lists[b"imod"])
    presets = _zones([(name, bag) for name, _, _, bag in lists[b"phdr"]], *(lists[name] for name in _PRESET))
    sending = {index for index, (generators, modulators) in enumerate(instruments) if _sends(generators, modulators)}
    found = set()
    for (_, program, bank, _), (generators, modulators) in zip(lists[b"phdr"], presets, strict=False):
        played = {amount for generator, amount in generators if generator == _INSTRUMENT}
        if _sends(generators, modulators) or played & sending:
            found.add((bank, program))
    return frozenset(found)


_Lines = list[tuple[Any, ...]]


def _zones(heads: _Lines, bags: _Lines, generators: _Lines, modulators: _Lines) -> list[tuple[_Lines, _Lines]]:
    """The generators and modulators of all zones of each head; the last head only marks the end."""
    found = []
    for (_, first), (_, last) in pairwise(heads):
        (from_gen, from_mod), (to_gen, to_mod) = bags[first], bags[last]
        found.append((generators[from_gen:to_gen], modulators[from_mod:to_mod]))
    return found


def _sends(generators: _Lines, modulators: _Lines) -> bool:
    return any(generator == _CHORUS and amount for generator, amount in generators) or any(
        target == _CHORUS and amount and source != _CC_93 for source, target, amount, _, _ in modulators
    )


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
