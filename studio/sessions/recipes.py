"""From a timeline to a recipe that plays it, with its audio and notes beside it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import numpy as np

from studio.disk import write_whole
from studio.errors import RecipeError
from studio.interchange.lane import Lane, Value
from studio.interchange.media import MISSING
from studio.interchange.names import renamed
from studio.interchange.notes import merged
from studio.interchange.points import decibels_said, fader_points, points
from studio.interchange.timeline import MASTER, AudioClip, Device, Loss, Timeline, TimelineStrip, Treatment
from studio.midi.files import write_midi
from studio.recipe import Recipe
from studio.recipe.document import MOST_VALUES, write
from studio.rendering.manifest import slug
from studio.score import PROGRAM
from studio.sessions.devices import Made, step_data
from studio.tempo import TempoMap, Time

LOUDEST_DB = 12.0
"""Where the faders of a recipe end."""

NOTES = "notes.mid"

_LIKE_TAPE, _LIKE_DAWS, _BENDING = "wsola", "rubberband", "hptsm"
"""What changes a pitch, and its formants with it, as DAWs do: the first only resamples where the pitch follows the speed,
the last takes what moves."""

_MOST_NAMED = 5
"""So many missing files are named."""


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
        song["tempo"] = tempo_said(timeline.tempo)
        song["meter"] = meter_said(timeline.tempo, self.losses)
        song["rate"] = timeline.rate
        tracks = [strip for strip in timeline.tracks if strip.clips or strip.devices]
        if not tracks:
            self._refuse()
        for strip in timeline.tracks:
            if strip not in tracks:
                self.losses.append(Loss("the track", strip.name, "it has neither clips nor plugins"))
            elif not strip.clips:
                self.losses.append(Loss("clips", strip.name, "it has none: its chain is there, and plays nothing yet"))
        fed = {bus for strip in tracks for bus in timeline.beyond(strip.name)}
        for bus in timeline.buses:
            if bus.name not in fed:
                why = "nothing goes to it" + self._unfed(bus)
                self.losses.append(Loss("the bus", bus.name, why))
        song["tracks"] = {self.names[strip.name]: self._track(strip) for strip in tracks}
        song["buses"] = {self.names[bus.name]: self._strip(bus) for bus in timeline.buses if bus.name in fed}
        song["master"] = self._master()
        song = {key: value for key, value in song.items() if value not in ({}, None)}
        if (values := _count(song)) > MOST_VALUES:
            raise RecipeError(
                f"the session needs {values} values; a recipe holds {MOST_VALUES}.",
                "Bounce tracks of many clips, or thin out their automation, in the DAW.",
            )
        recipe = Recipe.loads(write(song), self.folder)
        return Imported(recipe, (*timeline.losses, *self.losses))

    def _refuse(self) -> NoReturn:
        """Say why there is nothing to play."""
        missing = [loss for loss in self.timeline.losses if loss.what.startswith(MISSING)]
        if not missing:
            raise RecipeError("the session has no track with clips or plugins.", "There is nothing to play in it.")
        named = "; ".join(f"{loss.what} of {loss.where!r}: {loss.why}" for loss in missing[:_MOST_NAMED])
        more = f"; and {len(missing) - _MOST_NAMED} more" if len(missing) > _MOST_NAMED else ""
        raise RecipeError(f"none of the session's audio can be had: {named}{more}.")

    def _unfed(self, bus: TimelineStrip) -> str:
        """What becomes of the plugins of a bus that nothing goes to."""
        kept = [path.name for device in bus.devices if (path := self._state(device, bus.name)) is not None]
        return f"; the states of its plugins are kept: {', '.join(kept)}" if kept else ""

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

    def _track(self, strip: TimelineStrip) -> dict[str, Any]:
        plain = self._strip(strip)
        track: dict[str, Any] = {}
        if strip.plays_notes:
            track["part"] = {"track": strip.name}
            if "play" not in plain:
                self._report_instrument(strip)
        else:
            track["play"] = {"clips": [self._clip(clip) for clip in strip.audio]}
        if strip.name in self.solo:
            track["solo"] = True
        return track | plain

    def _report_instrument(self, strip: TimelineStrip) -> None:
        """Say what plays the notes of a strip that has no instrument which could."""
        programs = (event.status == PROGRAM for clip in strip.notes for event in clip.score.events)
        if any(device.instrument for device in strip.devices):
            self.losses.append(Loss("the sound of its instrument", strip.name, "a SoundFont plays instead"))
        elif not any(programs):
            self.losses.append(Loss("instrument", strip.name, "the session names none: a General MIDI piano plays"))

    def _clip(self, clip: AudioClip) -> dict[str, Any]:
        where = clip.name or "clip"
        plain = {
            "file": self._path(clip.file),
            "at": self._time(clip.start),
            "offset": self._time(clip.offset) if clip.offset else None,
            "length": self._time(clip.frames),
            "gain": self._db(clip.gain, where, 36.0) if clip.gain != 1 else None,
            "fade_in": self._time(clip.fade_in) if clip.fade_in else None,
            "fade_out": self._time(clip.fade_out) if clip.fade_out else None,
            "fade_in_shape": clip.fade_in_shape if clip.fade_in and clip.fade_in_shape != "linear" else None,
            "fade_out_shape": clip.fade_out_shape if clip.fade_out and clip.fade_out_shape != "linear" else None,
            "mute": True if clip.muted else None,
            "chain": self._treated(clip.treatment, where) if clip.treatment is not None else None,
        }
        return {key: value for key, value in plain.items() if value is not None}

    def _time(self, frames: int) -> str:
        return str(Time(seconds=Fraction(frames, self.timeline.rate)))

    def _treated(self, treatment: Treatment, where: str) -> list[Any]:
        """What a piece of audio goes through on its own, as steps."""
        steps: list[Any] = []
        interval = whole_interval(treatment)
        if treatment.reverse or treatment.warps:
            steps.append({"trim": {"length": _seconds(treatment.seconds)}})
        if treatment.reverse:
            steps.append("reverse")
        semitones = points(interval) if isinstance(interval, Lane) else round(interval, 9)
        bends = len(treatment.warps) > 2 or isinstance(interval, Lane)
        method = _LIKE_TAPE if treatment.tape else _BENDING if bends else _LIKE_DAWS
        higher = {"semitones": semitones, "method": method} if semitones else {}
        if len(treatment.warps) > 2:
            anchors = [[_seconds(source), _seconds(at)] for source, at in treatment.warps]
            steps.append({"stretch": {"anchors": anchors, **higher}})
        elif treatment.warps:
            ratio = treatment.warps[1][1] / treatment.warps[1][0]
            steps.append({"stretch": {"duration_ratio": ratio, **higher}})
        elif higher:
            steps.append({"pitch": higher})
        if treatment.invert:
            steps.append("invert")
        steps += self._chain(treatment.devices, where)[0]
        if treatment.pan != 0.0:
            steps.append({"pan": points(treatment.pan) if isinstance(treatment.pan, Lane) else treatment.pan})
        if treatment.envelope is not None:
            steps.append({"gain": self._level(treatment.envelope, where, 36.0)})
        return steps

    def _strip(self, strip: TimelineStrip) -> dict[str, Any]:
        chain, player = self._chain(strip.devices, strip.name, strip.plays_notes)
        plain: dict[str, Any] = {"play": player, "chain": [*self._first(strip), *chain]}
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

    def _first(self, strip: TimelineStrip) -> list[Any]:
        """What stands before the plugins of a strip."""
        steps: list[Any] = ["invert"] if strip.invert else []
        if strip.trim != 1.0:
            steps.append({"gain": self._level(strip.trim, strip.name, 36.0)})
        if strip.trim_pan != 0.0:
            steps.append({"pan": points(strip.trim_pan) if isinstance(strip.trim_pan, Lane) else strip.trim_pan})
        return steps

    def _master(self) -> dict[str, Any]:
        master = self.timeline.master
        plain: dict[str, Any] = {"chain": [*self._first(master), *self._chain(master.devices, MASTER)[0]]}
        if master.volume != 1.0:
            plain["volume"] = self._level(master.volume, MASTER)
        if master.pan != 0.0:
            plain["chain"].append({"pan": points(master.pan) if isinstance(master.pan, Lane) else master.pan})
        return {key: value for key, value in plain.items() if value not in (None, [])}

    def _chain(self, devices: Iterable[Device], where: str, play: bool = False) -> tuple[list[Any], Any]:
        """The plugins of a strip as steps, and the instrument among them that can `play`, which stands elsewhere.

        Those that are not here, and instruments with nothing to play, stay in the chain, bypassed.
        """
        steps: list[Any] = []
        player = None
        for device in devices:
            if device.steps:
                steps += [dict(step) if device.enabled else _bypassed(step) for step in device.steps]
                continue
            made = self._plugin(device, where)
            knobs = made.knobs
            if made.instrument and not made.why and play and player is None and not knobs.get("bypass"):
                player = {"plugin": knobs}
                continue
            if made.instrument and not knobs.get("bypass"):
                why = "one plays already" if player is not None else "there are no notes for it"
                self.losses.append(Loss(f"instrument {device.name!r}", where, f"{why}; it is kept, bypassed"))
                knobs = knobs | {"bypass": True}
            step = {"plugin": knobs}
            steps.append(step if device.mix == 1.0 else {"parallel": {"mix": device.mix, "chain": [step]}})
        return steps, player

    def _plugin(self, device: Device, where: str) -> Made:
        """The step that plays a device, or that keeps it, bypassed, where it cannot be played."""

        def told(what: str, why: str) -> None:
            self.losses.append(Loss(f"{what} of {device.name!r}", where, why))

        made = step_data(device, lambda each: self._state(each, where), self._path, points, told, self.names)
        if made.why:
            lanes = self._kept_lanes(device, where)
            self.losses.append(Loss(f"plugin {device.name!r}", where, f"{made.why}{lanes}; it is kept, bypassed"))
        return made

    def _kept_lanes(self, device: Device, where: str) -> str:
        """Write the automation of a plugin that cannot be played into a file; how that is said."""
        if not device.motions:
            return ""
        path = self._beside(device, where, ".automation.json")
        lanes = [
            {"name": each.name, "id": each.id, "seconds": each.lane.seconds, "values": each.lane.values}
            for each in device.motions
        ]
        write_whole(path, json.dumps(lanes, indent=1) + "\n")
        named = ", ".join(repr(motion.name) for motion in device.motions)
        return f"; the automation of {named} is in {self._path(path)}"

    def _state(self, device: Device, where: str) -> Path | None:
        """The file in which a plugin's state is kept."""
        if device.state is None:
            if device.kept is None:
                return None
            path = self._beside(device, where, device.kept[0])
            write_whole(path, device.kept[1])
            return path
        ending = {"vst3": "vstpreset", "clap": "clap-preset", "vst2": "fxp"}.get(device.format, "state")
        path = self._beside(device, where, f".{ending}")
        write_whole(path, device.state)
        return path

    def _beside(self, device: Device, where: str, ending: str) -> Path:
        """A path in the media folder for something of a plugin."""
        return self.media / f"{slug(f'{self.names.get(where, where)} {device.name}', self.taken)}{ending}"

    def _level(self, value: Value, where: str, loudest: float = LOUDEST_DB) -> Any:
        if not isinstance(value, Lane):
            return self._db(value, where, loudest)
        if max(value.values) > 10 ** (loudest / 20) * (1 + 1e-9):
            self.losses.append(Loss("the loudest of a curve", where, f"it ends at {loudest:g} dB"))
        return fader_points(value, loudest)

    def _db(self, factor: float, where: str, loudest: float) -> str:
        db = 20 * math.log10(factor) if factor > 0 else -math.inf
        if db > loudest:
            self.losses.append(Loss(f"a level of {db:.1f} dB", where, f"faders end at {loudest:g} dB"))
            db = loudest
        return decibels_said(db)


