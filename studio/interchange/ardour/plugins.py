"""Plugins in a session of Ardour."""

from __future__ import annotations

import base64
from xml.etree.ElementTree import Element, SubElement

from studio.hosting.vst3 import Control
from studio.interchange.ardour.controls import automation_list, processor
from studio.interchange.ardour.sheet import ArdourSheet, yes
from studio.interchange.lane import first
from studio.interchange.motions import numbered, plain
from studio.interchange.timeline import Device, TimelineStrip
from studio.rendering.xml_text import clean


def add_plugin(sheet: ArdourSheet, route: Element, strip: TimelineStrip, device: Device) -> None:
    """Add a plugin to a route, with its state and what moves in it."""
    if device.format not in ("vst3", "lv2") or (device.format == "vst3" and device.state is None):
        why = "its state is not known" if device.format == "vst3" else f"a {device.format} plugin is not carried"
        sheet.lose(f"plugin {device.name!r}", strip.name, why)
        return
    added = processor(sheet, route, clean(device.name), device.format)
    added.attrib |= {"unique-id": device.id, "count": "1", "custom": "0", "active": yes(device.enabled)}
    inside = SubElement(added, device.format)
    if device.format == "vst3":
        inside.attrib |= {
            "last-preset-uri": "",
            "last-preset-label": "",
            "parameter-changed-since-last-preset": "1",
        }
        SubElement(inside, "chunk").text = base64.b64encode(device.state or b"").decode()
        _motions(sheet, added, inside, strip, device)
    else:
        for symbol, value in device.parameters.items():
            SubElement(inside, "Port", symbol=symbol, value=repr(value))


def _motions(sheet: ArdourSheet, added: Element, inside: Element, strip: TimelineStrip, device: Device) -> None:
    """Automation of a plugin's parameters, which Ardour counts in its own way and moves in the plugin's range."""

    def told(what: str, why: str) -> None:
        sheet.lose(f"automation of {what!r} of {device.name!r}", strip.name, why)

    shown = [control for control in device.controls if listed(control)]
    automation = SubElement(added, "Automation")
    for motion, control in numbered(device, told):
        index, lane = shown.index(control), plain(motion, control, sheet.timeline.frames, sheet.rate)
        automation_list(sheet, automation, f"parameter-{index}", lane)
        value = repr(first(lane))
        SubElement(inside, "Port", id=str(control.id), value=value)
        words = {"name": clean(control.title), "id": sheet.id(), "flags": "", "value": value}
        SubElement(added, "Controllable", {**words, "parameter": str(index)})
    if len(automation):
        why = "Ardour moves a plugin's parameters once a block of its engine"
        sheet.lose(f"automation of {device.name!r} between blocks", strip.name, why)


def listed(control: Control) -> bool:
    """Whether Ardour lists a parameter of a VST3 plugin."""
    moved = (control.automatable or control.read_only) and not control.program
    return moved and "MIDI CC " not in control.title
