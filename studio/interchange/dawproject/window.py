"""Where in a song the content of a clip may be heard: clips lie in clips, each with a time of its own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from studio.interchange.dawproject.clock import DawprojectClock
from studio.interchange.lane import Lane
from studio.interchange.timeline import MOST_CLIPS

Map = Callable[[float], float]
"""From one time to another."""


@dataclass(frozen=True)
class Window:
    """A stretch of the song in seconds, how the time of what is in it leads there and back, and what holds for all of
    it: whether it is silent, its gain as a factor, fades in seconds, a name, the unit of its time, in how many clips it
    lies, and what moves in it, by what it moves, over the seconds of the song."""

    start: float
    end: float
    seconds: Map
    own: Map
    muted: bool = False
    gain: float = 1.0
    fade_in: float = 0.0
    fade_out: float = 0.0
    name: str = ""
    unit: str = "beats"
    depth: int = 0
    expressions: tuple[tuple[str, Lane], ...] = ()

    @classmethod
    def whole(cls, unit: str, clock: DawprojectClock) -> Window:
        """The song from its start, in beats or seconds."""
        if unit == "seconds":
            return cls(0.0, math.inf, lambda time: time, lambda second: second, unit=unit)
        return cls(0.0, math.inf, clock.second, clock.beat, unit=unit)

    def cut(self, start: float, end: float) -> Window:
        """What of it lies between two seconds."""
        return replace(self, start=max(self.start, start), end=min(self.end, end))

    def inside(self, begin: float, offset: float, unit: str, clock: DawprojectClock) -> Window:
        """The same for content whose own time `offset`, in a unit, lies at second `begin`."""
        if unit == "seconds":
            return replace(self, seconds=lambda t: begin + t - offset, own=lambda s: s - begin + offset)
        start = clock.beat(begin)
        return replace(
            self,
            seconds=lambda t: clock.second(start + t - offset),
            own=lambda s: clock.beat(s) - start + offset,
        )


def passes(
    first: float, stop: float | None, loop: tuple[float | None, float | None]
) -> Iterator[tuple[float, float, float]]:
    """The passes through a clip's content: where each begins in it, when (since the clip began), and where it ends."""
    start, end = loop
    if start is None or end is None or end <= start or first >= end:
        yield first, 0.0, math.inf if stop is None else stop
        return
    yield first, 0.0, end
    gone = end - first
    for _ in range(MOST_CLIPS):
        yield start, gone, end
        gone += end - start
