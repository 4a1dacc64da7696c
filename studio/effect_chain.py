"""A chain of effects at work: native ones that stand side by side run as one, in the core; the others in Python."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

import numpy as np

from studio.audio import Block
from studio.context import GRID, BlockContext, RenderContext, SideReader
from studio.errors import RenderError, StudioError, within
from studio.native_chain import NativeChain
from studio.steps import Effect, Run


class EffectChain:
    """Effects opened one behind the other; feed it blocks of any size, with silence at the end for the tail.

    Each effect counts the frames it takes, so its knobs stand where they should whatever latency lies before
    it, and it is always given whole cells of the automation grid; what is over waits for the next block. What
    comes out belongs, frame by frame, to what went in: latency only delays when it comes.

    With `piece` the sound is always cut into pieces of that many frames. Some filters round states that have
    died away to zero at the end of every piece, so only then is the result the same to the last bit.

    The first frame it takes is frame `start` of the song, a multiple of the grid.
    """

    def __init__(self, effects: Sequence[Effect], context: RenderContext, piece: int = 0, start: int = 0) -> None:
        self._links: list[_Link | NativeChain] = []
        running = (effect for effect in effects if not effect.bypass)
        for native, group in groupby(running, key=lambda effect: effect.is_native()):
            if native:
                self._links.append(NativeChain(group, context, start))
            else:
                self._links += [_Link(effect, context, start) for effect in group]
        # The core gives the same bits however the sound is cut.
        python = any(isinstance(link, _Link) for link in self._links)
        self._piece, self._waiting = piece if python else 0, Fifo(context.channels)

    def push(self, block: Block, sides: SideReader | None = None) -> Block:
        """Process a block; fewer frames come out while latency fills, never more than went in."""
        if not self._piece:
            return self._through(block, sides)
        self._waiting.push(block)
        done = [self._waiting.pull(0)]
        while self._waiting.ready >= self._piece:
            done.append(self._through(self._waiting.pull(self._piece), sides))
        return np.concatenate(done, axis=1)

    def _through(self, block: Block, sides: SideReader | None) -> Block:
        with np.errstate(over="ignore", invalid="ignore"):
            for link in self._links:
                if block.shape[1]:
                    block = link.push(block, sides)
        return block


class _Link:
    def __init__(self, effect: Effect, context: RenderContext, start: int) -> None:
        with within(effect.label):
            self._run: Run = effect.open(context)
        self._effect, self._context = effect, context
        self._position = start
        self._waiting = Fifo(context.channels)

    def push(self, block: Block, sides: SideReader | None) -> Block:
        self._waiting.push(block)
        block = self._waiting.pull(self._waiting.ready // GRID * GRID)
        frames, song_frame = block.shape[1], self._context.song_frame
        if frames > GRID and song_frame(self._position + frames - 1) != song_frame(self._position) + frames - 1:
            # The song goes on elsewhere: up to there as it was, and from there as it is.
            cells = [block[:, start : start + GRID] for start in range(0, frames, GRID)]
            return np.concatenate([self._run_on(cell, sides) for cell in cells], axis=1)
        return self._run_on(block, sides) if frames else block

    def _run_on(self, block: Block, sides: SideReader | None) -> Block:
        now = BlockContext(self._effect, self._context, self._context.song_frame(self._position), block.shape[1], sides)
        self._position += block.shape[1]
        with within(self._effect.label):
            try:
                out = self._run(block, now)
            except (StudioError, MemoryError):
                raise
            except Exception as error:
                raise RenderError(
                    f"the step failed at {now.start / self._context.rate:.2f} s: {error}",
                    "Change its knobs, or bypass it with `bypass: true`.",
                ) from error
            if not math.isfinite(out.sum(dtype=np.float64)):
                raise RenderError(
                    f"the step gave NaN or infinity at {now.start / self._context.rate:.2f} s.",
                    "Its knobs make it unstable: lower feedback, resonance or gain.",
                )
        return np.asarray(out, dtype=np.float32)


def tail_seconds(effects: Sequence[Effect], context: RenderContext) -> float:
    """The longest silence, in seconds, behind which a chain may still have sound to give."""
    return sum(effect.tail_seconds(context) for effect in effects if not effect.bypass)


class Fifo:
    """Holds a signal back until its partner, which has latency, has come as far."""

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, 0), np.float32)

    def push(self, block: Block) -> None:
        """Put a block of shape (channels, frames) behind what is there."""
        self._held = np.concatenate([self._held, block], axis=1) if self._held.shape[1] else block

    def pull(self, frames: int) -> Block:
        """The next `frames`, all of which must have been pushed."""
        out, self._held = self._held[:, :frames], self._held[:, frames:]
        return out

    @property
    def ready(self) -> int:
        """How many frames can be pulled."""
        return int(self._held.shape[1])


class AlignedSum:
    """Adds up signals that come with different latencies."""

    def __init__(self, signals: int, channels: int) -> None:
        self._held = [Fifo(channels) for _ in range(signals)]

    def __call__(self, blocks: Sequence[Block]) -> Block:
        """Take the next block of each signal; give the sum of as many frames as all have sent."""
        for held, block in zip(self._held, blocks, strict=True):
            held.push(block)
        frames = min(held.ready for held in self._held)
        total = self._held[0].pull(frames).copy()
        for held in self._held[1:]:
            total += held.pull(frames)
        return total
