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
from studio.context import BlockContext, RenderContext
from studio.effect_chain import Fifo
from studio.steps import Effect, Run

if TYPE_CHECKING:
    from pedalboard import Plugin

LARGEST = 8192

Settings: TypeAlias = Callable[[BlockContext], Iterator[tuple[slice, dict[str, float]]]]
"""Cuts a moment into pieces over which the plugin's attributes are held."""


class Pedal(Effect, abstract=True):
    """An effect of pedalboard's: `pedal` is its class there, `turns` maps knobs to its attributes."""

    pedal: ClassVar[str]
    turns: ClassVar[Mapping[str, str]]
    libraries = ("pedalboard",)

    def make(self, context: RenderContext) -> Plugin:
        """A plugin whose moving knobs are still to be set."""
        import pedalboard

        values = {attribute: getattr(self, knob) for knob, attribute in self.turns.items()}
        fixed = {attribute: value for attribute, value in values.items() if isinstance(value, (int, float))}
        plugin: Plugin = getattr(pedalboard, self.pedal)(**fixed)
        return plugin

    def settings(self, now: BlockContext) -> Iterator[tuple[slice, dict[str, float]]]:
        """The block in pieces, each with the attributes that hold in it."""
        for piece, held in now.cells(*self.turns):
            yield piece, {self.turns[knob]: value for knob, value in held.items()}

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        return live(self.make(context), context, self.settings)


def live(plugin: Plugin, context: RenderContext, settings: Settings) -> Run:
    """Run a plugin whose result does not depend on how the sound is cut."""
    fresh, silence = True, 0
    known: dict[str, float] = {}

    def process(block: Block) -> Block:
        nonlocal fresh, silence
        if fresh:
            prepare = np.zeros((block.shape[0], LARGEST), np.float32)
            given = plugin.process(prepare, context.rate, buffer_size=LARGEST, reset=False)
            silence = LARGEST - given.shape[1]
        # A plugin with latency cannot be reset without giving its delayed sound at once; at rest it stays.
        out = plugin.process(block, context.rate, buffer_size=LARGEST, reset=fresh and not silence)
        fresh = False
        if not out.size:
            # While latency fills, pedalboard gives an array without channels.
            return np.zeros((block.shape[0], 0), np.float32)
        skipped = min(silence, out.shape[1])
        silence -= skipped
        return np.asarray(out[:, skipped:])

    def run(block: Block, now: BlockContext) -> Block:
        pieces = []
        for piece, held in settings(now):
            for attribute, value in held.items():
                if known.get(attribute) != value:
                    setattr(plugin, attribute, value)
                    known[attribute] = value
            pieces.append(process(block[:, piece]))
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)

    return run


def fed(plugin: Plugin, context: RenderContext, size: int) -> Run:
    """Run a plugin whose result depends on how the sound is cut: always in pieces of `size` frames."""
    held: Fifo | None = None

    def run(block: Block, now: BlockContext) -> Block:
        nonlocal held
        held = held or Fifo(block.shape[0])
        held.push(block)
        out = [np.zeros((block.shape[0], 0), np.float32)]
        while held.ready >= size:
            out.append(plugin.process(held.pull(size), context.rate, buffer_size=size, reset=False))
        return np.concatenate(out, axis=1)

    return run
