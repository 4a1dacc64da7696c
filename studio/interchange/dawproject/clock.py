"""Time in a DAWproject: its tempo and meter, its markers, and the way between beats and seconds."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from xml.etree.ElementTree import Element

from studio.interchange.beats import check_tempo
from studio.interchange.dawproject.document import ProjectDocument, exact, number
from studio.interchange.ramps import from_seconds
from studio.interchange.timeline import Marker
from studio.tempo import Meter, Tempo, TempoMap


class DawprojectClock:
    """The tempo map of a document, and the rate of most of its audio files as that of the song.

    Raises:
        RecipeError: nobody can play as fast or slow.
    """

    def __init__(self, document: ProjectDocument) -> None:
        self._document = document
        self.tempo = self._tempo()
        self.rate = self._rate()

    def second(self, beat: float) -> float:
        """The second of a beat; infinity stays what it is."""
        return float(self.tempo.second_at(Fraction(beat))) if math.isfinite(beat) else beat

    def beat(self, second: float) -> float:
        """The beat of a second; infinity stays what it is."""
        return float(self.tempo.beat_at(Fraction(second))) if math.isfinite(second) else second

    def markers(self) -> tuple[Marker, ...]:
        """The markers by beat."""
        found = []
        arrangement = self._document.arrangement
        for marker in arrangement.iter("Marker") if arrangement is not None else ():
            time = number(marker, "time")
            if time is None or time < 0:
                continue
            unit = self._document.unit(self._document.parents[marker], "beats")
            beat = exact(time) if unit == "beats" else exact(self.beat(time))
            found.append(Marker(beat, marker.get("name", "")))
        return tuple(sorted(found, key=lambda marker: marker.beat))

    def _tempo(self) -> TempoMap:
        root = self._document.root
        tempo = number(root.find("Transport/Tempo"), "value")
        points = root.find("Arrangement/TempoAutomation")
        read = [
            (number(point, "time"), number(point, "value"), point.get("interpolation") == "linear")
            for point in (points if points is not None else ())
            if point.tag == "RealPoint"
        ]
        known = [(time, bpm, ramp) for time, bpm, ramp in read if time is not None and bpm is not None and time >= 0]
        for bpm in [bpm for _, bpm, _ in known] + ([tempo] if tempo is not None else []):
            check_tempo(bpm)
        known.sort(key=lambda point: point[0])
        opening = known[0][1] if known else tempo if tempo is not None else 120.0
        if tempo is None and not known:
            self._document.lose("tempo", "Transport", "the file gives none; 120 bpm is taken")
        if known and known[0][0] > 0:
            known.insert(0, (0.0, opening, False))
        tempos: tuple[Tempo, ...]
        if points is not None and self._document.unit(points, "beats") == "seconds" and known:
            tempos = from_seconds(known)
        else:
            tempos = tuple(Tempo(exact(time), exact(bpm), ramp) for time, bpm, ramp in known)
            tempos = tempos or (Tempo(Fraction(0), exact(opening)),)
            tempos = (*tempos[:-1], replace(tempos[-1], ramp=False))
        return TempoMap(tempos, self._meters(TempoMap(tempos)))

    def _meters(self, tempo: TempoMap) -> tuple[Meter, ...]:
        meters: list[Meter] = []
        opening = self._document.root.find("Transport/TimeSignature")
        if opening is not None and (meter := _meter(opening, Fraction(0))):
            meters.append(meter)
        points = self._document.root.find("Arrangement/TimeSignatureAutomation")
        for point in points if points is not None else ():
            time = number(point, "time")
            if point.tag != "TimeSignaturePoint" or time is None or time < 0:
                continue
            beat = exact(time)
            if points is not None and self._document.unit(points, "beats") == "seconds":
                beat = Fraction(round(float(tempo.beat_at(beat)) * 1e6), 10**6)
            if meter := _meter(point, beat):
                meters.append(meter)
        return tuple(meters)

    def _rate(self) -> int:
        rates = [round(rate) for audio in self._document.root.iter("Audio") if (rate := number(audio, "sampleRate"))]
        fitting = [rate for rate in rates if 8_000 <= rate <= 192_000]
        return max(set(fitting), key=fitting.count) if fitting else 44_100


def _meter(element: Element, beat: Fraction) -> Meter | None:
    count, unit = (number(element, name) for name in ("numerator", "denominator"))
    if count is None or unit is None or not 1 <= count <= 64 or unit not in (1, 2, 4, 8, 16, 32):
        return None
    return Meter(beat, int(count), int(unit))
