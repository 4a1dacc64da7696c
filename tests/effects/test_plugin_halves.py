"""The plugin half of every effect against its Python half: the same sound, however it is cut, without a bit of memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.audio import Block
from studio.context import RenderContext
from studio.knobs import Choice, Number, Span, Switch
from studio.steps import Effect, parse_step, registry
from studio.tempo import TempoMap
from tests.effects.halves import halved, run_half
from tests.listening import rms_db, through, white

WITHOUT = {"resample", "mp3", "pedalboard", "pitch_shift"}
"""Effects that have no plugin half: codecs, resamplers and Rubber Band are not ours to rebuild."""

BLOCKS = {"parallel", "layers", "multiband", "rack", "preset"}
"""Effects that only hold others: the exporter writes them out."""


@cache
def room() -> str:
    """A recorded room, a little longer than the pieces it is cut into, at a rate that nothing here runs at."""
    path = Path(mkdtemp(prefix="studio-test-"), "room.wav")
    decay = white(0.21, 0.3, seed=5, rate=32_000) * np.exp(-np.arange(round(0.21 * 32_000)) / 2500)
    soundfile.write(path, decay.T, 32_000, "FLOAT")
    return str(path)


DEMANDING: dict[str, dict[str, Any]] = {"ducker": {"sidechain": "other"}, "convolution": {"file": room()}}


CLOSE = {"convolution": -120}
"""JUCE transforms 8192 numbers of 24 bits at once, and rounds them; the plugin transforms fewer."""


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


def apart_db(step: Effect, block: Block, context: RenderContext, cuts: tuple[int, ...] = ()) -> float:
    """The difference of both halves against the sound."""
    reference = through(step, block, context)
    made = run_half(step, block, context, cuts)
    return rms_db(made - reference) - rms_db(reference)


def test_every_effect_has_a_half_or_a_reason_for_none() -> None:
    effects = {
        name for name, step in registry().items() if step.kind == "effect" and "studio.effects" in step.__module__
    }
    assert set(halved()) == effects - WITHOUT - BLOCKS


@pytest.mark.parametrize("rate", [44_100, 96_000])
@pytest.mark.parametrize("name", halved())
def test_both_halves_sound_the_same_as_they_come(name: str, rate: int) -> None:
    step = parse_step({name: DEMANDING.get(name, {})})
    assert isinstance(step, Effect)
    assert apart_db(step, sound(rate), RenderContext(rate)) < CLOSE.get(name, -140)


@pytest.mark.parametrize("name", halved())
@settings(max_examples=6, deadline=None, derandomize=True)
@given(data=st.data())
def test_both_halves_sound_the_same_with_any_knobs_still_or_moving(name: str, data: st.DataObject) -> None:
    rate = data.draw(st.sampled_from([44_100, 48_000]))
    knobs: dict[str, Any] = dict(DEMANDING.get(name, {}))
    for knob, kind in registry()[name].parameters().items():
        if isinstance(kind, Number):
            one, other = (kind.at(data.draw(st.floats(0.02, 0.98))) for _ in range(2))
            moves = kind.live and data.draw(st.booleans())
            knobs[knob] = [["0 s", one], ["0.31 s", other], ["0.5 s", one]] if moves else one
        elif isinstance(kind, Choice):
            knobs[knob] = data.draw(st.sampled_from(kind.options))
        elif isinstance(kind, Switch):
            knobs[knob] = data.draw(st.booleans())
        elif isinstance(kind, Span):
            knobs[knob] = data.draw(st.sampled_from(["1/8", "1/16t", "70 ms", "333.3 ms"]))
    step = parse_step({name: knobs})
    assert isinstance(step, Effect)
    mono = name not in ("pan", "width") and data.draw(st.booleans())
    block = sound(rate, channels=1 if mono else 2)
    context = RenderContext(rate, channels=len(block), tempo=TempoMap.constant(107))
    cuts = tuple(data.draw(st.lists(st.integers(1, block.shape[1] - 1), max_size=5)))
    assert apart_db(step, block, context, cuts) < -100, knobs


@pytest.mark.parametrize("name", halved())
def test_any_cut_gives_the_same_bits_even_frame_by_frame(name: str) -> None:
    step = parse_step({name: DEMANDING.get(name, {})})
    assert isinstance(step, Effect)
    block, context = sound(44_100)[:, :2048], RenderContext(44_100)
    whole = run_half(step, block, context)
    assert np.array_equal(whole, run_half(step, block, context, cuts=tuple(range(1, 700))))
    assert np.array_equal(whole, run_half(step, block, context, cuts=(63, 64, 65, 1000, 1999)))


@pytest.mark.parametrize("name", ["ducker", "compressor", "gate"])
def test_a_side_input_steers_both_halves_alike(name: str) -> None:
    step = parse_step({name: {"sidechain": "other"}})
    assert isinstance(step, Effect)
    from studio.effect_chain import EffectChain

    block, other, context = sound(44_100), sound(44_100)[:, ::-1].copy(), RenderContext(44_100)
    reference = EffectChain([step], context).push(block, lambda port, start, frames: other[:, start : start + frames])
    made = run_half(step, block, context, side=other)
    assert rms_db(made - reference) - rms_db(reference) < -140
    assert rms_db(made - run_half(step, block, context)) > -60, "the side input has a say"
