"""A part of a song at once: what turning a knob sounds like before the whole is rendered.

What the engine holds already is read, from the place that is heard; only what lies behind the change is computed,
from a little before that place on, so that filters and echoes have their state. It is close to the render but not
bit for bit it: what rang from further back is missing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from studio.audio import Block
from studio.effects.dynamics import Brickwall
from studio.effects.mixing import Gain
from studio.engine.mastering import Mastered
from studio.engine.nodes import Change, Node, Process, Sum
from studio.engine.run import Engine
from studio.errors import StudioError
from studio.levels import decibels
from studio.line import Line, memory
from studio.stage import GRID, SideReader

PIECE = 4096
"""Frames that are computed at a time: what is heard first should not wait for what is heard later."""

LONGEST_LEAD = 1.5
"""Seconds before the place that is heard from which a chain is run at most."""


@dataclass(frozen=True, eq=False)
class Preview:
    """Sounds of a plan from any place on, without rendering what is not heard.

    Attributes:
        engine: holds what earlier renders have finished.
        gains: what `held_gains` found in the last whole render, for masterings that have not been measured yet.
    """

    engine: Engine
    gains: tuple[float, ...] = field(default=())

    def blocks(self, node: Node, start: int) -> Iterator[Block]:
        """A node's sound from frame `start` on, without end: silence after its last frame.

        Raises:
            StudioError: a step failed; its path says which.
        """
        if node.kept and self.engine.served(node):
            return self._read(node, start)
        if isinstance(node, Process):
            return self._processed(node, start)
        if isinstance(node, Mastered):
            gain = self.gains[0] if self.gains else 0.0
            ceiling = Brickwall(ceiling=node.ceiling)
            return self._through(Line((Gain(gain=gain), ceiling), node.stage), node.inputs[0], start, 0)
        if isinstance(node, Sum):
            return self._summed(node, start)
        if isinstance(node, Change):
            # A transform needs the whole of what comes before it.
            self.engine.run([node])
            return self._read(node, start)
        if len(node.inputs) == 1:
            return self.blocks(node.inputs[0], start)
        return self._begun(node, start)

    def _read(self, node: Node, start: int) -> Iterator[Block]:
        while True:
            yield self.engine.read(node, start, PIECE)
            start += PIECE

    def _begun(self, node: Node, start: int) -> Iterator[Block]:
        """A source or instrument, which can only be run from its beginning."""
        held = np.zeros((node.stage.channels, 0), np.float32)
        skip = start
        for block in node.blocks(self.engine):
            if block.shape[1] <= skip:
                skip -= block.shape[1]
                continue
            held = np.concatenate([held, block[:, skip:]], axis=1)
            skip = 0
            while held.shape[1] >= PIECE:
                yield held[:, :PIECE]
                held = held[:, PIECE:]
        yield np.pad(held, ((0, 0), (0, PIECE - held.shape[1])))
        while True:
            yield np.zeros((node.stage.channels, PIECE), np.float32)

    def _processed(self, node: Process, start: int) -> Iterator[Block]:
        self.engine.run([side for side in node.sides.values() if not self.engine.served(side)])
        heard: SideReader | None = None
        if node.sides:
            heard = lambda name, first, frames: self.engine.read(node.sides[name], first, frames)  # noqa: E731
        seconds = min(memory(node.effects, node.stage), LONGEST_LEAD)
        begin = max(0, start - int(seconds * node.stage.rate)) // GRID * GRID
        line = Line(node.effects, node.stage, start=begin)
        try:
            yield from self._through(line, node.inputs[0], begin, start - begin, heard)
        except StudioError as error:
            if error.path[:1] not in {("tracks",), ("buses",), ("master",)}:
                error.path = (*node.path, *error.path)
            raise

    def _through(
        self, line: Line, source: Node, begin: int, lead: int, heard: SideReader | None = None
    ) -> Iterator[Block]:
        """The source through a line from `begin` on, without its first `lead` frames."""
        held = np.zeros((source.stage.channels, 0), np.float32)
        for block in self.blocks(source, begin):
            out = line.push(block, heard)
            if lead:
                cut = min(lead, out.shape[1])
                out, lead = out[:, cut:], lead - cut
            held = np.concatenate([held, out], axis=1) if held.shape[1] else out
            while held.shape[1] >= PIECE:
                yield held[:, :PIECE]
                held = held[:, PIECE:]

    def _summed(self, node: Node, start: int) -> Iterator[Block]:
        streams = [self.blocks(below, start) for below in node.inputs]
        for together in zip(*streams, strict=True):
            total = np.zeros((node.stage.channels, PIECE), np.float32)
            for block in together:
                total += block
            yield total


def held_gains(engine: Engine, mix: Node, start: int, seconds: float = 10.0) -> tuple[float, ...]:
    """The gain in dB by which a finished mastering lifts the mix; nothing when there is none.

    It is read off the samples: the median of what comes out over what goes in, where it is loud enough to tell.
    """
    if not isinstance(mix, Mastered):
        return ()
    with contextlib.suppress(StudioError):
        frames = int(seconds * mix.stage.rate)
        before, after = engine.read(mix.inputs[0], start, frames), engine.read(mix, start, frames)
        loud = np.abs(before) > 1e-4
        if loud.any():
            return (decibels(float(np.median(np.abs(after[loud]) / np.abs(before[loud])))),)
    return (0.0,)
