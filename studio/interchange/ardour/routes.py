"""Strips as Ardour's routes."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from studio.interchange.ardour.controls import control, moving, pannable, processor, report_jumps
from studio.interchange.ardour.playlists import Playlists
from studio.interchange.ardour.plugins import add_plugin
from studio.interchange.ardour.sheet import ArdourSheet, yes
from studio.interchange.lane import Lane, Value
from studio.interchange.timeline import MASTER, TimelineSend, TimelineStrip

VERSION = "7002"
"""Of the format, as Ardour 7 writes it."""

LOUDEST = 2.0
"""Where Ardour's faders end: 6 dB. What goes beyond is left to the trim, and told where that cannot be."""


def add_route(sheet: ArdourSheet, routes: Element, playlists: Playlists, strip: TimelineStrip, order: int) -> None:
    """Add a strip as a route: what comes in, its processors in order, and where it goes."""
    name, master = sheet.names[strip.name], strip is sheet.timeline.master
    bus, midi = strip in sheet.timeline.buses, strip.plays_notes
    route = SubElement(
        routes,
        "Route",
        {
            "version": VERSION,
            "id": sheet.routes[strip.name],
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
    _io(sheet, route, strip, name, midi, master)
    SubElement(
        route,
        "MuteMaster",
        {"mute-point": "PreFader,PostFader,Listen,Main", "muted": yes(strip.mute)},
    )
    SubElement(route, "Controllable", name="mute", id=sheet.id(), flags="Toggle,RealTime", value=yes(strip.mute))
    _solo(sheet, route, strip)
    pannable(sheet, route, strip.pan)
    if not master and not bus:
        playlist = playlists.add(strip)
        route.set("midi-playlist" if midi else "audio-playlist", playlist)
        route.set("mode", "Normal")
        if midi:
            route.set("playback-channel-mode", "AllChannels")
        processor(sheet, route, f"player:{name}", "diskreader")
    if bus:
        processor(sheet, route, "Return", "intreturn")
    factor, volume = _fader(sheet, strip)
    if factor != 1.0:
        trim = processor(sheet, route, "Amp", "trim")
        control(sheet, trim, "trimcontrol", factor)
    for device in strip.devices:
        add_plugin(sheet, route, strip, device)
    mute_notes = midi and not any(device.instrument for device in strip.devices)
    if mute_notes and (strip.sends or strip.to != MASTER):
        why = "in Ardour notes without an instrument have no sound to send"
        sheet.lose("way out and sends", strip.name, why)
    sends = () if mute_notes else strip.sends
    for send in sends:
        if send.pre:
            _send(sheet, route, strip, send, 1 / factor)
    amp = processor(sheet, route, "Amp", "amp")
    report_jumps(sheet, strip.name, "fader", volume)
    moving(sheet, amp, "gain", "gaincontrol", volume)
    for send in sends:
        if not send.pre:
            _send(sheet, route, strip, send, 1.0)
    outs = processor(sheet, route, name, "main-outs")
    outs.attrib |= {"own-input": "1", "own-output": "0", "output": name, "role": "Main"}
    # Which panner fits the channels, Ardour finds out; one that does not would write beyond them.
    SubElement(outs, "PannerShell", {"bypassed": "0", "user-panner": "", "linked-to-route": "1"})


def _solo(sheet: ArdourSheet, route: Element, strip: TimelineStrip) -> None:
    """Whether a strip is solo, and how many others are that go to it or that it goes to: Ardour counts these."""
    solo = {each.name for each in sheet.timeline.strips if each.solo}
    if not solo or strip is sheet.timeline.master:
        return
    counts = {
        "self-solo": int(strip.solo),
        "soloed-by-upstream": sum(strip.name in sheet.timeline.beyond(name) for name in solo),
        "soloed-by-downstream": len(sheet.timeline.beyond(strip.name) & solo),
    }
    words = {"name": "solo", "id": sheet.id(), "flags": "Toggle,RealTime", "value": yes(any(counts.values()))}
    SubElement(route, "Controllable", words | {key: str(count) for key, count in counts.items()})


def _fader(sheet: ArdourSheet, strip: TimelineStrip) -> tuple[float, Value]:
    """What the trim does, and what is left to the fader: a trim takes what goes beyond the fader's end."""
    volume = strip.volume
    most = max(volume.values) if isinstance(volume, Lane) else volume
    if most <= LOUDEST:
        return 1.0, volume
    factor = most / LOUDEST
    if strip.devices:
        # A trim stands before the plugins, which would hear it.
        sheet.lose("the fader above +6 dB", strip.name, "Ardour's faders end there")
        return 1.0, volume.mapped(lambda value: min(value, LOUDEST)) if isinstance(volume, Lane) else LOUDEST
    return factor, volume.mapped(lambda value: value / factor) if isinstance(volume, Lane) else volume / factor


def _io(sheet: ArdourSheet, route: Element, strip: TimelineStrip, name: str, midi: bool, master: bool) -> None:
    kind = "midi" if midi else "audio"
    way_in = SubElement(route, "IO", {"name": name, "id": sheet.id(), "direction": "Input", "default-type": kind})
    for channel in (1,) if midi else (1, 2):
        SubElement(way_in, "Port", type=kind, name=f"{name}/{kind}_in {channel}")
    audible = not midi or any(device.instrument for device in strip.devices)
    kind = "audio" if audible else "midi"
    way_out = SubElement(route, "IO", {"name": name, "id": sheet.id(), "direction": "Output", "default-type": kind})
    for channel in (1, 2) if audible else (1,):
        port = SubElement(way_out, "Port", type=kind, name=f"{name}/{kind}_out {channel}")
        if master:
            SubElement(port, "Connection", other=f"system:playback_{channel}")
        elif audible:
            SubElement(port, "Connection", other=f"{sheet.names[strip.to]}/audio_in {channel}")


def _send(sheet: ArdourSheet, route: Element, strip: TimelineStrip, send: TimelineSend, factor: float) -> None:
    added = processor(sheet, route, sheet.names[send.target], "intsend")
    added.attrib |= {
        "own-input": "1",
        "own-output": "1",
        "role": "Aux",
        "bitslot": sheet.slot(),
        "selfdestruct": "0",
        "target": sheet.routes[send.target],
        "allow-feedback": "0",
    }
    level = send.level.mapped(lambda value: value * factor) if isinstance(send.level, Lane) else send.level * factor
    most = max(level.values) if isinstance(level, Lane) else level
    if most > LOUDEST:
        sheet.lose(f"send to {send.target!r} above +6 dB", strip.name, "Ardour's sends end there")
        level = level.mapped(lambda value: min(value, LOUDEST)) if isinstance(level, Lane) else LOUDEST
    report_jumps(sheet, strip.name, f"send to {send.target!r}", level)
    moving(sheet, added, "send", "gaincontrol", level)
    shell = {"bypassed": "0", "user-panner": "", "linked-to-route": yes(not send.pre)}
    panner = SubElement(added, "PannerShell", shell)
    SubElement(panner, "Panner", uri="http://ardour.org/plugin/panner_balance", type="Stereo Balance")
    pannable(sheet, added, 0.0 if send.pre else strip.pan)


def _colour(text: str) -> str:
    """RRGGBBAA as one number."""
    return str(int(text.removeprefix("#"), 16) << 8 | 255)
