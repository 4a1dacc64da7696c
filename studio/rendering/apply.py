"""One audio file through a chain."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from studio.address import check_values
from studio.audio import Block, to_channels
from studio.audiofile import probe
from studio.context import RenderContext
from studio.engine import Listener, ProgressEvent
from studio.engine.loudness import Loudness
from studio.engine.nodes import Change, Node, Process, Stream
from studio.engine.progress import silent
from studio.errors import Interrupted, OutputError, nearest
from studio.folders import reading
from studio.headers import cut_short
from studio.recipe.document import Document
from studio.records import ListOf
from studio.remarks import remark
from studio.rendering.audio_writer import FORMATS, Tags
from studio.rendering.layout import KEEP, layout_of
from studio.rendering.signal_writer import SignalWriter, write_signal
from studio.sources.audio_file import AudioSource
from studio.steps import Effect, Step, StepKind, Transform, registry
from studio.tempo import TempoMap

LONGEST_TAIL = 30.0
"""Seconds a chain may ring after the file is over."""

_AHEAD = 8
_STEPS = ListOf(each=StepKind(kinds=("effect", "transform")))


def parse_chain(text: str, folder: Path = Path()) -> tuple[Step, ...]:
    """Read a chain as it is written on the command line.

    Args:
        text: the name of a step or preset, the path of a preset's file, or steps in YAML.
        folder: where paths of preset files are looked for.

    Raises:
        StudioError: no such step or preset, or knobs that do not fit.
    """
    return chain_of(Document(text, "CHAIN").data, folder)


def chain_of(data: object, folder: Path = Path()) -> tuple[Step, ...]:
    """The steps that plain data means: a list of them, one of them, or the name of a step or preset.

    Args:
        data: what a document holds.
        folder: where paths of preset files are looked for.

    Raises:
        StudioError: no such step or preset, or knobs that do not fit.
    """
    if isinstance(data, str) and data not in registry():
        data = {"preset": data}
    with reading(folder):
        steps: tuple[Step, ...] = _STEPS.parse(data)
        check_values(steps)
        return steps


def apply_file(
    chain: Sequence[Step],
    source: Path,
    out: Path,
    *,
    bits: str = "24",
    bpm: float = 120.0,
    folder: Path = Path(),
    layout: str = KEEP,
    listener: Listener = silent,
) -> Loudness:
    """Run a file through a chain and write the result, tail included, at the file's own rate and channels.

    Where a step of the chain takes another number of channels, the sound is widened or mixed down, with a remark; and so where
    the file cannot hold the level that comes out.

    Reading and processing go on in one thread while another measures and writes. Effects need no more memory for a
    longer file; a transform holds the whole sound.

    Args:
        chain: effects and transforms, in order.
        source: an audio file.
        out: the file to write; its ending says in which format.
        bits: 16, 24 or 32 (float), for the formats that have a choice.
        bpm: the tempo that note values mean.
        folder: what paths in the chain are relative to; the working folder, wherever the audio file lies.
        layout: `keep` the channels of the file, or write `mono` or `stereo`.
        listener: is told of progress.

    Returns:
        The loudness of what was written.

    Raises:
        StudioError: the file cannot be read, a step fails, or the result cannot be written.
        Interrupted: the user pressed Ctrl-C; nothing is left behind.
    """
    ending = out.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise OutputError(f"{out.name!r} has no ending that says its format.", nearest(ending, FORMATS))
    rate, channels, frames = probe(source)
    shape = layout_of(chain, channels, layout)
    missing = cut_short(source)
    for text in (*shape.remarks, *([missing] if missing else [])):
        remark(text)
    context = RenderContext(rate, shape.inside, TempoMap.constant(bpm), folder)
    flow = _Flow()
    sound = _through(chain, Stream(source.name, context, (), AudioSource(file=str(source.absolute())), {}))
    tags = Tags(title=out.stem, tempo=context.tempo)
    writer = SignalWriter(out, rate, shape.out, ending, bits, tags, expected_frames=frames)
    listener(ProgressEvent("planned", source.name))
    listener(ProgressEvent("started", source.name))

    def blocks() -> Iterator[Block]:
        for block in _ahead(flow.blocks(sound)):
            yield to_channels(block, shape.out)
            listener(ProgressEvent("moved", source.name, writer.frames / rate))

    try:
        written = write_signal(writer, blocks())
    except KeyboardInterrupt:
        raise Interrupted("the work was stopped.", "Nothing was written.") from None
    listener(ProgressEvent("finished", source.name, written.frames / rate))
    if written.clipped_db > 0:
        remark(
            f"{out.name} clips: its peak is {written.clipped_db:+.1f} dBFS. Put a gain, limiter or brickwall at the end of the"
            " chain, or write --bits 32."
        )
    return written.loudness


class _Flow:
    """A reader that keeps nothing: every sound is made on its way."""

    size = 65_536

    def blocks(self, node: Node) -> Iterator[Block]:
        yield from node.blocks(self)

    def read(self, node: Node, start: int, frames: int) -> Block:
        raise NotImplementedError("a single file has no side inputs")

    def frames(self, node: Node) -> int:
        return node.count(self)


def _through(chain: Sequence[Step], node: Node) -> Node:
    """The work of a chain on a sound."""
    for whole, steps in groupby(chain, lambda step: isinstance(step, Transform)):
        if not whole:
            effects = tuple(step for step in steps if isinstance(step, Effect))
            node = Process(node.name, node.context, (node,), effects, {}, LONGEST_TAIL)
            continue
        for step in steps:
            if isinstance(step, Transform) and not step.bypass:
                node = Change(node.name, node.context, (node,), step, {})
    return node


def _ahead(blocks: Iterator[Block]) -> Iterator[Block]:
    """The same blocks, computed in a thread that runs a few of them ahead."""
    waiting: queue.Queue[Block | BaseException | None] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def compute() -> None:
        last: BaseException | None = None
        try:
            for block in blocks:
                waiting.put(block)
                if stopped.is_set():
                    return
        except BaseException as error:
            last = error
        waiting.put(last)

    thread = threading.Thread(target=compute, name="studio-apply", daemon=True)
    thread.start()
    try:
        while (item := waiting.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stopped.set()
        while thread.is_alive():
            # The thread may be waiting to hand over a block that nobody takes any more.
            try:
                waiting.get(timeout=0.05)
            except queue.Empty:
                continue
        thread.join()
