"""Steps that hold chains: side by side, band by band, or folded up behind a few knobs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.effect_chain import AlignedSum, EffectChain, Fifo, tail_seconds
from studio.effects.biquads import BUTTERWORTH, Cascade, section
from studio.errors import KnobError
from studio.knobs import Live, knob, numbers
from studio.macros import MACROS, Macro, checked, settle
from studio.records import ListOf, field
from studio.steps import Effect, Run, StepKind
from studio.units import HZ

Chain = tuple[Effect, ...]

EFFECTS = ListOf(each=StepKind(kinds=("effect",)), help="effects, one after the other")


class Parallel(Effect):
    """Blend a chain with the dry sound, both in time whatever latency the chain has."""

    mix: Live = knob(0.5, 0.0, 1.0, help="chain against the dry sound")
    chain: Chain = field(EFFECTS)

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

    libraries = ("scipy",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.bands) != len(self.crossovers) + 1:
            raise KnobError(
                f"{len(self.crossovers)} crossovers make {len(self.crossovers) + 1} bands,"
                f" here are chains for {len(self.bands)}.",
                "Give one chain a band; an empty one is `[]`.",
                path=("bands",),
            )

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        splits = [_Crossover(hz, context) for hz in self.crossovers]
        passes = [[_Crossover(hz, context) for hz in self.crossovers[index + 1 :]] for index in range(len(splits))]
        lines = [EffectChain(chain, context) for chain in self.bands]
        merge = AlignedSum(len(lines), context.channels)

        def run(block: Block, now: BlockContext) -> Block:
            bands, rest = [], block
            for split, above in zip(splits, passes, strict=True):
                low, rest = split(rest)
                for crossover in above:
                    low = np.add(*crossover(low))
                bands.append(low)
            bands.append(rest)
            return merge([line.push(band, now.sides) for line, band in zip(lines, bands, strict=True)])

        return run

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

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        line = EffectChain(settle(self).chain, context)
        return lambda block, now: line.push(block, now.sides)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return tail_seconds(settle(self).chain, context)


class _Crossover:
    """A Linkwitz-Riley pair; its two outputs add up to an all-pass."""

    def __init__(self, hz: float, context: RenderContext) -> None:
        self._sections = {
            kind: [section(kind, hz, BUTTERWORTH, 0.0, context.rate)] * 2 for kind in ("lowpass", "highpass")
        }
        self._low, self._high = Cascade(2, context.channels), Cascade(2, context.channels)

    def __call__(self, block: Block) -> tuple[Block, Block]:
        low = self._low(self._sections["lowpass"], block)
        high = self._high(self._sections["highpass"], block)
        return low.astype(np.float32), high.astype(np.float32)
