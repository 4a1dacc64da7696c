"""The likeliest way of a pitch through what it may be at each moment: the cheapest path (Viterbi).

The costs are those of Boersma (1993): a poor repetition costs, and so do a low pitch, a leap, and to fall silent or begin.
Their sizes are for a moment every 10 ms; they were found on twenty instruments of a SoundFont, clean, in noise and in a room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.tempo import Floats

OCTAVE = 0.012
"""What each octave down costs: of a period and its multiples, which repeat alike, the period wins."""

LEAP, WIDEST = 1.0, 2.0
"""What each octave from one moment to the next costs, and the most that a leap can."""

SWITCH = 0.2
"""What it costs to begin and to fall silent."""

SILENT = 0.25
"""What a moment without pitch costs: as much as a depth of a half at 220 Hz."""

_NONE = 1e9


class States(NamedTuple):
    """What the pitch may be at some moments; the last state of each is to have none.

    Attributes:
        octaves: ``(moments, candidates + 1)`` above 220 Hz.
        costs: ``(moments, candidates + 1)``.
    """

    octaves: Floats
    costs: Floats


def states(hz: Floats, depths: Floats) -> States:
    """The states of candidates ``(moments, candidates)``: pitches, NaN for none, and how poorly each repeats, 0 to 1."""
    there = np.isfinite(hz)
    octaves = np.log2(np.where(there, hz, 220.0) / 220.0)
    costs = np.where(there, np.square(np.where(there, depths, 1.0)) - OCTAVE * octaves, _NONE)
    silent = ((0, 0), (0, 1))
    return States(np.pad(octaves, silent), np.pad(costs, silent, constant_values=SILENT))


class Path:
    """The cheapest way to each state of the moment it stands at; it grows by a moment at a time.

    Attributes:
        before: for each state the one of the moment before that the way to it comes from.
    """

    def __init__(self) -> None:
        self.before = np.zeros(0, np.intp)
        self._octaves = self._costs = np.zeros(0)

    def push(self, octaves: Floats, costs: Floats) -> int:
        """Go on by a moment, one of `States`; gives the state in which the cheapest way ends now."""
        if len(self._costs):
            ways = np.minimum(LEAP * np.abs(self._octaves[:, None] - octaves), WIDEST)
            ways[-1, :] = ways[:, -1] = SWITCH
            ways[-1, -1] = 0.0
            ways += self._costs[:, None]
            self.before = ways.argmin(axis=0)
            costs = costs + ways.min(axis=0)
        self._octaves, self._costs = octaves, costs - costs.min()
        return int(self._costs.argmin())


def best(given: States) -> NDArray[np.intp]:
    """The state of each moment on the way that is cheapest as a whole."""
    path, steps, last = Path(), [], 0
    for octaves, costs in zip(*given, strict=True):
        last = path.push(octaves, costs)
        steps.append(path.before)
    way = [last]
    for step in reversed(steps[1:]):
        way.append(int(step[way[-1]]))
    return np.array(way[::-1])
