"""Time in a REAPER project: its tempo and meter, which it says in seconds, and its markers."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from studio.errors import RecipeError
from studio.interchange.beats import check_tempo, meant
from studio.interchange.lane import MOST_POINTS
from studio.interchange.ramps import from_seconds
from studio.interchange.reaper.text import Chunk
from studio.interchange.timeline import Loss, Marker
from studio.tempo import Meter, Tempo, TempoMap

_NEAR = 0.02
"""Beats by which a change of meter may miss its bar."""


class ReaperClock:
    """The tempo map of a project, and its rate.

    Raises:
        RecipeError: nobody can play as fast or slow.
    """

    def __init__(self, root: Chunk) -> None:
        self._root = root
        rate = round(root.number("SAMPLERATE", 0, 44_100))
        self.rate = rate if 8_000 <= rate <= 192_000 else 44_100
        self.tempo = self._tempo()

    def beat(self, second: float) -> Fraction:
        """The beat at a second, as it was most likely meant."""
        return meant(self.tempo.beat_at(Fraction(second)))

    def markers(self, losses: list[Loss]) -> Iterable[Marker]:
        """Markers, and the beginnings of regions."""
        seen: set[str] = set()
        for line in self._root.lines("MARKER"):
            index, region = line.text(0), line.number(3) == 1
            if region and index in seen:
                losses.append(Loss("the end of a region", f"marker {index}", "a recipe has markers only"))
                continue
            if region:
                seen.add(index)
            second = line.number(1)
            if second >= 0:
                yield Marker(self.beat(second), line.text(2))
            else:
                losses.append(Loss("a marker", line.text(2) or index, "it lies before the song"))

    def _tempo(self) -> TempoMap:
        line = self._root.line("TEMPO")
        opening, count, unit = line.number(0, 120.0), line.number(1, 4), line.number(2, 4)
        envelope = next(self._root.chunks("TEMPOENVEX", "TEMPOENV"), None)
        on = envelope is not None and envelope.number("ACT", 0, 1)
        points = list(envelope.lines("PT")) if envelope is not None and on else []
        if len(points) > MOST_POINTS:
            raise RecipeError(f"a tempo map of {len(points)} points.", "That is no song.")
        known = [
            (point.number(0), point.number(1, opening), point.number(2) == 0, round(point.number(3)))
            for point in points
        ]
        for bpm in (opening, *(bpm for _, bpm, _, _ in known)):
            check_tempo(bpm)
        known = sorted((point for point in known if point[0] >= 0), key=lambda point: point[0])
        if not known or known[0][0] > 0:
            known.insert(0, (0.0, opening, False, 0))
        tempos = from_seconds([point[:3] for point in known]) or (Tempo(Fraction(0), Fraction(opening)),)
        changes = [(second, signature) for second, _, _, signature in known if signature > 0]
        return TempoMap(tempos, _meters(TempoMap(tempos), _meter(Fraction(0), count, unit), changes))


def _meters(tempo: TempoMap, opening: Meter, changes: list[tuple[float, int]]) -> tuple[Meter, ...]:
    """Meters from what stands on some seconds: the unit times 65536, and the count."""
    meters = [opening]
    for second, signature in changes:
        beat = tempo.beat_at(Fraction(second))
        bars = TempoMap(meters=tuple(meters))
        whole = bars.beat_of_bar(Fraction(round(bars.bar_of_beat(beat))))
        beat = whole if abs(whole - beat) < _NEAR else beat
        meters.append(_meter(beat, signature % 65_536, signature // 65_536))
    return tuple(meters)


def _meter(beat: Fraction, count: float, unit: float) -> Meter:
    fits = 1 <= count <= 64 and unit in (1, 2, 4, 8, 16, 32)
    return Meter(beat, int(count), int(unit)) if fits else Meter(beat)
