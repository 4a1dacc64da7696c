"""What an audio file says about the loop in it: in its name, in chunks of its own, in its comments and tags."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from studio.file_tags import tags_of
from studio.headers import chunk_of, order_of

SLOWEST_BPM, FASTEST_BPM = 30.0, 300.0
"""Beyond these a number is no tempo."""

_NUMBER = r"(?<![\d.])(\d{2,3}(?:[.,]\d{1,3})?)"
_TAGGED = re.compile(rf"{_NUMBER}[\s_-]*bpm(?![a-z])|(?<![a-z])bpm[\s_=:-]*{_NUMBER}(?![\d.])", re.IGNORECASE)
_BARE = re.compile(r"(?<![^\W_])(\d{2,3})(?![^\W_]|[.,]\d)")
_KEY = re.compile(r"(?<![^\W_])([A-G])(#|♯|b|♭|sharp|flat)?[\s_-]?(min|minor|m|maj|major)?(?![^\W_])")
_ONE_SHOT, _ROOT_IS_TOLD = 0x01, 0x02
_NOTES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


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
    return (*_acid(path), *_words(path), *hints_in_name(path.stem))


def hints_in_name(stem: str) -> tuple[LoopHint, ...]:
    """The tempos that the name of a file may mean: ``break_120bpm``, ``120 bpm``, ``bpm120_x``, ``loop_120_Am``.

    >>> [hint.bpm for hint in hints_in_name("Funky Break 97.5 BPM (2)")]
    [97.5]
    """
    if tagged := [hint for found in _TAGGED.finditer(stem) for hint in _tempo(found, "its name", tagged=True)]:
        return tuple(tagged)
    return tuple(hint for found in _BARE.finditer(stem) for hint in _tempo(found, "its name", tagged=False))


def looped_part(path: Path) -> tuple[int, int] | None:
    """The frames, first and one past the last, that the `smpl` chunk of a file plays in a loop; None without such a loop."""
    chunk, order = chunk_of(path, b"smpl"), order_of(path)
    if len(chunk) < 60 or not struct.unpack_from(f"{order}I", chunk, 28)[0]:
        return None
    kind, first, last = struct.unpack_from(f"{order}III", chunk, 40)
    return (int(first), int(last) + 1) if kind == 0 and first < last else None


def cues_in(path: Path) -> tuple[int, ...]:
    """The frames that the cue points of a WAV file mark, in order."""
    chunk, order = chunk_of(path, b"cue "), order_of(path)
    if len(chunk) < 4:
        return ()
    count = min(int(struct.unpack_from(f"{order}I", chunk)[0]), (len(chunk) - 4) // 24)
    return tuple(sorted({int(struct.unpack_from(f"{order}I", chunk, 24 + 24 * each)[0]) for each in range(count)}))


def key_told(path: Path) -> str | None:
    """The key that a file states in its tags or its name, such as ``F# minor``; None where it states none.

    In a name the mode must stand beside the note (``Am``, ``C#min``, ``G major``), for a letter alone says too little.
    """
    for where in (tags_of(path).get("key", ""), path.stem):
        for note, sign, mode in _KEY.findall(where):
            if mode or where != path.stem:
                sharp = {"": 0, "#": 1, "♯": 1, "sharp": 1}.get(sign, -1)
                tonic = _NOTES[(_NOTES.index(note) + sharp) % 12]
                return f"{tonic} {'minor' if mode in ('m', 'min', 'minor') else 'major'}"
    return None


def _tempo(found: re.Match[str], where: str, *, tagged: bool) -> Iterator[LoopHint]:
    yield from _hint(next(group for group in found.groups() if group), where, tagged=tagged)


def _hint(number: str, where: str, *, tagged: bool = True) -> Iterator[LoopHint]:
    bpm = float(number.replace(",", "."))
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


def root_told(path: Path) -> int | None:
    """The MIDI key at which a file says that it sounds, in its ACID or `smpl` chunk."""
    acid, sampler = chunk_of(path, b"acid"), chunk_of(path, b"smpl")
    if len(acid) >= 24 and struct.unpack_from("<I", acid)[0] & _ROOT_IS_TOLD:
        root = int(struct.unpack_from("<H", acid, 4)[0])
    elif len(sampler) >= 36:
        root = int(struct.unpack_from(f"{order_of(path)}I", sampler, 12)[0])
    else:
        return None
    return root if 0 < root < 128 else None


def _words(path: Path) -> Iterator[LoopHint]:
    """The tempo that stands in a tag of its own, or as so many bpm in title and comment (LIST INFO, ID3, Vorbis)."""
    tags = tags_of(path)
    if found := re.fullmatch(r"\s*(\d{2,3}(?:[.,]\d{1,6})?)\s*(?:bpm)?\s*", tags.get("bpm", ""), re.IGNORECASE):
        yield from _hint(found[1], "its tag for the tempo")
    for word in ("title", "comment"):
        for found in _TAGGED.finditer(tags.get(word, "")):
            yield from _tempo(found, f"its {word}", tagged=True)
