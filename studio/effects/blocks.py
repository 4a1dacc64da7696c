"""Steps that hold chains: side by side, band by band, or folded up behind a few knobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.effect_chain import AlignedSum, EffectChain, Fifo, tail_seconds
from studio.effects.mixing import Gain
from studio.errors import KnobError
from studio.knobs import Live, knob, numbers
from studio.levels import SILENCE_DB
from studio.macros import MACROS, Macro, checked, settle
from studio.native_library import made_natively
from studio.provenance import Component
from studio.records import ListOf, field
from studio.steps import Effect, Run, StepKind
from studio.units import HZ

if TYPE_CHECKING:
    from studio.native_chain import Tree

Chain = tuple[Effect, ...]

EFFECTS = ListOf(each=StepKind(kinds=("effect",)), help="effects, one after the other")


class Parallel(Effect):
    """Blend a chain with the dry sound, both in time whatever latency the chain has."""

    mix: Live = knob(0.5, 0.0, 1.0, help="chain against the dry sound")
    chain: Chain = field(EFFECTS)

    def is_native(self) -> bool:
        """Whether it runs inside the core: all it holds does."""
        return _all_native(self.chain)

    def write(self, tree: Tree) -> None:
        """Write it into the tree of a native chain."""
        tree.parallel(self, "mix", self.chain)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        line, dry, mixes = EffectChain(self.chain, context), Fifo(context.channels), Fifo(1)

        def run(block: Block, now: BlockContext) -> Block:
            # The mix belongs to the frame that went in, so both sides carry it before the latency.
            mix = np.asarray(now["mix"])
            dry.push(np.asarray(block * (1 - mix), dtype=np.float32))
            mixes.push(np.broadcast_to(mix, (1, block.shape[1])).astype(np.float32))
            wet = line.push(block, now.sides)
            frames = wet.shape[1]
            return dry.pull(frames) + wet * mixes.pull(frames)

        return run

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return tail_seconds(self.chain, context)


class Layers(Effect):
    """Run several chains side by side and add them up, in time; an empty chain is the dry sound."""

    chains: tuple[Chain, ...] = field(ListOf(each=EFFECTS, default=((),), help="chains whose sounds are added"))

    def is_native(self) -> bool:
        """Whether it runs inside the core: all it holds does."""
        return all(map(_all_native, self.chains))

    def write(self, tree: Tree) -> None:
        """Write it into the tree of a native chain."""
        tree.layers(self.chains)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        lines = [EffectChain(chain, context) for chain in self.chains]
        merge = AlignedSum(len(lines), context.channels)
        return lambda block, now: merge([line.push(block, now.sides) for line in lines])

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return max((tail_seconds(chain, context) for chain in self.chains), default=0.0)


class Multiband(Effect):
    """Split into bands, run a chain on each, and add them up.

    Linkwitz-Riley crossovers of the fourth order (24 dB per octave); every band passes the all-pass of the
    crossovers it does not touch, so bands left alone add up to a flat response.
    """

    crossovers: tuple[float, ...] = numbers((200.0, 2_000.0), 20.0, 20_000.0, HZ, help="where bands meet", most=7)
    bands: tuple[Chain, ...] = field(
        ListOf(each=EFFECTS, default=((), (), ()), help="one chain for each band, from low to high")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.bands) != len(self.crossovers) + 1:
            raise KnobError(
                f"{len(self.crossovers)} crossovers make {len(self.crossovers) + 1} bands,"
                f" here are chains for {len(self.bands)}.",
                "Give one chain a band; an empty one is `[]`.",
                path=("bands",),
            )

    def is_native(self) -> bool:
        """Whether it runs inside the core: all it holds does."""
        return all(map(_all_native, self.bands))

    def write(self, tree: Tree) -> None:
        """Write it into the tree of a native chain."""
        tree.multiband(self.crossovers, self.bands)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        lines = [EffectChain((self._only(index), *band), context) for index, band in enumerate(self.bands)]
        merge = AlignedSum(len(lines), context.channels)
        return lambda block, now: merge([line.push(block, now.sides) for line in lines])

    def _only(self, index: int) -> Multiband:
        """What gives the sound of one band, as it goes into that band's chain."""
        silent = (Gain(gain=SILENCE_DB),)
        bands: tuple[Chain, ...] = tuple(() if band == index else silent for band in range(len(self.bands)))
        return Multiband(crossovers=self.crossovers, bands=bands)

    def made_by(self) -> Iterator[Component]:
        """What its sound depends on: its bands are split in the core, whatever they hold."""
        yield from super().made_by()
        yield from made_natively(type(self))

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.05 + max(tail_seconds(chain, context) for chain in self.bands)


class RackBlock(Effect, step="rack"):
    """A chain folded up behind a few knobs of its own, each of which drives several inside."""

    chain: Chain = field(EFFECTS)
    knobs: Mapping[str, Macro] = field(MACROS)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._finish("knobs", checked(self))

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        return any(effect.follows_tempo() for effect in settle(self).chain)

    def is_native(self) -> bool:
        """Whether it runs inside the core: all it holds does."""
        return _all_native(settle(self).chain)

    def write(self, tree: Tree) -> None:
        """Write it into the tree of a native chain."""
        tree.chain(settle(self).chain)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        line = EffectChain(settle(self).chain, context)
        return lambda block, now: line.push(block, now.sides)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return tail_seconds(settle(self).chain, context)


def _all_native(chain: Chain) -> bool:
    return all(effect.is_native() for effect in chain if not effect.bypass)
