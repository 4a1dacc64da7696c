"""A DAWproject file as a timeline, tolerant of what real DAWs write; what is not understood is reported as lost."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from pathlib import Path, PurePosixPath
from xml.etree.ElementTree import Element

import numpy as np

from studio.audiofile import probe
from studio.bridge.daw.archive import Archive, safe_name
from studio.bridge.daw.dawproject.lint import LARGEST_STATE, METADATA, PROJECT, lint
from studio.bridge.daw.dawproject.schema import BUILTINS, PLUGINS
from studio.bridge.daw.lane import MOST_POINTS, Lane, Value
from studio.bridge.daw.ramps import from_seconds
from studio.bridge.daw.safe_xml import LARGEST_BYTES, parse_xml
from studio.bridge.daw.timeline import (
    MASTER,
    MOST_CLIPS,
    PALETTE,
    AudioClip,
    Device,
    Loss,
    Marker,
    Motion,
    NoteClip,
    Send,
    Strip,
    Timeline,
)  # fmt: skip
from studio.bridge.manifest import slug
from studio.disk import writing
from studio.errors import Place, RecipeError, StudioError
from studio.midi.files import FASTEST_BPM, SLOWEST_BPM
from studio.score import BEND, CONTROL, POLY_PRESSURE, PRESSURE, PROGRAM, Event, Note, Score
from studio.tempo import Meter, Tempo, TempoMap

RESOLUTION = 30_720
"""Ticks per beat of the notes that are read."""

_FORMATS = {"Vst3Plugin": "vst3", "Vst2Plugin": "vst2", "ClapPlugin": "clap", "AuPlugin": "au"}
_LONGEST_SECONDS = 24 * 3600.0
_DEEPEST = 16
_STATUS = {
    "channelController": CONTROL, "polyPressure": POLY_PRESSURE, "channelPressure": PRESSURE, "pitchBend": BEND,
    "programChange": PROGRAM,
}  # fmt: skip
Map = Callable[[float], float]
"""From one time to another."""


def read_dawproject(path: Path, media: Path) -> Timeline:
    """Read a file, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no DAWproject, or nothing can be made of it.
    """
    try:
        with Archive(path) as archive:
            return _Reader(archive, media).timeline()
    except StudioError as error:
        if error.place is None:
            error.place = Place(str(path))
        raise


@dataclass
class _Line:
    """A strip in the making."""

    name: str
    colour: str
    element: Element | None
    channel: Element | None
    clips: list[AudioClip] = field(default_factory=list)
    notes: list[NoteClip] = field(default_factory=list)
    lanes: dict[str, Lane] = field(default_factory=dict)


@dataclass(frozen=True)
class _Window:
    """Where in the song something may be heard, in seconds, and how its own time leads there and back."""

    start: float
    end: float
    seconds: Map
    own: Map
    muted: bool = False
    gain: float = 1.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    name: str = ""
    unit: str = "beats"
    depth: int = 0

    def cut(self, start: float, end: float) -> _Window:
        return replace(self, start=max(self.start, start), end=min(self.end, end))


class _Reader:
    def __init__(self, archive: Archive, media: Path) -> None:
        self.archive, self.media = archive, media
        self.root = parse_xml(archive.read(PROJECT, LARGEST_BYTES), PROJECT)
        if self.root.tag != "Project":
            raise RecipeError(f"{PROJECT} begins with {self.root.tag}, not Project.", "That is no DAWproject.")
        self.losses: list[Loss] = []
        self.ids = {name: element for element in self.root.iter() if (name := element.get("id"))}
        self.parents = {child: element for element in self.root.iter() for child in element}
        self.files: dict[str, Path | None] = {}
        self.taken: set[str] = set()
        self.clips = 0
        self.players: dict[str, _Line] = {}
        self.owners: dict[Element, _Line] = {}
        self.tempo = self._tempo()
        self.rate = self._rate()

    def timeline(self) -> Timeline:
        lines, master = self._lines()
        for line in (*lines, *([master] if master is not None else [])):
            if line.element is not None:
                self.players[line.element.get("id") or repr(line.name)] = line
            if line.channel is not None:
                self.owners.update((element, line) for element in line.channel.iter())
        arrangement = self.root.find("Arrangement")
        if arrangement is not None:
            for lanes in arrangement.iterfind("Lanes"):
                self._walk(lanes, lanes.get("timeUnit", "beats"), None)
        scenes = self.root.find("Scenes")
        if scenes is not None and next(scenes.iter("Clip"), None) is not None:
            self.losses.append(Loss("clips of scenes", "Scenes", "a recipe plays from start to end"))
        tracks, buses = self._strips(lines, master)
        self._report_defects()
        meta = self._metadata()
        ends = [clip.start + clip.frames for line in lines for clip in line.clips]
        ends += [
            math.ceil(self._second(float(clip.start + clip.beats)) * self.rate) for line in lines for clip in line.notes
        ]
        return Timeline(
            title=meta.get("Title", ""),
            author=meta.get("Artist", ""),
            license=meta.get("Copyright", ""),
            comment=meta.get("Comment", ""),
            rate=self.rate,
            frames=max(ends, default=0),
            tempo=self.tempo,
            markers=self._markers(arrangement),
            tracks=tuple(tracks),
            buses=tuple(buses),
            master=self._strip(master, {}, MASTER) if master else Strip(MASTER),
            losses=tuple(self.losses),
        )

    def _report_defects(self) -> None:
        """What the linter finds is told, not refused: real DAWs write files that no schema lets through."""
        for defect in lint(self.archive)[:20]:
            if defect.code in ("file-missing", "file-external", "destination-forward", "attribute-unknown"):
                continue
            self.losses.append(Loss(f"odd: {defect.what}", defect.where, "the file says it, no DAW should"))

    def _metadata(self) -> dict[str, str]:
        if not self.archive.holds(METADATA):
            return {}
        try:
            root = parse_xml(self.archive.read(METADATA, LARGEST_BYTES), METADATA)
        except StudioError as error:
            self.losses.append(Loss("title and author", METADATA, error.cause))
            return {}
        return {element.tag: " ".join((element.text or "").split())[:1000] for element in root}

    # Time ----------------------------------------------------------------------------------------------------------

    def _tempo(self) -> TempoMap:
        tempo = _float(self.root.find("Transport/Tempo"), "value")
        points = self.root.find("Arrangement/TempoAutomation")
        read = [
            (_float(point, "time"), _float(point, "value"), point.get("interpolation") == "linear")
            for point in (points if points is not None else ())
            if point.tag == "RealPoint"
        ]
        known = [(time, bpm, ramp) for time, bpm, ramp in read if time is not None and bpm is not None and time >= 0]
        for bpm in [bpm for _, bpm, _ in known] + ([tempo] if tempo is not None else []):
            if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
                raise RecipeError(f"a tempo of {bpm:g} bpm.", f"Tempos go from {SLOWEST_BPM} to {FASTEST_BPM} bpm.")
        known.sort(key=lambda point: point[0])
        opening = known[0][1] if known else tempo if tempo is not None else 120.0
        if tempo is None and not known:
            self.losses.append(Loss("tempo", "Transport", "the file gives none; 120 bpm is taken"))
        if known and known[0][0] > 0:
            known.insert(0, (0.0, opening, False))
        tempos: tuple[Tempo, ...]
        if points is not None and self._unit(points, "beats") == "seconds" and known:
            tempos = from_seconds(known)
        else:
            tempos = tuple(Tempo(_exact(time), _exact(bpm), ramp) for time, bpm, ramp in known)
            tempos = tempos or (Tempo(Fraction(0), _exact(opening)),)
            tempos = (*tempos[:-1], replace(tempos[-1], ramp=False))
        return TempoMap(tempos, self._meters(TempoMap(tempos)))

    def _meters(self, tempo: TempoMap) -> tuple[Meter, ...]:
        meters: list[Meter] = []
        opening = self.root.find("Transport/TimeSignature")
        if opening is not None and (meter := _meter(opening, Fraction(0))):
            meters.append(meter)
        points = self.root.find("Arrangement/TimeSignatureAutomation")
        for point in points if points is not None else ():
            time = _float(point, "time")
            if point.tag != "TimeSignaturePoint" or time is None or time < 0:
                continue
            beat = _exact(time)
            if points is not None and self._unit(points, "beats") == "seconds":
                beat = Fraction(round(float(tempo.beat_at(beat)) * 1e6), 10**6)
            if meter := _meter(point, beat):
                meters.append(meter)
        return tuple(meters)

    def _rate(self) -> int:
        """The rate of most audio files, as that of the song."""
        rates = [round(rate) for audio in self.root.iter("Audio") if (rate := _float(audio, "sampleRate"))]
        fitting = [rate for rate in rates if 8_000 <= rate <= 192_000]
        return max(set(fitting), key=fitting.count) if fitting else 44_100

    def _second(self, beat: float) -> float:
        return float(self.tempo.second_at(Fraction(beat))) if math.isfinite(beat) else beat

    def _beat(self, second: float) -> float:
        return float(self.tempo.beat_at(Fraction(second))) if math.isfinite(second) else second

    def _unit(self, element: Element, default: str) -> str:
        step: Element | None = element
        while step is not None:
            if unit := step.get("timeUnit"):
                return unit
            step = self.parents.get(step)
            if step is not None and step.tag == "Clip" and step.get("contentTimeUnit"):
                return step.get("contentTimeUnit", default)
        return default

    def _markers(self, arrangement: Element | None) -> tuple[Marker, ...]:
        found = []
        for marker in arrangement.iter("Marker") if arrangement is not None else ():
            time = _float(marker, "time")
            if time is None or time < 0:
                continue
            unit = self._unit(self.parents[marker], "beats")
            found.append(Marker(_exact(time) if unit == "beats" else _exact(self._beat(time)), marker.get("name", "")))
        return tuple(sorted(found, key=lambda marker: marker.beat))

    # Strips --------------------------------------------------------------------------------------------------------

    def _lines(self) -> tuple[list[_Line], _Line | None]:
        lines: list[_Line] = []
        master: _Line | None = None
        structure = self.root.find("Structure")
        for element in _tracks(structure) if structure is not None else ():
            channel = element if element.tag == "Channel" else element.find("Channel")
            name = element.get("name") or (channel.get("name") if channel is not None else "") or element.tag
            line = _Line(name, _colour(element.get("color"), len(lines)), element, channel)
            if channel is not None and channel.get("role") == "master" and master is None:
                master = line
            else:
                lines.append(line)
        return lines, master

    def _strips(self, lines: list[_Line], master: _Line | None) -> tuple[list[Strip], list[Strip]]:
        """Tracks and buses; a channel that others go to and that plays too becomes one of each."""
        top = master.channel.get("id") if master is not None and master.channel is not None else None
        named = self._named(lines)
        ways = {line.channel.get("id"): named[id(line)] for line in lines if line.channel is not None}
        fed = {
            way for channel in self.root.iter("Channel")
            for way in (channel.get("destination"), *(send.get("destination") for send in channel.iter("Send")))
            if way in ways and way != top
        }  # fmt: skip
        tracks: list[Strip] = []
        buses: list[Strip] = []
        for line in lines:
            name = named[id(line)]
            feeds = line.channel is not None and line.channel.get("id") in fed
            role = line.channel.get("role") if line.channel is not None else None
            nothing = not line.clips and not line.notes
            if feeds or (role in ("effect", "submix") and nothing):
                buses.append(self._strip(line, ways, name))
                if not nothing:
                    tracks.append(Strip(f"{name} (clips)", line.colour, tuple(line.clips or line.notes), to=name))
                continue
            if line.channel is not None and line.channel.get("role") == "vca":
                self.losses.append(Loss("VCA fader", name, "a recipe has none"))
                continue
            if line.channel is None and nothing:
                continue
            strip = self._strip(line, ways, name)
            if line.clips and line.notes:
                tracks.append(replace(strip, clips=tuple(line.clips)))
                tracks.append(replace(strip, name=f"{name} (notes)", clips=tuple(line.notes), devices=()))
                self.losses.append(Loss("audio and notes on one track", name, "they become two tracks"))
            else:
                tracks.append(replace(strip, clips=tuple(line.clips or line.notes)))
        return tracks, buses

    def _named(self, lines: list[_Line]) -> dict[int, str]:
        """A name for each line that no other has."""
        named: dict[int, str] = {}
        taken = {MASTER}
        for line in lines:
            name, number = line.name, 2
            while name in taken:
                name, number = f"{line.name} {number}", number + 1
            taken.add(name)
            named[id(line)] = name
        return named

    def _strip(self, line: _Line, ways: dict[str | None, str], name: str) -> Strip:
        channel = line.channel
        if channel is None:
            return Strip(name, line.colour)
        to = ways.get(channel.get("destination"), MASTER) if name != MASTER else MASTER
        if channel.get("destination") and channel.get("destination") not in self.ids:
            self.losses.append(
                Loss("its way out", name, f"{channel.get('destination')!r} leads nowhere: master instead")
            )
        sends = []
        for send in channel.iterfind("Sends/Send"):
            target = ways.get(send.get("destination"))
            enable = send.find("Enable")
            if target is None or target == name:
                self.losses.append(Loss("a send", name, f"{send.get('destination')!r} leads to no bus"))
            elif enable is None or enable.get("value") != "false":
                sends.append(Send(target, self._level(line, send.find("Volume")), send.get("type") == "pre"))
        mute = channel.find("Mute")
        return Strip(
            name,
            line.colour,
            devices=tuple(self._devices(line, name)),
            volume=self._level(line, channel.find("Volume")),
            pan=self._pan(line, channel.find("Pan")),
            sends=tuple(sends),
            mute=mute is not None and mute.get("value") == "true",
            solo=channel.get("solo") == "true",
            to=to,
        )

    def _level(self, line: _Line, parameter: Element | None) -> Value:
        value = _float(parameter, "value")
        if parameter is None or value is None:
            return 1.0
        factor = _factor(parameter.get("unit", "linear"))
        lane = line.lanes.get(parameter.get("id", ""))
        return lane.mapped(factor) if lane is not None else factor(value)

    def _pan(self, line: _Line, parameter: Element | None) -> Value:
        value = _float(parameter, "value")
        if parameter is None or value is None:
            return 0.0
        place = _place(parameter.get("unit", "normalized"))
        lane = line.lanes.get(parameter.get("id", ""))
        return lane.mapped(place) if lane is not None else place(value)

    def _devices(self, line: _Line, name: str) -> Iterator[Device]:
        devices = line.channel.find("Devices") if line.channel is not None else None
        for element in devices if devices is not None else ():
            called = element.get("deviceName") or element.get("name") or element.tag
            if element.tag in BUILTINS:
                self.losses.append(
                    Loss(f"device {called!r}", name, "the format does not say how it sounds, so it is left out")
                )
            if element.tag not in PLUGINS:
                continue
            enabled, state = element.find("Enabled"), element.find("State")
            content = None
            path = state.get("path", "") if state is not None else ""
            if self.archive.holds(path):
                content = self.archive.read(path, LARGEST_STATE)
            elif path:
                self.losses.append(Loss(f"state of {called!r}", name, f"{path!r} is not in the file"))
            parameters = {
                found.get("name") or found.get("parameterID") or str(index): value
                for index, found in enumerate(element.iterfind("Parameters/RealParameter"))
                if (value := _float(found, "value")) is not None
            }
            yield Device(
                called,
                _FORMATS[element.tag],
                element.get("deviceID", ""),
                content,
                parameters,
                element.get("deviceRole") == "instrument",
                enabled is None or enabled.get("value") != "false",
                vendor=element.get("deviceVendor", ""),
                motions=tuple(self._motions(line, element, name)),
            )

    def _turns(self, target: Element) -> bool:
        """Whether an element is a parameter of a plugin, between two numbers."""
        holder = self.parents.get(self.parents.get(target, target))
        return target.tag == "RealParameter" and holder is not None and holder.tag in PLUGINS

    def _motions(self, line: _Line, device: Element, name: str) -> Iterator[Motion]:
        """The parameters of a plugin that move, from 0 to 1."""
        for found in device.iterfind("Parameters/RealParameter"):
            lane = line.lanes.get(found.get("id", ""))
            if lane is None:
                continue
            called = found.get("name") or found.get("parameterID") or "a parameter"
            low, high = _float(found, "min"), _float(found, "max")
            if found.get("unit") == "normalized":
                low, high = 0.0, 1.0
            if low is None or high is None or high <= low:
                self.losses.append(
                    Loss(f"automation of {called!r}", name, "the file does not say between what it moves")
                )
                continue
            number = found.get("parameterID", "")
            motion = Motion(int(number) if number.isdecimal() else None, called, lane)
            yield replace(motion, lane=lane.mapped(partial(_part, low, high)))

    # Clips ---------------------------------------------------------------------------------------------------------

    def _walk(self, lanes: Element, unit: str, line: _Line | None) -> None:
        """Lanes of the arrangement, of whatever nesting: a track named on the way holds what is below it."""
        for element in lanes:
            own = element.get("timeUnit", unit)
            here = self.players.get(element.get("track", ""), line)
            if element.tag == "Lanes":
                self._walk(element, own, here)
            elif element.tag == "Clips" and here is not None:
                for clip in element.iterfind("Clip"):
                    self._clip(clip, self._top(own), own, here)
            elif element.tag == "Points":
                self._automation(element, own)

    def _top(self, unit: str) -> _Window:
        if unit == "seconds":
            return _Window(0.0, math.inf, lambda time: time, lambda second: second, unit=unit)
        return _Window(0.0, math.inf, self._second, self._beat, unit=unit)

    def _clip(self, clip: Element, around: _Window, unit: str, line: _Line) -> None:
        """Lay out a clip and what is in it, loops unrolled, inside the window of what is around it."""
        time = _float(clip, "time")
        content = self._content(clip)
        if time is None or content is None:
            return
        begin = around.seconds(time)
        duration = _float(clip, "duration")
        end = around.end if duration is None else around.seconds(time + duration)
        first = _float(clip, "playStart") or 0.0
        own_unit = clip.get("contentTimeUnit", content.get("timeUnit", unit))
        loop = (_float(clip, "loopStart"), _float(clip, "loopEnd"))
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
        stop = _float(clip, "playStop")
        for start, place, last in _passes(first, stop, loop):
            inner = self._inside(base, begin, start - place, own_unit)
            window = inner.cut(max(begin, inner.seconds(start)), min(end, inner.seconds(last)))
            if window.start >= end or window.start > _LONGEST_SECONDS:
                break
            if window.end > window.start:
                self._timeline(content, window, line)

    def _inside(self, around: _Window, begin: float, offset: float, unit: str) -> _Window:
        """The window of a clip's content, whose time `offset` lies at second `begin`."""
        if unit == "seconds":
            return replace(around, seconds=lambda t: begin + t - offset, own=lambda s: s - begin + offset)
        start = self._beat(begin)
        return replace(
            around,
            seconds=lambda t: self._second(start + t - offset),
            own=lambda s: self._beat(s) - start + offset,
        )

    def _content(self, clip: Element) -> Element | None:
        inside = next(iter(clip), None)
        if inside is None and clip.get("reference"):
            found = self.ids.get(clip.get("reference", ""))
            inside = next(iter(found), None) if found is not None and found.tag == "Clip" else found
            if inside is None:
                self.losses.append(Loss("a clip", clip.get("name", "Clip"), "what it refers to is not there"))
        return inside

    def _fades(
        self, clip: Element, around: _Window, time: float, duration: float | None, end: float
    ) -> tuple[float, float]:
        fade_in, fade_out = (_float(clip, name) or 0.0 for name in ("fadeInTime", "fadeOutTime"))
        if fade_in < 0 or fade_out < 0:
            self.losses.append(Loss("a crossfade", clip.get("name", "Clip"), "it becomes a cut"))
        fade_in, fade_out = max(0.0, fade_in), max(0.0, fade_out)
        if clip.get("fadeTimeUnit", around.unit) == "seconds" or duration is None:
            return fade_in, fade_out
        if around.unit == "seconds":
            begin = around.seconds(time)
            return self._second(self._beat(begin) + fade_in) - begin, end - self._second(self._beat(end) - fade_out)
        return (
            around.seconds(time + fade_in) - around.seconds(time),
            around.seconds(time + duration) - around.seconds(time + duration - fade_out),
        )

    def _timeline(self, element: Element, window: _Window, line: _Line) -> None:
        if element.tag == "Clips":
            for clip in element.iterfind("Clip"):
                self._clip(clip, window, window.unit, line)
        elif element.tag == "Lanes":
            gain = next(
                (
                    _float(points.find("RealPoint"), "value")
                    for points in element.iterfind("Points")
                    if _target(points).get("expression") == "gain"
                ),
                None,
            )
            controllers = [
                points for points in element.iterfind("Points") if _target(points).get("expression") in _STATUS
            ]
            for child in element:
                if child.tag == "Notes":
                    self._notes(child, window, line, controllers)
                elif child.tag != "Points":
                    self._timeline(child, window if gain is None else replace(window, gain=gain), line)
        elif element.tag == "Warps":
            self._warped(element, window, line)
        elif element.tag == "Audio":
            self._audio(element, window, lambda time: window.seconds(time) - window.seconds(0.0), line)
        elif element.tag == "Notes":
            self._notes(element, window, line, [])
        elif element.tag in ("Video", "Points"):
            self.losses.append(Loss(f"{element.tag.lower()} in a clip", line.name, "a recipe has no place for it"))

    def _warped(self, warps: Element, window: _Window, line: _Line) -> None:
        audio = next((child for child in warps if child.tag in ("Audio", "Clips", "Warps")), None)
        points = sorted(
            (time, content)
            for warp in warps.iterfind("Warp")
            if (time := _float(warp, "time")) is not None and (content := _float(warp, "contentTime")) is not None
        )
        if audio is None or audio.tag != "Audio":
            self.losses.append(Loss("a warped clip of clips", line.name, "only warped audio is understood"))
            return
        if len(points) < 2:
            self._audio(audio, window, lambda time: time, line)
            return
        xs, ys = np.array(points).T
        unit = warps.get("timeUnit", window.unit)
        if unit != window.unit:
            window = self._inside(window, window.start, window.own(window.start), unit)

        def place(time: float) -> float:
            index = int(np.clip(np.searchsorted(xs, time, side="right") - 1, 0, len(xs) - 2))
            slope = (ys[index + 1] - ys[index]) / (xs[index + 1] - xs[index]) if xs[index + 1] > xs[index] else 1.0
            return float(ys[index] + (time - xs[index]) * slope)

        self._audio(audio, window, place, line)

    def _audio(self, audio: Element, window: _Window, place: Map, line: _Line) -> None:
        reference = audio.find("File")
        path = self._media(reference, line.name) if reference is not None else None
        if path is None:
            return
        rate, _, frames = probe(path)
        offset = max(0.0, place(window.own(window.start)))
        lasts = frames / rate - offset
        start, end = window.start, min(window.end, _LONGEST_SECONDS)
        if lasts <= 0:
            return
        length = min(end - start, lasts)
        if math.isfinite(window.end):
            travelled = place(window.own(start + length)) - offset
            if abs(travelled / length - 1) > 1e-4:
                why = f"it plays {travelled / length:.4g} times as fast there; here it keeps its own speed"
                self.losses.append(Loss(f"stretch of {window.name or path.stem!r}", line.name, why))
        self._count(line)
        first = _frame(start, self.rate)
        line.clips.append(
            AudioClip(
                path,
                first,
                max(1, _frame(start + length, self.rate) - first),
                _frame(offset, self.rate),
                window.gain,
                _frame(window.fade_in, self.rate),
                _frame(window.fade_out, self.rate),
                window.name,
                window.muted,
            )
        )

    def _count(self, line: _Line) -> None:
        self.clips += 1
        if self.clips > MOST_CLIPS:
            raise RecipeError(f"a session of more than {MOST_CLIPS} clips.", "That is no song.")

    def _media(self, reference: Element, line: str) -> Path | None:
        """The copy of an audio file of the session, or None if it cannot be had."""
        path = reference.get("path", "")
        if path in self.files:
            return self.files[path]
        self.files[path] = None
        inside = safe_name(path) and self.archive.holds(path)
        if not inside or reference.get("external") == "true":
            where = "lies outside the session" if reference.get("external") == "true" else "is not in it"
            self.losses.append(Loss(f"audio file {path!r}", line, f"it {where}, so its clips are left out"))
            return None
        name = PurePosixPath(path)
        target = self.media / f"{slug(name.stem, self.taken)}{name.suffix.lower()[:8]}"
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            self.archive.extract(path, target)
        try:
            probe(target)
        except StudioError as error:
            target.unlink(missing_ok=True)
            self.losses.append(Loss(f"audio file {path!r}", line, error.cause))
            return None
        self.files[path] = target
        return target

    def _notes(self, element: Element, window: _Window, line: _Line, controllers: list[Element]) -> None:
        if window.muted:
            self.losses.append(Loss(f"muted notes {window.name!r}", line.name, "they are left out"))
            return
        end = window.end if math.isfinite(window.end) else _LONGEST_SECONDS
        start_beat, end_beat = _snapped(self._beat(window.start)), _snapped(self._beat(end))
        notes: list[Note] = []

        def tick(time: float) -> int:
            return round((self._beat(window.seconds(time)) - float(start_beat)) * RESOLUTION)

        for note in element.iterfind("Note"):
            time, duration, key = (_float(note, name) for name in ("time", "duration", "key"))
            if time is None or duration is None or key is None or not 0 <= key <= 127 or duration <= 0:
                self.losses.append(Loss("a note", line.name, f"{dict(note.attrib)} is none"))
                continue
            second = window.seconds(time)
            if not window.start - 1e-7 <= second < end - 1e-7:
                continue
            velocity, release = _float(note, "vel"), _float(note, "rel")
            notes.append(
                Note(
                    max(0, tick(time)),
                    max(tick(time) + 1, min(tick(time + duration), round(float(end_beat - start_beat) * RESOLUTION))),
                    int(key),
                    max(1, _seven_bits(0.8 if velocity is None else velocity)),
                    int(_float(note, "channel") or 0) & 15,
                    release=64 if release is None else _seven_bits(release),
                )
            )
        events = [
            Event(max(0, tick(time)), data)
            for points in controllers
            for point in points.iterfind("RealPoint")
            if (time := _float(point, "time")) is not None
            and window.start - 1e-7 <= window.seconds(time) <= end + 1e-7
            and (data := _message(_target(points), _float(point, "value")))
        ]
        self._count(line)
        beats = end_beat - start_beat
        if not math.isfinite(window.end):
            last = max((note.end for note in notes), default=RESOLUTION)
            beats = Fraction(last, RESOLUTION)
        score = Score(tuple(events), RESOLUTION, tracks=(line.name,)).with_notes(notes)
        line.notes.append(NoteClip(start_beat, beats, score, window.name))

    def _automation(self, points: Element, unit: str) -> None:
        target = self.ids.get(_target(points).get("parameter", ""))
        if target is None:
            what = _target(points).get("expression") or _target(points).get("parameter") or "something"
            self.losses.append(Loss(f"automation of {what}", "Arrangement", "what it moves is not there"))
            return
        line = self.owners.get(target)
        if line is None or not (target.tag in ("Volume", "Pan") or self._turns(target)):
            name = line.name if line is not None else "Arrangement"
            self.losses.append(Loss(f"automation of {target.get('name') or target.tag}", name, "it is not taken over"))
            return
        read = [
            (_float(point, "time"), _float(point, "value"), point.get("interpolation") != "linear")
            for point in points.iterfind("RealPoint")
        ]
        known = sorted((time, value, held) for time, value, held in read if time is not None and value is not None)
        if not known or len(known) > MOST_POINTS:
            self.losses.append(Loss("automation", line.name, f"it has {len(known)} points"))
            return
        line.lanes[target.get("id", "")] = self._lane(known, points.get("timeUnit", unit))

    def _lane(self, known: list[tuple[float, float, bool]], unit: str) -> Lane:
        if unit == "seconds" or len(self.tempo.tempos) == 1:
            seconds = [time if unit == "seconds" else self._second(time) for time, _, _ in known]
            return Lane(tuple(seconds), tuple(value for _, value, _ in known), tuple(held for _, _, held in known))
        times: list[float] = []
        values: list[float] = []
        held: list[bool] = []
        for (time, value, hold), after in zip(known, [*known[1:], None], strict=True):
            # A straight line in beats is a bent one in seconds where the tempo moves.
            count = 1 if hold or after is None or after[0] == time or after[1] == value else 16
            for index in range(count):
                there = after if after is not None else (time, value, hold)
                times.append(self._second(time + (there[0] - time) * index / count))
                values.append(value + (there[1] - value) * index / count)
                held.append(hold)
        return Lane(tuple(times), tuple(values), tuple(held))


