"""A session of Ardour 7 as a timeline: what was changed there comes back into a recipe."""

from __future__ import annotations

import base64
import binascii
import math
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from xml.etree.ElementTree import Element

from studio.audiofile import probe
from studio.bridge.daw.archive import bytes_of
from studio.bridge.daw.ardour.write import LAG_FRAMES, LAG_SECONDS, SUPERCLOCK, TICKS
from studio.bridge.daw.lane import MOST_POINTS, Lane, Value
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
)
from studio.bridge.daw.vstpreset import CLASS_ID
from studio.bridge.manifest import slug
from studio.disk import writing
from studio.errors import Place, RecipeError, StudioError
from studio.midi import read_midi
from studio.midi.files import FASTEST_BPM, SLOWEST_BPM
from studio.tempo import Meter, Tempo, TempoMap

_OWN = {
    "diskreader", "diskwriter", "triggerbox", "polarity", "trim", "amp", "meter", "main-outs", "intreturn", "intsend",
    "delay", "beatbox", "monitor", "unknown", "capture",
}  # fmt: skip
"""Processors that are Ardour's plumbing; what is beyond them and no plugin is told."""


def read_ardour(path: Path, media: Path) -> Timeline:
    """Read a session, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no session of Ardour 6 or later, or nothing can be made of it.
    """
    try:
        root = parse_xml(bytes_of(path, LARGEST_BYTES, "a session"), path.name)
        if root.tag != "Session" or root.find("TempoMap/Tempos") is None:
            raise RecipeError(f"{path.name} is no session of Ardour 7.", "Open and save it there.")
        return _Reader(root, path.parent.resolve(), media).timeline()
    except StudioError as error:
        if error.place is None:
            error.place = Place(str(path))
        raise


