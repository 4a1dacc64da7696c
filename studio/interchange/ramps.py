"""Tempo ramps between those who count along beats, as the studio does, and those who count along seconds."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from studio.interchange.lane import simplified
from studio.tempo import Tempo, TempoMap

FINEST = 0.005
"""By how much, as a ratio, the tempo changes from one piece of a ramp to the next."""

MOST_PIECES = 512

LINE_BPM = 1e-3
"""How far points may lie from a line to be taken for it."""


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
    return _joined(tempos)


def _joined(tempos: list[Tempo]) -> tuple[Tempo, ...]:
    """Pieces of a ramp that lie on one line along beats, as one ramp again, on the beat it was most likely meant for."""
    kept: list[Tempo] = []
    start = 0
    for index, tempo in enumerate(tempos):
        if tempo.ramp and index + 1 < len(tempos):
            continue
        run = tempos[start : index + 1]
        beats, bpms = (np.array([float(getattr(each, name)) for each in run]) for name in ("beat", "bpm"))
        kept += [run[index] for index in simplified(beats, bpms, LINE_BPM)]
        start = index + 1
    return tuple(Tempo(_near(each.beat), each.bpm, each.ramp) for each in kept)


def _near(beat: Fraction) -> Fraction:
    grid = Fraction(round(beat * 96), 96)
    return grid if abs(grid - beat) < Fraction(1, 100_000) else Fraction(round(beat * 10**9), 10**9)
