"""Clips of a DAWproject as pieces of audio and notes on lines: of whatever nesting, loops unrolled, warps followed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from studio.audiofile import probe
from studio.errors import MissingError, RecipeError
from studio.interchange.archive import safe_name
from studio.interchange.dawproject.automation import Automation
from studio.interchange.dawproject.clock import DawprojectClock
from studio.interchange.dawproject.document import ProjectDocument, number, target
from studio.interchange.dawproject.notes import LONGEST_SECONDS, controls, note_clip
from studio.interchange.dawproject.window import Map, Window, passes
from studio.interchange.lines import Tally, TrackBuilder, frame
from studio.interchange.media import Media
from studio.interchange.timeline import AudioClip

_DEEPEST = 16


class Layout:
    """Lays what is in the arrangement of a document on the lines of its tracks.

    Args:
        document: as it is read.
        clock: its time.
        media: takes the audio files.
        players: the lines by the ids of their tracks.
        automation: takes up what moves.
    """

    def __init__(
        self,
        document: ProjectDocument,
        clock: DawprojectClock,
        media: Media,
        players: Mapping[str, TrackBuilder],
        automation: Automation,
    ) -> None:
        self._document, self._clock, self._media = document, clock, media
        self._players, self._automation = players, automation
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
        for start, place, last in passes(first, number(clip, "playStop"), loop):
            inner = base.inside(begin, start - place, own_unit, self._clock)
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
            self._document.lose(f"{element.tag.lower()} in a clip", line.name, "a recipe has no place for it")

    def _lanes(self, lanes: Element, window: Window, line: TrackBuilder) -> None:
        """What lies side by side in a clip: its sound or its notes, and what moves with them."""
        points = lanes.findall("Points")
        gains = (number(each.find("RealPoint"), "value") for each in points if target(each).get("expression") == "gain")
        gain = next(gains, None)
        for child in lanes:
            if child.tag == "Notes":
                self._notes(child, window, line, [each for each in points if controls(each)])
            elif child.tag != "Points":
                self._timeline(child, window if gain is None else replace(window, gain=gain), line)

    def _notes(self, notes: Element, window: Window, line: TrackBuilder, controllers: list[Element]) -> None:
        if window.muted:
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
            self._document.lose("a warped clip of clips", line.name, "only warped audio is understood")
            return
        if len(points) < 2:
            self._audio(audio, window, lambda time: time, line)
            return
        xs, ys = np.array(points).T
        unit = warps.get("timeUnit", window.unit)
        if unit != window.unit:
            window = window.inside(window.start, window.own(window.start), unit, self._clock)

        def place(time: float) -> float:
            index = int(np.clip(np.searchsorted(xs, time, side="right") - 1, 0, len(xs) - 2))
            slope = (ys[index + 1] - ys[index]) / (xs[index + 1] - xs[index]) if xs[index + 1] > xs[index] else 1.0
            return float(ys[index] + (time - xs[index]) * slope)

        self._audio(audio, window, place, line)

    def _audio(self, audio: Element, window: Window, place: Map, line: TrackBuilder) -> None:
        reference = audio.find("File")
        if reference is None:
            return
        path = self._media.audio(reference.get("path", ""), line.name, partial(self._file, reference))
        if path is None:
            return
        rate, _, frames = probe(path)
        offset = max(0.0, place(window.own(window.start)))
        lasts = frames / rate - offset
        start, end = window.start, min(window.end, LONGEST_SECONDS)
        if lasts <= 0:
            return
        length = min(end - start, lasts)
        if math.isfinite(window.end):
            travelled = place(window.own(start + length)) - offset
            if abs(travelled / length - 1) > 1e-4:
                why = f"it plays {travelled / length:.4g} times as fast there; here it keeps its own speed"
                self._document.lose(f"stretch of {window.name or path.stem!r}", line.name, why)
        self._tally.one()
        at = partial(frame, rate=self._clock.rate)
        line.clips.append(
            AudioClip(
                path,
                at(start),
                max(1, at(start + length) - at(start)),
                at(offset),
                window.gain,
                at(window.fade_in),
                at(window.fade_out),
                window.name,
                window.muted,
            )
        )

    def _file(self, reference: Element, path: str) -> Callable[[Path], object]:
        """What writes an audio file of the archive elsewhere."""
        if reference.get("external") == "true":
            raise MissingError("it lies outside the session, so its clips are left out")
        if not safe_name(path) or not self._document.archive.holds(path):
            raise MissingError("it is not in it, so its clips are left out")
        return partial(self._document.archive.extract, path)