class _Reader:
    def __init__(self, root: Element, folder: Path, media: Path) -> None:
        self.root, self.folder, self.media = root, folder, media
        self.losses: list[Loss] = []
        rate = round(_float(root, "sample-rate", 44_100))
        self.rate = rate if 8_000 <= rate <= 192_000 else 44_100
        self.tempo = self._tempo()
        self.sources = {source.get("id"): source for source in root.iterfind("Sources/Source")}
        self.files: dict[str, Path | None] = {}
        self.taken: set[str] = set()
        self.clips = 0

    def timeline(self) -> Timeline:
        routes = list(self.root.iterfind("Routes/Route"))
        flags = {route: _flags(route) for route in routes}
        main = next((route for route in routes if "MasterOut" in flags[route]), None)
        self.names = {route.get("id"): route.get("name", "") for route in routes}
        buses = {route.get("name", "") for route in routes if "AudioBus" in flags[route]}
        playlists = {playlist.get("id"): playlist for playlist in self.root.iterfind("Playlists/Playlist")}
        tracks: list[Strip] = []
        found: list[Strip] = []
        for index, route in enumerate(routes):
            if route is main or not flags[route] & {"AudioTrack", "MidiTrack", "AudioBus"}:
                continue
            playlist = playlists.get(route.get("audio-playlist") or route.get("midi-playlist"))
            strip = self._strip(route, index, buses, playlist)
            (found if "AudioBus" in flags[route] else tracks).append(strip)
        meta = self.root.find("Metadata")
        said = {element.tag: (element.text or "").strip() for element in meta} if meta is not None else {}
        ends = [clip.start + clip.frames for strip in tracks for clip in strip.audio]
        ends += [
            math.ceil(self.tempo.second_at(clip.start + clip.beats) * self.rate)
            for strip in tracks
            for clip in strip.notes
        ]
        return Timeline(
            title=said.get("title", "") or self.root.get("name", ""),
            author=said.get("artist", ""),
            license=said.get("copyright", ""),
            comment=said.get("comment", ""),
            rate=self.rate,
            frames=max(ends, default=0),
            tempo=self.tempo,
            markers=tuple(sorted(self._markers(), key=lambda marker: marker.beat)),
            tracks=tuple(tracks),
            buses=tuple(found),
            master=self._strip(main, 0, buses, None) if main is not None else Strip(MASTER),
            losses=tuple(self.losses),
        )

    # Time ----------------------------------------------------------------------------------------------------------

    def _tempo(self) -> TempoMap:
        tempos = []
        for element in self.root.iterfind("TempoMap/Tempos/Tempo"):
            bpm = (
                Fraction(element.get("npm", "120")).limit_denominator(10**9)
                * 4
                / max(1, int(_float(element, "note-type", 4)))
            )
            if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
                raise RecipeError(
                    f"a tempo of {float(bpm):g} bpm.", f"Tempos go from {SLOWEST_BPM} to {FASTEST_BPM} bpm."
                )
            tempos.append(Tempo(_quarters(element), bpm, "Ramp" in element.get("type", "")))
        meters = [
            Meter(_quarters(element), int(count), int(unit))
            for element in self.root.iterfind("TempoMap/Meters/Meter")
            if 1 <= (count := _float(element, "divisions-per-bar", 4)) <= 64
            and (unit := _float(element, "note-value", 4)) in (1, 2, 4, 8, 16, 32)
        ]
        return TempoMap(tuple(tempos), tuple(meters))

    def _second(self, said: str) -> Fraction:
        """A time: ``a`` and superclocks, or ``b`` and ticks."""
        try:
            number = int(said[1:])
        except ValueError:
            return Fraction(0)
        return self.tempo.second_at(Fraction(number, TICKS)) if said[:1] == "b" else Fraction(number, SUPERCLOCK)

    def _frame(self, said: str) -> int:
        return math.floor(self._second(said) * self.rate + Fraction(1, 2))

    def _length(self, said: str) -> tuple[int, int]:
        """Where a region begins and how many frames it lasts."""
        length, _, place = said.partition("@")
        start = self._frame(place)
        if length[:1] == "b":
            begin = self.tempo.beat_at(self._second(place))
            end = self.tempo.second_at(begin + Fraction(int(length[1:]), TICKS))
            return start, math.floor(end * self.rate + Fraction(1, 2)) - start
        return start, self._frame(length)

    def _beat(self, said: str) -> Fraction:
        if said[:1] == "b":
            return Fraction(int(said[1:]), TICKS)
        beat = self.tempo.beat_at(self._second(said))
        near = Fraction(round(beat * 96), 96)
        return near if abs(near - beat) < Fraction(1, 20_000) else beat.limit_denominator(10**6)

    def _markers(self) -> Iterator[Marker]:
        for location in self.root.iterfind("Locations/Location"):
            if "IsMark" in location.get("flags", ""):
                yield Marker(self._beat(location.get("start", "a0")), location.get("name", ""))

    # Strips --------------------------------------------------------------------------------------------------------

    def _strip(self, route: Element, index: int, buses: set[str], playlist: Element | None) -> Strip:
        master = "MasterOut" in _flags(route)
        name = MASTER if master else route.get("name", "")
        mute, solo = route.find("MuteMaster"), route.find("Controllable[@name='solo']")
        trim = route.find("Processor[@type='trim']/Controllable")
        factor = _float(trim, "value", 1.0)
        amp = route.find("Processor[@type='amp']")
        volume = self._gain(amp, "gain", factor)
        sends = []
        passed = False
        for processor in route.iterfind("Processor"):
            kind = processor.get("type", "")
            passed = passed or kind == "amp"
            if kind == "intsend" and processor.get("role") == "Aux":
                target = self.names.get(processor.get("target"), "")
                if target in buses and processor.get("active") != "0":
                    sends.append(Send(target, self._gain(processor, "send", 1.0 if passed else factor), not passed))
                elif target not in buses:
                    self.losses.append(Loss("a send", name, "it leads to no bus"))
            elif kind not in _OWN and kind not in ("vst3", "lv2", "windows-vst", "lxvst", "audiounit", "ladspa"):
                self.losses.append(Loss(f"{kind} {processor.get('name', '')!r}", name, "a recipe has no place for it"))
        return Strip(
            name,
            _colour(route, index),
            clips=tuple(self._regions(playlist, name)) if playlist is not None else (),
            devices=tuple(self._devices(route)),
            volume=volume,
            pan=self._pan(route),
            sends=tuple(sends),
            mute=mute is not None and mute.get("muted") in ("1", "yes"),
            solo=solo is not None and solo.get("self-solo") in ("1", "yes"),
            to=MASTER if master else self._out(route, buses),
        )

    def _out(self, route: Element, buses: set[str]) -> str:
        connections = [
            connection.get("other", "").rpartition("/")[0]
            for connection in route.iterfind("IO[@direction='Output']/Port/Connection")
        ]
        return next((name for name in connections if name in buses), MASTER)

    def _gain(self, processor: Element | None, automation: str, factor: float) -> Value:
        if processor is None:
            return factor
        value = _float(processor.find("Controllable[@name='gaincontrol']"), "value", 1.0)
        lane = self._lane(processor, automation)
        if lane is None:
            return value * factor
        moved = _later(lane, LAG_SECONDS + LAG_FRAMES / self.rate)
        return moved.mapped(lambda point: point * factor)

    def _pan(self, route: Element) -> Value:
        pannable = route.find("Pannable")
        if pannable is None:
            return 0.0
        lane = self._lane(pannable, "pan-azimuth")
        if lane is not None:
            return lane.mapped(lambda value: round(2 * value - 1, 9))
        return round(2 * _float(pannable.find("Controllable[@name='pan-azimuth']"), "value", 0.5) - 1, 9)

    def _lane(self, parent: Element, name: str) -> Lane | None:
        """An automation list, if it plays."""
        found = parent.find(f"Automation/AutomationList[@automation-id='{name}']")
        events = found.find("events") if found is not None else None
        if found is None or events is None or found.get("state") not in ("Play", "Touch", "Latch"):
            return None
        words = (events.text or "").split()
        pairs = list(zip(words[::2], words[1::2], strict=False))
        if not pairs or len(pairs) > MOST_POINTS:
            return None
        held = found.get("interpolation-style") == "Discrete"
        points = sorted((float(self._second(time)), _number(value)) for time, value in pairs)
        seconds, values = zip(*points, strict=True)
        return Lane(seconds, values, (held,) * len(points))

    def _devices(self, route: Element) -> Iterator[Device]:
        for processor in route.iterfind("Processor"):
            kind = processor.get("type", "")
            name, identity = processor.get("name", kind), processor.get("unique-id", "")
            enabled = processor.get("active") != "0"
            if kind == "vst3":
                try:
                    state = base64.b64decode(processor.findtext("vst3/chunk") or "", validate=False)
                except binascii.Error:
                    state = b""
                identity = identity if CLASS_ID.fullmatch(identity) else state[8:40].decode("ascii", "replace")
                motions = tuple(self._motions(processor))
                plays = self._plays(route)
                yield Device(name, "vst3", identity, state or None, enabled=enabled, instrument=plays, motions=motions)
            elif kind == "lv2":
                ports = {port.get("symbol", ""): _float(port, "value", 0.0) for port in processor.iterfind("lv2/Port")}
                yield Device(name, "lv2", identity, None, ports, enabled=enabled, instrument=self._plays(route))
            elif kind in ("windows-vst", "lxvst", "audiounit", "ladspa"):
                yield Device(name, {"audiounit": "au"}.get(kind, "vst2"), identity, enabled=enabled)

    def _motions(self, processor: Element) -> Iterator[Motion]:
        """The parameters of a plugin that move; Ardour writes their numbers beside the state, in the same order."""
        controls = [control for control in processor.iterfind("Controllable") if control.get("parameter")]
        ports = list(processor.iterfind("vst3/Port"))
        for place, control in enumerate(controls):
            lane = self._lane(processor, f"parameter-{control.get('parameter')}")
            if lane is not None:
                number = round(_float(ports[place], "id", -1)) if len(ports) == len(controls) else -1
                yield Motion(number if number >= 0 else None, control.get("name", ""), lane, plain=True)

    def _plays(self, route: Element) -> bool:
        return "MidiTrack" in _flags(route)

    # Regions -------------------------------------------------------------------------------------------------------

    def _regions(self, playlist: Element, name: str) -> Iterator[AudioClip | NoteClip]:
        for region in playlist.iterfind("Region"):
            self.clips += 1
            if self.clips > MOST_CLIPS:
                raise RecipeError(f"a session of more than {MOST_CLIPS} clips.", "That is no song.")
            path = self._source(region, name)
            if path is None:
                continue
            if region.get("type") == "midi":
                yield self._notes(region, path)
            else:
                yield self._audio(region, path)

    def _audio(self, region: Element, path: Path) -> AudioClip:
        start, frames = self._length(region.get("length", "a0@a0"))
        return AudioClip(
            path,
            start,
            max(1, frames),
            self._frame(region.get("start", "a0")),
            _float(region, "scale-amplitude", 1.0),
            self._fade(region, "FadeIn", "fade-in-active"),
            self._fade(region, "FadeOut", "fade-out-active"),
            region.get("name", ""),
            region.get("muted") in ("1", "yes"),
        )

    def _fade(self, region: Element, tag: str, active: str) -> int:
        events = region.findtext(f"{tag}/AutomationList/events")
        if region.get(active) not in ("1", "yes") or not events:
            return 0
        return self._frame(events.split()[-2]) if len(events.split()) > 1 else 0

    def _notes(self, region: Element, path: Path) -> NoteClip:
        length, _, place = region.get("length", "b0@b0").partition("@")
        begin = self._beat(place)
        beats = Fraction(int(length[1:]), TICKS) if length[:1] == "b" else self.tempo.beat_at(self._second(length))
        offset = self._beat(region.get("start", "b0"))
        score = read_midi(path)
        path.unlink()
        if offset:
            skip = score.tick(offset)
            kept = score.keep(lambda note: note.start >= skip)
            score = kept.map_notes(lambda note: note._replace(start=note.start - skip, end=note.end - skip))
        return NoteClip(begin, beats, score, region.get("name", ""))

    def _source(self, region: Element, name: str) -> Path | None:
        """The copy of a region's file, or None if it cannot be had."""
        source = self.sources.get(region.get("source-0"))
        said = source.get("name", "") if source is not None else ""
        midi = region.get("type") == "midi"
        if said in self.files and not midi:
            return self.files[said]
        self.files[said] = None
        kind = "midifiles" if midi else "audiofiles"
        places = [
            self.folder / said,
            *(folder / kind / said for folder in sorted((self.folder / "interchange").glob("*"))),
        ]
        found = next((path.resolve() for path in places if said and path.is_file()), None)
        if found is None or not found.is_relative_to(self.folder):
            self.losses.append(Loss(f"file {said!r}", name, "it is not in the session's folder"))
            return None
        if not midi:
            try:
                probe(found)
            except StudioError as error:
                self.losses.append(Loss(f"audio file {said!r}", name, error.cause))
                return None
        target = self.media / f"{slug(found.stem, self.taken)}{found.suffix.lower()[:8]}"
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(found, target)
        self.files[said] = target
        return target


