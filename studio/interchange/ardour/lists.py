"""Automation lists of Ardour as lanes, and the controls they move."""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from studio.interchange.ardour.clock import ArdourClock
from studio.interchange.ardour.lag import later
from studio.interchange.ardour.xml import number, parsed
from studio.interchange.lane import MOST_POINTS, Lane, Value, product
from studio.interchange.safe_xml import having
from studio.interchange.timeline import Motion

_PLAYING = ("Play", "Touch", "Latch")


def gain(processor: Element | None, automation: str, factor: Value, clock: ArdourClock) -> Value:
    """The gain of a processor times a factor, moving or not."""
    if processor is None:
        return factor
    lane = moving(processor, automation, clock)
    still = number(having(processor, "Controllable", name="gaincontrol"), "value", 1.0)
    return product(factor, still if lane is None else later(lane, clock.rate))


def pan(route: Element, clock: ArdourClock) -> Value:
    """The pan of a route from −1 left to 1 right, moving or not."""
    pannable = route.find("Pannable")
    shell = next((shell for shell in route.iterfind("Processor/PannerShell")), None)
    if pannable is None or (shell is not None and shell.get("bypassed") == "1"):
        return 0.0
    lane = moving(pannable, "pan-azimuth", clock)
    if lane is not None:
        return lane.mapped(_place)
    return _place(number(having(pannable, "Controllable", name="pan-azimuth"), "value", 0.5))


def motions(processor: Element, clock: ArdourClock) -> Iterator[Motion]:
    """The parameters of a VST3 plugin that move; their numbers stand beside its state, in the same order."""
    controls = [control for control in processor.iterfind("Controllable") if control.get("parameter")]
    ports = list(processor.iterfind("vst3/Port"))
    for index, control in enumerate(controls):
        lane = moving(processor, f"parameter-{control.get('parameter')}", clock)
        if lane is not None:
            called = ports[index].get("id", "") if len(ports) == len(controls) else ""
            yield Motion(int(called) if called.isdecimal() else None, control.get("name", ""), lane, plain=True)


def moving(parent: Element, name: str, clock: ArdourClock) -> Lane | None:
    """An automation list in the automation of something, if it plays."""
    automation = parent.find("Automation")
    found = having(automation, "AutomationList", automation_id=name) if automation is not None else None
    return drawn_list(found, clock) if found is not None and found.get("state") in _PLAYING else None


def drawn_list(found: Element, clock: ArdourClock) -> Lane | None:
    """The points of an automation list, if it has any."""
    events = found.find("events")
    words = (events.text or "").split() if events is not None else []
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if not pairs or len(pairs) > MOST_POINTS:
        return None
    held = found.get("interpolation-style") == "Discrete"
    points = sorted((float(clock.second(time)), parsed(value)) for time, value in pairs)
    seconds, values = zip(*points, strict=True)
    return Lane(seconds, values, (held,) * len(points))


def _place(azimuth: float) -> float:
    return round(2 * azimuth - 1, 9)
