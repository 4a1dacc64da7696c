"""A session as it was written beside the same as it is now: what of the recipe's was changed in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from studio.address import get
from studio.interchange.lane import Lane, Value
from studio.interchange.points import decibels_said, fader_points, points
from studio.interchange.timeline import MASTER, AudioClip, Loss, Timeline, TimelineStrip
from studio.recipe import Recipe
from studio.sessions.device_edits import device_edits
from studio.sessions.new_strips import new_strips
from studio.sessions.note_edits import MarkerEdits, NoteEdits, edits_of, heard, marker_edits
from studio.sessions.recipes import LOUDEST_DB, meter_said, tempo_said
from studio.sources.clips import Clips
from studio.tempo import Time

_NEAR = 1e-4
"""How far a value may lie beside another and be the same: what formats round by."""

_MARKS = 512
_NEAR_FRAMES, _NEAR_BEATS = 1, Fraction(1, 1000)

Way = tuple[str | int, ...]


@dataclass(frozen=True)
class MergeChange:
    """Something that the session changed: the way to it in the recipe, and what it is now, as a recipe says it."""

    way: Way
    value: Any

    @property
    def where(self) -> str:
        """The way in words."""
        return ".".join(map(str, self.way[1:] if self.way[0] in ("tracks", "buses") else self.way))


class SessionComparison:
    """A session as it was written and as it is now.

    Args:
        base: the recipe that it was made of.
        before: the session as it was written.
        after: as it is.
        media: a new folder for the audio of tracks that are new, which will stand beside the recipe.
    """

    def __init__(self, base: Recipe, before: Timeline, after: Timeline, media: Path) -> None:
        self._base, self._before, self._after, self._media = base, before, after, media
        self.losses: list[Loss] = [loss for loss in after.losses if loss not in before.losses]
        self.notes: list[NoteEdits] = []
        self.markers: MarkerEdits | None = None
        self._names = self._named()

    def _named(self) -> dict[str, str]:
        """What the recipe calls the strips of the session, some of which a format had to call otherwise."""
        known = {*self._base.tracks, *self._base.buses, MASTER}
        names = {strip.name: strip.name for strip in self._before.strips if strip.name in known}
        for kind, wanted in (("tracks", self._base.tracks), ("buses", self._base.buses)):
            others = [strip.name for strip in getattr(self._before, kind) if strip.name not in names]
            left = [name for name in wanted if name not in names.values()]
            names |= dict(zip(others, left, strict=False)) if kind == "buses" or len(others) == len(left) else {}
        return names

    def changes(self) -> Iterator[MergeChange]:
        """What the session changed, in the order of the recipe; the rest is among the losses."""
        if self._before.tempo.tempos != self._after.tempo.tempos and self._moved_tempo():
            yield MergeChange(("tempo",), tempo_said(self._after.tempo))
        if self._before.tempo.meters != self._after.tempo.meters:
            yield MergeChange(("meter",), meter_said(self._after.tempo, self.losses))
        self.markers = marker_edits(self._before.markers, self._after.markers)
        if self.markers is not None and self._base.score is None:
            self.markers = None
            self.losses.append(Loss("markers", "session", "a recipe without a MIDI file has none"))
        now = {strip.name: strip for strip in self._after.strips}
        for strip in self._before.strips:
            name = self._names.get(strip.name)
            other = now.pop(strip.name, None)
            if other is None:
                self.losses.append(Loss("the strip", strip.name, "it is gone from the session; the recipe keeps it"))
            elif name is not None:
                yield from self._strip(name, strip, other)
            elif strip.plays_notes and other.plays_notes:
                self._notes(strip, other)
            elif _told(strip) != _told(other):
                self.losses.append(
                    Loss("changes", strip.name, "what is printed or played anew has no place of its own")
                )
        yield from self._new(list(now))

    def _new(self, names: list[str]) -> Iterator[MergeChange]:
        """Strips that the session has more."""
        if not names:
            return
        found = new_strips(self._after, names, self._names, self._media)
        self.losses += found.losses
        for kind, strips in (("buses", found.buses), ("tracks", found.tracks)):
            for name, plain in strips.items():
                yield MergeChange((kind, name), plain)
        for strip in self._after.tracks:
            if strip.name not in found.tracks or not strip.plays_notes:
                continue
            if self._base.score is None:
                self.losses.append(Loss("notes", strip.name, "the recipe has no MIDI file to write them into"))
            else:
                self.notes.append(NoteEdits(strip.name, (), tuple(heard(strip.notes)), added=True))

    def _moved_tempo(self) -> bool:
        """Whether the tempo is another by more than formats round."""
        beats = np.linspace(0.0, max(16.0, float(self._before.beat(self._before.frames))), _MARKS)
        apart = self._before.tempo.seconds_at(beats) - self._after.tempo.seconds_at(beats)
        return bool(np.max(np.abs(apart)) > 1e-3)

    def _strip(self, name: str, was: TimelineStrip, now: TimelineStrip) -> Iterator[MergeChange]:
        kind = "master" if name == MASTER else "tracks" if name in self._base.tracks else "buses"
        way: Way = ("master",) if kind == "master" else (kind, name)
        if not self._same(was.volume, now.volume):
            yield MergeChange((*way, "volume"), _level(now.volume))
        for place, knob, value in self._devices(way, was, now):
            yield MergeChange((*way, "chain", place, knob), value)
        if kind == "master":
            return
        if not self._same(was.pan, now.pan):
            yield MergeChange((*way, "pan"), points(now.pan) if isinstance(now.pan, Lane) else round(now.pan, 6))
        for knob in ("mute", "solo", "colour"):
            if getattr(was, knob) != getattr(now, knob) and not (knob == "solo" and kind == "buses"):
                yield MergeChange((*way, knob), getattr(now, knob))
        if was.to != now.to:
            yield MergeChange((*way, "to"), self._names.get(now.to, now.to))
        yield from self._sends(way, was, now)
        yield from self._clips(way, was, now)

    def _devices(self, way: Way, was: TimelineStrip, now: TimelineStrip) -> Iterator[tuple[int, str, Any]]:
        if was.devices != now.devices:
            chain, seconds = get(self._base, way).chain, float(self._before.seconds)
            yield from device_edits(chain, was.devices, now.devices, seconds, was.name, self.losses)

    def _notes(self, was: TimelineStrip, now: TimelineStrip) -> None:
        """Notes of a track that went and came; behind steps on notes nobody knows which those of the file were."""
        track = was.name.rstrip("*").removesuffix(" (notes)")
        edits = edits_of(track, was.notes, now.notes)
        if edits is None:
            return
        known = self._base.tracks.get(track)
        if known is None or self._base.score is None:
            self.losses.append(Loss("notes", was.name, "which track of the recipe they belong to is not known"))
        elif known.notes:
            steps = ", ".join(step.label for step in known.notes)
            self.losses.append(Loss("notes", was.name, f"the recipe makes them of others ({steps})"))
        else:
            self.notes.append(edits)

    def _sends(self, way: Way, was: TimelineStrip, now: TimelineStrip) -> Iterator[MergeChange]:
        before = {self._names.get(send.target, send.target): send for send in was.sends}
        after = {self._names.get(send.target, send.target): send for send in now.sends}
        if before.keys() == after.keys() and all(before[bus].pre == after[bus].pre for bus in before):
            for bus, send in after.items():
                if not self._same(before[bus].level, send.level):
                    yield MergeChange((*way, "send", bus, "level"), _level(send.level))
            return
        said = {
            bus: send.data() for bus, send in get(self._base, way).send.items() if bus in after or bus not in before
        }
        for bus, send in after.items():
            if bus not in before or before[bus].pre != send.pre or not self._same(before[bus].level, send.level):
                said[bus] = {"level": _level(send.level), "pre": send.pre}
        yield MergeChange((*way, "send"), said)

    def _clips(self, way: Way, was: TimelineStrip, now: TimelineStrip) -> Iterator[MergeChange]:
        play = get(self._base, way).play if way[0] == "tracks" else None
        if not isinstance(play, Clips) or self._alike(was.audio, now.audio):
            return
        if len(play.clips) != len(was.audio):
            self.losses.append(Loss("clips", was.name, "they are printed into one file"))
            return
        files = {clip.file.name: placed.file for clip, placed in zip(was.audio, play.clips, strict=True)}
        unknown = sorted({clip.file.name for clip in now.audio} - files.keys())
        if unknown:
            self.losses.append(Loss(f"clips of {', '.join(unknown)}", was.name, "the recipe does not know these files"))
            return
        if len(was.audio) == len(now.audio):
            for index, (before, after) in enumerate(zip(was.audio, now.audio, strict=True)):
                for knob, value in self._knobs(before, after, files):
                    if knob == "at" and play.clips[index].at.musical and self._on_its_beat(before, after):
                        continue
                    yield MergeChange((*way, "play", "clips", index, knob), value)
            return
        yield MergeChange((*way, "play", "clips"), list(self._listed(play, was.audio, now.audio, files)))

    def _alike(self, was: tuple[AudioClip, ...], now: tuple[AudioClip, ...]) -> bool:
        pairs = zip(was, now, strict=False)
        return len(was) == len(now) and not any(
            list(self._knobs(before, after, {after.file.name: ""})) or before.file.name != after.file.name
            for before, after in pairs
        )

    def _knobs(self, was: AudioClip, now: AudioClip, files: dict[str, str]) -> Iterator[tuple[str, Any]]:
        """The knobs of a clip that are others now."""
        if was.file.name != now.file.name:
            yield "file", files[now.file.name]
        for field, knob in (
            ("start", "at"),
            ("offset", "offset"),
            ("frames", "length"),
            ("fade_in", "fade_in"),
            ("fade_out", "fade_out"),
        ):
            if abs(getattr(was, field) - getattr(now, field)) > _NEAR_FRAMES:
                yield knob, self._time(getattr(now, field))
        if abs(was.gain - now.gain) > _NEAR:
            yield "gain", _level(now.gain)
        if was.muted != now.muted:
            yield "mute", now.muted
        if was.treatment != now.treatment:
            self.losses.append(Loss("speed, pitch or envelope of a clip", now.name, "it is not merged yet"))

    def _listed(
        self, play: Clips, was: tuple[AudioClip, ...], now: tuple[AudioClip, ...], files: dict[str, str]
    ) -> Iterator[dict[str, Any]]:
        """All clips of a track to which some came, or from which some went."""
        left = list(range(len(was)))
        for clip in now:
            same = [index for index in left if self._alike((was[index],), (clip,))]
            near = same or [index for index in left if was[index].name == clip.name]
            if near:
                left.remove(near[0])
                yield play.clips[near[0]].data() | dict(self._knobs(was[near[0]], clip, files))
                continue
            empty = replace(clip, start=0, offset=0, frames=-9, gain=1.0, fade_in=0, fade_out=0, muted=False)
            yield {"file": files[clip.file.name], **dict(self._knobs(empty, clip, files))}

    def _on_its_beat(self, was: AudioClip, now: AudioClip) -> bool:
        """Whether a clip has only moved with the tempo."""
        return abs(self._before.beat(was.start) - self._after.beat(now.start)) < _NEAR_BEATS

    def _time(self, frames: int) -> str:
        return str(Time(seconds=Fraction(frames, self._after.rate)))

    def _same(self, one: Value, other: Value) -> bool:
        seconds = np.linspace(0.0, float(self._before.seconds), _MARKS)
        first, second = (
            value.at(seconds) if isinstance(value, Lane) else np.full(_MARKS, value) for value in (one, other)
        )
        return bool(np.max(np.abs(first - second)) <= _NEAR)


def _level(value: Value) -> Any:
    """A factor as a recipe says it, moving or not."""
    if isinstance(value, Lane):
        return fader_points(value, LOUDEST_DB)
    return decibels_said(round(min(LOUDEST_DB, 20 * float(np.log10(max(value, 1e-9)))), 4))


def _told(strip: TimelineStrip) -> tuple[Any, ...]:
    """What of a strip without a place in the recipe is worth telling of when it changes."""
    return ([(clip.start, clip.frames) for clip in strip.audio], heard(strip.notes), strip.to)