def _later(lane: Lane, lag: float) -> Lane:
    """The lane as it is heard, since Ardour's gains come late; its first line goes on backwards to the start."""
    seconds, values = [second + lag for second in lane.seconds], list(lane.values)
    if len(seconds) > 1 and lane.seconds[0] == 0.0 and seconds[1] > seconds[0]:
        slope = (values[1] - values[0]) / (seconds[1] - seconds[0])
        seconds[0], values[0] = 0.0, max(0.0, values[0] - slope * lag)
    return Lane(tuple(seconds), tuple(values), lane.held)


def _flags(route: Element) -> set[str]:
    info = route.find("PresentationInfo")
    return set((info.get("flags", "") if info is not None else "").split(","))


def _colour(route: Element, index: int) -> str:
    info = route.find("PresentationInfo")
    value = int(_float(info, "color", 0))
    return f"#{value >> 8 & 0xFFFFFF:06x}" if value else PALETTE[index % len(PALETTE)]


def _quarters(element: Element) -> Fraction:
    """``beats:ticks``."""
    beats, _, ticks = element.get("quarters", "0:0").partition(":")
    return Fraction(int(beats)) + Fraction(int(ticks or 0), TICKS)


def _float(element: Element | None, name: str, default: float) -> float:
    return _number(element.get(name, ""), default) if element is not None else default


def _number(text: str, default: float = 0.0) -> float:
    try:
        value = float(text)
    except ValueError:
        return default
    return value if math.isfinite(value) else default
