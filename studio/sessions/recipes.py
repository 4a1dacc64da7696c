"""From a timeline to a recipe that plays it, with its audio and notes beside it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from studio.disk import write_whole
from studio.errors import RecipeError
from studio.interchange.lane import Lane, Value
from studio.interchange.names import renamed
from studio.interchange.notes import merged
from studio.interchange.points import decibels_said, fader_points, points
from studio.interchange.timeline import MASTER, AudioClip, Device, Loss, Timeline, TimelineStrip
from studio.midi.files import write_midi
from studio.recipe import Recipe
from studio.recipe.document import MOST_VALUES, write
from studio.rendering.manifest import slug
from studio.score import PROGRAM
from studio.sessions.devices import step_data
from studio.tempo import Time

LOUDEST_DB = 12.0
"""Where the faders of a recipe end."""

NOTES = "notes.mid"


@dataclass(frozen=True)
class Imported:
    """A recipe made of a session, and what it does not hold."""

    recipe: Recipe
    losses: tuple[Loss, ...]


def recipe_of(timeline: Timeline, folder: Path, media: Path) -> Imported:
    """A recipe that plays a timeline; notes and plugin states are written into `media`, which lies below `folder`.

    Raises:
        StudioError: it cannot be said in a recipe.
    """
    return _Writer(timeline, folder, media).imported()


class _Writer:
    def __init__(self, timeline: Timeline, folder: Path, media: Path) -> None:
        self.timeline, self.folder, self.media = timeline, folder, media
        self.losses: list[Loss] = []
        self.taken: set[str] = set()
        self.names = self._names()
        self.solo = self._solo()

    def imported(self) -> Imported:
        timeline = self.timeline
        song: dict[str, Any] = {
            "recipe": 1,
            "title": _line(timeline.title),
            "author": _line(timeline.author),
            "license": _line(timeline.license),
            "story": _line(timeline.comment),
        }
        song = {key: value for key, value in song.items() if value}
        has_notes = any(strip.plays_notes for strip in timeline.tracks)
        if has_notes or timeline.markers:
            self.media.mkdir(parents=True, exist_ok=True)
            write_midi(merged(timeline), self.media / NOTES)
            song["score"] = self._path(self.media / NOTES)
        song["tempo"] = self._tempo()
        song["meter"] = self._meter()
        song["rate"] = timeline.rate
        song["tracks"] = {self.names[strip.name]: self._track(strip) for strip in timeline.tracks if strip.clips}
        for strip in timeline.tracks:
            if not strip.clips:
                self.losses.append(Loss("the track", strip.name, "it has no clips"))
        fed = {way for strip in timeline.strips for way in (strip.to, *(send.target for send in strip.sends))}
        for bus in timeline.buses:
            if bus.name not in fed:
                self.losses.append(Loss("the bus", bus.name, "nothing goes to it"))
        song["buses"] = {self.names[bus.name]: self._bus(bus) for bus in timeline.buses if bus.name in fed}
        song["master"] = self._master()
        song = {key: value for key, value in song.items() if value not in ({}, None)}
        if not song.get("tracks"):
            raise RecipeError("the session has no track with clips.", "There is nothing to play in it.")
        if (values := _count(song)) > MOST_VALUES:
            raise RecipeError(
                f"the session needs {values} values; a recipe holds {MOST_VALUES}.",
                "Bounce tracks of many clips, or thin out their automation, in the DAW.",
            )
        recipe = Recipe.loads(write(song), self.folder)
        return Imported(recipe, (*timeline.losses, *self.losses))

    def _names(self) -> dict[str, str]:
        """For each strip a name that a recipe takes."""
        strips, taken = (*self.timeline.tracks, *self.timeline.buses), {*map(str.casefold, Recipe.kinds()), MASTER}
        return {MASTER: MASTER} | renamed(strips, _fitting, taken, "a recipe cannot call it so", self.losses)

    def _solo(self) -> set[str]:
        """The tracks that are heard alone. A recipe's buses cannot be: what goes to one that is, is instead."""
        solo = {track.name for track in self.timeline.tracks if track.solo}
        for bus in self.timeline.buses:
            if not bus.solo:
                continue
            behind = (track.name for track in self.timeline.tracks)
            through = {name for name in behind if bus.name in self.timeline.beyond(name, sends=False)}
            solo |= through
            named = ", ".join(sorted(self.names[name] for name in through))
            why = f"a recipe's buses have none, so the tracks behind it have it: {named}"
            self.losses.append(
                Loss("solo", bus.name, why if through else "nothing but sends goes to it: it is left out")
            )
        return solo

    def _path(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _tempo(self) -> Any:
        changes = self.timeline.tempo.tempos
        if len(changes) == 1:
            return float(changes[0].bpm)
        points = []
        for index, change in enumerate(changes):
            ramp = index > 0 and changes[index - 1].ramp
            points.append([str(Time(beats=change.beat)), float(change.bpm), *(["linear"] if ramp else [])])
        return points

    def _meter(self) -> Any:
        tempo = self.timeline.tempo
        rising: list[tuple[Fraction, str]] = []
        for change in tempo.meters:
            bar, meter = tempo.bar_of_beat(change.beat), f"{change.count}/{change.unit}"
            if bar.denominator != 1:
                bar = Fraction(math.ceil(bar))
                self.losses.append(Loss(f"the meter {meter}", f"bar {bar}", "a recipe changes meters at whole bars"))
            if not rising or bar > rising[-1][0]:
                rising.append((bar, meter))
        if len(rising) == 1:
            return rising[0][1]
        return [[f"{bar} bars", meter] for bar, meter in rising]

    def _track(self, strip: TimelineStrip) -> dict[str, Any]:
        track: dict[str, Any] = {}
        if strip.plays_notes:
            track["part"] = {"track": strip.name}
            track |= self._instrument(strip)
        else:
            track["play"] = {"clips": [self._clip(clip) for clip in strip.audio]}
        if strip.name in self.solo:
            track["solo"] = True
        return track | self._strip(strip)

    def _clip(self, clip: AudioClip) -> dict[str, Any]:
        plain = {
            "file": self._path(clip.file),
            "at": self._time(clip.start),
            "offset": self._time(clip.offset) if clip.offset else None,
            "length": self._time(clip.frames),
            "gain": self._db(clip.gain, clip.name or "clip", 36.0) if clip.gain != 1 else None,
            "fade_in": self._time(clip.fade_in) if clip.fade_in else None,
            "fade_out": self._time(clip.fade_out) if clip.fade_out else None,
            "mute": True if clip.muted else None,
        }
        return {key: value for key, value in plain.items() if value is not None}

    def _time(self, frames: int) -> str:
        return str(Time(seconds=Fraction(frames, self.timeline.rate)))

    def _bus(self, bus: TimelineStrip) -> dict[str, Any]:
        return self._strip(bus)

    def _strip(self, strip: TimelineStrip) -> dict[str, Any]:
        plain: dict[str, Any] = {"chain": list(self._chain(strip.devices, strip.name))}
        if strip.volume != 1.0:
            plain["volume"] = self._level(strip.volume, strip.name)
        if strip.pan != 0.0:
            plain["pan"] = points(strip.pan) if isinstance(strip.pan, Lane) else strip.pan
        sends = {}
        for send in strip.sends:
            level = self._level(send.level, f"{strip.name} → {send.target}")
            sends[self.names[send.target]] = {"level": level, "pre": True} if send.pre else {"level": level}
        plain["send"] = sends
        if strip.to != MASTER:
            plain["to"] = self.names[strip.to]
        plain["mute"] = strip.mute or None
        plain["colour"] = strip.colour
        return {key: value for key, value in plain.items() if value not in (None, {}, [])}

    def _master(self) -> dict[str, Any]:
        master = self.timeline.master
        plain: dict[str, Any] = {"chain": list(self._chain(master.devices, MASTER))}
        if master.volume != 1.0:
            plain["volume"] = self._level(master.volume, MASTER)
        if master.pan != 0.0:
            self.losses.append(Loss("pan", MASTER, "the master of a recipe has none"))
        return {key: value for key, value in plain.items() if value not in (None, [])}

    def _chain(self, devices: Iterable[Device], where: str) -> Iterable[Any]:
        """The plugins of a strip, as far as they are here; the states of all are kept beside the recipe."""
        for device in devices:
            if device.instrument:
                continue
            step = self._plugin(device, where)
            if step is not None:
                yield step
                continue
            path = self._state(device, where)
            kept = f"its state is kept in {self._path(path)}" if path else "the session holds no state of it"
            self.losses.append(Loss(f"plugin {device.name!r}", where, f"it is not on this machine; {kept}"))

    def _plugin(self, device: Device, where: str) -> dict[str, Any] | None:
        """The step that plays a device, if it is on this machine."""

        def told(what: str, why: str) -> None:
            self.losses.append(Loss(f"automation of {what!r} of {device.name!r}", where, why))

        return step_data(device, lambda each: self._state(each, where), self._path, points, told)

    def _instrument(self, strip: TimelineStrip) -> dict[str, Any]:
        """What plays the notes of a strip: its own instrument if that is here, else a General MIDI sound."""
        for device in strip.devices:
            if device.instrument:
                step = self._plugin(device, strip.name)
                if step is not None:
                    return {"play": step}
                self.losses.append(
                    Loss(f"instrument {device.name!r}", strip.name, "it is not on this machine: a SoundFont plays")
                )
                return {}
        programs = (event.status == PROGRAM for clip in strip.notes for event in clip.score.events)
        if not any(programs):
            self.losses.append(Loss("instrument", strip.name, "the session names none: a General MIDI piano plays"))
        return {}

    def _state(self, device: Device, where: str) -> Path | None:
        """The file in which a plugin's state is kept."""
        if device.state is None:
            return None
        ending = {"vst3": "vstpreset", "clap": "clap-preset", "vst2": "fxp"}.get(device.format, "state")
        path = self.media / f"{slug(f'{self.names[where]} {device.name}', self.taken)}.{ending}"
        write_whole(path, device.state)
        return path

    def _level(self, value: Value, where: str) -> Any:
        if not isinstance(value, Lane):
            return self._db(value, where, LOUDEST_DB)
        if max(value.values) > 10 ** (LOUDEST_DB / 20) * (1 + 1e-9):
            self.losses.append(Loss("the loudest of a fader's curve", where, f"faders end at {LOUDEST_DB:g} dB"))
        return fader_points(value, LOUDEST_DB)

    def _db(self, factor: float, where: str, loudest: float) -> str:
        db = 20 * math.log10(factor) if factor > 0 else -math.inf
        if db > loudest:
            self.losses.append(Loss(f"a level of {db:.1f} dB", where, f"faders end at {loudest:g} dB"))
            db = loudest
        return decibels_said(db)


def _fitting(name: str) -> str:
    plain = "".join("_" if mark in './\\:*?"<>|\0' or not mark.isprintable() else mark for mark in name)
    return plain.strip()[:70].strip() or "track"


def _line(text: str) -> str:
    return "".join(mark if mark.isprintable() else " " for mark in text)[:4000].strip()


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(_count(item) for item in value.values())
    if isinstance(value, list):
        return 1 + sum(_count(item) for item in value)
    return 1
