"""Pitch marks: one moment in every period of a voice, always at the same place of the waveform."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.stretch.f0 import F0Track
from studio.tempo import Floats

UNVOICED = 0.01
"""Seconds between marks where there is no pitch."""

STRAY = 0.12
"""The share of a period by which the pitch given and the period found may differ."""


class Marks(NamedTuple):
    """Rising positions in frames, from at or before the start to at or behind the end, and which of them are voiced."""

    positions: Floats
    voiced: NDArray[np.bool_]


def pitch_marks(samples: Block, rate: int, track: F0Track) -> Marks:
    """Marks a period apart where `track` is voiced, else `UNVOICED` apart.

    In each voiced stretch the first mark is set on the highest peak of its loudest period (as Praat does); from
    there each next one is where the period looks most like the one before, so marks stay on the waveform even if the
    pitch given is a few percent off.
    """
    frames = samples.shape[1]
    runs = [
        run
        for first, last in _stretches(track, rate, frames)
        if len(run := _walk(samples, rate, track, first, last)) > 1
    ]
    pieces: list[Floats] = []
    flags: list[NDArray[np.bool_]] = []
    step = UNVOICED * rate
    position = -step
    for run in [*runs, np.array([frames + step])]:
        if pieces and run[0] <= position:
            run = run[run > position + rate / (4 * _highest(track))]
            if not len(run):
                continue
        gap = run[0] - position
        count = max(1, round(gap / step))
        filling = position + gap / count * np.arange(0 if not pieces else 1, count)
        pieces += [filling, run]
        flags += [np.zeros(len(filling), bool), np.ones(len(run), bool)]
        position = float(run[-1])
    flags[-1][:] = False
    return Marks(np.concatenate(pieces), np.concatenate(flags))


def _highest(track: F0Track) -> float:
    return float(np.nanmax(track.hz))


def _stretches(track: F0Track, rate: int, frames: int) -> list[tuple[float, float]]:
    """First and last frame of each stretch of voiced windows."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], track.voiced, [False]]).astype(np.int8)))
    if not len(edges):
        return []
    half = float(np.median(np.diff(track.times))) / 2 if len(track.times) > 1 else 0.01
    begins = (track.times[edges[::2]] - half) * rate
    ends = (track.times[edges[1::2] - 1] + half) * rate
    return [(max(0.0, begin), min(float(frames - 1), end)) for begin, end in zip(begins, ends, strict=True)]


def _walk(samples: Block, rate: int, track: F0Track, first: float, last: float) -> Floats:
    """The marks of one voiced stretch, in pieces, each beginning at the last mark of the one before."""
    marks: list[float] = []
    while first < last:
        end = min(last, first + _LONGEST * rate)
        found = _piece(samples, rate, track, first, end, start=marks[-1] if marks else None)
        if not found:
            break
        marks += found
        first = end
    return np.array(marks)


_LONGEST = 20
"""Seconds that are looked at at a time."""


def _piece(samples: Block, rate: int, track: F0Track, first: float, last: float, start: float | None) -> list[float]:
    """The marks from `first` to `last`: behind `start`, or on either side of a peak that is chosen here."""
    periods = rate / track.at(np.arange(first, last, _GRID) / rate)
    longest = int(np.nanmax(periods)) + 1
    margin = 3 * longest
    low, high = int(first) - margin, int(last) + margin
    mono = np.zeros(high - low)
    inside = slice(max(0, low), min(samples.shape[1], high))
    mono[inside.start - low : inside.stop - low] = samples[:, inside].mean(axis=0, dtype=np.float64)
    energy = np.concatenate([[0.0], np.cumsum(np.square(mono))])
    lengths = periods.tolist()
    if start is not None:
        return [mark + low for mark in _steps(mono, energy, lengths, margin, start - low, 1)]
    loudness = energy[longest:] - energy[:-longest]
    begin = margin + int(np.argmax(loudness[margin : max(margin + 1, len(mono) - margin - longest)]))
    peak = float(begin + int(np.argmax(np.abs(mono[begin : begin + longest]))))
    ahead = _steps(mono, energy, lengths, margin, peak, -1)
    return [mark + low for mark in (*ahead[::-1], peak, *_steps(mono, energy, lengths, margin, peak, 1))]


_GRID = 64


def _steps(mono: Floats, energy: Floats, periods: list[float], margin: int, start: float, way: int) -> list[float]:
    """Marks from `start` on, forwards or backwards, until the stretch ends."""
    marks: list[float] = []
    position, last = start, len(mono) - margin
    while True:
        cell = int(position - margin) // _GRID
        period = periods[min(max(cell, 0), len(periods) - 1)]
        expected = position + way * period
        if not margin <= expected < last:
            return marks
        size, stray = int(period), max(2, int(STRAY * period))
        here = int(position) - size // 2
        there = int(expected) - size // 2 - stray
        end = there + 2 * stray
        likeness = np.correlate(mono[there : end + size], mono[here : here + size])
        likeness -= 0.5 * (energy[there + size : end + size + 1] - energy[there : end + 1])
        best = int(likeness.argmax())
        shift = 0.0
        if 0 < best < 2 * stray:
            left, middle, right = likeness[best - 1 : best + 2].tolist()
            bend = left - 2 * middle + right
            shift = 0.5 * (left - right) / bend if bend < 0 else 0.0
        else:
            best, shift = stray, expected - int(expected) - (position - int(position))
        position += there + best - here + shift
        marks.append(position)
