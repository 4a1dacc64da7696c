"""Echoes, in time with the song."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Block
from studio.context import GRID, BlockContext, RenderContext
from studio.effects.pedal import Pedal, live
from studio.errors import KnobError
from studio.knobs import LOG, Live, knob, span, switch
from studio.steps import Effect, Run
from studio.tempo import Time
from studio.units import HZ

if TYPE_CHECKING:
    from pedalboard import Plugin

LONGEST = 30.0
"""Seconds a delay may last: pedalboard's limit."""


class _Timed(Effect, abstract=True):
    """An effect whose `time` follows the tempo map."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.time:  # type: ignore[attr-defined]
            raise KnobError("a delay of no length.", "Write 1/8., 2 beats or 350 ms.", path=("time",))

    def seconds_at(self, context: RenderContext, frame: int) -> float:
        """How long the delay is at the tempo and meter that the song has come to at `frame`: all that a plugin knows."""
        time: Time = self.time  # type: ignore[attr-defined]
        start = context.tempo.beat_at(Fraction(frame, context.rate)) if time.musical else Fraction(0)
        seconds = context.tempo.held_length_of(time, start)
        if seconds > LONGEST:
            raise KnobError(f"a delay of {seconds:.1f} s.", f"{LONGEST:.0f} s at most.", path=("time",))
        return seconds

    def steady(self, context: RenderContext) -> bool:
        """Whether it stays the same length all through the song."""
        return not self.time.musical or len(context.tempo.tempos) == 1  # type: ignore[attr-defined]

    def tail_seconds(self, context: RenderContext) -> float:
        return self.seconds_at(context, 0) * 1.1 + 0.05


class Delay(_Timed, Pedal):
    """Repeat the sound after a time, again and again with feedback."""

    version = 2

    time: Time = span("1/8.", help="time until it comes back; note values follow the tempo")
    feedback: Live = knob(0.35, 0.0, 1.0, help="how much of each repeat comes again")
    mix: Live = knob(0.3, 0.0, 1.0, help="repeats against the dry sound")

    pedal = "Delay"
    turns = {"feedback": "feedback", "mix": "mix"}

    def make(self, context: RenderContext) -> Plugin:
        """The processor, at rest."""
        plugin = super().make(context)
        plugin.delay_seconds = self.seconds_at(context, 0)  # type: ignore[attr-defined]
        return plugin

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        steady = self.steady(context)

        def settings(now: BlockContext) -> Iterator[tuple[slice, dict[str, float]]]:
            for piece, held in self.settings(now):
                if steady:
                    yield piece, held
                    continue
                for start in range(piece.start, piece.stop, GRID):
                    seconds = self.seconds_at(context, now.start + start)
                    yield slice(start, min(start + GRID, piece.stop)), held | {"delay_seconds": seconds}

        return live(self.make(context), context, settings)


class Echo(_Timed):
    """A dub echo: every repeat is darker and thinner than the last, and may jump from side to side."""

    version = 2

    time: Time = span("1/4", help="time from repeat to repeat; note values follow the tempo")
    feedback: Live = knob(0.5, 0.0, 0.98, help="how much of each repeat comes again")
    mix: Live = knob(0.35, 0.0, 1.0, help="level of the repeats; the dry sound stays")
    highs: Live = knob(4_000.0, 200.0, 20_000.0, HZ, taper=LOG, help="highs above it are lost in each repeat")
    lows: Live = knob(120.0, 10.0, 2_000.0, HZ, taper=LOG, help="lows below it are lost in each repeat")
    pingpong: bool = switch(False, help="repeats change sides")

    libraries = ("scipy",)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        return _EchoLoop(self, context)

    def frames_at(self, context: RenderContext, frame: int) -> int:
        """The time of the echo, in frames, as it is at a frame of the song; one at least."""
        return max(1, round(self.seconds_at(context, frame) * context.rate))


class _EchoLoop:
    """A ring of past input and repeats, read in pieces no longer than the delay."""

    def __init__(self, echo: Echo, context: RenderContext) -> None:
        self._echo, self._context = echo, context
        self._steady = echo.steady(context)
        self._delay = echo.frames_at(context, 0)
        self._ring = np.zeros((context.channels, round(LONGEST * context.rate) if not self._steady else self._delay))
        self._written = 0
        self._low = np.zeros((context.channels, 1))
        self._high = np.zeros((context.channels, 1))

    def __call__(self, block: Block, now: BlockContext) -> Block:
        out = np.empty_like(block)
        for piece, held in now.cells("feedback", "mix", "highs", "lows"):
            start = piece.start
            while start < piece.stop:
                frame = now.start + start
                if not self._steady:
                    self._delay = self._echo.frames_at(self._context, frame // GRID * GRID)
                stop = min(piece.stop, start + self._delay)
                if not self._steady:
                    stop = min(stop, start + GRID - frame % GRID)
                out[:, start:stop] = self._repeat(block[:, start:stop], held)
                start = stop
        return out

    def _repeat(self, block: Block, held: dict[str, float]) -> Block:
        size = self._ring.shape[1]
        indices = np.arange(self._written, self._written + block.shape[1])
        self._written += block.shape[1]
        heard = self._filtered(self._ring[:, (indices - self._delay) % size], held)
        sent = block.astype(np.float64)
        if self._echo.pingpong and block.shape[0] == 2:
            sent = np.stack([sent.mean(axis=0) + heard[1] * held["feedback"], heard[0] * held["feedback"]])
        else:
            sent = sent + heard * held["feedback"]
        self._ring[:, indices % size] = sent
        return np.asarray(block + heard * held["mix"], dtype=np.float32)

    def _filtered(self, heard: np.ndarray, held: dict[str, float]) -> np.ndarray:
        """Two one-pole filters: a low-pass at `highs`, then a high-pass at `lows`."""
        from scipy.signal import lfilter

        pole = np.exp(-2 * np.pi * held["highs"] / self._context.rate)
        heard, self._low = lfilter([1 - pole], [1, -pole], heard, axis=1, zi=self._low)
        pole = np.exp(-2 * np.pi * held["lows"] / self._context.rate)
        half = (1 + pole) / 2
        heard, self._high = lfilter([half, -half], [1, -pole], heard, axis=1, zi=self._high)
        return heard
