"""Items of a REAPER project as pieces of audio and notes on lines."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from functools import partial
from pathlib import Path

from studio.audiofile import probe
from studio.errors import MissingError
from studio.interchange.lines import Line, Tally, frame
from studio.interchange.media import Media, copy_of
from studio.interchange.reaper.clock import ReaperClock
from studio.interchange.reaper.text import Chunk, number
from studio.interchange.timeline import AudioClip, Loss, NoteClip
from studio.midi.files import FINEST_RESOLUTION
from studio.score import Event, Score

_AUDIO = ("WAVE", "FLAC", "MP3", "VORBIS", "OPUS")
_NEAR = 1e-9


class Items:
    """Lays items on lines.

    Args:
        folder: in which the project's audio must lie.
        media: takes copies of it.
        clock: the project's time.
        losses: hear what cannot be carried.
    """

    def __init__(self, folder: Path, media: Media, clock: ReaperClock, losses: list[Loss]) -> None:
        self._folder, self._media, self._clock, self._losses = folder, media, clock, losses
        self._tally = Tally()

    def add(self, line: Line, item: Chunk) -> None:
        """Lay an item on a line."""
        self._tally.one()
        source = next(item.chunks("SOURCE"), None)
        start, length = item.number("POSITION"), item.number("LENGTH")
        name = " ".join(item.line("NAME"))
        if source is None or length <= 0 or start < 0:
            return
        where = name or line.name
        if any(words for words in item.lines("TAKE")):
            self._losses.append(Loss("takes", where, "the first one is taken"))
        offset = item.number("SOFFS")
        if source.words[:1] == ["SECTION"]:
            offset += source.number("STARTPOS")
            source = next(source.chunks("SOURCE"), source)
        rate = item.number("PLAYRATE", 0, 1.0)
        if rate != 1.0:
            self._losses.append(Loss(f"play rate {rate:g}", where, "it keeps its own speed"))
        kind = source.words[0] if source.words else ""
        if kind == "MIDI":
            self._notes(line, item, source, start, length, offset, name)
        elif kind in _AUDIO:
            self._audio(line, item, source, start, length, offset, name)
        else:
            self._losses.append(Loss(f"an item of {kind or 'nothing'}", where, "it cannot be played"))

    def _audio(
        self, line: Line, item: Chunk, source: Chunk, start: float, length: float, offset: float, name: str
    ) -> None:
        path = self._media.audio(" ".join(source.line("FILE")[:1]), line.name, self._file)
        if path is None:
            return
        rate, _, frames = probe(path)
        at_rate = partial(frame, rate=self._clock.rate)
        lasts, looped, at = frames / rate, bool(item.number("LOOP", 0, 1)), 0.0
        gain = item.number("VOLPAN", 0, 1.0) * item.number("VOLPAN", 2, 1.0)
        place = offset % lasts if looped else offset
        while at < length - _NEAR and place < lasts:
            piece = min(length - at, lasts - place)
            first, last = at_rate(start + at), at_rate(start + at + piece)
            ending = at + piece >= length - _NEAR
            line.clips.append(
                AudioClip(
                    path,
                    first,
                    max(1, last - first),
                    at_rate(place),
                    abs(gain),
                    at_rate(item.number("FADEIN", 1)) if at == 0 else 0,
                    at_rate(item.number("FADEOUT", 1)) if ending or not looped else 0,
                    name,
                    bool(item.number("MUTE")),
                )
            )
            if not looped:
                break
            self._tally.one()
            at, place = at + piece, 0.0

    def _file(self, said: str) -> Callable[[Path], object]:
        """What writes an audio file of the project elsewhere."""
        path = (self._folder / said.replace("\\", "/")).resolve()
        if not said or not path.is_relative_to(self._folder):
            raise MissingError(
                "it lies outside the project's folder: copy it there, or save the project with its media"
            )
        if not path.is_file():
            raise MissingError("there is no such file")
        return copy_of(path)

    def _notes(
        self, line: Line, item: Chunk, source: Chunk, start: float, length: float, offset: float, name: str
    ) -> None:
        resolution = round(source.number("HASDATA", 1, 960))
        if not 1 <= resolution <= FINEST_RESOLUTION or source.line("FILE"):
            self._losses.append(Loss("notes", name or line.name, "they lie in a file of their own"))
            return
        if item.number("MUTE"):
            self._losses.append(Loss(f"muted notes {name!r}", line.name, "they are left out"))
            return
        beat = self._clock.beat
        begin, end = beat(start), beat(start + length)
        skipped = round((begin - beat(max(0.0, start - offset))) * resolution) if offset else 0
        score = Score(tuple(_events(source, skipped)), resolution, tracks=(line.name,))
        line.notes.append(NoteClip(begin, end - begin, score, name))


def _events(source: Chunk, skipped: int) -> list[Event]:
    """The events of a MIDI source after some ticks; the last, all notes off, only says how long it is."""
    tick, events = 0, list[Event]()
    for each in source.inside:
        if isinstance(each, Chunk) and each.tag in ("X", "x"):
            tick += round(number(each.words, 0))
            data = _system(each)
            if data is not None:
                events.append(Event(max(0, tick - skipped), data))
        elif isinstance(each, list) and each and each[0] in ("E", "e", "Em", "em"):
            tick += round(number(each, 1))
            data = _message(each[2:5])
            if data is not None and "m" not in each[0] and tick >= skipped:
                events.append(Event(tick - skipped, data))
    if events and events[-1].data[:2] == b"\xb0\x7b":
        events.pop()
    return events


def _message(words: list[str]) -> bytes | None:
    """The bytes of a MIDI message; programs and pressure have two."""
    try:
        data = bytes(int(word, 16) for word in words)
    except ValueError:
        return None
    if len(data) < 3 or not 0x80 <= data[0] < 0xF0 or max(data[1:]) > 127:
        return None
    return data[:2] if data[0] >> 4 in (12, 13) else data


def _system(chunk: Chunk) -> bytes | None:
    try:
        data = base64.b64decode("".join(each[0] for each in chunk.inside if isinstance(each, list)), validate=True)
    except binascii.Error:
        return None
    return data if data[:1] == b"\xf0" and data[-1:] == b"\xf7" else None
