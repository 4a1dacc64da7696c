"""A part of a song at once: what turning a knob sounds like before the whole is rendered.

What the engine holds already is read, from the time that is heard; only what lies behind the change is computed,
from a little before that time on, so that filters and echoes have their state. It is close to the render but not
bit for bit it: what rang from further back is missing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from studio.audio import Block
from studio.context import GRID, SideReader
from studio.effect_chain import EffectChain, tail_seconds
from studio.engine.arranging import Arranged, Passage
from studio.engine.mastering import Mastered
from studio.engine.nodes import Change, Cut, Fitted, Node, Process, Sum, held
from studio.engine.run import Engine
from studio.errors import StudioError
from studio.levels import decibels

LONGEST_LEAD = 1.0
"""Seconds before the time that is heard from which a chain is run at most."""

LIMITER_LEAD = 0.3
"""Seconds after which a limiter has forgotten what it held down."""

_LEAST = 1024


class Preview:
    """Sounds of a plan from frame `start` on, without rendering what is not heard.

    Every signal is computed once, however many ways lead on from it. Reads must go forward.

    Args:
        engine: holds what earlier renders have finished.
        start: the first frame that will be read.
        gains: what `held_gains` found in the last whole render, for masterings that have not been measured yet.
    """

    def __init__(self, engine: Engine, start: int, gains: tuple[float, ...] = ()) -> None:
        self._engine, self._start, self._gains = engine, start, gains
        self._begins: dict[str, int] = {}
        self._taps: dict[str, _Tap] = {}

    def read(self, node: Node, start: int, frames: int) -> Block:
        """Part of a node's sound, silence beyond its end.

        Raises:
            StudioError: a step failed; its path says which.
        """
        if node.key not in self._taps:
            self._survey(node, self._start)
        return self._tap(node).take(start, frames)

    def _served(self, node: Node) -> bool:
        return node.kept and self._engine.served(node)

    def _survey(self, node: Node, begin: int) -> None:
        """Find where every signal must begin, since a bus with a long tail reaches further back than the mix."""
        known = self._begins.get(node.key)
        if known is not None and known <= begin:
            return
        self._begins[node.key] = begin
        if self._served(node) or _whole(node):
            return
        begin = _lead(node, begin)
        for below in node.inputs:
            self._survey(below, begin)

    def _tap(self, node: Node) -> _Tap:
        tap = self._taps.get(node.key)
        if tap is None:
            tap = self._taps[node.key] = self._made(node)
        return tap

    def _made(self, node: Node) -> _Tap:
        begin = self._begins[node.key]
        if _whole(node) and not self._served(node):
            node = held(node)
            self._engine.run([node])
        if self._served(node):
            return _Held(self._engine, node)
        if isinstance(node, Process):
            missing = [side for side in node.sides.values() if not self._engine.served(side)]
            if missing:
                self._engine.run(missing)
            return _Processed(self._tap(node.inputs[0]), node, begin, self._engine)
        if isinstance(node, Mastered):
            effects = node.limited(self._gains[0] if self._gains else 0.0)
            return _Lined(self._tap(node.inputs[0]), EffectChain(effects, node.context), begin, _lead(node, begin))
        if isinstance(node, Sum):
            return _Summed([self._tap(below) for below in node.inputs])
        if isinstance(node, (Cut, Fitted)) or len(node.inputs) == 1:
            return self._tap(node.inputs[0])
        return _Played(node, self._engine, begin)


class _Tap(Protocol):
    """A signal that is computed as it is read."""

    def take(self, start: int, frames: int) -> Block: ...


class _Held:
    """A signal that the engine has."""

    def __init__(self, engine: Engine, node: Node) -> None:
        self._engine, self._node = engine, node

    def take(self, start: int, frames: int) -> Block:
        return self._engine.read(self._node, start, frames)


class _Grown:
    """A signal that grows from frame `begin` on, and is kept for those who read it later."""

    def __init__(self, begin: int) -> None:
        self._begin, self._end = begin, begin
        self._blocks: list[Block] = []

    def take(self, start: int, frames: int) -> Block:
        while self._end < start + frames:
            block = self._more(max(_LEAST, start + frames - self._end))
            self._blocks.append(block)
            self._end += block.shape[1]
        if len(self._blocks) > 1:
            self._blocks = [np.concatenate(self._blocks, axis=1)]
        return self._blocks[0][:, start - self._begin : start - self._begin + frames]

    def _more(self, frames: int) -> Block:
        """The next frames, about so many."""
        raise NotImplementedError


class _Lined(_Grown):
    """A signal through a line that takes it up at frame `fed`; what comes before `begin` only fills its memory."""

    def __init__(self, source: _Tap, line: EffectChain, begin: int, fed: int, heard: SideReader | None = None) -> None:
        super().__init__(begin)
        self._source, self._line, self._fed, self._heard = source, line, fed, heard
        self._skip = begin - fed

    def _more(self, frames: int) -> Block:
        frames += self._skip
        out = self._line.push(self._source.take(self._fed, frames), self._heard)
        self._fed += frames
        cut = min(self._skip, out.shape[1])
        self._skip -= cut
        return out[:, cut:]


class _Processed(_Lined):
    """A chain of effects."""

    def __init__(self, source: _Tap, node: Process, begin: int, engine: Engine) -> None:
        heard: SideReader | None = None
        if node.sides:
            heard = lambda name, first, frames: engine.read(node.sides[name], first, frames)  # noqa: E731
        fed = _lead(node, begin)
        with _located(node):
            super().__init__(source, EffectChain(node.effects, node.context, start=fed), begin, fed, heard)
        self._node = node

    def _more(self, frames: int) -> Block:
        with _located(self._node):
            return super()._more(frames)


class _Summed:
    """Signals added up."""

    def __init__(self, signals: list[_Tap]) -> None:
        self._signals = signals

    def take(self, start: int, frames: int) -> Block:
        total = self._signals[0].take(start, frames).copy()
        for signal in self._signals[1:]:
            total += signal.take(start, frames)
        return total


class _Played(_Grown):
    """A source or an instrument, which can only be run from its beginning."""

    def __init__(self, node: Node, engine: Engine, begin: int) -> None:
        super().__init__(begin)
        self._stream, self._skip, self._channels = node.blocks(engine), begin, node.context.channels

    def _more(self, frames: int) -> Block:
        for block in self._stream:
            if block.shape[1] <= self._skip:
                self._skip -= block.shape[1]
                continue
            block, self._skip = block[:, self._skip :], 0
            return block
        return np.zeros((self._channels, frames), np.float32)


def _whole(node: Node) -> bool:
    """Whether it needs the whole of what comes before it: a transform, and what takes sound from elsewhere in the song."""
    return isinstance(node, (Change, Arranged, Passage)) or (isinstance(node, Mastered) and node.start > 0)


def _lead(node: Node, begin: int) -> int:
    """Where a node is to be run from, to sound from `begin` on as it would have."""
    seconds = 0.0
    if isinstance(node, Process):
        seconds = min(tail_seconds(node.effects, node.context), LONGEST_LEAD)
    elif isinstance(node, Mastered):
        seconds = LIMITER_LEAD
    return max(0, begin - int(seconds * node.context.rate)) // GRID * GRID


@contextlib.contextmanager
def _located(node: Node) -> Iterator[None]:
    """Say where in the recipe an error arose, if nobody nearer to it has."""
    try:
        yield
    except StudioError as error:
        if error.path[:1] not in {("tracks",), ("buses",), ("master",)}:
            error.path = (*node.path, *error.path)
        raise


def held_gains(engine: Engine, mix: Node, start: int, seconds: float = 10.0) -> tuple[float, ...]:
    """The gain in dB by which a finished mastering lifts the mix; nothing when there is none.

    It is read off the samples: the median of what comes out over what goes in, where it is loud enough to tell.
    """
    if not isinstance(mix, Mastered):
        return ()
    [whole] = mix.inputs
    source = whole.inputs[0]
    if not engine.served(source):
        engine.run([source])
    frames = int(seconds * mix.context.rate)
    before, after = engine.read(source, start, frames), engine.read(mix, start, frames)
    loud = np.abs(before) > 1e-4
    return (decibels(float(np.median(np.abs(after[loud]) / np.abs(before[loud])))) if loud.any() else 0.0,)
