"""Clips of a DAWproject as pieces of audio and notes on lines: of whatever nesting, loops unrolled, warps followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from studio.audiofile import probe
from studio.errors import RecipeError
from studio.interchange.archive import safe_name
from studio.interchange.dawproject.automation import Automation
from studio.interchange.dawproject.channels import factor, pan_of
from studio.interchange.dawproject.clock import DawprojectClock
from studio.interchange.dawproject.document import ProjectDocument, number, target
from studio.interchange.dawproject.notes import LONGEST_SECONDS, controls, note_clip
from studio.interchange.dawproject.window import Map, Window, passes
from studio.interchange.lane import Lane, Value, product, simplified
from studio.interchange.lines import Tally, TrackBuilder, frame
from studio.interchange.media import Media, copy_of
from studio.interchange.relink import Relink
from studio.interchange.safe_xml import consume
from studio.interchange.timeline import AudioClip, Treatment

_DEEPEST = 16
_STEEPEST = 16.0
"""Speeds beyond this, or below one over it, no stretcher of the studio knows."""

_SAME_SPEED, _NEAR_SECONDS = 1e-4, 1e-5
_RAMPED = 0.1
"""Seconds between points on the way through a file where the tempo glides."""

_LAWS: dict[str, Callable[[str, float], float]] = {
    "gain": lambda unit, value: factor(unit or "linear")(value),
    "pan": lambda unit, value: pan_of(unit or "normalized")(value),
    "transpose": lambda unit, value: max(-48.0, min(48.0, value)),
}
"""What points in a clip of audio can move, from the unit of the file."""


class ClipLayout:
    """Lays what is in the arrangement of a document on the lines of its tracks.

    Args:
        document: as it is read.
        clock: its time.
        media: takes the audio files.
        players: the lines by the ids of their tracks.
        automation: takes up what moves.
        relink: finds files outside the archive.
    """

    def __init__(
        self,
        document: ProjectDocument,
        clock: DawprojectClock,
        media: Media,
        players: Mapping[str, TrackBuilder],
        automation: Automation,
        relink: Relink,
    ) -> None:
        self._document, self._clock, self._media = document, clock, media
        self._players, self._automation = players, automation
        self._relink = relink
        self._tally = Tally()

    def walk(self, lanes: Element, unit: str, line: TrackBuilder | None = None) -> None:
        """Lanes of the arrangement, of whatever nesting: a track named on the way holds what is below it."""
        for element in lanes:
            own = element.get("timeUnit", unit)
            here = self._players.get(element.get("track", ""), line)
            if element.tag == "Lanes":
                self.walk(element, own, here)
            elif element.tag == "Clips" and here is not None:
                for clip in element.iterfind("Clip"):
                    self._clip(clip, Window.whole(own, self._clock), own, here)
            elif element.tag == "Points":
                self._automation.add(element, own)

    def _clip(self, clip: Element, around: Window, unit: str, line: TrackBuilder) -> None:
        """Lay out a clip and what is in it, loops unrolled, inside the window of what is around it."""
        time = number(clip, "time")
        content = self._content(clip)
        if time is None or content is None:
            return
        begin = around.seconds(time)
        duration = number(clip, "duration")
        end = around.end if duration is None else around.seconds(time + duration)
        first = number(clip, "playStart") or 0.0
        own_unit = clip.get("contentTimeUnit", content.get("timeUnit", unit))
        loop = (number(clip, "loopStart"), number(clip, "loopEnd"))
        fades = self._fades(clip, around, time, duration, end)
        base = replace(
            around,
            muted=around.muted or clip.get("enable") == "false",
            name=clip.get("name") or around.name,
            fade_in=fades[0] or around.fade_in,
            fade_out=fades[1] or around.fade_out,
            unit=own_unit,
            depth=around.depth + 1,
        )
        if base.depth > _DEEPEST:
            raise RecipeError("clips inside clips without end.", "A clip must not refer to one it lies in.")
        for start, played, last in passes(first, number(clip, "playStop"), loop):
            inner = base.inside(begin, start - played, own_unit, self._clock)
            window = inner.cut(max(begin, inner.seconds(start)), min(end, inner.seconds(last)))
            if window.start >= end or window.start > LONGEST_SECONDS:
                break
            if window.end > window.start:
                self._timeline(content, window, line)

    def _content(self, clip: Element) -> Element | None:
        inside = next(iter(clip), None)
        if inside is None and clip.get("reference"):
            found = self._document.ids.get(clip.get("reference", ""))
            inside = next(iter(found), None) if found is not None and found.tag == "Clip" else found
            if inside is None:
                self._document.lose("a clip", clip.get("name", "Clip"), "what it refers to is not there")
        return inside

    def _fades(
        self, clip: Element, around: Window, time: float, duration: float | None, end: float
    ) -> tuple[float, float]:
        fade_in, fade_out = (number(clip, name) or 0.0 for name in ("fadeInTime", "fadeOutTime"))
        if fade_in < 0 or fade_out < 0:
            self._document.lose("a crossfade", clip.get("name", "Clip"), "it becomes a cut")
        fade_in, fade_out = max(0.0, fade_in), max(0.0, fade_out)
        if clip.get("fadeTimeUnit", around.unit) == "seconds" or duration is None:
            return fade_in, fade_out
        if around.unit == "seconds":
            clock, begin = self._clock, around.seconds(time)
            return clock.second(clock.beat(begin) + fade_in) - begin, end - clock.second(clock.beat(end) - fade_out)
        return (
            around.seconds(time + fade_in) - around.seconds(time),
            around.seconds(time + duration) - around.seconds(time + duration - fade_out),
        )

    def _timeline(self, element: Element, window: Window, line: TrackBuilder) -> None:
        if element.tag == "Clips":
            for clip in element.iterfind("Clip"):
                self._clip(clip, window, window.unit, line)
        elif element.tag == "Lanes":
            self._lanes(element, window, line)
        elif element.tag == "Warps":
            self._warped(element, window, line)
        elif element.tag == "Audio":
            self._audio(element, window, lambda time: window.seconds(time) - window.seconds(0.0), line)
        elif element.tag == "Notes":
            self._notes(element, window, line, [])
        elif element.tag in ("Video", "Points"):
            consume(element)
            self._document.lose(f"{element.tag.lower()} in a clip", line.name, "a recipe has no place for it")

    def _lanes(self, lanes: Element, window: Window, line: TrackBuilder) -> None:
        """What lies side by side in a clip: its sound or its notes, and what moves with them."""
        points = lanes.findall("Points")
        notes = any(child.tag == "Notes" for child in lanes)
        for each in points:
            if not notes:
                window = self._expressed(each, window, line)
            elif not controls(each):
                what = target(each).get("expression", "something")
                consume(each)
                self._document.lose(f"{what} in a clip of notes", line.name, "a recipe's notes have none")
        for child in lanes:
            if child.tag == "Notes":
                self._notes(child, window, line, [each for each in points if controls(each)])
            elif child.tag != "Points":
                self._timeline(child, window, line)

    def _expressed(self, points: Element, window: Window, line: TrackBuilder) -> Window:
        """The window with what some points in a clip of audio move."""
        what = target(points).get("expression", "")
        law = _LAWS.get(what)
        if law is None:
            consume(points)
            said = what or "a parameter"
            self._document.lose(f"{said} in a clip of audio", line.name, "a recipe has no place for it")
            return window
        unit = points.get("unit", "")
        read = sorted(
            (window.seconds(time), law(unit, value), point.get("interpolation") != "linear")
            for point in points.iterfind("RealPoint")
            if (time := number(point, "time")) is not None and (value := number(point, "value")) is not None
        )
        if not read:
            return window
        lane = Lane(*(tuple(column) for column in zip(*read, strict=True)))
        if what == "gain" and len(set(lane.values)) == 1:
            return replace(window, gain=lane.values[0])
        return replace(window, expressions=(*window.expressions, (what, lane)))

    def _notes(self, notes: Element, window: Window, line: TrackBuilder, controllers: list[Element]) -> None:
        if window.muted:
            consume(notes)
            self._document.lose(f"muted notes {window.name!r}", line.name, "they are left out")
            return
        self._tally.one()
        line.notes.append(note_clip(notes, window, self._clock, line.name, controllers, self._document.losses))

    def _warped(self, warps: Element, window: Window, line: TrackBuilder) -> None:
        audio = next((child for child in warps if child.tag in ("Audio", "Clips", "Warps")), None)
        points = sorted(
            (time, content)
            for warp in warps.iterfind("Warp")
            if (time := number(warp, "time")) is not None and (content := number(warp, "contentTime")) is not None
        )
        if audio is None or audio.tag != "Audio":
            consume(warps)
            self._document.lose("a warped clip of clips", line.name, "only warped audio is understood")
            return
        if len(points) < 2:
            self._audio(audio, window, lambda time: time, line)
            return
        marks = [time for time, _ in points]
        xs, ys = np.array(points).T
        unit = warps.get("timeUnit", window.unit)
        if unit != window.unit:
            window = window.inside(window.start, window.own(window.start), unit, self._clock)

        def source_second(time: float) -> float:
            index = int(np.clip(np.searchsorted(xs, time, side="right") - 1, 0, len(xs) - 2))
            slope = (ys[index + 1] - ys[index]) / (xs[index + 1] - xs[index]) if xs[index + 1] > xs[index] else 1.0
            return float(ys[index] + (time - xs[index]) * slope)

        self._audio(audio, window, source_second, line, marks)

    def _audio(
        self, audio: Element, window: Window, source_second: Map, line: TrackBuilder, marks: Sequence[float] = ()
    ) -> None:
        """Lay out audio whose content at a time of the window is at `source_second`, straight between some `marks`."""
        reference = audio.find("File")
        if reference is None:
            return
        path = self._media.audio(reference.get("path", ""), line.name, partial(self._file, reference))
        if path is None:
            return
        rate, _, frames = probe(path)
        begin, end = window.start, min(window.end, LONGEST_SECONDS)
        heard = self._path(window, source_second, marks, begin, end)
        start, stop = max(0.0, heard[0][1]), min(frames / rate, heard[-1][1])
        if stop <= start:
            return
        if any(after[1] <= before[1] for before, after in pairwise(heard)):
            consume(audio)
            self._document.lose("a warp", window.name or path.stem, "time would stand still or run backwards there")
            return
        times, heard_at = (np.array(column) for column in zip(*heard, strict=True))
        first, last = (float(np.interp(at, heard_at, times)) for at in (start, stop))
        warps = [
            (0.0, 0.0),
            *((content - start, at - first) for at, content in heard if start < content < stop and first < at < last),
            (stop - start, last - first),
        ]
        treatment = self._treatment(window, first, last, stop - start, warps, audio.get("algorithm") == "repitch")
        self._tally.one()
        at = partial(frame, rate=self._clock.rate)
        line.clips.append(
            AudioClip(
                path,
                at(first),
                max(1, at(last) - at(first)),
                at(start),
                window.gain,
                at(window.fade_in),
                at(window.fade_out),
                window.name,
                window.muted,
                None if treatment.plain else treatment,
            )
        )

    def _path(
        self, window: Window, source_second: Map, marks: Sequence[float], begin: float, end: float
    ) -> list[tuple[float, float]]:
        """Seconds of the song and of the file between which time runs straight, rising in the song."""
        changes = (float(self._clock.tempo.second_at(change.beat)) for change in self._clock.tempo.tempos)
        seconds = {begin, end, *(at for at in (*map(window.seconds, marks), *changes) if begin < at < end)}
        ramps = any(change.ramp for change in self._clock.tempo.tempos)
        if ramps and marks:
            seconds |= set(np.arange(begin, end, _RAMPED).tolist())
        return [(at, source_second(window.own(at))) for at in sorted(seconds)]

    def _treatment(
        self, window: Window, first: float, last: float, spans: float, warps: list[tuple[float, float]], tape: bool
    ) -> Treatment:
        """What a piece of audio goes through, between two seconds of the song."""
        speeds = [(b[0] - a[0]) / (b[1] - a[1]) for a, b in pairwise(warps) if b[1] > a[1]]
        name = window.name or "a clip"
        beyond = next((speed for speed in speeds if not 1 / _STEEPEST <= speed <= _STEEPEST), None)
        if beyond is not None:
            why = f"it is {beyond:.4g}; from 1/16 to 16 can be played: it keeps its own speed"
            self._document.lose("a speed", name, why)
        stretched = beyond is None and any(abs(speed - 1) > _SAME_SPEED for speed in speeds)
        level: Value = 1.0
        pan: Value = 0.0
        semitones: Value = 0.0
        for what, lane in window.expressions:
            part = lane.between(first, last)
            if what == "gain":
                level = product(level, part)
            elif what == "pan":
                pan = part
            else:
                semitones = part.at_speed((last - first) / spans)
        return Treatment(
            spans,
            warps=tuple(_thinned(warps)) if stretched else (),
            tape=tape and stretched,
            semitones=_still(semitones),
            pan=_still(pan),
            envelope=level if isinstance(level, Lane) else None,
        )

    def _file(self, reference: Element, path: str) -> Callable[[Path], object]:
        """What writes an audio file of the archive elsewhere."""
        if reference.get("external") == "true" or not safe_name(path) or not self._document.archive.holds(path):
            return copy_of(self._relink.find(path))
        return partial(self._document.archive.extract, path)


def _thinned(warps: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """The warps without those that lie on the line between their neighbours."""
    sources, times = (np.array(column) for column in zip(*warps, strict=True))
    return [warps[index] for index in simplified(times, sources, _NEAR_SECONDS)]


def _still(value: Value) -> Value:
    """A number where a lane stands still."""
    return value.values[0] if isinstance(value, Lane) and len(set(value.values)) == 1 else value
