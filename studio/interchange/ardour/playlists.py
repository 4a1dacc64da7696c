"""Playlists of a session of Ardour: their regions, and the sources of these."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import soundfile

from studio.interchange.ardour.clock import TICKS
from studio.interchange.ardour.controls import automation_list
from studio.interchange.ardour.sheet import ArdourSheet, yes
from studio.interchange.lane import Lane
from studio.interchange.notes import trimmed
from studio.interchange.timeline import AudioClip, NoteClip, TimelineStrip
from studio.midi.files import write_midi
from studio.rendering.manifest import slug
from studio.rendering.xml_text import clean
from studio.sources.clips import FADES

_FADE_POINTS = 33

_EDITABLE = "Writable,CanRename"
"""Flags of MIDI sources: without them Ardour shows its edits of notes, and forgets them when it saves."""


class Playlists:
    """What lies on tracks.

    Args:
        sheet: of the session.
        folder: into which MIDI files are written.
    """

    def __init__(self, sheet: ArdourSheet, folder: Path) -> None:
        self._sheet, self._folder = sheet, folder
        self.sources, self.playlists = Element("Sources"), Element("Playlists")
        self._ids: dict[Path, list[str]] = {}
        self._taken: set[str] = set()

    def add(self, strip: TimelineStrip) -> str:
        """Add the playlist of a strip; its id."""
        name = self._sheet.id()
        kind = "midi" if strip.plays_notes else "audio"
        playlist = SubElement(
            self.playlists,
            "Playlist",
            {
                "id": name,
                "name": self._sheet.names[strip.name],
                "type": kind,
                "orig-track-id": self._sheet.routes[strip.name],
                "pgroup-id": "",
                "shared-with-ids": "",
                "frozen": "0",
                "combine-ops": "0",
            },
        )
        for layer, clip in enumerate(strip.clips):
            if isinstance(clip, NoteClip):
                self._note_region(playlist, strip, clip, layer)
            else:
                self._audio_region(playlist, strip, clip, layer)
        return name

    def _audio_region(self, playlist: Element, strip: TimelineStrip, clip: AudioClip, layer: int) -> None:
        sources = self._channels(clip.file)
        length = self._sheet.audio(clip.frames)
        region = self._region(playlist, clip.name or strip.name, layer, "audio")
        region.attrib |= {
            "muted": yes(clip.muted),
            "opaque": "0",
            "start": self._sheet.audio(clip.offset),
            "length": f"{length}@{self._sheet.audio(clip.start)}",
            "channels": str(len(sources)),
            "scale-amplitude": repr(clip.gain),
            "fade-in-active": yes(clip.fade_in > 0),
            "fade-out-active": yes(clip.fade_out > 0),
            "default-fade-in": "0",
            "default-fade-out": "0",
            "envelope-active": "0",
        }
        for channel, source in enumerate(sources):
            region.set(f"source-{channel}", source)
            region.set(f"master-source-{channel}", source)
        for tag, automation, frames, shape in (
            ("FadeIn", "fadein", clip.fade_in, clip.fade_in_shape),
            ("FadeOut", "fadeout", clip.fade_out, clip.fade_out_shape),
        ):
            if frames:
                at = np.linspace(0.0, 1.0, 2 if shape == "linear" else _FADE_POINTS)
                levels = FADES[shape](at if tag == "FadeIn" else 1 - at)
                lane = Lane(tuple((at * frames / self._sheet.rate).tolist()), tuple(levels.tolist()))
                automation_list(self._sheet, SubElement(region, tag), automation, lane)

    def _region(self, playlist: Element, name: str, layer: int, kind: str) -> Element:
        return SubElement(
            playlist,
            "Region",
            {
                "name": clean(name),
                "id": self._sheet.id(),
                "type": kind,
                "first-edit": "nothing",
                "layering-index": str(layer),
                "locked": "0",
                "position-locked": "0",
                "automatic": "0",
                "whole-file": "0",
                "import": "0",
                "external": "0",
                "hidden": "0",
                "sync-marked": "0",
                "stretch": "1",
                "shift": "1",
            },
        )

    def _channels(self, path: Path) -> list[str]:
        """The ids of a file's channels, each of which is a source of its own."""
        if path not in self._ids:
            channels = soundfile.info(path).channels
            self._ids[path] = []
            for channel in range(channels):
                name = self._sheet.id()
                SubElement(
                    self.sources,
                    "Source",
                    name=path.name,
                    type="audio",
                    flags="",
                    id=name,
                    channel=str(channel),
                    origin="",
                    gain="1",
                )
                self._ids[path].append(name)
        return self._ids[path]

    def _note_region(self, playlist: Element, strip: TimelineStrip, clip: NoteClip, layer: int) -> None:
        path = self._folder / f"{slug(strip.name, self._taken)}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(trimmed(clip), path)
        source = self._sheet.id()
        SubElement(self.sources, "Source", name=path.name, type="midi", flags=_EDITABLE, id=source, origin="")
        region = self._region(playlist, clip.name or strip.name, layer, "midi")
        start, length = round(clip.start * TICKS), round(clip.beats * TICKS)
        region.attrib |= {
            "muted": "0",
            "opaque": "1",
            "start": "b0",
            "length": f"b{length}@b{start}",
            "channels": "1",
            "source-0": source,
            "master-source-0": source,
        }