def _passes(
    first: float, stop: float | None, loop: tuple[float | None, float | None]
) -> Iterator[tuple[float, float, float]]:
    """The passes through a clip's content: where each begins in it, when (since the clip began), and where it ends."""
    start, end = loop
    if start is None or end is None or end <= start or first >= end:
        yield first, 0.0, math.inf if stop is None else stop
        return
    yield first, 0.0, end
    gone = end - first
    for _ in range(MOST_CLIPS):
        yield start, gone, end
        gone += end - start


def _tracks(element: Element) -> Iterator[Element]:
    for child in element:
        if child.tag in ("Track", "Channel"):
            yield child
        if child.tag == "Track":
            yield from (inner for inner in _tracks(child) if inner.tag == "Track")


def _target(points: Element) -> dict[str, str]:
    target = points.find("Target")
    return target.attrib if target is not None else {}


def _message(target: dict[str, str], value: float | None) -> bytes | None:
    """The MIDI message of a controller point."""
    status = _STATUS.get(target.get("expression", ""))
    if status is None or value is None:
        return None
    channel = int(target.get("channel", "0")) & 15
    if status == BEND:
        bend = max(0, min(16_383, round(value * 16_383)))
        return bytes((status << 4 | channel, bend & 127, bend >> 7))
    data = _seven_bits(value)
    if status in (PRESSURE, PROGRAM):
        return bytes((status << 4 | channel, data))
    number = target.get("controller" if status == CONTROL else "key", "0")
    return bytes((status << 4 | channel, int(number) & 127, data))


