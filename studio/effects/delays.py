"""Echoes, in time with the song."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from studio.context import RenderContext
from studio.effects.pedal import Pedal
from studio.errors import KnobError
from studio.knobs import LOG, Live, knob, span, switch
from studio.steps import Effect
from studio.tempo import Time
from studio.units import HZ

if TYPE_CHECKING:
    from studio.native_chain import Tree

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
        return self._checked(context.tempo.held_length_of(time, start))

    @staticmethod
    def _checked(seconds: float) -> float:
        if seconds > LONGEST:
            raise KnobError(f"a delay of {seconds:.1f} s.", f"{LONGEST:.0f} s at most.", path=("time",))
        return seconds

    def write(self, tree: Tree) -> None:
        """Write it into the tree of a native chain."""
        tempo = tree.context.tempo
        for change in (*tempo.tempos, *tempo.meters):
            self._checked(tempo.held_length_of(self.time, change.beat))  # type: ignore[attr-defined]
        super().write(tree)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return self.seconds_at(context, 0) * 1.1 + 0.05


class Delay(_Timed, Pedal):
    """Repeat the sound after a time, again and again with feedback."""

    version = 2

    time: Time = span("1/8.", help="time until it comes back; note values follow the tempo")
    feedback: Live = knob(0.35, 0.0, 1.0, help="how much of each repeat comes again")
    mix: Live = knob(0.3, 0.0, 1.0, help="repeats against the dry sound")

    pedal = "Delay"
    turns = {"feedback": "feedback", "mix": "mix"}


class Echo(_Timed):
    """A dub echo: every repeat is darker and thinner than the last, and may jump from side to side."""

    version = 2

    time: Time = span("1/4", help="time from repeat to repeat; note values follow the tempo")
    feedback: Live = knob(0.5, 0.0, 0.98, help="how much of each repeat comes again")
    mix: Live = knob(0.35, 0.0, 1.0, help="level of the repeats; the dry sound stays")
    highs: Live = knob(4_000.0, 200.0, 20_000.0, HZ, taper=LOG, help="highs above it are lost in each repeat")
    lows: Live = knob(120.0, 10.0, 2_000.0, HZ, taper=LOG, help="lows below it are lost in each repeat")
    pingpong: bool = switch(False, help="repeats change sides")
