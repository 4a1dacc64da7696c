"""The kinds of work in a plan, each a pure function of its inputs with a key that says so.

A node gives its sound in blocks. Kept nodes are written to the cache under their key and read from there by
everyone who needs them; the others are so cheap that they are done again on the way.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

import numpy as np

from studio.arrangement import arrangement_of
from studio.audio import Audio, Block
from studio.budgets import check_memory
from studio.context import RenderContext, SideReader
from studio.effect_chain import EffectChain, tail_seconds
from studio.errors import RenderError, StudioError, within
from studio.provenance import Component, Provenance, libraries
from studio.score import Score
from studio.steps import Effect, Instrument, Source, Step, Transform

SILENCE = 1e-5
"""-100 dBFS: what stays below it for as long as a chain can remember has died away."""

_COPIES = 3
"""A transform needs so many times the memory of its sound at least: in pieces, in one, and what comes of it."""

PIECE = 8192
"""Frames that effects are given at a time, whatever the size of the engine's blocks."""


class NodeReader(Protocol):
    """Where nodes find what they are made of."""

    size: int

    def blocks(self, node: Node) -> Iterator[Block]:
        """A node's sound in blocks of `size` frames, the last one shorter."""
        ...

    def read(self, node: Node, start: int, frames: int) -> Block:
        """Part of a kept node's sound, silence beyond its end."""
        ...

    def frames(self, node: Node) -> int:
        """How long a node's sound is."""
        ...


