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
