"""Time in a session of Ardour: superclocks and ticks, its tempo and meter, its markers."""

from __future__ import annotations

from fractions import Fraction
from xml.etree.ElementTree import Element

from studio.interchange.ardour.xml import number
from studio.interchange.beats import check_tempo, meant
from studio.interchange.lines import frame
from studio.interchange.timeline import Marker
from studio.tempo import Meter, Tempo, TempoMap

SUPERCLOCK = 282_240_000
"""Ardour counts time in this many ticks a second, which every usual sample rate divides."""

TICKS = 1920
"""And music in this many ticks a quarter note."""


class ArdourClock:
    """The rate and the tempo map of a session that is read.

    Raises:
        RecipeError: nobody can play as fast or slow.
    """

    def __init__(self, root: Element) -> None:
        self._root = root
        rate = round(number(root, "sample-rate", 44_100))
        self.rate = rate if 8_000 <= rate <= 192_000 else 44_100
        self.tempo = self._tempo()

    def second(self, said: str) -> Fraction:
        """A time: ``a`` and superclocks, or ``b`` and ticks."""
        try:
            count = int(said[1:])
        except ValueError:
            return Fraction(0)
        return self.tempo.second_at(Fraction(count, TICKS)) if said[:1] == "b" else Fraction(count, SUPERCLOCK)

    def frame(self, said: str) -> int:
        """The frame of a time."""
        return frame(self.second(said), self.rate)

    def frame_of(self, second: float) -> int:
        """The frame that is nearest to a second."""
        return frame(second, self.rate)

    def beat(self, said: str) -> Fraction:
        """The beat of a time."""
        if said[:1] == "b":
            return Fraction(int(said[1:]), TICKS)
        return meant(self.tempo.beat_at(self.second(said)))

    def stretch(self, said: str) -> tuple[int, int]:
        """Where a region begins and how many frames it lasts, from its length and position."""
        length, _, start_at = said.partition("@")
        start = self.frame(start_at)
        if length[:1] == "b":
            begin = self.tempo.beat_at(self.second(start_at))
            end = self.tempo.second_at(begin + Fraction(int(length[1:]), TICKS))
            return start, frame(end, self.rate) - start
        return start, self.frame(length)

    def markers(self) -> tuple[Marker, ...]:
        """The marks by beat."""
        found = [
            Marker(self.beat(location.get("start", "a0")), location.get("name", ""))
            for location in self._root.iterfind("Locations/Location")
            if "IsMark" in location.get("flags", "")
        ]
        return tuple(sorted(found, key=lambda marker: marker.beat))

    def _tempo(self) -> TempoMap:
        tempos = []
        for element in self._root.iterfind("TempoMap/Tempos/Tempo"):
            notes = Fraction(element.get("npm", "120")).limit_denominator(10**9)
            bpm = notes * 4 / max(1, int(number(element, "note-type", 4)))
            check_tempo(bpm)
            tempos.append(Tempo(_quarters(element), bpm, "Ramp" in element.get("type", "")))
        meters = [
            Meter(_quarters(element), int(count), int(unit))
            for element in self._root.iterfind("TempoMap/Meters/Meter")
            if 1 <= (count := number(element, "divisions-per-bar", 4)) <= 64
            and (unit := number(element, "note-value", 4)) in (1, 2, 4, 8, 16, 32)
        ]
        return TempoMap(tuple(tempos), tuple(meters))


def _quarters(element: Element) -> Fraction:
    """``beats:ticks``."""
    beats, _, ticks = element.get("quarters", "0:0").partition(":")
    return Fraction(int(beats)) + Fraction(int(ticks or 0), TICKS)
