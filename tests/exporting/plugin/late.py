"""A step of somebody else's package: it holds the sound back, says so, and lets knobs behind it prove it."""

from __future__ import annotations

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.effect_chain import Fifo
from studio.knobs import Live, Number, count, knob, port
from studio.records import field
from studio.steps import Effect, Run


class Late(Effect):
    """Give the sound some frames later, at a level, and louder while the side input sounds."""

    frames: int = count(100, 0, 100_000, help="how much later")
    level: Live = knob(1.0, 0.0, 4.0, help="factor")
    wobble: Live = knob(0.0, 0.0, 1.0, help="depth of a sine of one cycle a beat")
    size: float | None = field(Number(default=1.0, low=0.0, high=2.0, help="a factor that cannot move"))
    listens: str | None = port(help="adds itself")

    def follows_tempo(self) -> bool:
        return self.wobble != 0 or super().follows_tempo()

    def open(self, context: RenderContext) -> Run:
        held = Fifo(context.channels)

        def run(block: Block, now: BlockContext) -> Block:
            beats = context.tempo.beats_at(now.seconds)
            factor = np.asarray(now["level"]) * (1 + np.asarray(now["wobble"]) * np.sin(2 * np.pi * beats)) * self.size
            side = now.side("listens")
            out = block * factor + (side if side is not None else 0)
            held.push(out.astype(np.float32))
            # What is still on its way stays until more has come.
            frames = max(held.ready - self.frames, 0)
            return held.pull(frames)

        return run
