"""Documents that somebody broke or crafted: plain data with places replaced, and text with bytes flipped."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

WILD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 7, 2**31, 2**63, 10**400, -1e308, 1e308, 0.5, "-inf", "inf", "nan", "", "mix.wav", "../secret.wav",
    "stems/../../secret.wav", "/etc/passwd", "C:\\a.wav", "c:a.wav", "a\\..\\b.wav", "link.wav", "a\0b.wav", "\x1b[2J\x9b31m",
    "\u202egnp.wav", "é" * 500 + ".wav", "x" * 300 + ".wav", "\ud800", [], [[]], {}, {"a": 1}, [1, 2], ["stems/hiss.wav"],
    {"path": "mix.wav"}, "flac", "mp3", "16", "32", "stem", "bus", "ab" * 32,
)  # fmt: skip


def places(plain: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in plain data."""
    if way:
        yield way
    inside = plain.items() if isinstance(plain, dict) else enumerate(plain) if isinstance(plain, list) else ()
    for key, value in inside:
        yield from places(value, (*way, key))


def mutated(plain: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    """A copy with one to three places that are replaced, gone, doubled or renamed."""
    new = copy.deepcopy(plain)
    for _ in range(chance.randint(1, 3)):
        way = chance.choice(list(places(new)))
        holder = new
        for key in way[:-1]:
            holder = holder[key]
        deed = chance.randrange(6)
        if deed == 0:
            del holder[way[-1]]
        elif deed == 1 and isinstance(holder, dict):
            holder[chance.choice(("path", "extra", "manifest", "../x"))] = holder[way[-1]]
        elif deed == 2 and isinstance(holder, list):
            holder.append(copy.deepcopy(holder[way[-1]]))
        else:
            holder[way[-1]] = copy.deepcopy(chance.choice(WILD))
        if not new:
            return {"manifest": 2}
    return new


def torn(text: bytes, chance: random.Random) -> bytes:
    """The same text with bytes flipped, or cut short, or nested without end."""
    deed = chance.randrange(4)
    if deed == 0:
        return text[: chance.randrange(len(text))]
    if deed == 1:
        return b"[" * 100_000
    noisy = bytearray(text)
    for _ in range(chance.randint(1, 8)):
        noisy[chance.randrange(len(noisy))] = chance.choice((chance.randrange(256), 0x22, 0x7B, 0x2D, 0x39))
    return bytes(noisy)
