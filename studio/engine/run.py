"""Running a plan: independent branches on all cores, finished work from the cache, an end that leaves no mess."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.context import GRID
from studio.engine.cache import Cache
from studio.engine.nodes import Node
from studio.engine.progress import Listener, ProgressEvent, silent
from studio.engine.schedule import Job, Schedule
from studio.engine.tape import Tape
from studio.errors import Interrupted, RenderError, StudioError
from studio.remarks import remarking

BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class Task:
    """Something to do once some signals are there, such as writing a file."""

    name: str
    wants: Sequence[Node]
    work: Callable[[Engine], object]


_LEAST_ROOM = 1 << 30
"""Bytes of address space below which libraries under numpy and scipy wait for memory for ever."""


def _check_room() -> None:
    if sys.platform == "win32":
        return
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if 0 <= limit < _LEAST_ROOM:
        raise RenderError(
            f"a render needs 1,074 MB of address space at least; this process may have {limit / 1e6:,.0f}.",
            "Raise the limit: ulimit -v unlimited.",
        )


class Engine:
    """Computes nodes and runs tasks; its results can be read for as long as it lives.

    Args:
        cache: where finished work is kept; None keeps it in a temporary folder for the life of the engine.
        workers: how many cores it uses; all when None.
        block: frames that are handled at once, rounded up to the automation grid. It changes speed and
            memory, never the result.
        listener: is told of progress, from several threads.
    """

    def __init__(
        self,
        cache: Cache | None = None,
        *,
        workers: int | None = None,
        block: int = BLOCK,
        listener: Listener = silent,
    ) -> None:
        self._cache = cache or _temporary_cache(self)
        self._schedule = Schedule(max(1, workers or os.cpu_count() or 1))
        self.size = -(-max(1, block) // GRID) * GRID
        self._tell = listener
        self._tapes: dict[str, Tape] = {}
        self._remarks: dict[str, tuple[str, ...]] = {}

    def served(self, node: Node) -> bool:
        """Whether the cache has the node's sound, whole and sound."""
        if node.key not in self._tapes:
            tape = self._cache.open(node.key)
            if tape is None:
                return False
            self._tapes[node.key] = tape
        return True

    def remarks(self, node: Node) -> tuple[str, ...]:
        """What was said while the node, or what it is made of, was computed by this engine."""
        said = dict.fromkeys(self._remarks.get(node.key, ()))
        for source in node.inputs:
            said |= dict.fromkeys(self.remarks(source))
        return tuple(said)

    def run(self, nodes: Sequence[Node] = (), tasks: Sequence[Task] = ()) -> None:
        """Compute what the nodes and tasks need and is not in the cache, then do the tasks.

        Raises:
            StudioError: the first thing that went wrong; everything else stops.
            Interrupted: the user pressed Ctrl-C; what was finished stays in the cache.
        """
        _check_room()
        wanted: dict[str, Node] = {}
        for task in tasks:
            for node in task.wants:
                self._collect(node, wanted)
        for node in nodes:
            self._collect(node, wanted)
        for node in wanted.values():
            self._tell(ProgressEvent("planned", node.name))
        jobs = [
            Job(key, frozenset(below.key for below in node.needs()) & wanted.keys(), partial(self._compute, node))
            for key, node in wanted.items()
        ]
        jobs += [
            Job(
                f"task {index}",
                frozenset(below.key for node in task.wants for below in _kept(node)) & wanted.keys(),
                partial(_do, task, self),
            )
            for index, task in enumerate(tasks)
        ]
        self._schedule.run(jobs)
        self._cache.prune()

    def stop(self) -> None:
        """Have a `run` in another thread lay down its work and raise Interrupted; what was finished stays."""
        self._schedule.stop()

    def release(self, keep: Iterable[Node]) -> None:
        """Let go of every sound but these; the cache has them still."""
        keys = {node.key for node in keep}
        self._tapes = {key: tape for key, tape in self._tapes.items() if key in keys}

    def blocks(self, node: Node) -> Iterator[Block]:
        """A node's sound in blocks of `size` frames; a kept node must be there or under way."""
        try:
            for block in self._played(node) if node.kept else _recut(node.blocks(self), self.size):
                if self._schedule.stopped:
                    raise Interrupted("the render was stopped.")
                yield block
        except StudioError as error:
            if not node.kept:
                _root(error, node)
            raise

    def read(self, node: Node, start: int, frames: int) -> Block:
        """Part of a kept node's sound, silence beyond its end."""
        return self._grown(node, start + frames).read(start, frames)

    def whole(self, node: Node) -> Block:
        """All of a kept node's sound, as it lies in the file: what is looked at is fetched from there."""
        return self._grown(node, None).mapped()

    def frames(self, node: Node) -> int:
        """How long a node's sound is."""
        return self._grown(node, None).frames if node.kept else node.count(self)

    def _played(self, node: Node) -> Iterator[Block]:
        start = 0
        while (block := self._grown(node, start + self.size).there(start, self.size)).shape[1]:
            yield block
            start += block.shape[1]

    def _grown(self, node: Node, frames: int | None) -> Tape:
        """The tape of a kept node, with so many frames on it, or all when None."""
        tape = self._tapes.get(node.key)
        if tape is None:
            # Whoever made it has been stopped meanwhile.
            raise Interrupted("the sound this one is made of was not finished.")
        if not tape.ready(frames):
            with self._schedule.waiting():
                tape.wait(frames)
        return tape

    def _collect(self, node: Node, wanted: dict[str, Node]) -> None:
        """Add the kept nodes to compute, those at the bottom first."""
        for below in _kept(node):
            if below.key in wanted:
                continue
            if self.served(below):
                self._tell(ProgressEvent("cached", below.name))
                continue
            for source in below.inputs:
                self._collect(source, wanted)
            wanted[below.key] = below

    def _compute(self, node: Node, begun: Callable[[], None]) -> None:
        self._tell(ProgressEvent("started", node.name))
        rate, done = node.context.rate, 0
        try:
            with (
                remarking() as said,
                self._cache.record(node.key, node.name, rate, node.context.channels) as recording,
            ):
                self._tapes[node.key] = recording.tape
                begun()
                for block in node.blocks(self):
                    if self._schedule.stopped:
                        raise Interrupted("the render was stopped.")
                    if not _is_finite(block):
                        raise RenderError("the sound holds NaN or infinity.", "Check the step's knobs and files.")
                    recording.write(block)
                    done += block.shape[1]
                    self._tell(ProgressEvent("moved", node.name, done / rate))
                self._remarks[node.key] = tuple(said)
                recording.keep(self.remarks(node))
        except BaseException as error:
            self._tapes.pop(node.key, None)
            if isinstance(error, StudioError):
                _root(error, node)
            raise
        self._tell(ProgressEvent("finished", node.name, done / rate))


