"""Regions of Ardour's playlists as clips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from studio.interchange.ardour.clock import TICKS, ArdourClock
from studio.interchange.ardour.lists import drawn_list
from studio.interchange.ardour.xml import number, switched
from studio.interchange.lane import Lane, Value, product
from studio.interchange.lines import Tally
from studio.interchange.media import Media, copy_of
from studio.interchange.relink import Relink
from studio.interchange.safe_xml import having
from studio.interchange.timeline import AudioClip, Loss, NoteClip, Treatment
from studio.midi import read_midi

_STRAIGHT = 1e-3
"""How far the points of a fade may lie beside a line."""


class Regions:
    """Reads playlists.

    Args:
        root: the session.
        folder: of the session, in which its files lie.
        relink: finds those that do not.
        media: takes copies of its audio.
        clock: its time.
        losses: hear what cannot be had.
    """

    def __init__(
        self, root: Element, folder: Path, relink: Relink, media: Media, clock: ArdourClock, losses: list[Loss]
    ) -> None:
        self._folder, self._media, self._clock, self._losses = folder, media, clock, losses
        self._relink = relink
        self._sources = {source.get("id"): source.get("name", "") for source in root.iterfind("Sources/Source")}
        self._gains = {source.get("id"): number(source, "gain", 1.0) for source in root.iterfind("Sources/Source")}
        self._tally = Tally()

    def clips(self, playlist: Element, track: str) -> Iterator[AudioClip | NoteClip]:
        """What lies on a track."""
        below: list[tuple[int, int]] = []
        layered = sorted(playlist.iterfind("Region"), key=lambda region: number(region, "layering-index", 0))
        for region in layered:
            self._tally.one()
            start, frames = self._clock.stretch(region.get("length", "a0@a0"))
            hides = switched(region, "opaque") and region.get("type") != "midi"
            if hides and any(start < end and begin < start + frames for begin, end in below):
                why = "in Ardour it hides those below it where it lies over them; here they add up"
                self._losses.append(Loss(f"the layer of {region.get('name', '')!r}", track, why))
            below.append((start, start + frames))
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
        return copy_of(self._found(said, "audiofiles") or self._relink.find(said))

    def _found(self, said: str, kind: str) -> Path | None:
        folders = sorted((self._folder / "interchange").glob("*"))
        candidates = [self._folder / said, *(folder / kind / said for folder in folders)]
        found = next((path.resolve() for path in candidates if said and path.is_file()), None)
        return found if found is not None and found.is_relative_to(self._folder) else None

    def _audio(self, region: Element, path: Path) -> AudioClip:
        start, frames = self._clock.stretch(region.get("length", "a0@a0"))
        seconds = frames / self._clock.rate
        fade_in, rising = self._fade(region, "FadeIn", "fade-in-active")
        fade_out, falling = self._fade(region, "FadeOut", "fade-out-active")
        level: Value = 1.0
        if rising is not None:
            level = product(level, rising)
        if falling is not None:
            first = seconds - falling.seconds[-1]
            level = product(level, Lane(tuple(first + at for at in falling.seconds), falling.values))
        envelope = having(region.find("Envelope"), "AutomationList", automation_id="envelope")
        if envelope is not None and switched(region, "envelope-active"):
            lane = drawn_list(envelope, self._clock)
            level = product(level, lane) if lane is not None else level
        gain = number(region, "scale-amplitude", 1.0) * self._gains.get(region.get("source-0"), 1.0)
        moves = level.between(0.0, seconds) if isinstance(level, Lane) else None
        treatment = Treatment(seconds, invert=gain < 0, envelope=moves)
        return AudioClip(
            path,
            start,
            max(1, frames),
            self._clock.frame(region.get("start", "a0")),
            abs(gain),
            fade_in,
            fade_out,
            region.get("name", ""),
            switched(region, "muted"),
            None if treatment.plain else treatment,
        )

    def _fade(self, region: Element, tag: str, active: str) -> tuple[int, Lane | None]:
        """A straight fade in frames, or a bent one as a lane over its seconds."""
        found = region.find(f"{tag}/AutomationList")
        lane = drawn_list(found, self._clock) if found is not None else None
        if lane is None or not switched(region, active) or lane.seconds[-1] <= 0:
            return 0, None
        times, values = np.array(lane.seconds), np.array(lane.values)
        straight = times / times[-1] if values[-1] > values[0] else 1 - times / times[-1]
        if np.max(np.abs(values - straight)) < _STRAIGHT:
            return self._clock.frame_of(lane.seconds[-1]), None
        return 0, lane

    def _notes(self, region: Element, path: Path) -> NoteClip:
        clock = self._clock
        length, _, start = region.get("length", "b0@b0").partition("@")
        in_beats = length[:1] == "b"
        beats = Fraction(int(length[1:]), TICKS) if in_beats else clock.tempo.beat_at(clock.second(length))
        score = read_midi(path)
        if offset := clock.beat(region.get("start", "b0")):
            skip = score.tick(offset)
            kept = score.keep(lambda note: note.start >= skip)
            score = kept.map_notes(lambda note: note._replace(start=note.start - skip, end=note.end - skip))
        return NoteClip(clock.beat(start), beats, score, region.get("name", ""))
