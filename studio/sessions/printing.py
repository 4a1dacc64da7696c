"""Signals of a plan as WAV files that a session can point to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from studio.engine import Engine, Errand, Plan
from studio.engine.loudness import Loudness, Meter
from studio.engine.nodes import Node
from studio.rendering.audio_writer import AudioWriter, Tags
from studio.rendering.render import fitted


@dataclass(frozen=True)
class Printed:
    """A written file: its SHA-256 and its loudness."""

    path: Path
    sha256: str
    loudness: Loudness


@dataclass(frozen=True)
class Signal:
    """A node to be written to `path` under a title, as the track of a name, with 24 bits or 32 (float)."""

    node: Node
    path: Path
    title: str
    name: str
    bits: str = "32"


def print_signals(planned: Plan, engine: Engine, signals: Sequence[Signal], frames: int) -> dict[Path, Printed]:
    """Write signals at the length of the song, all or none of them.

    Raises:
        StudioError: a step failed, or the disk refused.
    """
    writers: dict[Path, AudioWriter] = {}
    done: dict[Path, Printed] = {}

    def errand(signal: Signal) -> Callable[[Engine], None]:
        return partial(_pour, planned, signal, frames, writers, done)

    try:
        engine.run([], [Errand(f"write {each.path.name}", (each.node,), errand(each)) for each in signals])
        for writer in writers.values():
            writer.place()
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    return done


def _pour(
    planned: Plan,
    signal: Signal,
    frames: int,
    writers: dict[Path, AudioWriter],
    done: dict[Path, Printed],
    engine: Engine,
) -> None:
    stage, recipe = planned.stage, planned.recipe
    tags = Tags(signal.title, recipe.author, recipe.license, recipe.story, stage.tempo, recipe.title, signal.name)
    writer = writers[signal.path] = AudioWriter(
        signal.path, stage.rate, stage.channels, "wav", signal.bits, tags, expected_frames=frames
    )
    meter = Meter(stage.rate, stage.channels)
    for block in fitted(engine.blocks(signal.node), frames, stage.channels):
        writer.write(block)
        meter.push(block)
    loudness = meter.read()
    done[signal.path] = Printed(signal.path, writer.finish(loudness), loudness)
