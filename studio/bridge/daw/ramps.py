"""Tempo ramps between those who count along beats, as the studio does, and those who count along seconds."""

from __future__ import annotations

import math
from fractions import Fraction

from studio.tempo import Tempo, TempoMap

FINEST = 0.005
"""By how much, as a ratio, the tempo changes from one piece of a ramp to the next."""

MOST_PIECES = 512


def pieces(low: float, high: float) -> int:
    """Into how many pieces a ramp is cut."""
    return max(1, min(MOST_PIECES, math.ceil(abs(math.log(high / low)) / FINEST)))


def along_seconds(tempo: TempoMap) -> list[tuple[float, float, bool, Fraction]]:
    """A map as points of second, bpm, whether it glides straight in seconds to the next, and the beat.

    Ramps are cut into pieces of half a percent, in which a straight line in seconds and one in beats differ by less
    than a millionth of a beat a beat.
    """
    points: list[tuple[float, float, bool, Fraction]] = []
    for change, after in zip(tempo.tempos, [*tempo.tempos[1:], None], strict=True):
        if not change.ramp or after is None:
            points.append((float(tempo.second_at(change.beat)), float(change.bpm), False, change.beat))
            continue
        count = pieces(float(change.bpm), float(after.bpm))
        for index in range(count):
            beat = change.beat + (after.beat - change.beat) * index / count
            bpm = float(change.bpm) + float(after.bpm - change.bpm) * index / count
            points.append((float(tempo.second_at(beat)), bpm, True, beat))
    return points


def from_seconds(points: list[tuple[float, float, bool]]) -> tuple[Tempo, ...]:
    """Tempos of points of second, bpm and whether it glides straight in seconds to the next.

    Each point keeps its second exactly: the beats of a glide are those of a line along beats that lasts as long.
    """
    tempos: list[Tempo] = []
    beat = Fraction(0)
    for (second, bpm, ramp), after in zip(points, [*points[1:], None], strict=True):
        if after is None:
            tempos.append(Tempo(beat, Fraction(bpm)))
            break
        lasts, end = after[0] - second, after[1]
        if lasts <= 0:
            continue
        if not ramp or end == bpm:
            tempos.append(Tempo(beat, Fraction(bpm)))
            beat += Fraction(lasts) * Fraction(bpm) / 60
            continue
        count = pieces(bpm, end)
        for index in range(count):
            here = bpm + (end - bpm) * index / count
            there = bpm + (end - bpm) * (index + 1) / count
            tempos.append(Tempo(beat, Fraction(here), ramp=True))
            beat += Fraction(lasts / count / 60 * (there - here) / math.log(there / here))
    return tuple(tempos)
