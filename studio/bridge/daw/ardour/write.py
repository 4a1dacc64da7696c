"""A timeline as a session of Ardour 7.

The session format is Ardour's own and not published as a standard; what is written here is what Ardour 7.3 writes and
reads itself, without what it fills in by default.
"""

from __future__ import annotations

import base64
from fractions import Fraction
from functools import partial
from itertools import count, pairwise
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import soundfile

from studio.bridge.daw.ardour.clock import SUPERCLOCK, TICKS
from studio.bridge.daw.ardour.lag import LAG_SECONDS, earlier
from studio.bridge.daw.building import Session
from studio.bridge.daw.lane import Lane, Value, first
from studio.bridge.daw.motions import numbered, plain
from studio.bridge.daw.names import renamed
from studio.bridge.daw.notes import trimmed
from studio.bridge.daw.timeline import MASTER, AudioClip, Device, Loss, NoteClip, Send, Strip, Timeline
from studio.bridge.manifest import slug
from studio.bridge.xml_text import clean
from studio.disk import write_whole
from studio.hosting.vst3 import Control
from studio.midi.files import write_midi
from studio.tempo import TempoMap

LOUDEST = 2.0
"""Where Ardour's faders end: 6 dB. What goes beyond is left to the trim, and told where that cannot be."""

_VERSION = "7002"
_RESERVED = {"master", "monitor", "auditioner", "click", "ltc"}
_LISTS = ("pan-azimuth", "pan-width", "pan-elevation", "pan-frontback", "pan-lfe")


def write_ardour(session: Session, folder: Path, name: str) -> tuple[Loss, ...]:
    """Write ``name.ardour`` into a folder whose audio lies in ``interchange/name/audiofiles``."""
    return write_timeline(session.timeline, folder, name)


def write_timeline(timeline: Timeline, folder: Path, name: str) -> tuple[Loss, ...]:
    """Write a timeline as a session; see `write_ardour`."""
    writer = _Session(timeline, folder, name)
    root = writer.build()
    ElementTree.indent(root)
    for place in ("analysis", "dead", "export", "externals", "peaks", "plugins"):
        (folder / place).mkdir(exist_ok=True)
    text = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    write_whole(folder / f"{name}.ardour", text)
    return tuple(writer.losses)