def _part(low: float, high: float, value: float) -> float:
    return (value - low) / (high - low)


def _seven_bits(value: float) -> int:
    return max(0, min(127, round(value * 127)))


def _factor(unit: str) -> Map:
    """From a level in a unit to a factor."""
    if unit == "decibel":
        return lambda value: 0.0 if value <= -90 else 10 ** (value / 20)
    if unit == "percent":
        return lambda value: max(0.0, value / 100)
    return lambda value: max(0.0, value)


def _place(unit: str) -> Map:
    """From a pan in a unit to −1 to 1."""
    if unit == "linear":
        return lambda value: max(-1.0, min(1.0, value))
    if unit == "percent":
        return lambda value: max(-1.0, min(1.0, value / 50 - 1))
    return lambda value: max(-1.0, min(1.0, round(2 * value - 1, 12)))


def _meter(element: Element, beat: Fraction) -> Meter | None:
    count, unit = (_float(element, name) for name in ("numerator", "denominator"))
    if count is None or unit is None or not 1 <= count <= 64 or unit not in (1, 2, 4, 8, 16, 32):
        return None
    return Meter(beat, int(count), int(unit))


def _colour(text: str | None, index: int) -> str:
    plain = (text or "").removeprefix("#")
    if len(plain) in (6, 8) and all(mark in "0123456789abcdefABCDEF" for mark in plain):
        return f"#{plain[:6].lower()}"
    return PALETTE[index % len(PALETTE)]


def _frame(second: float, rate: int) -> int:
    return math.floor(second * rate + 0.5)


def _exact(number: float) -> Fraction:
    """The number as it was most likely meant: of few digits, else the double itself."""
    short = Fraction(number).limit_denominator(1_000_000)
    return short if float(short) == number else Fraction(number)


def _snapped(beat: float) -> Fraction:
    """The beat, on a tick where the way through seconds has only just missed it."""
    grid = Fraction(round(beat * RESOLUTION), RESOLUTION)
    return grid if abs(grid - beat) < 1e-6 else Fraction(beat)


def _float(element: Element | None, name: str) -> float | None:
    if element is None:
        return None
    try:
        value = float(element.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


__all__ = ["read_dawproject"]
