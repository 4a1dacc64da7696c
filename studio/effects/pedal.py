"""What pedalboard's effects and ours have in common.

The core plays them all (`*.hpp`), to pedalboard's own numbers: the tests compare each with the original.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.effect_chain import Fifo
from studio.steps import Effect, Run

if TYPE_CHECKING:
    from pedalboard import Plugin


class Pedal(Effect, abstract=True):
    """An effect of pedalboard's: `pedal` is its class there, `turns` maps knobs to its attributes."""

    pedal: ClassVar[str]
    turns: ClassVar[Mapping[str, str]]


LARGEST = 8192
"""pedalboard prepares anew, and forgets its state, when a block is larger than any before it."""


def played(plugin: Plugin, context: RenderContext) -> Run:
    """Run a plugin of pedalboard's whose result does not depend on how the sound is cut."""
    fresh, silence = True, 0

    def run(block: Block, now: BlockContext) -> Block:
        nonlocal fresh, silence
        out = []
        for start in range(0, block.shape[1], LARGEST):
            if fresh:
                prepare = np.zeros((block.shape[0], LARGEST), np.float32)
                given = plugin.process(prepare, context.rate, buffer_size=LARGEST, reset=False)
                silence = LARGEST - given.shape[1]
            # A plugin with latency cannot be reset without giving its delayed sound at once; at rest it stays.
            part = block[:, start : start + LARGEST]
            done = plugin.process(part, context.rate, buffer_size=LARGEST, reset=fresh and not silence)
            fresh = False
            # While latency fills, pedalboard gives an array without channels.
            done = done if done.size else np.zeros((block.shape[0], 0), np.float32)
            skipped = min(silence, done.shape[1])
            silence -= skipped
            out.append(done[:, skipped:])
        return np.concatenate(out, axis=1)

    return run


def fed(plugin: Plugin, context: RenderContext, size: int) -> Run:
    """Run a plugin of pedalboard's whose result depends on how the sound is cut: always in pieces of `size` frames."""
    held = Fifo(context.channels)

    def run(block: Block, now: BlockContext) -> Block:
        held.push(block)
        out = [np.zeros((block.shape[0], 0), np.float32)]
        while held.ready >= size:
            out.append(plugin.process(held.pull(size), context.rate, buffer_size=size, reset=False))
        return np.concatenate(out, axis=1)

    return run
