"""A score on FluidSynth: events at its periods, fresh voices, and nothing computed where nothing sounds."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from studio.audio import Block
from studio.score import CONTROL, SYSTEM, Event, Score
from studio.sources.fluid import PERIOD, Fluid, idle_reverb

LONGEST_TAIL = 30.0
"""Seconds that notes may ring after the end of the score."""

_PERIODS = 256
_SILENCE = 1e-5
_NOTHING = 1e-8
"""-160 dBFS: what lies below it over a block, with no voice sounding, is taken for nothing."""

_ALL_SOUND_OFF = 120
"""A controller that ends voices at once."""

_MODULATION = 50
"""Frames after which FluidSynth's reverb moves its delays on, by a sine of 1 Hz (`MOD_RATE` in `fluid_rev.c`)."""

Turns = Callable[[int, int], Mapping[int, Mapping[str, float]]]


class FluidPerformance:
    """Plays events on a synthesiser, block by block.

    While no voice sounds and no reverb rings it moves on by whole turns of the reverb's modulation, after which the reverb
    would stand as it does now. So a part costs what is played of it, and sounds as it does in the whole song.

    Args:
        synth: a fresh synthesiser.
        score: gives tempo and length.
        events: what is played.
        ports: how many ports of sixteen channels there are.
        turned: gives the levels of moving reverb and chorus by period, between two periods; None if they stay.
        reverb: the level of the reverb, to begin with; None if it is off.
        chorus: whether anything is sent to the chorus.
        reset: is called when a SysEx message has put instruments of its own in place.
    """

    def __init__(
        self,
        synth: Fluid,
        score: Score,
        events: Sequence[Event],
        rate: int,
        *,
        turned: Turns | None,
        reverb: float | None,
        chorus: bool,
        reset: Callable[[], None],
    ) -> None:
        self._synth, self._rate, self._turned, self._reset = synth, rate, turned, reset
        milliseconds = _milliseconds([*events, Event(score.end, b"")], score)
        *periods, self._length = _periods(milliseconds, rate)
        self._due = deque(zip(periods, events, strict=True))
        starts = {period for period, event in self._due if event.starts_note}
        self._starts = sorted(starts)
        # Voices are cleared in the period before notes start.
        self._clearing = {period - 1: period - 1 in starts for period in starts} | dict.fromkeys(starts, True)
        self._edges = sorted({*periods, *self._clearing, self._length})
        self._reverb, self._rendered = reverb, 0
        self._quantum = 0 if chorus or turned else _quantum(rate) if reverb is not None else 1
        self._silent = True
        self.sounded = False

    def blocks(self) -> Iterator[Block]:
        """The score, in blocks of shape (2, frames)."""
        position = 0
        while position < self._length:
            if still := self._still(position):
                yield from _zeros(still * PERIOD)
                position += still
                continue
            stop = min(position + _PERIODS, self._length)
            yield self._block(position, stop)
            position = stop
        self._send(self._length)
        self._synth.release_all()

    def tail(self) -> Iterator[Block]:
        """What still rings after the end of the score."""
        synth, quiet, left = self._synth, 0, round(LONGEST_TAIL * self._rate / PERIOD)
        while left > 0 and (synth.voices or quiet < self._rate // 4):
            block = np.empty((2, min(left, _PERIODS) * PERIOD), np.float32)
            self._synth.render_into(block, 0, block.shape[1])
            self._without_idle(block)
            quiet = quiet + block.shape[1] if _peak(block) < _SILENCE else 0
            left -= _PERIODS
            yield block

    def _still(self, position: int) -> int:
        """For how many periods from here nothing is computed."""
        if not (self._silent and self._quantum):
            return 0
        following = bisect_left(self._starts, position)
        until = self._starts[following] - 1 if following < len(self._starts) else self._length
        return max(0, until - position) // self._quantum * self._quantum

    def _block(self, start: int, stop: int) -> Block:
        turns = self._turned(start, stop) if self._turned else {}
        edges = self._edges[bisect_left(self._edges, start) : bisect_left(self._edges, stop)]
        block = np.empty((2, (stop - start) * PERIOD), np.float32)
        for mark, after in pairwise(sorted({start, *turns, *edges, stop})):
            for unit, level in turns.get(mark, {}).items():
                self._synth.turn(unit, level)
                self._reverb = level if unit == "reverb" else self._reverb
            self._send(mark)
            piece = slice((mark - start) * PERIOD, (after - start) * PERIOD)
            self._synth.render_into(block, piece.start, piece.stop - piece.start)
            if self._turned:
                self._without_idle(block[:, piece])
        if not self._turned:
            self._without_idle(block)
        playing = self._synth.voices > 0
        # It is only looked through where that can tell something.
        peak = 1.0 if playing and self.sounded else _peak(block)
        self.sounded = self.sounded or peak > _SILENCE / 10
        self._silent = not playing and peak < _NOTHING
        return block

    def _send(self, until: int) -> None:
        synth, due = self._synth, self._due
        if until in self._clearing:
            synth.clear_voices(self._clearing[until])
        while due and due[0][0] <= until:
            event = due.popleft()[1]
            synth.send(event, event.channel + 16 * event.port)
            if event.status == SYSTEM or (event.status == CONTROL and event.data[1] == _ALL_SOUND_OFF):
                synth.disturbed()
            if event.status == SYSTEM:
                self._reset()
        if until in self._clearing:
            synth.begun()

    def _without_idle(self, piece: Block) -> None:
        """Take away what the reverb gives where nothing sounds, of the frames that were rendered last."""
        frames = piece.shape[1]
        if self._reverb is not None:
            level = np.float32(self._reverb)
            nothing, more = idle_reverb(self._rate)
            if self._rendered >= nothing.shape[1]:
                piece -= nothing[:, -1:] + level * more[:, -1:]
            else:
                at = np.minimum(np.arange(self._rendered, self._rendered + frames), nothing.shape[1] - 1)
                piece -= nothing[:, at] + level * more[:, at]
        self._rendered += frames


def _zeros(frames: int) -> Iterator[Block]:
    while frames > 0:
        yield np.zeros((2, min(frames, _PERIODS * PERIOD)), np.float32)
        frames -= _PERIODS * PERIOD


def _peak(block: Block) -> float:
    return float(max(block.max(initial=0.0), -block.min(initial=0.0)))


@lru_cache
def _quantum(rate: int) -> int:
    """The periods after which FluidSynth's reverb stands as before: whole seconds, whole steps and whole periods."""
    return math.lcm(rate, _MODULATION, PERIOD) // PERIOD


def _milliseconds(events: Sequence[Event], score: Score) -> list[int]:
    """The millisecond at which FluidSynth's own player would send each event.

    It looks once a period, at a clock of whole milliseconds, and takes what is due within half a tick. At one tempo it
    counts ticks in single precision, which adds up over a long song, and so do we; at every change of tempo it rounds to
    a tick and drifts away from the score by that: there the tempo map stays exact.
    """
    ticks = np.array([event.tick for event in events], dtype=np.float64)
    tempos = score.tempo.tempos
    if len(tempos) == 1:
        single = np.float32(round(60_000_000 / tempos[0].bpm)) / np.float32(score.resolution) / np.float32(1000)
        found = np.ceil((ticks - 0.5) * float(single))
    else:
        found = np.ceil(score.tempo.seconds_at((ticks - 0.5) / score.resolution) * 1000 - 1e-6)
    return list(np.maximum.accumulate(np.maximum(found, 0).astype(int)).tolist()) if len(found) else []


def _periods(milliseconds: Sequence[int], rate: int) -> list[int]:
    """The periods from which on events that are sent at these milliseconds are heard; the player's first one passes."""
    return [-(-millisecond * rate // (1000 * PERIOD)) + 1 for millisecond in milliseconds]