@dataclass(frozen=True, eq=False)
class Node(ABC):
    """A piece of work: `name` is for people, `context` the conditions it runs under."""

    name: str
    context: RenderContext
    inputs: tuple[Node, ...]
    path: tuple[str | int, ...] = field(default=(), kw_only=True)
    """Where in the recipe it comes from, for errors."""

    kept: ClassVar[bool] = True
    libraries: ClassVar[tuple[str, ...]] = ()
    """The distributions that the node itself works with, besides numpy; steps declare theirs."""

    @abstractmethod
    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of any size."""

    @abstractmethod
    def facts(self) -> Any:
        """Plain data on which, with the inputs and the context, the sound depends."""

    def origin(self) -> Path | None:
        """The file whose whole sound, unchanged, this is; None for anything else."""
        return None

    def steps(self) -> Iterator[Step]:
        """The steps at work in it, with those inside them."""
        return iter(())

    def made_by(self) -> Iterator[Component]:
        """What makes its sound out of its inputs, besides files."""
        yield from libraries("numpy", *self.libraries)
        for step in self.steps():
            yield from step.made_by()

    def count(self, reader: NodeReader) -> int:
        """Frames of a node that is not kept; here by running through it."""
        return sum(block.shape[1] for block in reader.blocks(self))

    @cached_property
    def key(self) -> str:
        """A hash of everything the sound depends on."""
        everything = {
            "kind": type(self).__name__,
            "facts": self.facts(),
            "made by": Provenance.of(self.made_by()).digest(),
            "inputs": [node.key for node in self.inputs],
            "rate": self.context.rate,
            "channels": self.context.channels,
        }
        return hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()[:40]

    def needs(self) -> Iterator[Node]:
        """The nearest kept nodes below this one."""
        for node in self.inputs:
            if node.kept:
                yield node
            else:
                yield from node.needs()


def step_facts(step: Step, context: RenderContext, hashes: Mapping[str, str]) -> list[Any]:
    """What the sound of a step depends on besides what it is made by: knobs, files, tempo and notes it follows."""
    all_steps = (step, *step.inner())
    files = [hashes[str(path)] for inner in all_steps for path in inner.assets(context)]
    # Every drawn curve follows the arrangement of a song, whether it is drawn in bars or in seconds.
    tempo = context.tempo.data() if step.follows_tempo() or arrangement_of(context.tempo) else None
    followed = [score.digest for inner in all_steps if (score := inner.follows(context)) is not None]
    return [step.data(full=True), files, tempo, followed]


def _with_inner(*steps: Step) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from step.inner()


@dataclass(frozen=True, eq=False)
class Play(Node):
    """An instrument plays a score."""

    instrument: Instrument
    score: Score
    hashes: Mapping[str, str]

    def steps(self) -> Iterator[Step]:
        """The steps whose sound this node is."""
        return _with_inner(self.instrument)

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return [step_facts(self.instrument, self.context, self.hashes), self.score.digest]

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        yield from self.instrument.play(self.score, self.context)


@dataclass(frozen=True, eq=False)
class Read(Node):
    """A source makes its sound."""

    source: Source
    hashes: Mapping[str, str]

    def origin(self) -> Path | None:
        """The file whose whole sound, unchanged, this is."""
        return self.source.origin(self.context)

    def steps(self) -> Iterator[Step]:
        """The steps whose sound this node is."""
        return _with_inner(self.source)

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return step_facts(self.source, self.context, self.hashes)

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        yield from self.source.read(self.context)


@dataclass(frozen=True, eq=False)
class Stream(Read):
    """A source that is as cheap to read as the cache."""

    kept = False


@dataclass(frozen=True, eq=False)
class Process(Node):
    """Effects, one behind the other, until their tail has died away.

    `sides` are the signals behind side inputs, by name; they are the last of `inputs`.
    """

    effects: tuple[Effect, ...]
    hashes: Mapping[str, str]
    longest_tail: float
    sides: Mapping[str, Node] = field(default_factory=dict)

    piece: ClassVar[int] = PIECE

    def steps(self) -> Iterator[Step]:
        """The steps whose sound this node is."""
        return _with_inner(*(effect for effect in self.effects if not effect.bypass))

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        steps = [step_facts(effect, self.context, self.hashes) for effect in self.effects if not effect.bypass]
        return [steps, self.longest_tail, sorted(self.sides)]

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        line = EffectChain(self.effects, self.context, self.piece)
        heard: SideReader | None = None
        if self.sides:
            heard = lambda name, start, frames: reader.read(self.sides[name], start, frames)  # noqa: E731
        taken = given = 0
        for block in reader.blocks(self.inputs[0]):
            taken += block.shape[1]
            out = line.push(block, heard)
            given += out.shape[1]
            yield out
        yield from self._tail(line, heard, taken - given)

    def _tail(self, line: EffectChain, heard: SideReader | None, owed: int) -> Iterator[Block]:
        """What the line still owes, and what rings on after it, up to the last frame that can be heard.

        The end does not depend on how the sound is cut: it is where silence first lasts longer than the
        effects can remember.
        """
        context = self.context
        patience = int(tail_seconds(self.effects, context) * context.rate) + 1
        most = owed + int(self.longest_tail * context.rate)
        pending: list[Block] = []
        position, last = 0, owed - 1
        while position < most:
            out = line.push(np.zeros((context.channels, PIECE), np.float32), heard)[:, : most - position]
            pending.append(out)
            loud = np.flatnonzero(np.max(np.abs(out), axis=0, initial=0.0) >= SILENCE) + position
            position += out.shape[1]
            loud = np.concatenate([[last], loud[loud > last]])
            gaps = np.flatnonzero(np.diff(loud) > patience)
            last = int(loud[gaps[0]] if len(gaps) else loud[-1])
            if len(gaps) or position - 1 - last > patience:
                break
        if pending:
            yield np.concatenate(pending, axis=1)[:, : last + 1]


@dataclass(frozen=True, eq=False)
class Fader(Process):
    """Level, pan and sends: effects without memory, done on the way, and in pieces of any size."""

    kept = False
    piece = 0

    def count(self, reader: NodeReader) -> int:
        """How many frames it has, without running through it."""
        return reader.frames(self.inputs[0])


@dataclass(frozen=True, eq=False)
class Change(Node):
    """A transform of a whole sound."""

    step: Transform
    hashes: Mapping[str, str]

    def steps(self) -> Iterator[Step]:
        """The steps whose sound this node is."""
        return _with_inner(self.step)

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        # The content and the name of the file that the sound may come from are in the key of the input.
        return step_facts(self.step, self.context, self.hashes)

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        pieces, held = list[Block](), 0
        for block in reader.blocks(self.inputs[0]):
            pieces.append(block)
            held += block.nbytes
            with within(self.step.label):
                check_memory(
                    (_COPIES - 1) * held,
                    f"{held / block.itemsize / len(block) / self.context.rate:,.0f} s of sound and more, worked on as a whole,",
                    "Use the step on a shorter sound, or bypass it.",
                )
        if not pieces:
            return
        context = replace(self.context, origin=self.inputs[0].origin())
        with within(self.step.label):
            try:
                changed = self.step.apply(Audio(np.concatenate(pieces, axis=1), context.rate), context)
            except (StudioError, MemoryError):
                raise
            except Exception as error:
                raise RenderError(f"the step failed: {error}", "Change its knobs, or bypass it.") from error
        for start in range(0, changed.frames, PIECE * 8):
            yield changed.samples[:, start : start + PIECE * 8]


@dataclass(frozen=True, eq=False)
class Sum(Node):
    """Signals added up; the sum lasts as long as the longest."""

    kept = False

    def count(self, reader: NodeReader) -> int:
        """How many frames it has, without running through it."""
        return max(reader.frames(node) for node in self.inputs)

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return None

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        for together in zip_longest(*(reader.blocks(node) for node in self.inputs)):
            present = [block for block in together if block is not None]
            longest = max(block.shape[1] for block in present)
            # Laid out as what comes: to add the one layout to the other takes ten times as long.
            order: Literal["C", "F"] = "F" if present[0].T.flags.c_contiguous else "C"
            total = np.zeros((self.context.channels, longest), np.float32, order=order)
            for block in present:
                total[:, : block.shape[1]] += block
            yield total


@dataclass(frozen=True, eq=False)
class Hold(Node):
    """A signal written down, so that it can be read from any place."""

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return None

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        yield from reader.blocks(self.inputs[0])


@dataclass(frozen=True, eq=False)
class Cut(Node):
    """A signal up to a frame of the song: what looks at a whole sound looks at what is delivered of it."""

    frames: int

    kept = False

    def count(self, reader: NodeReader) -> int:
        """How many frames it has, without running through it."""
        return min(self.frames, reader.frames(self.inputs[0]))

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return self.frames

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        left = self.frames
        for block in reader.blocks(self.inputs[0]):
            yield block[:, :left]
            left -= min(left, block.shape[1])
            if not left:
                return


@dataclass(frozen=True, eq=False)
class Fitted(Node):
    """The first of its inputs at the length of the song: `frames`, or without them that of the longest input."""

    frames: int | None

    kept = False

    def count(self, reader: NodeReader) -> int:
        """How many frames it has, without running through it."""
        return self.frames if self.frames is not None else max(1, *(reader.frames(node) for node in self.inputs))

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return self.frames

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        given = 0
        for block in reader.blocks(self.inputs[0]):
            block = block if self.frames is None else block[:, : self.frames - given]
            given += block.shape[1]
            yield block
            if given == self.frames:
                return
        left = self.count(reader) - given
        while left > 0:
            yield np.zeros((self.context.channels, min(left, PIECE)), np.float32)
            left -= PIECE


def held(node: Node) -> Node:
    """The node itself if it is kept, else a written-down copy of it."""
    return node if node.kept else Hold(node.name, node.context, (node,), path=node.path)


def mixed(name: str, context: RenderContext, signals: Sequence[Node]) -> Node:
    """The sum of several signals, or the only one."""
    ordered = sorted(signals, key=lambda node: (node.name, node.key))
    return ordered[0] if len(ordered) == 1 else Sum(name, context, tuple(ordered))
