"""What an audio file says about the loop in it: in its name, in the ACID chunk, in its comments."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.headers import chunk_of

SLOWEST_BPM, FASTEST_BPM = 30.0, 300.0
"""Beyond these a number is no tempo."""

_NUMBER = r"(?<![\d.])(\d{2,3}(?:[.,]\d{1,3})?)"
_TAGGED = re.compile(rf"{_NUMBER}[\s_-]*bpm(?![a-z])|(?<![a-z])bpm[\s_=:-]*{_NUMBER}(?![\d.])", re.IGNORECASE)
_BARE = re.compile(r"(?<![^\W_])(\d{2,3})(?![^\W_]|[.,]\d)")
_ONE_SHOT = 0x01


@dataclass(frozen=True)
class LoopHint:
    """What one place of a file says.

    Attributes:
        where: the place, in a phrase such as "its name".
        bpm: the tempo in beats per minute.
        beats: how many there are, where it says that.
        meter: beats of a bar, where it says that.
        tagged: whether it says that it means a tempo; a bare number in a name does not.
    """

    where: str
    bpm: float
    beats: int | None = None
    meter: int | None = None
    tagged: bool = True


def hints_in(path: Path) -> tuple[LoopHint, ...]:
    """What a file says about the tempo of the loop in it, the surest first; nothing is checked against the sound."""
    return (*_acid(path), *_comments(path), *hints_in_name(path.stem))


def hints_in_name(stem: str) -> tuple[LoopHint, ...]:
    """The tempos that the name of a file may mean: ``break_120bpm``, ``120 bpm``, ``bpm120_x``, ``loop_120_Am``.

    >>> [hint.bpm for hint in hints_in_name("Funky Break 97.5 BPM (2)")]
    [97.5]
    """
    if tagged := [hint for found in _TAGGED.finditer(stem) for hint in _tempo(found, "its name", tagged=True)]:
        return tuple(tagged)
    return tuple(hint for found in _BARE.finditer(stem) for hint in _tempo(found, "its name", tagged=False))


def _tempo(found: re.Match[str], where: str, *, tagged: bool) -> Iterator[LoopHint]:
    bpm = float(next(group for group in found.groups() if group).replace(",", "."))
    if SLOWEST_BPM <= bpm <= FASTEST_BPM:
        yield LoopHint(where, bpm, tagged=tagged)


def _acid(path: Path) -> Iterator[LoopHint]:
    """The chunk of ACID and its followers: flags, root note, two unknowns, beats, meter (unit first), tempo."""
    chunk = chunk_of(path, b"acid")
    if len(chunk) < 24:
        return
    flags, _, _, _, beats, _, meter, bpm = struct.unpack("<IHHfIHHf", chunk[:24])
    if flags & _ONE_SHOT or not beats or not SLOWEST_BPM <= bpm <= FASTEST_BPM:
        return
    yield LoopHint("its ACID chunk", float(bpm), int(beats), int(meter) if 1 <= meter <= 32 else None)


def _comments(path: Path) -> Iterator[LoopHint]:
    import soundfile

    with soundfile.SoundFile(path) as file:
        words = file.copy_metadata()
    for word in ("title", "comment"):
        for found in _TAGGED.finditer(words.get(word, "")):
            yield from _tempo(found, f"its {word}", tagged=True)