def _is_finite(block: Block) -> bool:
    """Whether there is neither NaN nor infinity in a block, looked at as it lies in memory."""
    samples = block.ravel(order="K")
    return bool(np.isfinite(samples.max(initial=0.0)) and np.isfinite(samples.min(initial=0.0)))


def _root(error: StudioError, node: Node) -> None:
    """Say where in the recipe an error arose, if nobody nearer to it has."""
    if error.path[:1] not in {("tracks",), ("buses",), ("master",)}:
        error.path = (*node.path, *error.path)


def _do(task: Task, engine: Engine, begun: Callable[[], None]) -> None:
    task.work(engine)


def _temporary_cache(engine: Engine) -> Cache:
    """A cache that is gone when the engine is."""
    folder = Path(tempfile.mkdtemp(prefix="studio-"))
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return Cache(folder)


def _kept(node: Node) -> Iterator[Node]:
    """The node if it is kept, else the nearest kept ones below it."""
    if node.kept:
        yield node
    else:
        yield from node.needs()


def _recut(blocks: Iterator[Block], size: int) -> Iterator[Block]:
    """The same sound in blocks of one size, the last one shorter."""
    held: list[Block] = []
    have = 0
    for block in blocks:
        held.append(block)
        have += block.shape[1]
        if have < size:
            continue
        joined = held[0] if len(held) == 1 else np.concatenate(held, axis=1)
        whole = have // size * size
        for start in range(0, whole, size):
            yield joined[:, start : start + size]
        held, have = [joined[:, whole:]], have - whole
    if have:
        yield np.concatenate(held, axis=1)
