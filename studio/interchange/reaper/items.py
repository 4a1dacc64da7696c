"""Items of a REAPER project as pieces of audio and notes on lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from studio.interchange.lines import Tally, TrackBuilder
from studio.interchange.media import Media, copy_of
from studio.interchange.reaper.accounts import consume
from studio.interchange.reaper.audio_items import audio_clips
from studio.interchange.reaper.clock import ReaperClock
from studio.interchange.reaper.envelopes import Envelopes
from studio.interchange.reaper.note_items import note_clip
from studio.interchange.reaper.takes import Take, takes
from studio.interchange.reaper.text import Chunk
from studio.interchange.relink import Relink
from studio.interchange.timeline import Loss

_AUDIO = ("WAVE", "FLAC", "MP3", "VORBIS", "OPUS", "AIFF", "WAVPACK")


class Items:
    """Lays items on lines.

    Args:
        relink: finds the files that a project names.
        media: takes copies of its audio.
        clock: the project's time.
        envelopes: reads what moves.
        losses: hear what cannot be carried.
    """

    def __init__(
        self, relink: Relink, media: Media, clock: ReaperClock, envelopes: Envelopes, losses: list[Loss]
    ) -> None:
        self._relink, self._media, self._clock = relink, media, clock
        self._envelopes, self._losses = envelopes, losses
        self._tally = Tally()

    def add(self, line: TrackBuilder, item: Chunk, plays: bool = True) -> None:
        """Lay an item on a line, muted if its lane does not play."""
        self._tally.one()
        found = takes(item, line.name, self._losses)
        if not plays:
            self._losses.append(Loss("an item on a lane that does not play", line.name, "it is there, muted"))
        for take in found:
            self._add(line, take if plays else replace(take, muted=True))
        if not found:
            consume(item)

    def _add(self, line: TrackBuilder, take: Take) -> None:
        source = take.source
        if source.head.text(0) == "SECTION":
            source = next(source.chunks("SOURCE"), source)
        kind = source.head.text(0)
        if kind == "MIDI":
            clip = note_clip(take, source, self._clock, self._relink.find, self._tally, self._losses)
            if clip is not None:
                line.notes.append(clip)
            return
        if kind not in _AUDIO:
            consume(source)
            self._losses.append(Loss(f"an item of {kind or 'nothing'}", take.name, "it cannot be played"))
            return
        said = source.line("FILE").text(0)
        path = self._media.audio(said, line.name, self._file)
        if path is None:
            consume(take.chunk)
            return
        line.clips += audio_clips(take, path, self._clock.rate, self._envelopes, self._tally, self._losses)

    def _file(self, said: str) -> Callable[[Path], object]:
        """What writes an audio file of the project elsewhere."""
        return copy_of(self._relink.find(said))
