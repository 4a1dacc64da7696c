"""Strips as tracks and channels of a DAWproject, with their plugins."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement

from studio.errors import OutputError
from studio.interchange.dawproject.sheet import LOUDEST, DawprojectSheet, number, parameter, yes
from studio.interchange.lane import first
from studio.interchange.motions import numbered, positions
from studio.interchange.timeline import MASTER, Device, Loss, TimelineStrip
from studio.rendering.manifest import slug
from studio.rendering.xml_text import clean

_PLUGINS = {"vst3": ("Vst3Plugin", "vstpreset"), "clap": ("ClapPlugin", "clap-preset"), "vst2": ("Vst2Plugin", "fxp")}


def structure(sheet: DawprojectSheet) -> Element:
    """All strips."""
    root = Element("Structure")
    for strip in _in_order(sheet):
        _strip(sheet, root, strip)
    return root


def _in_order(sheet: DawprojectSheet) -> list[TimelineStrip]:
    """Master, buses and tracks, each after those it goes to, since some readers lose what points forward."""
    order = [sheet.timeline.master]
    known = {MASTER}
    left = [*sheet.timeline.buses, *sheet.timeline.tracks]
    while left:
        ready = [strip for strip in left if {strip.to, *(send.target for send in strip.sends)} <= known]
        order += ready
        known |= {strip.name for strip in ready}
        if not ready:
            raise OutputError("the routes of the session go round in a circle.", "Take one of them out.")
        left = [strip for strip in left if strip not in ready]
    return order


def _strip(sheet: DawprojectSheet, structure: Element, strip: TimelineStrip) -> None:
    bus, master = strip in sheet.timeline.buses, strip is sheet.timeline.master
    track = SubElement(
        structure,
        "Track",
        id=sheet.id(),
        name=clean(strip.name) if not master else "Master",
        color=strip.colour,
        contentType="notes" if strip.plays_notes else "audio",
        loaded="true",
    )
    sent = {send.target for other in sheet.timeline.strips for send in other.sends}
    role = "master" if master else "effect" if bus and strip.name in sent else "submix" if bus else "regular"
    channel = SubElement(track, "Channel", id=sheet.id(), role=role, audioChannels="2", solo=yes(strip.solo))
    if not master:
        channel.set("destination", sheet.channels[strip.to])
    sheet.tracks[strip.name], sheet.channels[strip.name] = track.attrib["id"], channel.attrib["id"]
    if strip.devices:
        devices = SubElement(channel, "Devices")
        for device in strip.devices:
            _device(sheet, devices, strip, device)
    SubElement(channel, "Mute", id=sheet.id(), value=yes(strip.mute), name="Mute")
    pan = parameter(sheet, channel, "Pan", (first(strip.pan) + 1) / 2, "normalized", 0, 1)
    sheet.move(strip.name, pan, "normalized", strip.pan, _normal)
    if strip.sends:
        sends = SubElement(channel, "Sends")
        for send in strip.sends:
            element = SubElement(
                sends, "Send", destination=sheet.channels[send.target], type="pre" if send.pre else "post"
            )
            level = parameter(sheet, element, "Volume", first(send.level), "linear", 0, LOUDEST)
            sheet.move(strip.name, level, "linear", send.level, _factor)
    volume = parameter(sheet, channel, "Volume", first(strip.volume), "linear", 0, LOUDEST)
    sheet.move(strip.name, volume, "linear", strip.volume, _factor)


def _normal(pan: float) -> float:
    return min(1.0, max(0.0, (pan + 1) / 2))


def _factor(level: float) -> float:
    return min(LOUDEST, max(0.0, level))


def _device(sheet: DawprojectSheet, devices: Element, strip: TimelineStrip, device: Device) -> None:
    if device.format not in _PLUGINS:
        sheet.losses.append(Loss(f"plugin {device.name!r}", strip.name, f"DAWproject has no {device.format} plugins"))
        return
    if device.state is None:
        sheet.losses.append(Loss(f"plugin {device.name!r}", strip.name, "its state is not known"))
        return
    tag, ending = _PLUGINS[device.format]
    role = "instrument" if device.instrument else "audioFX"
    element = SubElement(
        devices,
        tag,
        id=sheet.id(),
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
        SubElement(parameters, "RealParameter", id=sheet.id(), name=clean(name), unit="linear", value=number(value))

    def told(what: str, why: str) -> None:
        sheet.losses.append(Loss(f"automation of {what!r} of {device.name!r}", strip.name, why))

    for motion, control in numbered(device, told):
        lane = positions(motion, control)
        words = {"id": sheet.id(), "name": clean(control.title), "parameterID": str(control.id)}
        span = {"unit": "normalized", "min": "0.0", "max": "1.0", "value": number(first(lane))}
        SubElement(parameters, "RealParameter", {**words, **span})
        sheet.moving[strip.name].append((words["id"], "normalized", lane))
    SubElement(element, "Enabled", id=sheet.id(), value=yes(device.enabled), name="On/Off")
    path = f"plugins/{slug(f'{strip.name} {device.name}', sheet.taken)}.{ending}"
    sheet.states[path] = device.state
    SubElement(element, "State", path=path)
