"""Automation lists of Ardour as lanes, and the controls they move."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from studio.interchange.ardour.clock import ArdourClock
from studio.interchange.ardour.lag import later
from studio.interchange.ardour.xml import number, parsed
from studio.interchange.lane import MOST_POINTS, Lane, Value
from studio.interchange.timeline import Motion


def gain(processor: Element | None, automation: str, factor: float, clock: ArdourClock) -> Value:
    """The gain of a processor times a factor, moving or not."""
    if processor is None:
        return factor
    lane = _lane(processor, automation, clock)
    if lane is None:
        return number(processor.find("Controllable[@name='gaincontrol']"), "value", 1.0) * factor
    return later(lane, clock.rate).mapped(lambda point: point * factor)


def pan(route: Element, clock: ArdourClock) -> Value:
    """The place of a route from −1 left to 1 right, moving or not."""
    pannable = route.find("Pannable")
    if pannable is None:
        return 0.0
    lane = _lane(pannable, "pan-azimuth", clock)
    if lane is not None:
        return lane.mapped(_place)
    return _place(number(pannable.find("Controllable[@name='pan-azimuth']"), "value", 0.5))


def motions(processor: Element, clock: ArdourClock) -> Iterator[Motion]:
    """The parameters of a VST3 plugin that move; their numbers stand beside its state, in the same order."""
    controls = [control for control in processor.iterfind("Controllable") if control.get("parameter")]
    ports = list(processor.iterfind("vst3/Port"))
    for place, control in enumerate(controls):
        lane = _lane(processor, f"parameter-{control.get('parameter')}", clock)
        if lane is not None:
            called = ports[place].get("id", "") if len(ports) == len(controls) else ""
            yield Motion(int(called) if called.isdecimal() else None, control.get("name", ""), lane, plain=True)


def _lane(parent: Element, name: str, clock: ArdourClock) -> Lane | None:
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
    points = sorted((float(clock.second(time)), parsed(value)) for time, value in pairs)
    seconds, values = zip(*points, strict=True)
    return Lane(seconds, values, (held,) * len(points))


def _place(azimuth: float) -> float:
    return round(2 * azimuth - 1, 9)
