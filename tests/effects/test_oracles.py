"""Every native effect against somebody else's version of it: pedalboard's, scipy's, or a formula in double precision."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from studio.audio import Block
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.knobs import Choice, Number, Span, Switch
from studio.native_library import native_of
from studio.steps import Effect, parse_step, registry
from studio.tempo import TempoMap
from tests.effects.oracle import oracle
from tests.listening import rms_db, white

NATIVE = sorted(
    name for name, step in registry().items() if step.__module__.startswith("studio.effects.") and native_of(step)
)


@cache
def room() -> str:
    """A recorded room, a little longer than the pieces it is cut into, at a rate that nothing here runs at."""
    path = Path(mkdtemp(prefix="studio-test-"), "room.wav")
    decay = white(0.21, 0.3, seed=5, rate=32_000) * np.exp(-np.arange(round(0.21 * 32_000)) / 2500)
    soundfile.write(path, decay.T, 32_000, "FLOAT")
    return str(path)


DEMANDING: dict[str, dict[str, Any]] = {
    "ducker": {"sidechain": "other"}, "vocoder": {"sidechain": "other"}, "convolution": {"file": room()},
}  # fmt: skip


def sound(rate: int, channels: int = 2, seconds: float = 0.7) -> Block:
    """Noise that swells, hits, dies to almost nothing, and ends in silence."""
    noise = white(seconds, level=0.3, rate=rate, channels=channels)
    frames = noise.shape[1] // 64 * 64
    time = np.arange(frames) / rate
    shape = np.abs(np.sin(9 * time)) * np.where(time < 0.4, 1.0, 10.0 ** (-30 * (time - 0.4)))
    noise = (noise[:, :frames] * shape).astype(np.float32)
    noise[:, ::7919] = 0.9
    noise[:, int(0.9 * frames) :] = 0
    return noise


def through(
    effect: Effect, block: Block, context: RenderContext, cuts: tuple[int, ...] = (), side: Block | None = None
) -> Block:
    """A sound through ours."""
    chain, edges = EffectChain([effect], context), [0, *sorted(cuts), block.shape[1]]
    hears = None if side is None else lambda name, start, frames: side[:, start : start + frames]
    return np.concatenate([chain.push(block[:, begin:end], hears) for begin, end in pairwise(edges)], axis=1)


def made(name: str, **knobs: Any) -> Effect:
    step = parse_step({name: DEMANDING.get(name, {}) | knobs})
    assert isinstance(step, Effect)
    return step


def apart_db(one: Block, other: Block) -> float:
    """The difference of two sounds, as far as both are there, against the sound."""
    frames = min(one.shape[1], other.shape[1])
    assert frames > 0.8 * max(one.shape[1], other.shape[1])
    return rms_db(one[:, :frames].astype(float) - other[:, :frames]) - rms_db(other)


def test_all_of_ours_are_native_but_codecs_and_what_holds_others() -> None:
    ours = {name for name, step in registry().items() if step.kind == "effect" and "studio.effects" in step.__module__}
    assert ours - set(NATIVE) == {"resample", "mp3", "pedalboard", "parallel", "layers", "multiband", "rack"}


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("name", NATIVE)
def test_it_sounds_as_the_original_does(name: str, rate: int) -> None:
    effect, block, context = made(name), sound(rate), RenderContext(rate)
    apart = apart_db(through(effect, block, context), oracle(effect, block, context))
    assert apart < -140


@pytest.mark.parametrize("name", NATIVE)
@settings(max_examples=6, deadline=None, derandomize=True, phases=[Phase.generate])
@given(data=st.data())
def test_it_sounds_as_the_original_with_any_knobs_still_or_moving(name: str, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from([44_100, 48_000]))
    knobs: dict[str, Any] = {}
    for knob, kind in registry()[name].parameters().items():
        if isinstance(kind, Number):
            one, other = (kind.at(data.draw(st.floats(0.02, 0.98))) for _ in range(2))
            one = round(one) if kind.whole else one
            moves = kind.live and data.draw(st.booleans())
            knobs[knob] = [["0 s", one], ["0.31 s", other], ["0.5 s", one]] if moves else one
        elif isinstance(kind, Choice):
            knobs[knob] = data.draw(st.sampled_from(kind.options))
        elif isinstance(kind, Switch):
            knobs[knob] = data.draw(st.booleans())
        elif isinstance(kind, Span):
            knobs[knob] = data.draw(st.sampled_from(["1/8", "1/16t", "70 ms", "333.3 ms"]))
    effect = made(name, **knobs)
    mono = name not in ("pan", "width") and data.draw(st.booleans())
    block = sound(rate, channels=1 if mono else 2)
    context = RenderContext(rate, channels=len(block), tempo=TempoMap.constant(107))
    cuts = tuple(data.draw(st.lists(st.integers(1, block.shape[1] - 1), max_size=5)))
    apart = apart_db(through(effect, block, context, cuts), oracle(effect, block, context))
    assert apart < -100, knobs


@pytest.mark.parametrize("name", ["ducker", "compressor", "gate", "dynamic_eq", "vocoder"])
def test_a_side_input_steers_it_as_it_does_the_original(name: str) -> None:
    effect, context = made(name, sidechain="other"), RenderContext(44_100)
    block, other = sound(44_100), sound(44_100)[:, ::-1].copy()
    ours = through(effect, block, context, side=other)
    assert apart_db(ours, oracle(effect, block, context, other)) < -140
    assert rms_db(ours - through(effect, block, context)) > -60, "the side input has a say"
