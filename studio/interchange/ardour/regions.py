"""Regions of Ardour's playlists as clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from studio.errors import MissingError
from studio.interchange.ardour.clock import TICKS, ArdourClock
from studio.interchange.ardour.xml import number, switched
from studio.interchange.lines import Tally
from studio.interchange.media import Media, copy_of
from studio.interchange.timeline import AudioClip, Loss, NoteClip
from studio.midi import read_midi


class Regions:
    """Reads playlists.

    Args:
        root: the session.
        folder: of the session, in which its files must lie.
        media: takes copies of its audio.
        clock: its time.
        losses: hear what cannot be had.
    """

    def __init__(self, root: Element, folder: Path, media: Media, clock: ArdourClock, losses: list[Loss]) -> None:
        self._folder, self._media, self._clock, self._losses = folder, media, clock, losses
        self._sources = {source.get("id"): source.get("name", "") for source in root.iterfind("Sources/Source")}
        self._tally = Tally()

    def clips(self, playlist: Element, track: str) -> Iterator[AudioClip | NoteClip]:
        """What lies on a track."""
        for region in playlist.iterfind("Region"):
            self._tally.one()
            said = self._sources.get(region.get("source-0"), "")
            if region.get("type") == "midi":
                path = self._found(said, "midifiles")
                if path is None:
                    self._losses.append(Loss(f"MIDI file {said!r}", track, "it is not in the session's folder"))
                else:
                    yield self._notes(region, path)
            elif (path := self._media.audio(said, track, self._file)) is not None:
                yield self._audio(region, path)

    def _file(self, said: str) -> Callable[[Path], object]:
        """What writes an audio file of the session elsewhere."""
        found = self._found(said, "audiofiles")
        if found is None:
            raise MissingError("it is not in the session's folder")
        return copy_of(found)

    def _found(self, said: str, kind: str) -> Path | None:
        folders = sorted((self._folder / "interchange").glob("*"))
        places = [self._folder / said, *(folder / kind / said for folder in folders)]
        found = next((path.resolve() for path in places if said and path.is_file()), None)
        return found if found is not None and found.is_relative_to(self._folder) else None

    def _audio(self, region: Element, path: Path) -> AudioClip:
        start, frames = self._clock.stretch(region.get("length", "a0@a0"))
        return AudioClip(
            path,
            start,
            max(1, frames),
            self._clock.frame(region.get("start", "a0")),
            number(region, "scale-amplitude", 1.0),
            self._fade(region, "FadeIn", "fade-in-active"),
            self._fade(region, "FadeOut", "fade-out-active"),
            region.get("name", ""),
            switched(region, "muted"),
        )

    def _fade(self, region: Element, tag: str, active: str) -> int:
        words = (region.findtext(f"{tag}/AutomationList/events") or "").split()
        return self._clock.frame(words[-2]) if switched(region, active) and len(words) > 1 else 0

    def _notes(self, region: Element, path: Path) -> NoteClip:
        clock = self._clock
        length, _, place = region.get("length", "b0@b0").partition("@")
        in_beats = length[:1] == "b"
        beats = Fraction(int(length[1:]), TICKS) if in_beats else clock.tempo.beat_at(clock.second(length))
        score = read_midi(path)
        if offset := clock.beat(region.get("start", "b0")):
            skip = score.tick(offset)
            kept = score.keep(lambda note: note.start >= skip)
            score = kept.map_notes(lambda note: note._replace(start=note.start - skip, end=note.end - skip))
        return NoteClip(clock.beat(place), beats, score, region.get("name", ""))