def _bypassed(step: Mapping[str, Any]) -> dict[str, Any]:
    """A step of one knob or several, bypassed."""
    [(name, knobs)] = step.items()
    known = knobs if isinstance(knobs, dict) else {name: knobs}
    return {name: {**known, "bypass": True}}


def tempo_said(tempo: TempoMap) -> Any:
    """Tempos as a recipe says them: one, or points by beat."""
    changes = [
        change
        for index, change in enumerate(tempo.tempos)
        # A point that only says the tempo again, as those at a change of meter do, is none.
        if not (index and change.bpm == tempo.tempos[index - 1].bpm and not change.ramp) or tempo.tempos[index - 1].ramp
    ]
    if len(changes) == 1:
        return float(changes[0].bpm)
    points = []
    for index, change in enumerate(changes):
        ramp = index > 0 and changes[index - 1].ramp
        points.append([str(Time(beats=change.beat)), float(change.bpm), *(["linear"] if ramp else [])])
    return points


def meter_said(tempo: TempoMap, losses: list[Loss]) -> Any:
    """Meters as a recipe says them: one, or points by bar; `losses` hear of what is moved to a whole bar."""
    rising: list[tuple[Fraction, str]] = []
    for change in tempo.meters:
        bar, meter = tempo.bar_of_beat(change.beat), f"{change.count}/{change.unit}"
        if bar.denominator != 1:
            bar = Fraction(math.ceil(bar))
            losses.append(Loss(f"the meter {meter}", f"bar {bar}", "a recipe changes meters at whole bars"))
        if not rising or bar > rising[-1][0]:
            rising.append((bar, meter))
    if len(rising) == 1:
        return rising[0][1]
    return [[f"{bar} bars", meter] for bar, meter in rising]


def whole_interval(treatment: Treatment) -> Value:
    """By how much a piece is higher: its own interval and, with `tape`, what its speed adds."""
    if not treatment.tape or not treatment.warps:
        return treatment.semitones
    seconds: list[float] = []
    values: list[float] = []
    for (source, at), (next_source, next_at) in pairwise(treatment.warps):
        seconds.append(source)
        values.append(12 * math.log2((next_source - source) / (next_at - at)))
    if len(values) == 1 and not isinstance(treatment.semitones, Lane):
        return treatment.semitones + values[0]
    base = treatment.semitones
    speeds = Lane(tuple(seconds), tuple(values), (True,) * len(values))
    if not isinstance(base, Lane):
        return speeds.mapped(lambda value: value + base)
    times = sorted({*base.seconds, *seconds})
    at_times = np.array(times)
    return Lane(tuple(times), tuple((base.at(at_times) + speeds.at(at_times)).tolist()))


def _seconds(second: float) -> str:
    return str(Time(seconds=Fraction(repr(round(second, 9)))))


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