class _Session:
    def __init__(self, timeline: Timeline, folder: Path, name: str) -> None:
        self.timeline, self.folder, self.name = timeline, folder, name
        self.rate = timeline.rate
        self.losses: list[Loss] = []
        self._ids = count(100)
        self._slots = count(1)
        self._taken: set[str] = set()
        self._names = self._named()
        self._sources: dict[Path, list[str]] = {}

    def build(self) -> Element:
        timeline = self.timeline
        root = Element(
            "Session",
            {
                "version": _VERSION,
                "name": clean(self.name),
                "sample-rate": str(self.rate),
                "session-range-is-free": "0",
                "id-counter": "0",
                "name-counter": "1",
                "event-counter": "0",
                "vca-counter": "1",
            },
        )
        SubElement(root, "ProgramVersion", {"created-with": "mirepoix", "modified-with": "Ardour 7.3"})
        config = SubElement(root, "Config")
        for option, value in (
            ("native-file-data-format", "FormatFloat"),
            ("native-file-header-format", "WAVE"),
            ("use-region-fades", "1"),
            ("use-transport-fades", "0"),
            ("auto-input", "1"),
        ):
            SubElement(config, "Option", name=option, value=value)
        self._metadata(root)
        self.sources = SubElement(root, "Sources")
        SubElement(root, "Regions")
        self._locations(root)
        SubElement(root, "Bundles")
        routes = Element("Routes")
        self.playlists = Element("Playlists")
        self._route_ids = {strip.name: self._id() for strip in timeline.strips}
        for order, strip in enumerate([timeline.master, *timeline.tracks, *timeline.buses]):
            self._route(routes, strip, order)
        root.append(routes)
        root.append(self.playlists)
        SubElement(root, "UnusedPlaylists")
        SubElement(root, "RouteGroups")
        root.append(self._tempo(timeline.tempo))
        protocols = SubElement(root, "ControlProtocols")
        SubElement(protocols, "Protocol", name="Open Sound Control (OSC)", active="0")
        root.set("id-counter", self._id())
        return root

    def _id(self) -> str:
        return str(next(self._ids))

    def _named(self) -> dict[str, str]:
        """Names that Ardour's routes and ports take."""
        strips, taken = (*self.timeline.tracks, *self.timeline.buses), set(_RESERVED)
        return {MASTER: "Master"} | renamed(strips, _fitting, taken, "Ardour cannot call it so", self.losses)

    def _metadata(self, root: Element) -> None:
        metadata = SubElement(root, "Metadata")
        timeline = self.timeline
        for tag, text in (
            ("title", timeline.title), ("artist", timeline.author), ("copyright", timeline.license),
            ("comment", timeline.comment),
        ):  # fmt: skip
            if text:
                SubElement(metadata, tag).text = clean(text)

    def _locations(self, root: Element) -> None:
        locations = SubElement(root, "Locations")
        end = self._audio(self.timeline.frames)
        self._location(locations, "session", "a0", end, "IsSessionRange")
        for marker in self.timeline.markers:
            at = self._beat(marker.beat)
            self._location(locations, clean(marker.name), at, at, "IsMark")

    def _location(self, locations: Element, name: str, start: str, end: str, flags: str) -> None:
        SubElement(
            locations, "Location", id=self._id(), name=name, start=start, end=end, flags=flags, locked="0", cue="0"
        )

    # Time ----------------------------------------------------------------------------------------------------------

    def _audio(self, frame: int) -> str:
        return f"a{frame * SUPERCLOCK // self.rate}"

    def _second(self, second: float) -> str:
        return f"a{round(second * SUPERCLOCK)}"

    def _beat(self, beat: Fraction) -> str:
        """A beat, or where Ardour's ticks are too coarse for it, its time."""
        ticks = beat * TICKS
        if ticks.denominator == 1:
            return f"b{ticks}"
        return f"a{round(self.timeline.tempo.second_at(beat) * SUPERCLOCK)}"

    def _tempo(self, tempo: TempoMap) -> Element:
        root = Element("TempoMap", {"superclocks-per-second": str(SUPERCLOCK)})
        tempos = SubElement(root, "Tempos")
        for change, after in zip(tempo.tempos, [*tempo.tempos[1:], None], strict=True):
            ramp = change.ramp and after is not None
            end = after.bpm if ramp and after is not None else change.bpm
            omega = 0.0
            if ramp and after is not None:
                # Its ramps are straight along quarters too; omega is the slope in quarters a superclock, a quarter.
                omega = float((after.bpm - change.bpm) / 60 / SUPERCLOCK / (after.beat - change.beat))
            SubElement(
                tempos,
                "Tempo",
                {
                    "npm": repr(float(change.bpm)),
                    "enpm": repr(float(end)),
                    "note-type": "4",
                    "type": "Tempo::Ramped" if ramp else "Tempo::Constant",
                    "active": "1",
                    "locked-to-meter": "0",
                    "continuing": "0",
                    "omega": repr(omega),
                    **self._point(change.beat),
                },
            )
        meters = SubElement(root, "Meters")
        for meter in tempo.meters:
            SubElement(
                meters,
                "Meter",
                {
                    "note-value": str(meter.unit),
                    "divisions-per-bar": str(meter.count),
                    **self._point(meter.beat),
                },
            )
        SubElement(root, "MusicTimes")
        return root

    def _point(self, beat: Fraction) -> dict[str, str]:
        """The three ways in which Ardour says where a change of tempo or meter lies."""
        tempo = self.timeline.tempo
        ticks = round(beat * TICKS)
        if (beat * TICKS).denominator != 1:
            self.losses.append(
                Loss(f"a change on beat {float(beat):g}", "tempo map", f"Ardour has {TICKS} ticks a beat")
            )
        bar = tempo.bar_of_beat(beat)
        whole = int(bar)
        unit = max((meter for meter in tempo.meters if meter.beat <= beat), key=lambda meter: meter.beat).unit
        rest = (beat - tempo.beat_of_bar(Fraction(whole))) * unit / 4
        return {
            "sclock": str(round(tempo.second_at(beat) * SUPERCLOCK)),
            "quarters": f"{ticks // TICKS}:{ticks % TICKS}",
            "bbt": f"{whole + 1}|{int(rest) + 1}|{round((rest - int(rest)) * TICKS)}",
        }

    # Routes --------------------------------------------------------------------------------------------------------

    def _route(self, routes: Element, strip: Strip, order: int) -> None:
        name, master = self._names[strip.name], strip is self.timeline.master
        bus, midi = strip in self.timeline.buses, strip.plays_notes
        route = SubElement(
            routes,
            "Route",
            {
                "version": _VERSION,
                "id": self._route_ids[strip.name],
                "name": name,
                "default-type": "midi" if midi else "audio",
                "strict-io": "1" if master else "0",
                "active": "1",
                "denormal-protection": "0",
                "meter-point": "MeterPostFader",
                "disk-io-point": "DiskIOPreFader",
            },
        )
        flags = "MasterOut" if master else "AudioBus" if bus else "MidiTrack" if midi else "AudioTrack"
        SubElement(route, "PresentationInfo", order=str(order), flags=f"{flags},OrderSet", color=_colour(strip.colour))
        self._io(route, strip, name, midi, master)
        SubElement(
            route,
            "MuteMaster",
            {"mute-point": "PreFader,PostFader,Listen,Main", "muted": _bool(strip.mute)},
        )
        SubElement(route, "Controllable", name="mute", id=self._id(), flags="Toggle,RealTime", value=_bool(strip.mute))
        self._solo(route, strip)
        self._pannable(route, strip.pan)
        if not master and not bus:
            playlist = self._playlist(strip, route.get("id", ""))
            route.set("midi-playlist" if midi else "audio-playlist", playlist)
            route.set("mode", "Normal")
            if midi:
                route.set("playback-channel-mode", "AllChannels")
            self._processor(route, f"player:{name}", "diskreader")
        if bus:
            self._processor(route, "Return", "intreturn")
        factor, volume = self._fader(strip)
        if factor != 1.0:
            trim = self._processor(route, "Amp", "trim")
            self._control(trim, "trimcontrol", factor)
        for device in strip.devices:
            self._device(route, strip, device)
        mute_notes = midi and not any(device.instrument for device in strip.devices)
        if mute_notes and (strip.sends or strip.to != MASTER):
            why = "in Ardour notes without an instrument have no sound to send"
            self.losses.append(Loss("way out and sends", strip.name, why))
        sends = () if mute_notes else strip.sends
        for send in sends:
            if send.pre:
                self._send(route, strip, send, 1 / factor)
        amp = self._processor(route, "Amp", "amp")
        self._report_jumps(strip.name, "fader", volume)
        self._moving(amp, "gain", "gaincontrol", volume)
        for send in sends:
            if not send.pre:
                self._send(route, strip, send, 1.0)
        outs = self._processor(route, name, "main-outs")
        outs.attrib |= {"own-input": "1", "own-output": "0", "output": name, "role": "Main"}
        # Which panner fits the channels, Ardour finds out; one that does not would write beyond them.
        SubElement(outs, "PannerShell", {"bypassed": "0", "user-panner": "", "linked-to-route": "1"})

    def _solo(self, route: Element, strip: Strip) -> None:
        """Whether a strip is solo, and how many others are that go to it or that it goes to: Ardour counts these."""
        solo = {each.name for each in self.timeline.strips if each.solo}
        if not solo or strip is self.timeline.master:
            return
        counts = {
            "self-solo": int(strip.solo),
            "soloed-by-upstream": sum(strip.name in self.timeline.beyond(name) for name in solo),
            "soloed-by-downstream": len(self.timeline.beyond(strip.name) & solo),
        }
        words = {"name": "solo", "id": self._id(), "flags": "Toggle,RealTime", "value": _bool(any(counts.values()))}
        SubElement(route, "Controllable", words | {key: str(count) for key, count in counts.items()})

    def _fader(self, strip: Strip) -> tuple[float, Value]:
        """What the trim does, and what is left to the fader: a trim takes what goes beyond the fader's end."""
        volume = strip.volume
        most = max(volume.values) if isinstance(volume, Lane) else volume
        if most <= LOUDEST:
            return 1.0, volume
        factor = most / LOUDEST
        if strip.devices:
            # A trim stands before the plugins, which would hear it.
            self.losses.append(Loss("the fader above +6 dB", strip.name, "Ardour's faders end there"))
            return 1.0, volume.mapped(lambda value: min(value, LOUDEST)) if isinstance(volume, Lane) else LOUDEST
        return factor, volume.mapped(lambda value: value / factor) if isinstance(volume, Lane) else volume / factor

    def _io(self, route: Element, strip: Strip, name: str, midi: bool, master: bool) -> None:
        kind = "midi" if midi else "audio"
        way_in = SubElement(route, "IO", {"name": name, "id": self._id(), "direction": "Input", "default-type": kind})
        for channel in (1,) if midi else (1, 2):
            SubElement(way_in, "Port", type=kind, name=f"{name}/{kind}_in {channel}")
        audible = not midi or any(device.instrument for device in strip.devices)
        kind = "audio" if audible else "midi"
        way_out = SubElement(route, "IO", {"name": name, "id": self._id(), "direction": "Output", "default-type": kind})
        for channel in (1, 2) if audible else (1,):
            port = SubElement(way_out, "Port", type=kind, name=f"{name}/{kind}_out {channel}")
            if master:
                SubElement(port, "Connection", other=f"system:playback_{channel}")
            elif audible:
                SubElement(port, "Connection", other=f"{self._names[strip.to]}/audio_in {channel}")

    def _pannable(self, parent: Element, pan: Value) -> None:
        pannable = SubElement(parent, "Pannable")
        place = pan.mapped(_azimuth) if isinstance(pan, Lane) else _azimuth(pan)
        for name in _LISTS:
            value = first(place) if name == "pan-azimuth" else 0.0
            SubElement(pannable, "Controllable", name=name, id=self._id(), flags="", value=repr(value))
        automation = SubElement(pannable, "Automation")
        for name in _LISTS:
            # The state of the last one counts for all of them.
            lane = place if name == "pan-azimuth" and isinstance(place, Lane) else None
            self._list(automation, name, lane, playing=isinstance(place, Lane))

    def _processor(self, route: Element, name: str, kind: str) -> Element:
        return SubElement(
            route,
            "Processor",
            {
                "id": self._id(),
                "name": name,
                "active": "1",
                "user-latency": "0",
                "use-user-latency": "0",
                "type": kind,
            },
        )

    def _control(self, parent: Element, name: str, value: float) -> None:
        SubElement(parent, "Controllable", name=name, id=self._id(), flags="GainLike", value=repr(value))

    def _moving(self, processor: Element, automation: str, control: str, value: Value) -> None:
        lane = value if isinstance(value, Lane) else None
        self._list(
            SubElement(processor, "Automation"), automation, earlier(lane, self.rate) if lane is not None else None
        )
        self._control(processor, control, first(value))

    def _report_jumps(self, where: str, what: str, value: Value) -> None:
        if not isinstance(value, Lane):
            return
        straight = value.straight()
        pairs = zip(pairwise(straight.seconds), pairwise(straight.values), strict=True)
        if any(late - early < LAG_SECONDS and abs(after - before) > 0.02 for (early, late), (before, after) in pairs):
            self.losses.append(Loss(f"jumps of the {what}", where, "Ardour smooths its gains with a low pass of 25 Hz"))

    def _list(self, automation: Element, name: str, lane: Lane | None, playing: bool = False) -> None:
        """An automation list; straight in factors, as the engine of the studio moves between its grid."""
        found = SubElement(
            automation,
            "AutomationList",
            {
                "automation-id": name,
                "id": self._id(),
                "interpolation-style": "Linear",
                "time-domain": "AudioTime",
                "state": "Play" if playing or lane is not None else "Off",
            },
        )
        if lane is not None:
            straight = lane.straight()
            lines = [
                f"{self._second(second)} {value!r}"
                for second, value in zip(straight.seconds, straight.values, strict=True)
            ]
            SubElement(found, "events").text = "\n" + "\n".join(lines) + "\n"

    def _send(self, route: Element, strip: Strip, send: Send, factor: float) -> None:
        processor = self._processor(route, self._names[send.target], "intsend")
        processor.attrib |= {
            "own-input": "1",
            "own-output": "1",
            "role": "Aux",
            "bitslot": str(next(self._slots)),
            "selfdestruct": "0",
            "target": self._route_ids[send.target],
            "allow-feedback": "0",
        }
        level = send.level.mapped(lambda value: value * factor) if isinstance(send.level, Lane) else send.level * factor
        most = max(level.values) if isinstance(level, Lane) else level
        if most > LOUDEST:
            self.losses.append(Loss(f"send to {send.target!r} above +6 dB", strip.name, "Ardour's sends end there"))
            level = level.mapped(lambda value: min(value, LOUDEST)) if isinstance(level, Lane) else LOUDEST
        self._report_jumps(strip.name, f"send to {send.target!r}", level)
        self._moving(processor, "send", "gaincontrol", level)
        shell = {"bypassed": "0", "user-panner": "", "linked-to-route": _bool(not send.pre)}
        panner = SubElement(processor, "PannerShell", shell)
        SubElement(panner, "Panner", uri="http://ardour.org/plugin/panner_balance", type="Stereo Balance")
        self._pannable(processor, 0.0 if send.pre else strip.pan)

    def _device(self, route: Element, strip: Strip, device: Device) -> None:
        if device.format not in ("vst3", "lv2") or (device.format == "vst3" and device.state is None):
            why = "its state is not known" if device.format == "vst3" else f"a {device.format} plugin is not carried"
            self.losses.append(Loss(f"plugin {device.name!r}", strip.name, why))
            return
        processor = self._processor(route, clean(device.name), device.format)
        processor.attrib |= {"unique-id": device.id, "count": "1", "custom": "0", "active": _bool(device.enabled)}
        inside = SubElement(processor, device.format)
        if device.format == "vst3":
            inside.attrib |= {
                "last-preset-uri": "",
                "last-preset-label": "",
                "parameter-changed-since-last-preset": "1",
            }
            SubElement(inside, "chunk").text = base64.b64encode(device.state or b"").decode()
            self._motions(processor, inside, strip, device)
        else:
            for symbol, value in device.parameters.items():
                SubElement(inside, "Port", symbol=symbol, value=repr(value))

    def _motions(self, processor: Element, inside: Element, strip: Strip, device: Device) -> None:
        """Automation of a plugin's parameters, which Ardour counts in its own way and moves in the plugin's range."""
        shown = [control for control in device.controls if _shown(control)]
        automation = SubElement(processor, "Automation")
        for motion, control in numbered(device, partial(self._lost, strip, device)):
            place, lane = shown.index(control), plain(motion, control, self.timeline.frames, self.rate)
            self._list(automation, f"parameter-{place}", lane)
            value = repr(first(lane))
            SubElement(inside, "Port", id=str(control.id), value=value)
            words = {"name": clean(control.title), "id": self._id(), "flags": "", "value": value}
            SubElement(processor, "Controllable", {**words, "parameter": str(place)})
        if len(automation):
            why = "Ardour moves a plugin's parameters once a block of its engine"
            self.losses.append(Loss(f"automation of {device.name!r} between blocks", strip.name, why))

    def _lost(self, strip: Strip, device: Device, what: str, why: str) -> None:
        self.losses.append(Loss(f"automation of {what!r} of {device.name!r}", strip.name, why))

    # Clips ---------------------------------------------------------------------------------------------------------

    def _playlist(self, strip: Strip, route: str) -> str:
        name = self._id()
        kind = "midi" if strip.plays_notes else "audio"
        playlist = SubElement(
            self.playlists,
            "Playlist",
            {
                "id": name,
                "name": self._names[strip.name],
                "type": kind,
                "orig-track-id": route,
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

    def _audio_region(self, playlist: Element, strip: Strip, clip: AudioClip, layer: int) -> None:
        sources = self._audio_sources(clip.file)
        length = self._audio(clip.frames)
        region = self._region(playlist, clip.name or strip.name, layer, "audio")
        region.attrib |= {
            "muted": _bool(clip.muted),
            "opaque": "0",
            "start": self._audio(clip.offset),
            "length": f"{length}@{self._audio(clip.start)}",
            "channels": str(len(sources)),
            "scale-amplitude": repr(clip.gain),
            "fade-in-active": _bool(clip.fade_in > 0),
            "fade-out-active": _bool(clip.fade_out > 0),
            "default-fade-in": "0",
            "default-fade-out": "0",
            "envelope-active": "0",
        }
        for channel, source in enumerate(sources):
            region.set(f"source-{channel}", source)
            region.set(f"master-source-{channel}", source)
        for tag, automation, frames, values in (
            ("FadeIn", "fadein", clip.fade_in, (0.0, 1.0)),
            ("FadeOut", "fadeout", clip.fade_out, (1.0, 0.0)),
        ):
            if frames:
                lane = Lane((0.0, frames / self.rate), values)
                self._list(SubElement(region, tag), automation, lane)

    def _region(self, playlist: Element, name: str, layer: int, kind: str) -> Element:
        return SubElement(
            playlist,
            "Region",
            {
                "name": clean(name),
                "id": self._id(),
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

    def _audio_sources(self, path: Path) -> list[str]:
        """The ids of a file's channels, each of which is a source of its own."""
        if path not in self._sources:
            channels = soundfile.info(path).channels
            self._sources[path] = []
            for channel in range(channels):
                name = self._id()
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
                self._sources[path].append(name)
        return self._sources[path]

    def _note_region(self, playlist: Element, strip: Strip, clip: NoteClip, layer: int) -> None:
        path = self.folder / "interchange" / self.name / "midifiles" / f"{slug(strip.name, self._taken)}.mid"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(trimmed(clip), path)
        source = self._id()
        SubElement(self.sources, "Source", name=path.name, type="midi", flags="", id=source, origin="")
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


def _fitting(name: str) -> str:
    return clean(name).replace(":", "-").replace("/", "-").strip() or "track"


def _shown(control: Control) -> bool:
    """Whether Ardour lists a parameter of a VST3 plugin."""
    listed = (control.automatable or control.read_only) and not control.program
    return listed and "MIDI CC " not in control.title


def _azimuth(pan: float) -> float:
    return min(1.0, max(0.0, (pan + 1) / 2))


def _colour(text: str) -> str:
    """RRGGBBAA as one number."""
    return str(int(text.removeprefix("#"), 16) << 8 | 255)


def _bool(value: bool) -> str:
    return "1" if value else "0"
