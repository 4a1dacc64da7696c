"""Chains at work: latency taken up, whole cells only, and failures with their step and second."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.audio import Block
from studio.context import GRID, BlockContext, RenderContext
from studio.effect_chain import AlignedSum, EffectChain, Fifo, tail_seconds
from studio.errors import KnobError, RenderError
from studio.knobs import Live, count, knob
from studio.steps import Effect, Run, parse_step
from tests.listening import impulse, null_db, sine, white

STAGE = RenderContext()
SOUND = white(0.5)


class Late(Effect, abstract=True):
    """Gives back what it takes, some frames later, as a look-ahead does."""

    frames: int = count(100, 0, 5000, help="how much later")

    def open(self, context: RenderContext) -> Run:
        waiting = Fifo(context.channels)

        def run(block: Block, now: BlockContext) -> Block:
            assert now.start % GRID == 0 and now.frames % GRID == 0 and block.shape[1] == now.frames
            waiting.push(block)
            return waiting.pull(max(0, waiting.ready - self.frames))

        return run


class Ramp(Effect, abstract=True):
    """Multiplies with a knob that moves."""

    level: Live = knob(1.0, 0.0, 1.0, help="factor")

    def open(self, context: RenderContext) -> Run:
        return lambda block, now: block * np.asarray(now["level"], np.float32)


class Breaks(Effect, abstract=True):
    """Fails in some way when the sound has come to a frame."""

    at: int = count(0, 0, 10**6, help="the frame")

    def open(self, context: RenderContext) -> Run:
        def run(block: Block, now: BlockContext) -> Block:
            if now.start <= self.at < now.start + now.frames:
                return self.fail(block, self.at - now.start)
            return block

        return run

    def fail(self, block: Block, frame: int) -> Block:
        broken = block.copy()
        broken[1, frame] = np.nan if self.label == "nan" else np.inf
        return broken


class Raises(Breaks, abstract=True):
    """Raises an error of its own or one of the studio's."""

    def fail(self, block: Block, frame: int) -> Block:
        raise KnobError("this much is too much.") if self.label == "known" else ZeroDivisionError("division by zero")


def late(frames: int) -> Late:
    return Late(frames=frames, name=f"late {frames}")


CUTS = st.lists(st.integers(1, SOUND.shape[1] - 1), max_size=10, unique=True).map(sorted)


@settings(max_examples=50, deadline=None)
@given(delays=st.lists(st.integers(0, 3000), max_size=4), cuts=CUTS, piece=st.sampled_from([0, 64, 1000, 8192]))
def test_whatever_the_latency_and_the_cuts_a_frame_comes_out_as_the_frame_it_went_in(
    delays: list[int], cuts: list[int], piece: int
) -> None:
    line = EffectChain([late(frames) for frames in delays], STAGE, piece)
    out = np.concatenate(
        [line.push(SOUND[:, one:after]) for one, after in pairwise([0, *cuts, SOUND.shape[1]])], axis=1
    )
    assert np.array_equal(out, SOUND[:, : out.shape[1]])
    kept = SOUND.shape[1] - out.shape[1]
    most = sum(delays) + GRID * (len(delays) + 1) + piece
    assert kept <= most
    rest = line.push(np.zeros((2, kept + most + GRID), np.float32))
    assert np.array_equal(rest[:, :kept], SOUND[:, out.shape[1] :]) and not rest[:, kept:].any()


def test_knobs_stand_where_the_song_is_whatever_latency_lies_before() -> None:
    ramp = Ramp(level=[["0 s", 0], ["1 s", 1]], name="ramp")
    alone, behind = EffectChain([ramp], STAGE), EffectChain([late(777), late(2000), ramp], STAGE)
    direct = alone.push(sine(440, 1.0))
    delayed = np.concatenate([behind.push(sine(440, 1.0)), behind.push(np.zeros((2, 8192), np.float32))], axis=1)
    assert np.array_equal(delayed[:, : direct.shape[1]], direct)


@settings(max_examples=30, deadline=None)
@given(one=st.integers(0, 3000), other=st.integers(0, 3000), cuts=CUTS)
def test_branches_of_unequal_latency_are_added_in_time(one: int, other: int, cuts: list[int]) -> None:
    lines = [EffectChain([late(one)], STAGE), EffectChain([late(other)], STAGE), EffectChain([], STAGE)]
    merge = AlignedSum(3, 2)
    padded = np.pad(SOUND, ((0, 0), (0, 3200)))
    edges = [0, *cuts, padded.shape[1]]
    out = np.concatenate([merge([line.push(padded[:, a:b]) for line in lines]) for a, b in pairwise(edges)], axis=1)
    # Three times the same sound is 3.0 times as loud only where all three are in time.
    assert out.shape[1] >= SOUND.shape[1]
    assert null_db(out[:, : SOUND.shape[1]], 3 * SOUND) < -120


def test_a_parallel_chain_with_a_look_ahead_is_in_time_with_its_dry_sound() -> None:
    block = parse_step({"parallel": {"mix": 0.5, "chain": [{"brickwall": {"ceiling": 0}}]}})
    line = EffectChain([block], STAGE)  # type: ignore[list-item]
    out = line.push(impulse(20_000, 0.5, at=5000))
    peak = np.abs(out[0])
    assert int(peak.argmax()) == 5000 and peak.max() == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("kind", ["nan", "inf"])
def test_a_step_that_gives_no_number_is_named_with_its_second(kind: str) -> None:
    line = EffectChain([late(0), Breaks(at=70_000, name=kind)], STAGE)
    line.push(white(1.0)[:, :44_032])
    with pytest.raises(RenderError, match=r"the step gave NaN or infinity at 1\.00 s") as caught:
        line.push(white(1.0)[:, :44_032])
    assert caught.value.path == (kind,) and "lower feedback" in caught.value.mend


def test_a_step_that_fails_is_named_with_its_second_and_a_refusal_stays_what_it_is() -> None:
    line = EffectChain([Raises(at=50_000, name="mine")], STAGE)
    line.push(white(1.0)[:, :44_032])
    with pytest.raises(RenderError, match=r"the step failed at 1\.00 s: division by zero") as caught:
        line.push(white(1.0)[:, :44_032])
    assert caught.value.path == ("mine",) and "bypass: true" in caught.value.mend
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
    with pytest.raises(KnobError, match="too much") as refused:
        EffectChain([Raises(name="known")], STAGE).push(SOUND)
    assert refused.value.path == ("known",)


def test_a_bypassed_step_is_not_even_opened() -> None:
    line = EffectChain([Raises(name="mine", bypass=True)], STAGE)
    assert np.array_equal(line.push(SOUND), SOUND)
    assert tail_seconds([late(0), late(5), Raises(bypass=True)], STAGE) == pytest.approx(0.1)
