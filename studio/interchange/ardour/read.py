"""A session of Ardour 7 as a timeline: what was changed there comes back into a recipe."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from studio.errors import RecipeError
from studio.interchange.archive import bytes_of
from studio.interchange.ardour.clock import ArdourClock
from studio.interchange.ardour.lists import gain, motions, pan
from studio.interchange.ardour.regions import Regions
from studio.interchange.ardour.xml import number, switched
from studio.interchange.lines import last_frame
from studio.interchange.media import Media
from studio.interchange.relink import HERE, Where
from studio.interchange.safe_xml import LARGEST_BYTES, parse_xml
from studio.interchange.timeline import MASTER, PALETTE, Device, Loss, Timeline, TimelineSend, TimelineStrip
from studio.interchange.vstpreset import CLASS_ID

_OWN = {
    "diskreader", "diskwriter", "triggerbox", "polarity", "trim", "amp", "meter", "main-outs", "intreturn", "intsend",
    "delay", "beatbox", "monitor", "unknown", "capture",
}  # fmt: skip
"""Processors that are Ardour's plumbing; what is beyond them and no plugin is told."""

_OTHER_PLUGINS = {"windows-vst": "vst2", "lxvst": "vst2", "ladspa": "vst2", "audiounit": "au"}


def read_ardour(path: Path, media: Path, where: Where = HERE) -> Timeline:
    """Read a session, and copy its audio into the folder `media`.

    Raises:
        StudioError: it is no session of Ardour 6 or later, or nothing can be made of it.
    """
    root = parse_xml(bytes_of(path, LARGEST_BYTES, "a session"), path.name)
    if root.tag != "Session" or root.find("TempoMap/Tempos") is None:
        raise RecipeError(f"{path.name} is no session of Ardour 7.", "Open and save it there.")
    losses: list[Loss] = []
    clock = ArdourClock(root)
    regions = Regions(root, path.parent.resolve(), Media(media, losses), clock, losses)
    desk = _Desk(root, clock, regions, losses)
    tracks, buses = desk.strips()
    meta = root.find("Metadata")
    said = {element.tag: (element.text or "").strip() for element in meta} if meta is not None else {}
    return Timeline(
        title=said.get("title", "") or root.get("name", ""),
        author=said.get("artist", ""),
        license=said.get("copyright", ""),
        comment=said.get("comment", ""),
        rate=clock.rate,
        frames=last_frame(tracks, clock.tempo, clock.rate),
        tempo=clock.tempo,
        markers=clock.markers(),
        tracks=tracks,
        buses=buses,
        master=desk.master(),
        losses=tuple(losses),
    )


class _Desk:
    """The routes of a session."""

    def __init__(self, root: Element, clock: ArdourClock, regions: Regions, losses: list[Loss]) -> None:
        self._clock, self._regions, self._losses = clock, regions, losses
        self._routes = list(root.iterfind("Routes/Route"))
        self._master = next((route for route in self._routes if _flags(route) & {"MasterOut"}), None)
        self._names = {route.get("id"): route.get("name", "") for route in self._routes}
        self._buses = {route.get("name", "") for route in self._routes if _flags(route) & {"AudioBus"}}
        self._playlists = {playlist.get("id"): playlist for playlist in root.iterfind("Playlists/Playlist")}

    def strips(self) -> tuple[tuple[TimelineStrip, ...], tuple[TimelineStrip, ...]]:
        """Tracks and buses."""
        found: dict[bool, list[TimelineStrip]] = {False: [], True: []}
        for index, route in enumerate(self._routes):
            kinds = _flags(route) & {"AudioTrack", "MidiTrack", "AudioBus"}
            if kinds and route is not self._master:
                found["AudioBus" in kinds].append(self._strip(route, index))
        return tuple(found[False]), tuple(found[True])

    def master(self) -> TimelineStrip:
        """The last strip."""
        return self._strip(self._master, 0) if self._master is not None else TimelineStrip(MASTER)

    def _strip(self, route: Element, index: int) -> TimelineStrip:
        master = route is self._master
        name = MASTER if master else route.get("name", "")
        trim = number(route.find("Processor[@type='trim']/Controllable"), "value", 1.0)
        playlist = self._playlists.get(route.get("audio-playlist") or route.get("midi-playlist"))
        self._report(route, name)
        return TimelineStrip(
            name,
            _colour(route, index),
            clips=tuple(self._regions.clips(playlist, name)) if playlist is not None else (),
            devices=tuple(self._devices(route)),
            volume=gain(route.find("Processor[@type='amp']"), "gain", trim, self._clock),
            pan=pan(route, self._clock),
            sends=tuple(self._sends(route, name, trim)),
            mute=switched(route.find("MuteMaster"), "muted"),
            solo=switched(route.find("Controllable[@name='solo']"), "self-solo"),
            to=MASTER if master else self._out(route),
        )

    def _report(self, route: Element, name: str) -> None:
        for processor in route.iterfind("Processor"):
            kind = processor.get("type", "")
            if kind not in (*_OWN, *_OTHER_PLUGINS, "vst3", "lv2"):
                what = f"{kind} {processor.get('name', '')!r}"
                self._losses.append(Loss(what, name, "a recipe has no place for it"))

    def _sends(self, route: Element, name: str, trim: float) -> Iterator[TimelineSend]:
        """Sends to buses; those before the fader stand before the amplifier, and hear the trim only."""
        passed = False
        for processor in route.iterfind("Processor"):
            passed = passed or processor.get("type") == "amp"
            if processor.get("type") != "intsend" or processor.get("role") != "Aux":
                continue
            target = self._names.get(processor.get("target"), "")
            if target not in self._buses:
                self._losses.append(Loss("a send", name, "it leads to no bus"))
            elif processor.get("active") != "0":
                yield TimelineSend(target, gain(processor, "send", 1.0 if passed else trim, self._clock), not passed)

    def _out(self, route: Element) -> str:
        ends = (
            connection.get("other", "").rpartition("/")[0]
            for connection in route.iterfind("IO[@direction='Output']/Port/Connection")
        )
        return next((name for name in ends if name in self._buses), MASTER)

    def _devices(self, route: Element) -> Iterator[Device]:
        plays = "MidiTrack" in _flags(route)
        for processor in route.iterfind("Processor"):
            kind = processor.get("type", "")
            name, identity = processor.get("name", kind), processor.get("unique-id", "")
            enabled = processor.get("active") != "0"
            if kind == "vst3":
                state = _state(processor)
                identity = identity if CLASS_ID.fullmatch(identity) else state[8:40].decode("ascii", "replace")
                moving = tuple(motions(processor, self._clock))
                yield Device(name, kind, identity, state or None, enabled=enabled, instrument=plays, motions=moving)
            elif kind == "lv2":
                ports = {port.get("symbol", ""): number(port, "value", 0.0) for port in processor.iterfind("lv2/Port")}
                yield Device(name, kind, identity, None, ports, enabled=enabled, instrument=plays)
            elif kind in _OTHER_PLUGINS:
                yield Device(name, _OTHER_PLUGINS[kind], identity, enabled=enabled)


def _state(processor: Element) -> bytes:
    try:
        return base64.b64decode(processor.findtext("vst3/chunk") or "", validate=False)
    except binascii.Error:
        return b""


def _flags(route: Element) -> set[str]:
    info = route.find("PresentationInfo")
    return set((info.get("flags", "") if info is not None else "").split(","))


def _colour(route: Element, index: int) -> str:
    value = int(number(route.find("PresentationInfo"), "color", 0))
    return f"#{value >> 8 & 0xFFFFFF:06x}" if value else PALETTE[index % len(PALETTE)]
