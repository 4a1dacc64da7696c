"""A session of Ardour 7 as a timeline: what was changed there comes back into a recipe."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from studio.errors import RecipeError
from studio.interchange.accounts import losses_of
from studio.interchange.archive import bytes_of
from studio.interchange.ardour.accounts import SILENT
from studio.interchange.ardour.clock import ArdourClock
from studio.interchange.ardour.lists import gain, motions, moving, pan
from studio.interchange.ardour.regions import Regions
from studio.interchange.ardour.xml import number, switched
from studio.interchange.lane import Value, product
from studio.interchange.lines import last_frame
from studio.interchange.media import Media
from studio.interchange.relink import HERE, Relink, Where
from studio.interchange.safe_xml import LARGEST_BYTES, consume, every, having, parse_xml, quiet, used
from studio.interchange.timeline import MASTER, PALETTE, Device, Loss, Timeline, TimelineSend, TimelineStrip
from studio.interchange.vstpreset import CLASS_ID
from studio.interchange.xml_accounts import leftovers

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
    relink = Relink(path.parent, where)
    regions = Regions(root, path.parent.resolve(), relink, Media(media, losses), clock, losses)
    desk = _Desk(root, clock, regions, losses)
    tracks, buses = desk.strips()
    master = desk.master()
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
        master=master,
        losses=(*losses, *losses_of(leftovers(root, SILENT))),
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
        self._groups = {vca.get("number"): vca for vca in root.iterfind("VCAManager/VCA")}

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
        trim = self._trim(route)
        self._wire(route)
        amp = having(route, "Processor", type="amp")
        volume = gain(amp, "gain", trim, self._clock)
        for group in self._slaved(route):
            volume = product(gain(group, "gain", volume, self._clock), 1 / _when_assigned(group, amp))
        muting = moving(route, "mute", self._clock)
        if muting is not None:
            volume = product(volume, muting.mapped(lambda value: 0.0 if value >= 0.5 else 1.0))
        playlist = self._playlists.get(route.get("audio-playlist") or route.get("midi-playlist"))
        self._report(route, name)
        return TimelineStrip(
            name,
            _colour(route, index),
            clips=tuple(self._regions.clips(playlist, name)) if playlist is not None else (),
            devices=tuple(self._devices(route)),
            invert=self._inverted(route, name),
            volume=volume,
            pan=pan(route, self._clock),
            sends=tuple(self._sends(route, name, trim)),
            mute=switched(route.find("MuteMaster"), "muted") or route.get("active") == "0" or self._group_muted(route),
            solo=switched(having(route, "Controllable", name="solo"), "self-solo"),
            to=MASTER if master else self._out(route),
        )

    def _trim(self, route: Element) -> Value:
        """What the trim does, which stands first."""
        trim = having(route, "Processor", type="trim")
        if trim is None:
            return 1.0
        lane = moving(trim, "trim", self._clock)
        return lane if lane is not None else number(having(trim, "Controllable", name="trimcontrol"), "value", 1.0)

    def _wire(self, route: Element) -> None:
        """Tick off what of a route only wires it and shows it."""
        for control in route.iterfind("Controllable"):
            if quiet(control, "name") != "phase":
                used(control)
        for processor in route.iterfind("Processor"):
            if processor.get("type") in ("main-outs", "meter", "diskreader", "diskwriter", "polarity", "monitor"):
                every(processor)
            elif processor.get("type") == "triggerbox":
                held = [trigger for trigger in processor.iter("Trigger") if quiet(trigger, "region")]
                if held:
                    why = "a recipe plays from start to end"
                    self._losses.append(Loss(f"{len(held)} clips of the launcher", route.get("name", ""), why))
                consume(processor)
            for control in processor.iterfind("Controllable"):
                used(control)

    def _slaved(self, route: Element) -> Iterator[Element]:
        """The groups (VCAs) that a route follows."""
        for master in route.iterfind("Slavable/Master"):
            group = self._groups.get(master.get("number"))
            if group is not None:
                for control in group.iterfind("Controllable"):
                    used(control)
                yield group

    def _group_muted(self, route: Element) -> bool:
        return any(
            number(having(group, "Controllable", name="mute"), "value", 0.0) >= 0.5 for group in self._slaved(route)
        )

    def _inverted(self, route: Element, name: str) -> bool:
        """Whether the polarity of all channels is turned."""
        phase = having(route, "Controllable", name="phase")
        said = phase.get("phase-invert", "") if phase is not None else ""
        if "1" in said and "0" in said:
            self._losses.append(Loss("the polarity of one channel", name, "a recipe turns both"))
            return False
        return "1" in said

    def _report(self, route: Element, name: str) -> None:
        for processor in route.iterfind("Processor"):
            kind = processor.get("type", "")
            if kind not in (*_OWN, *_OTHER_PLUGINS, "vst3", "lv2"):
                what = f"{kind} {processor.get('name', '')!r}"
                consume(processor)
                self._losses.append(Loss(what, name, "a recipe has no place for it"))

    def _sends(self, route: Element, name: str, trim: Value) -> Iterator[TimelineSend]:
        """Sends to buses; those before the fader stand before the amplifier, and hear the trim only."""
        passed = False
        for processor in route.iterfind("Processor"):
            passed = passed or processor.get("type") == "amp"
            if processor.get("type") != "intsend" or processor.get("role") != "Aux":
                continue
            target = self._names.get(processor.get("target"), "")
            if target not in self._buses:
                self._losses.append(Loss("a send", name, "it leads to no bus"))
            else:
                self._panned(processor, f"{name} → {target}")
                level = gain(processor, "send", 1.0 if passed else trim, self._clock)
                yield TimelineSend(target, 0.0 if processor.get("active") == "0" else level, not passed)

    def _panned(self, processor: Element, where: str) -> None:
        """Say so where a send has a pan of its own."""
        pannable, shell = processor.find("Pannable"), processor.find("PannerShell")
        if pannable is None:
            return
        azimuth = number(having(pannable, "Controllable", name="pan-azimuth"), "value", 0.5)
        moves = moving(pannable, "pan-azimuth", self._clock) is not None
        consume(pannable)
        if not switched(shell, "linked-to-route") and (moves or azimuth != 0.5):
            self._losses.append(Loss("the pan of a send", where, "a recipe's sends have none"))

    def _out(self, route: Element) -> str:
        ends = (
            connection.get("other", "").rpartition("/")[0]
            for way in route.iterfind("IO")
            if way.get("direction") == "Output"
            for connection in way.iterfind("Port/Connection")
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
                kept = (".json", json.dumps({"uri": identity, "ports": ports}, indent=1).encode())
                yield Device(name, kind, identity, None, ports, plays, enabled, kept=kept)
            elif kind in _OTHER_PLUGINS:
                yield Device(name, _OTHER_PLUGINS[kind], identity, enabled=enabled)


def _when_assigned(group: Element, amp: Element | None) -> float:
    """Where the fader of a group stood when a route was given to it: that is where it changes nothing."""
    control = having(group, "Controllable", name="gaincontrol")
    fader = having(amp, "Controllable", name="gaincontrol")
    master = None
    if control is not None and fader is not None:
        master = having(fader.find("masters"), "master", id=control.get("id", ""))
    now = number(control, "value", 1.0)
    return max(1e-6, number(master, "val-master", now) if master is not None else now)


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
