"""Processors of a route, the controls on them, and the lists that move these."""

from __future__ import annotations

from itertools import pairwise
from xml.etree.ElementTree import Element, SubElement

from studio.interchange.ardour.lag import LAG_SECONDS, earlier
from studio.interchange.ardour.sheet import ArdourSheet
from studio.interchange.lane import Lane, Value, first

_LISTS = ("pan-azimuth", "pan-width", "pan-elevation", "pan-frontback", "pan-lfe")
_JUMP = 0.02


def processor(sheet: ArdourSheet, route: Element, name: str, kind: str) -> Element:
    """Add a processor to a route."""
    return SubElement(
        route,
        "Processor",
        {
            "id": sheet.id(),
            "name": name,
            "active": "1",
            "user-latency": "0",
            "use-user-latency": "0",
            "type": kind,
        },
    )


def control(sheet: ArdourSheet, parent: Element, name: str, value: float) -> None:
    """Add a control of a gain, a factor."""
    SubElement(parent, "Controllable", name=name, id=sheet.id(), flags="GainLike", value=repr(value))


def moving(sheet: ArdourSheet, processor: Element, automation: str, gain: str, value: Value) -> None:
    """Add a gain that may move."""
    lane = value if isinstance(value, Lane) else None
    automation_list(
        sheet, SubElement(processor, "Automation"), automation, earlier(lane, sheet.rate) if lane is not None else None
    )
    control(sheet, processor, gain, first(value))


def report_jumps(sheet: ArdourSheet, where: str, what: str, value: Value) -> None:
    """Say so where a gain jumps."""
    if not isinstance(value, Lane):
        return
    straight = value.straight()
    pairs = zip(pairwise(straight.seconds), pairwise(straight.values), strict=True)
    if any(late - early < LAG_SECONDS and abs(after - before) > _JUMP for (early, late), (before, after) in pairs):
        sheet.lose(f"jumps of the {what}", where, "Ardour smooths its gains with a low pass of 25 Hz")


def pannable(sheet: ArdourSheet, parent: Element, pan: Value) -> None:
    """Add a pan from −1 left to 1 right that may move."""
    pannable = SubElement(parent, "Pannable")
    azimuth = pan.mapped(_azimuth) if isinstance(pan, Lane) else _azimuth(pan)
    for name in _LISTS:
        value = first(azimuth) if name == "pan-azimuth" else 0.0
        SubElement(pannable, "Controllable", name=name, id=sheet.id(), flags="", value=repr(value))
    automation = SubElement(pannable, "Automation")
    for name in _LISTS:
        # The state of the last one counts for all of them.
        lane = azimuth if name == "pan-azimuth" and isinstance(azimuth, Lane) else None
        automation_list(sheet, automation, name, lane, playing=isinstance(azimuth, Lane))


def automation_list(
    sheet: ArdourSheet, automation: Element, name: str, lane: Lane | None, playing: bool = False
) -> None:
    """An automation list; straight in factors, as the engine of the studio moves between its grid."""
    found = SubElement(
        automation,
        "AutomationList",
        {
            "automation-id": name,
            "id": sheet.id(),
            "interpolation-style": "Linear",
            "time-domain": "AudioTime",
            "state": "Play" if playing or lane is not None else "Off",
        },
    )
    if lane is not None:
        straight = lane.straight()
        lines = [
            f"{sheet.second(second)} {value!r}" for second, value in zip(straight.seconds, straight.values, strict=True)
        ]
        SubElement(found, "events").text = "\n" + "\n".join(lines) + "\n"


def _azimuth(pan: float) -> float:
    return min(1.0, max(0.0, (pan + 1) / 2))
