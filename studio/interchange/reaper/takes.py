"""Items of a REAPER project, parted into their takes."""

from __future__ import annotations

from dataclasses import dataclass

from studio.interchange.reaper.accounts import consume
from studio.interchange.reaper.text import Chunk, RppLine
from studio.interchange.timeline import Loss

_OF_ITEM = (
    "POSITION", "SNAPOFFS", "LENGTH", "LOOP", "ALLTAKES", "FADEIN", "FADEOUT", "MUTE", "SEL", "IGUID", "IID", "VOLPAN",
    "LANE", "GROUP", "LOCK", "COLOR", "BEAT", "YPOS",
)  # fmt: skip
"""What stands before the first take and belongs to all of them."""


@dataclass(frozen=True)
class Fade:
    """A fade at one end: how long it is in seconds, and the number of its shape."""

    seconds: float
    shape: int


@dataclass(frozen=True)
class Take:
    """What one take plays, and how.

    Attributes:
        chunk: its lines and chunks.
        source: its sound or notes, in a section or not.
        name: of the take, or of the line it lies on.
        start, length: of its item, in seconds.
        gain: a factor, of item and take.
        invert: whether its polarity is turned.
        pan: −1 left to 1 right.
        offset: where in the source it begins, in seconds of the source.
        rate: how many times as fast it plays.
        tape: whether the pitch follows that.
        semitones: how much higher it is.
        looped: whether the source begins anew where it ends.
        muted: whether the item is silent.
        fade_in, fade_out: at its ends.
    """

    chunk: Chunk
    source: Chunk
    name: str
    start: float
    length: float
    gain: float
    invert: bool
    pan: float
    offset: float
    rate: float
    tape: bool
    semitones: float
    looped: bool
    muted: bool
    fade_in: Fade
    fade_out: Fade


def takes(item: Chunk, line: str, losses: list[Loss]) -> list[Take]:
    """What is heard of an item: its chosen take, or all of them where it says so."""
    name = item.text("NAME") or line
    start, length = item.number("POSITION"), item.number("LENGTH")
    if start < 0 or length <= 0:
        consume(item)
        losses.append(Loss("an item", name, f"it begins at {start:g} s and lasts {length:g} s"))
        return []
    parts, chosen = _parted(item)
    heard = range(len(parts)) if item.number("ALLTAKES") else [chosen]
    left = [chunk for index, chunk in enumerate(parts) if index not in heard]
    for chunk in left:
        for each in chunk.inside:
            if isinstance(each, Chunk) or each.tag not in _OF_ITEM:
                consume(each)
    if left:
        losses.append(Loss(f"{len(left)} other take{'s' * (len(left) > 1)}", name, "what is chosen is taken"))
    found = [_take(item, parts[index], name, start, length) for index in heard]
    return [take for take in found if take is not None]


def _parted(item: Chunk) -> tuple[list[Chunk], int]:
    """The takes, each as a chunk of its own, and the number of the chosen one."""
    parts, chosen = [Chunk("ITEM")], 0
    for each in item.inside:
        if isinstance(each, RppLine) and each.tag == "TAKE":
            each.seen = True
            chosen = len(parts) if "SEL" in each.all() else chosen
            parts.append(Chunk("ITEM"))
        else:
            parts[-1].inside.append(each)
    return parts, chosen


def _take(item: Chunk, chunk: Chunk, name: str, start: float, length: float) -> Take | None:
    source = next(chunk.chunks("SOURCE"), None)
    if source is None or not source.head.words:
        return None
    own, level = chunk.line("TAKEVOLPAN"), chunk.line("VOLPAN")
    pan, volume = (own.number(0), own.number(1, 1.0)) if own.words else (level.number(1), level.number(2, 1.0))
    gain = item.line("VOLPAN").number(0, 1.0) * volume
    play = chunk.line("PLAYRATE")
    rate = play.number(0, 1.0)
    return Take(
        chunk,
        source,
        chunk.text("NAME") or name,
        start,
        length,
        abs(gain),
        gain < 0,
        max(-1.0, min(1.0, pan)),
        chunk.number("SOFFS"),
        rate if rate > 0 else 1.0,
        not play.number(1, 1.0),
        play.number(2),
        bool(item.number("LOOP", 0, 1.0)),
        bool(item.number("MUTE")),
        _fade(item.line("FADEIN")),
        _fade(item.line("FADEOUT")),
    )


def _fade(line: RppLine) -> Fade:
    """A length that REAPER gave by itself, where items overlap, counts before the one by hand."""
    automatic = line.number(2)
    return Fade(max(0.0, automatic if automatic > 0 else line.number(1)), round(line.number(0)))
