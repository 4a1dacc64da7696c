"""A timeline as a DAWproject file.

The shape is the one that every reader tried takes: audio clips inside a clip, notes not; master and buses before the
tracks that go to them; two warp points a file; the tempo in the transport and as automation.
"""

from __future__ import annotations

import zipfile
from fractions import Fraction
from functools import partial
from importlib.metadata import version
from itertools import count
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import soundfile

from studio.bridge.daw.archive import Archive
from studio.bridge.daw.building import Session
from studio.bridge.daw.dawproject.lint import METADATA, PROJECT, lint
from studio.bridge.daw.dawproject.schema import VERSION
from studio.bridge.daw.lane import Lane, Value, first
from studio.bridge.daw.motions import numbered, positions
from studio.bridge.daw.notes import trimmed
from studio.bridge.daw.timeline import MASTER, AudioClip, Device, Loss, NoteClip, Strip, Timeline
from studio.bridge.manifest import slug
from studio.bridge.xml_text import clean
from studio.errors import OutputError
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, POLY_PRESSURE, PRESSURE, PROGRAM, Event, Score

LOUDEST = 4.0
"""What volumes say they go up to: +12 dB, as in a recipe."""

_PLUGINS = {"vst3": ("Vst3Plugin", "vstpreset"), "clap": ("ClapPlugin", "clap-preset"), "vst2": ("Vst2Plugin", "fxp")}
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of everything in the zip file, so that equal songs give equal files."""


def write_dawproject(session: Session, folder: Path, name: str) -> tuple[Loss, ...]:
    """Write ``name.dawproject`` into a folder, and give what the format cannot carry.

    Raises:
        OutputError: what was written does not pass the linter.
    """
    return write_timeline(session.timeline, folder / f"{name}.dawproject")


def write_timeline(timeline: Timeline, path: Path) -> tuple[Loss, ...]:
    """Write a timeline whose audio files are there; see `write_dawproject`."""
    project = _Project(timeline)
    root = project.build()
    ElementTree.indent(root)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, METADATA, _bytes(_metadata(timeline)))
        _add(archive, PROJECT, _bytes(root))
        for inside, content in project.states.items():
            _add(archive, inside, content)
        for file, inside in project.files.items():
            info = zipfile.ZipInfo(inside, _EPOCH)
            info.file_size = file.stat().st_size
            with file.open("rb") as source, archive.open(info, "w", force_zip64=info.file_size > 2**31) as member:
                while piece := source.read(1024 * 1024):
                    member.write(piece)
    with Archive(path) as written:
        defects = lint(written)
    if defects:
        path.unlink()
        raise OutputError(
            f"the session does not pass its own linter: {defects[0]}.", "Please report it, with the song."
        )
    return tuple(project.losses)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(info, content)


def _bytes(root: Element) -> bytes:
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def _metadata(timeline: Timeline) -> Element:
    root = Element("MetaData")
    for tag, text in (
        ("Title", timeline.title),
        ("Artist", timeline.author),
        ("Copyright", timeline.license),
        ("Comment", timeline.comment),
    ):
        SubElement(root, tag).text = clean(text)
    return root


class _Project:
    def __init__(self, timeline: Timeline) -> None:
        self.timeline, self.tempo, self.rate = timeline, timeline.tempo, timeline.rate
        self.steady = len(self.tempo.tempos) == 1
        self.losses: list[Loss] = []
        self.files: dict[Path, str] = {}
        self.states: dict[str, bytes] = {}
        self._taken: set[str] = set()
        self._numbers = count()
        self._channels: dict[str, str] = {}
        self._tracks: dict[str, str] = {}
        self._moving: dict[str, list[tuple[str, str, Lane]]] = {}

    def build(self) -> Element:
        root = Element("Project", version=VERSION)
        SubElement(root, "Application", name="mirepoix", version=version("mirepoix"))
        transport = SubElement(root, "Transport")
        opening, meter = self.tempo.tempos[0], self.tempo.meters[0]
        tempo = self._parameter(transport, "Tempo", float(opening.bpm), "bpm", 1, 2000)
        signature = SubElement(
            transport, "TimeSignature", id=self._id(), numerator=str(meter.count), denominator=str(meter.unit)
        )
        structure = SubElement(root, "Structure")
        for strip in self._in_order():
            self._strip(structure, strip)
        arrangement = SubElement(root, "Arrangement", id=self._id())
        lanes = SubElement(arrangement, "Lanes", id=self._id(), timeUnit="beats")
        for strip in self.timeline.strips:
            self._lanes(lanes, strip)
        if self.timeline.markers:
            markers = SubElement(arrangement, "Markers", id=self._id(), timeUnit="beats")
            for marker in self.timeline.markers:
                SubElement(markers, "Marker", time=_number(marker.beat), name=clean(marker.name) or "Marker")
        self._maps(arrangement, tempo, signature.attrib["id"])
        SubElement(root, "Scenes")
        return root

    def _in_order(self) -> list[Strip]:
        """Master, buses and tracks, each after those it goes to, since some readers lose what points forward."""
        order = [self.timeline.master]
        known = {MASTER}
        left = [*self.timeline.buses, *self.timeline.tracks]
        while left:
            ready = [strip for strip in left if {strip.to, *(send.target for send in strip.sends)} <= known]
            order += ready
            known |= {strip.name for strip in ready}
            if not ready:
                raise OutputError("the routes of the session go round in a circle.", "Take one of them out.")
            left = [strip for strip in left if strip not in ready]
        return order

    def _strip(self, structure: Element, strip: Strip) -> None:
        bus, master = strip in self.timeline.buses, strip is self.timeline.master
        track = SubElement(
            structure,
            "Track",
            id=self._id(),
            name=clean(strip.name) if not master else "Master",
            color=strip.colour,
            contentType="notes" if strip.plays_notes else "audio",
            loaded="true",
        )
        sent = {send.target for other in self.timeline.strips for send in other.sends}
        role = "master" if master else "effect" if bus and strip.name in sent else "submix" if bus else "regular"
        channel = SubElement(track, "Channel", id=self._id(), role=role, audioChannels="2", solo=_bool(strip.solo))
        if not master:
            channel.set("destination", self._channels[strip.to])
        self._tracks[strip.name], self._channels[strip.name] = track.attrib["id"], channel.attrib["id"]
        moving = self._moving[strip.name] = []
        if strip.devices:
            devices = SubElement(channel, "Devices")
            for device in strip.devices:
                self._device(devices, strip, device)
        SubElement(channel, "Mute", id=self._id(), value=_bool(strip.mute), name="Mute")
        pan = self._parameter(channel, "Pan", (first(strip.pan) + 1) / 2, "normalized", 0, 1)
        self._note_motion(moving, pan, "normalized", strip.pan, lambda value: min(1.0, max(0.0, (value + 1) / 2)))
        if strip.sends:
            sends = SubElement(channel, "Sends")
            for send in strip.sends:
                element = SubElement(
                    sends, "Send", destination=self._channels[send.target], type="pre" if send.pre else "post"
                )
                level = self._parameter(element, "Volume", first(send.level), "linear", 0, LOUDEST)
                self._note_motion(moving, level, "linear", send.level, lambda value: min(LOUDEST, max(0.0, value)))
        volume = self._parameter(channel, "Volume", first(strip.volume), "linear", 0, LOUDEST)
        self._note_motion(moving, volume, "linear", strip.volume, lambda value: min(LOUDEST, max(0.0, value)))

    def _note_motion(self, moving, parameter: str, unit: str, value: Value, change) -> None:  # type: ignore[no-untyped-def]
        if isinstance(value, Lane):
            moving.append((parameter, unit, value.mapped(change)))

    def _parameter(self, parent: Element, tag: str, value: float, unit: str, low: float, high: float) -> str:
        name = self._id()
        value = min(high, max(low, value))
        SubElement(parent, tag, id=name, name=tag, max=_number(high), min=_number(low), unit=unit, value=_number(value))
        return name

    def _device(self, devices: Element, strip: Strip, device: Device) -> None:
        if device.format not in _PLUGINS:
            self.losses.append(
                Loss(f"plugin {device.name!r}", strip.name, f"DAWproject has no {device.format} plugins")
            )
            return
        if device.state is None:
            self.losses.append(Loss(f"plugin {device.name!r}", strip.name, "its state is not known"))
            return
        tag, ending = _PLUGINS[device.format]
        role = "instrument" if device.instrument else "audioFX"
        element = SubElement(
            devices,
            tag,
            id=self._id(),
            name=clean(device.name),
            deviceID=device.id,
            deviceName=clean(device.name),
            deviceRole=role,
            loaded="true",
        )
        if device.vendor:
            element.set("deviceVendor", clean(device.vendor))
        parameters = SubElement(element, "Parameters")
        for name, value in device.parameters.items():
            SubElement(
                parameters, "RealParameter", id=self._id(), name=clean(name), unit="linear", value=_number(value)
            )
        for motion, control in numbered(device, partial(self._lost, strip, device)):
            lane = positions(motion, control)
            words = {"id": self._id(), "name": clean(control.title), "parameterID": str(control.id)}
            span = {"unit": "normalized", "min": "0.0", "max": "1.0", "value": _number(first(lane))}
            SubElement(parameters, "RealParameter", {**words, **span})
            self._moving[strip.name].append((words["id"], "normalized", lane))
        SubElement(element, "Enabled", id=self._id(), value=_bool(device.enabled), name="On/Off")
        path = f"plugins/{slug(f'{strip.name} {device.name}', self._taken)}.{ending}"
        self.states[path] = device.state
        SubElement(element, "State", path=path)

    def _lost(self, strip: Strip, device: Device, what: str, why: str) -> None:
        self.losses.append(Loss(f"automation of {what!r} of {device.name!r}", strip.name, why))

    def _lanes(self, lanes: Element, strip: Strip) -> None:
        moving = self._moving[strip.name]
        if not strip.clips and not moving:
            return
        own = SubElement(lanes, "Lanes", track=self._tracks[strip.name], id=self._id())
        if strip.clips:
            clips = SubElement(own, "Clips", id=self._id())
            if strip.audio and not self.steady:
                clips.set("timeUnit", "seconds")
            for clip in strip.clips:
                if isinstance(clip, NoteClip):
                    self._note_clip(clips, strip, clip)
                else:
                    self._audio_clip(clips, clip)
        for parameter, unit, lane in moving:
            points = SubElement(own, "Points", unit=unit, id=self._id())
            SubElement(points, "Target", parameter=parameter)
            self._points(points, lane)

    def _points(self, points: Element, lane: Lane) -> None:
        """A lane; in seconds where the tempo moves, since a straight line in seconds is none in beats then."""
        if not self.steady:
            points.set("timeUnit", "seconds")
        for second, value, held in zip(lane.seconds, lane.values, lane.held, strict=True):
            time = self.tempo.beat_at(Fraction(second)) if self.steady else Fraction(second)
            SubElement(
                points,
                "RealPoint",
                time=_number(time),
                value=_number(value),
                interpolation="hold" if held else "linear",
            )

    def _audio_clip(self, clips: Element, clip: AudioClip) -> None:
        info = soundfile.info(clip.file)
        whole = Fraction(info.frames, info.samplerate)
        time, unit = self._time(clip.start), "beats" if self.steady else "seconds"
        per_second = self.tempo.tempos[0].bpm / 60 if self.steady else Fraction(1)
        outer = SubElement(
            clips,
            "Clip",
            time=_number(time),
            duration=_number(Fraction(clip.frames, self.rate) * per_second),
            contentTimeUnit=unit,
            playStart="0.0",
            fadeTimeUnit=unit,
            fadeInTime=_number(Fraction(clip.fade_in, self.rate) * per_second),
            fadeOutTime=_number(Fraction(clip.fade_out, self.rate) * per_second),
            name=clean(clip.name),
        )
        if clip.muted:
            outer.set("enable", "false")
        inner = SubElement(
            SubElement(outer, "Clips", id=self._id()),
            "Clip",
            time="0.0",
            duration=outer.attrib["duration"],
            contentTimeUnit=unit,
            playStart=_number(Fraction(clip.offset, self.rate) * per_second),
            fadeTimeUnit=unit,
        )
        content = inner
        if clip.gain != 1.0:
            content = SubElement(inner, "Lanes", id=self._id(), timeUnit=unit)
        warps = SubElement(content, "Warps", id=self._id(), timeUnit=unit, contentTimeUnit="seconds")
        audio = SubElement(
            warps,
            "Audio",
            id=self._id(),
            algorithm="raw",
            channels=str(info.channels),
            sampleRate=str(info.samplerate),
            duration=_number(whole),
        )
        SubElement(audio, "File", path=self._file(clip.file))
        SubElement(warps, "Warp", time="0.0", contentTime="0.0")
        SubElement(warps, "Warp", time=_number(whole * per_second), contentTime=_number(whole))
        if clip.gain != 1.0:
            gain = SubElement(content, "Points", id=self._id(), unit="linear")
            SubElement(gain, "Target", expression="gain")
            SubElement(gain, "RealPoint", time="0.0", value=_number(clip.gain), interpolation="hold")

    def _time(self, frame: int) -> Fraction:
        """Where a frame lies, in the unit of the audio clips."""
        second = Fraction(frame, self.rate)
        return self.tempo.beat_at(second) if self.steady else second

    def _file(self, path: Path) -> str:
        if path not in self.files:
            self.files[path] = f"audio/{slug(path.stem, self._taken)}{path.suffix.lower()}"
        return self.files[path]

    def _note_clip(self, clips: Element, strip: Strip, clip: NoteClip) -> None:
        element = SubElement(
            clips,
            "Clip",
            time=_number(clip.start),
            duration=_number(clip.beats),
            contentTimeUnit="beats",
            playStart="0.0",
            name=clean(clip.name),
        )
        score = trimmed(clip)
        lanes = _controllers(score)
        content = SubElement(element, "Lanes", id=self._id(), timeUnit="beats") if lanes else element
        notes = SubElement(content, "Notes", id=self._id())
        for note in score.notes:
            SubElement(
                notes,
                "Note",
                time=_number(score.beat(note.start)),
                duration=_number(max(score.beat(note.end - note.start), Fraction(1, score.resolution))),
                channel=str(note.channel),
                key=str(note.pitch),
                vel=_number(note.velocity / 127),
                rel=_number(note.release / 127),
            )
        for (expression, channel, key), events in lanes.items():
            if expression == "system":
                self.losses.append(Loss(f"{len(events)} system messages", strip.name, "DAWproject has none"))
                continue
            points = SubElement(content, "Points", id=self._id(), unit="normalized")
            target = SubElement(points, "Target", expression=expression, channel=str(channel))
            if expression == "channelController":
                target.set("controller", str(key))
            elif expression == "polyPressure":
                target.set("key", str(key))
            for event in events:
                SubElement(
                    points,
                    "RealPoint",
                    time=_number(score.beat(event.tick)),
                    value=_number(_normal(event)),
                    interpolation="hold",
                )

    def _maps(self, arrangement: Element, tempo: str, signature: str) -> None:
        moving = SubElement(arrangement, "TempoAutomation", id=self._id(), unit="bpm", timeUnit="beats")
        SubElement(moving, "Target", parameter=tempo)
        for change in self.tempo.tempos:
            SubElement(
                moving,
                "RealPoint",
                time=_number(change.beat),
                value=_number(change.bpm),
                interpolation="linear" if change.ramp else "hold",
            )
        meters = SubElement(arrangement, "TimeSignatureAutomation", id=self._id(), timeUnit="beats")
        SubElement(meters, "Target", parameter=signature)
        for meter in self.tempo.meters:
            SubElement(
                meters,
                "TimeSignaturePoint",
                time=_number(meter.beat),
                numerator=str(meter.count),
                denominator=str(meter.unit),
            )

    def _id(self) -> str:
        return f"id{next(self._numbers)}"


def _controllers(score: Score) -> dict[tuple[str, int, int], list[Event]]:
    """Events that are no notes, by what they move: (expression, channel, controller or key)."""
    lanes: dict[tuple[str, int, int], list[Event]] = {}
    for event in score.events:
        if event.status in (NOTE_ON, NOTE_OFF):
            continue
        key = {
            CONTROL: ("channelController", event.channel, event.data[1] if len(event.data) > 1 else 0),
            POLY_PRESSURE: ("polyPressure", event.channel, event.data[1] if len(event.data) > 1 else 0),
            PRESSURE: ("channelPressure", event.channel, 0),
            BEND: ("pitchBend", event.channel, 0),
            PROGRAM: ("programChange", event.channel, 0),
        }.get(event.status, ("system", 0, 0))
        lanes.setdefault(key, []).append(event)
    return lanes


def _normal(event: Event) -> float:
    """The value of a controller from 0 to 1."""
    if event.status == BEND:
        return (event.data[1] | event.data[2] << 7) / 16_383
    return event.data[1 if event.status in (PRESSURE, PROGRAM) else 2] / 127


def _number(value: Fraction | float) -> str:
    return repr(float(value))


def _bool(value: bool) -> str:
    return "true" if value else "false"
