"""What a live mixer is made of: units that each give the next block of a signal, those before it first.

A unit gives as many frames as are ready, fewer while latency fills. Sums and side-chains keep count of the frames of
their signals, so that branches of any latency stay aligned, as they are in a render.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from studio.audio import Block
from studio.context import RenderContext, SideReader
from studio.effect_chain import AlignedSum, EffectChain, Fifo
from studio.errors import StudioError
from studio.live.clock import LiveClock
from studio.live.muting import MuteGate
from studio.steps import Effect

MEMORY_SECONDS = 4.0
"""How far a side-chain may lag behind the signal it listens to."""


@dataclass(frozen=True)
class Round:
    """One period: the live input, and the frame of the song that is due, or None while the transport stands."""

    block: Block
    frame: int | None


class LiveUnit(Protocol):
    """Gives a signal block by block; `out` is what the last round gave."""

    out: Block

    def run(self, due: Round) -> None:
        """Take part in a round."""
        ...


class Input:
    """The live input."""

    out: Block

    def run(self, due: Round) -> None:
        """Do one round: take what the inputs hold and leave the result, of shape (channels, frames), behind."""
        self.out = due.block


class Deck:
    """Plays a sound over and over, from wherever the song is; silence where the loop is longer.

    Args:
        sound: shape (channels, frames).
        loop: frames of the song.
    """

    out: Block

    def __init__(self, sound: Block, loop: int) -> None:
        self._sound, self._loop = sound[:, :loop], loop

    def run(self, due: Round) -> None:
        """Do one round: take what the inputs hold and leave the result, of shape (channels, frames), behind."""
        channels, frames = due.block.shape
        self.out = np.zeros((channels, frames), np.float32)
        if due.frame is None:
            return
        done, start = 0, due.frame % self._loop
        while done < frames:
            size = min(frames - done, self._loop - start)
            there = self._sound[:, start : start + size]
            self.out[:, done : done + there.shape[1]] = there
            done, start = done + size, 0


class Mix:
    """Adds up signals."""

    out: Block

    def __init__(self, signals: Sequence[LiveUnit], context: RenderContext) -> None:
        self._signals, self._merge = signals, AlignedSum(len(signals), context.channels)

    def run(self, due: Round) -> None:
        """Do one round: take what the inputs hold and leave the result, of shape (channels, frames), behind."""
        self.out = self._merge([signal.out for signal in self._signals])


class Level:
    """A fader, a pan or a send: effects without memory."""

    out: Block

    def __init__(self, signal: LiveUnit, effects: Sequence[Effect], context: RenderContext, gate: MuteGate) -> None:
        self._signal, self._gate, self._line = signal, gate, EffectChain(effects, context)

    def run(self, due: Round) -> None:
        """Do one round: take what the inputs hold and leave the result, of shape (channels, frames), behind."""
        self.out = self._gate.through(self._line.push(self._signal.out))


class Memory:
    """The last seconds of a signal, for side-chains, which read it by the frame of the song."""

    out: Block

    def __init__(self, signal: LiveUnit, context: RenderContext, clock: LiveClock) -> None:
        self._signal, self._clock = signal, clock
        self._ring = np.zeros((context.channels, int(MEMORY_SECONDS * context.rate)), np.float32)
        self.count = 0

    def run(self, due: Round) -> None:
        """Do one round: take what the inputs hold and leave the result, of shape (channels, frames), behind."""
        self.out = self._signal.out
        frames = self.out.shape[1]
        self._ring[:, self._at(self.count, frames)] = self.out
        self.count += frames

    def read(self, frame: int, frames: int) -> Block:
        """The signal from a frame of the song that it has passed."""
        return self._ring[:, self._at(self.count - self._clock.since(frame, self.count), frames)]

    def _at(self, count: int, frames: int) -> np.ndarray:
        return np.arange(count, count + frames) % self._ring.shape[1]


class Effects:
    """A signal through a chain, which waits for the signals that its side-chains listen to.

    When a step fails the sound goes on dry, and `failed` says why.
    """

    out: Block

    def __init__(
        self,
        signal: LiveUnit,
        effects: Sequence[Effect],
        context: RenderContext,
        sides: Mapping[str, Memory] | None = None,
    ) -> None:
        self._signal, self._sides = signal, sides or {}
        self._line, self._waiting = EffectChain(effects, context), Fifo(context.channels)
        self._taken = self._given = 0
        self._hears: SideReader | None = self._hear if sides else None
        self.failed: StudioError | None = None

    def run(self, due: Round) -> None:
        """Do one round: take what the inputs hold and leave the result, of shape (channels, frames), behind."""
        block = self._signal.out
        if self._sides:
            self._waiting.push(block)
            there = min(side.count for side in self._sides.values()) - self._taken
            block = self._waiting.pull(min(self._waiting.ready, there))
        self._taken += block.shape[1]
        self.out = block if self.failed else self._through(block)
        self._given += self.out.shape[1]

    def _through(self, block: Block) -> Block:
        try:
            return self._line.push(block, self._hears)
        except StudioError as error:
            self.failed = error
            owed = self._taken - self._given - block.shape[1]
            return np.pad(block, ((0, 0), (owed, 0)))

    def _hear(self, name: str, frame: int, frames: int) -> Block:
        return self._sides[name].read(frame, frames)
