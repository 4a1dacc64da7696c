"""Points of a DAWproject as lanes, by what they move."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from xml.etree.ElementTree import Element

from studio.interchange.dawproject.clock import DawprojectClock
from studio.interchange.dawproject.document import ProjectDocument, number, target
from studio.interchange.dawproject.schema import PLUGINS
from studio.interchange.lane import MOST_POINTS, Lane
from studio.interchange.safe_xml import consume
from studio.interchange.timeline import Motion


class Automation:
    """What moves in a document.

    Args:
        document: as it is read.
        clock: its time.
        owners: for every element of a channel, whose it is.
    """

    def __init__(self, document: ProjectDocument, clock: DawprojectClock, owners: Mapping[Element, str]) -> None:
        self._document, self._clock, self._owners = document, clock, owners
        self._lanes: dict[str, Lane] = {}

    def of(self, parameter: Element) -> Lane | None:
        """The lane of a parameter, in the unit of the file, if it moves."""
        return self._lanes.get(parameter.get("id", ""))

    def motions(self, device: Element, where: str) -> Iterator[Motion]:
        """The parameters of a plugin that move, from 0 to 1."""
        for parameter in device.iterfind("Parameters/RealParameter"):
            lane = self.of(parameter)
            if lane is None:
                continue
            name = parameter.get("name") or parameter.get("parameterID") or "a parameter"
            low, high = number(parameter, "min"), number(parameter, "max")
            if parameter.get("unit") == "normalized":
                low, high = 0.0, 1.0
            if low is None or high is None or high <= low:
                self._document.lose(f"automation of {name!r}", where, "the file does not say between what it moves")
                continue
            called = parameter.get("parameterID", "")
            motion = Motion(int(called) if called.isdecimal() else None, name, lane)
            yield replace(motion, lane=lane.mapped(partial(_part, low, high)))

    def add(self, points: Element, unit: str) -> None:
        """Take up points of the arrangement, whose time is in a unit."""
        moved = self._document.ids.get(target(points).get("parameter", ""))
        if moved is None:
            what = target(points).get("expression") or target(points).get("parameter") or "something"
            consume(points)
            self._document.lose(f"automation of {what}", "Arrangement", "what it moves is not there")
            return
        owner = self._owners.get(moved)
        if owner is None or not (moved.tag in ("Volume", "Pan", "Mute") or self._turns(moved)):
            what = moved.get("name") or moved.tag
            consume(points)
            self._document.lose(f"automation of {what}", owner or "Arrangement", "it is not taken over")
            return
        read = [
            (number(point, "time"), number(point, "value"), point.get("interpolation") != "linear")
            for point in points.iterfind("RealPoint")
        ]
        read += [
            (number(point, "time"), float(point.get("value") == "true"), True) for point in points.iterfind("BoolPoint")
        ]
        known = sorted((time, value, held) for time, value, held in read if time is not None and value is not None)
        if not known or len(known) > MOST_POINTS:
            self._document.lose("automation", owner, f"it has {len(known)} points")
            return
        self._lanes[moved.get("id", "")] = self._lane(known, points.get("timeUnit", unit))

    def _turns(self, element: Element) -> bool:
        """Whether an element is a parameter of a plugin, between two numbers."""
        parents = self._document.parents
        holder = parents.get(parents.get(element, element))
        return element.tag == "RealParameter" and holder is not None and holder.tag in PLUGINS

    def _lane(self, known: list[tuple[float, float, bool]], unit: str) -> Lane:
        if unit == "seconds" or len(self._clock.tempo.tempos) == 1:
            seconds = [time if unit == "seconds" else self._clock.second(time) for time, _, _ in known]
            return Lane(tuple(seconds), tuple(value for _, value, _ in known), tuple(held for _, _, held in known))
        times: list[float] = []
        values: list[float] = []
        held: list[bool] = []
        for (time, value, hold), after in zip(known, [*known[1:], None], strict=True):
            # A straight line in beats is a bent one in seconds where the tempo moves.
            count = 1 if hold or after is None or after[0] == time or after[1] == value else 16
            for index in range(count):
                there = after if after is not None else (time, value, hold)
                times.append(self._clock.second(time + (there[0] - time) * index / count))
                values.append(value + (there[1] - value) * index / count)
                held.append(hold)
        return Lane(tuple(times), tuple(values), tuple(held))


def _part(low: float, high: float, value: float) -> float:
    return (value - low) / (high - low)
