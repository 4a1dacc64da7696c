"""Laws that hold for every effect in the registry, whoever wrote it."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.effect_chain import EffectChain, tail_seconds
from studio.engine.nodes import SILENCE, Process, Stream
from studio.engine.run import Engine
from studio.folders import reading
from studio.knobs import Number
from studio.sources.audio_file import AudioSource
from studio.steps import Effect, parse_step, registry
from tests.listening import impulse, white

RATE = 44_100
MADE_WHOLE = {
    "convolution": {"file": "room.wav", "mix": 0.5},
    "ducker": {"sidechain": "other"},
    "vocoder": {"sidechain": "other"},
    "pedalboard": {"plugin": "HighShelfFilter", "settings": {"gain_db": 40.0}},
    "plugin": {"file": "ZamCompX2", "threshold": -30, "ratio": 4},
    "preset": "tape",
    "parallel": {"chain": [{"brickwall": {"ceiling": -12}}, "chorus"], "mix": 0.4},
    "layers": {"chains": [[], ["phaser"], [{"brickwall": -6}]]},
    "multiband": {"crossovers": [200, 2000], "bands": [["compressor"], [], ["chorus"]]},
    "rack": {"chain": ["chorus", "reverb"], "knobs": {"amount": {"value": 0.7, "drives": {"chorus.mix": [0, 1]}}}},
}
"""Effects that do nothing or cannot be made without knobs."""

LAG = {"plugin": RATE}
"""Frames that may still be under way: a plugin works on one block while the next is made."""

EFFECTS = sorted(name for name, step in registry().items() if step.kind == "effect")


@cache
def home() -> Path:
    """A folder with an impulse response."""
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="studio-test-"))
    decay = white(0.3, 0.3, seed=5) * np.exp(-np.arange(round(0.3 * RATE)) / 3000)
    soundfile.write(folder / "room.wav", decay.T, RATE, "FLOAT")
    return folder


def made(name: str, **knobs: Any) -> Effect:
    value = MADE_WHOLE.get(name)
    with reading(home()):
        step = parse_step({name: {**(value if isinstance(value, dict) else {"use": value} if value else {}), **knobs}})
    assert isinstance(step, Effect)
    return step


def moving(name: str) -> Effect:
    """The effect with every knob that can move on a curve or an LFO."""
    knobs: dict[str, Any] = {}
    for index, (knob, kind) in enumerate(sorted(registry()[name].parameters().items())):
        if isinstance(kind, Number) and kind.live:
            ends = [kind.at(0.3), kind.at(0.7)] if np.isfinite(kind.low) and kind.low > -90 else [-12.0, 0.0]
            curve = [["0.02 s", ends[0]], ["0.21 s", ends[1]], ["0.3 s", ends[0], "smooth"]]
            lfo = {"lfo": "triangle", "period": "0.13 s", "from": ends[0], "to": ends[1]}
            knobs[knob] = curve if index % 2 else lfo
    return made(name, **knobs)


def side(name: str, start: int, frames: int) -> np.ndarray:
    """What a side-chain hears: bursts."""
    places = np.arange(start, start + frames)
    return np.repeat((0.5 * (places // 3000 % 2)).astype(np.float32)[None], 2, axis=0)


def run(effect: Effect, block: np.ndarray, cuts: list[int]) -> np.ndarray:
    line, edges = EffectChain([effect], RenderContext(RATE, 2, folder=home())), [0, *sorted(cuts), block.shape[1]]
    taken = given_back = 0
    pieces = []
    for begin, end in pairwise(edges):
        pieces.append(line.push(block[:, begin:end], side))
        taken, given_back = taken + end - begin, given_back + pieces[-1].shape[1]
        assert given_back <= taken
        assert pieces[-1].dtype == np.float32
    return np.concatenate(pieces, axis=1)


SOUND = np.concatenate([white(0.25), white(0.15, 0.01, seed=2), white(0.1, 0.6, seed=3)], axis=1)
CUTS = st.lists(st.integers(1, SOUND.shape[1] - 1), min_size=1, max_size=12, unique=True)


@pytest.mark.parametrize("still", [True, False], ids=["still", "moving"])
@pytest.mark.parametrize("name", EFFECTS)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(cuts=CUTS)
def test_however_it_is_cut_the_result_has_the_same_bits(name: str, still: bool, cuts: list[int]) -> None:
    effect = made(name) if still else moving(name)
    whole = run(effect, SOUND, [])
    for edges in (cuts, [1, 2, 65, 128, 8192, 16384, 16385]):
        pieces = run(effect, SOUND, edges)
        frames = min(whole.shape[1], pieces.shape[1])
        assert np.array_equal(whole[:, :frames], pieces[:, :frames])
        # What is not there yet is latency, which the next block brings.
        assert abs(whole.shape[1] - pieces.shape[1]) <= LAG.get(name, 4096 + 1024)


@pytest.mark.parametrize("name", EFFECTS)
def test_a_bypassed_effect_leaves_every_bit_alone(name: str) -> None:
    assert np.array_equal(run(made(name, bypass=True), SOUND, [777]), SOUND)


TAILS = {
    "delay": {"feedback": 0.9, "time": "0.2 s"},
    "echo": {"feedback": 0.9, "time": "0.3 s", "mix": 1},
    "reverb": {"room_size": 1.0, "wet": 1},
    "chorus": {"feedback": 0.9},
    "phaser": {"feedback": 0.9},
    "peak": {"cutoff": "30 Hz", "gain": "30 dB", "q": 18},
    "ladder": {"resonance": 0.95, "cutoff": "60 Hz"},
}


@pytest.mark.parametrize("name", [name for name in EFFECTS if name not in ("gain", "invert", "pan", "width")])
def test_its_memory_is_long_enough_to_find_the_whole_tail(name: str, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "click.wav", impulse(2000, 0.9, at=100).T, RATE, "FLOAT")
    context = RenderContext(RATE, 2, folder=home())
    source = Stream("click", context, (), AudioSource(file=str(tmp_path / "click.wav")), {})
    effect = made(name, **TAILS.get(name, {}))
    files = {str(path): "" for path in effect.assets(context)}
    process = Process("tail", context, (source,), (effect,), files, 20.0)
    found = sum(block.shape[1] for block in process.blocks(Engine()))
    line = EffectChain([effect], context)
    long = np.concatenate([impulse(2000, 0.9, at=100), np.zeros((2, 20 * RATE), np.float32)], axis=1)
    patient = np.flatnonzero(np.abs(line.push(long)).max(axis=0) >= SILENCE)
    last = min(int(patient[-1]) + 1 if len(patient) else 0, 2000 + 20 * RATE)
    assert found >= last, (
        f"cut off {(last - found) / RATE:.2f} s too early; memory {tail_seconds([effect], context):.2f} s"
    )
