"""Signals of a plan as WAV files that a session can point to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from studio.engine import Engine, Plan, Task
from studio.engine.nodes import Node
from studio.rendering.audio_writer import Tags
from studio.rendering.signal_writer import SignalWriter, SignalWriters, Written


@dataclass(frozen=True)
class Signal:
    """A node to be written to `path` under a title, as the track of a name, with 24 bits or 32 (float)."""

    node: Node
    path: Path
    title: str
    name: str
    bits: str = "32"


def print_signals(planned: Plan, engine: Engine, signals: Sequence[Signal], frames: int) -> dict[Path, Written]:
    """Write signals at the length of the song, all or none of them.

    Raises:
        StudioError: a step failed, or the disk refused.
    """
    done: dict[Path, Written] = {}
    with SignalWriters() as writers:
        tasks = [
            Task(f"write {each.path.name}", (each.node,), partial(_print, planned, each, frames, writers, done))
            for each in signals
        ]
        engine.run([], tasks)
    return done


def _print(
    planned: Plan, signal: Signal, frames: int, writers: SignalWriters, done: dict[Path, Written], engine: Engine
) -> None:
    context, recipe = planned.context, planned.recipe
    tags = Tags(signal.title, recipe.author, recipe.license, recipe.story, context.tempo, recipe.title, signal.name)
    writer = writers.add(
        SignalWriter(signal.path, context.rate, context.channels, "wav", signal.bits, tags, expected_frames=frames)
    )
    writer.pour(engine.blocks(signal.node), frames)
    writer.fill(frames)
    done[signal.path] = writer.finish()
