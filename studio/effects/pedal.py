"""pedalboard's effects as steps.

pedalboard forgets its state when a block is larger than any before it (it prepares anew), so every plugin is
first prepared with the largest block it will see. What depends on how the sound is cut (`feed`) is always fed
pieces of one size.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, ClassVar, TypeAlias

import numpy as np

from studio.audio import Block
from studio.line import Aligned
from studio.stage import Moment, Stage
from studio.steps import Effect, Run

if TYPE_CHECKING:
    from pedalboard import Plugin

LARGEST = 8192

Settings: TypeAlias = Callable[[Moment], Iterator[tuple[slice, dict[str, float]]]]
"""Cuts a moment into pieces over which the plugin's attributes are held."""


class Pedal(Effect, abstract=True):
    """An effect of pedalboard's: `pedal` is its class there, `turns` maps knobs to its attributes."""

    pedal: ClassVar[str]
    turns: ClassVar[Mapping[str, str]]
    libraries = ("pedalboard",)

    def make(self, stage: Stage) -> Plugin:
        """A plugin whose moving knobs are still to be set."""
        import pedalboard

        values = {attribute: getattr(self, knob) for knob, attribute in self.turns.items()}
        fixed = {attribute: value for attribute, value in values.items() if isinstance(value, (int, float))}
        plugin: Plugin = getattr(pedalboard, self.pedal)(**fixed)
        return plugin

    def settings(self, now: Moment) -> Iterator[tuple[slice, dict[str, float]]]:
        """The block in pieces, each with the attributes that hold in it."""
        for piece, held in now.cells(*self.turns):
            yield piece, {self.turns[knob]: value for knob, value in held.items()}

    def open(self, stage: Stage) -> Run:
        return live(self.make(stage), stage, self.settings)


def live(plugin: Plugin, stage: Stage, settings: Settings) -> Run:
    """Run a plugin whose result does not depend on how the sound is cut."""
    fresh, silence = True, 0
    known: dict[str, float] = {}

    def process(block: Block) -> Block:
        nonlocal fresh, silence
        if fresh:
            prepare = np.zeros((block.shape[0], LARGEST), np.float32)
            given = plugin.process(prepare, stage.rate, buffer_size=LARGEST, reset=False)
            silence = LARGEST - given.shape[1]
        # A plugin with latency cannot be reset without giving its delayed sound at once; at rest it stays.
        out = plugin.process(block, stage.rate, buffer_size=LARGEST, reset=fresh and not silence)
        fresh = False
        if not out.size:
            # While latency fills, pedalboard gives an array without channels.
            return np.zeros((block.shape[0], 0), np.float32)
        skipped = min(silence, out.shape[1])
        silence -= skipped
        return np.asarray(out[:, skipped:])

    def run(block: Block, now: Moment) -> Block:
        pieces = []
        for piece, held in settings(now):
            for attribute, value in held.items():
                if known.get(attribute) != value:
                    setattr(plugin, attribute, value)
                    known[attribute] = value
            pieces.append(process(block[:, piece]))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)

    return run


def fed(plugin: Plugin, stage: Stage, size: int) -> Run:
    """Run a plugin whose result depends on how the sound is cut: always in pieces of `size` frames."""
    held: Aligned | None = None

    def run(block: Block, now: Moment) -> Block:
        nonlocal held
        held = held or Aligned(block.shape[0])
        held.push(block)
        out = [np.zeros((block.shape[0], 0), np.float32)]
        while held.ready >= size:
            out.append(plugin.process(held.pull(size), stage.rate, buffer_size=size, reset=False))
        return np.concatenate(out, axis=1)

    return run
