"""What all parts of an Ardour session are written with: ids, names that fit, times, and what is lost."""

from __future__ import annotations

from fractions import Fraction
from itertools import count

from studio.interchange.ardour.clock import SUPERCLOCK, TICKS
from studio.interchange.names import renamed
from studio.interchange.timeline import MASTER, Loss, Timeline
from studio.rendering.xml_text import clean

_RESERVED = {"master", "monitor", "auditioner", "click", "ltc"}
_FIRST_ID = 100


class ArdourSheet:
    """A timeline that is written.

    Attributes:
        names: what Ardour's routes and ports are called, by the names of strips.
        routes: the ids of routes, by the names of strips.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline, self.rate = timeline, timeline.rate
        self.losses: list[Loss] = []
        self._ids, self._slots = count(_FIRST_ID), count(1)
        strips, taken = (*timeline.tracks, *timeline.buses), set(_RESERVED)
        names = renamed(strips, _fitting, taken, "Ardour cannot call it so", self.losses)
        self.names = {MASTER: "Master"} | names
        self.routes = {strip.name: self.id() for strip in timeline.strips}

    def id(self) -> str:
        """An id that nothing else has."""
        return str(next(self._ids))

    def slot(self) -> str:
        """The number of a send."""
        return str(next(self._slots))

    def lose(self, what: str, where: str, why: str) -> None:
        """Remember what the format cannot carry."""
        self.losses.append(Loss(what, where, why))

    def audio(self, frame: int) -> str:
        """The time of a frame."""
        return f"a{frame * SUPERCLOCK // self.rate}"

    def second(self, second: float) -> str:
        """The time of a second."""
        return f"a{round(second * SUPERCLOCK)}"

    def beat(self, beat: Fraction) -> str:
        """A beat, or where Ardour's ticks are too coarse for it, its time."""
        ticks = beat * TICKS
        if ticks.denominator == 1:
            return f"b{ticks}"
        return f"a{round(self.timeline.tempo.second_at(beat) * SUPERCLOCK)}"


def _fitting(name: str) -> str:
    return clean(name).replace(":", "-").replace("/", "-").strip() or "track"


def yes(value: bool) -> str:
    """As Ardour says it."""
    return "1" if value else "0"
