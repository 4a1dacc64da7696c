"""Where a song is during a block, for plugins that follow it: told anew wherever tempo, bar or meter change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from studio.context import GRID
from studio.hosting.contract import Transport
from studio.tempo import TempoMap

SongPositions = Sequence[tuple[int, Mapping[str, float]]]
"""Positions of the song at frames of a block, in order, the first at frame 0; each holds until the next."""

_HAIR = 1e-9
"""Bars: what rounding may take from a beat that lies on a bar line."""


def song_positions(tempo: TempoMap, start: int, frames: int, rate: int) -> SongPositions:
    """Where the song is from a frame on, as plain data for a worker.

    A position is told at the first cell of the grid after every change, so it is the same however the song is cut into
    blocks: along a ramp each cell of 64 frames is told the tempo at its beginning.

    Args:
        tempo: the tempo map.
        start: the first frame.
        frames: how many there are.
        rate: in Hz.
    """
    offsets = np.concatenate([[0], np.arange(GRID - start % GRID, frames, GRID)]).astype(int)
    beats = tempo.beats_at((start + offsets) / rate)
    steady = len(tempo.tempos) == 1
    found: list[tuple[int, dict[str, float]]] = []
    told: tuple[object, ...] = ()
    for offset, beat in zip(offsets.tolist(), beats.tolist(), strict=True):
        bpm = float(tempo.tempos[0].bpm) if steady else tempo.bpm_at(Fraction(beat))
        meter = [meter for meter in tempo.meters if float(meter.beat) <= beat + _HAIR][-1]
        bar = float(meter.beat + int((beat - float(meter.beat)) / float(meter.bar) + _HAIR) * meter.bar)
        now = (bpm, meter.count, meter.unit, bar)
        if now != told:
            plain = Transport(start + offset, beat, bar, bpm, meter.count, meter.unit).data()
            found.append((offset, plain | {"quarters_per_frame": bpm / 60 / rate}))
            told = now
    return found


def positions_within(song: SongPositions, start: int, stop: int) -> list[tuple[int, dict[str, float]]]:
    """The positions for a part of a block, at frames of that part."""
    found = [(frame - start, dict(plain)) for frame, plain in song if start < frame < stop]
    before = [(frame, plain) for frame, plain in song if frame <= start]
    if before:
        frame, plain = before[-1]
        found.insert(0, (0, later(plain, start - frame)))
    return found


def later(plain: Mapping[str, float], frames: int) -> dict[str, float]:
    """A position some frames on, at its tempo."""
    return {
        **plain,
        "frame": plain["frame"] + frames,
        "quarters": plain["quarters"] + frames * plain["quarters_per_frame"],
    }
