"""pedalboard's effects as steps null against pedalboard itself, given the whole sound at once."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pedalboard
import pytest

from studio.audio import Audio
from studio.context import RenderContext
from studio.effects.pedal import Pedal
from studio.steps import Effect, Transform, parse_step, registry
from tests.listening import null_db, through, white

RATE = 44_100
SOUND = np.concatenate([white(0.5), white(0.5, 0.02, seed=2), white(0.4, 0.7, seed=3)], axis=1)

PAIRS: list[tuple[Any, pedalboard.Plugin]] = [
    ({"bitcrush": 5.5}, pedalboard.Bitcrush(5.5)),
    ({"chorus": {"rate": 2.0, "depth": 0.4, "mix": 0.6}}, pedalboard.Chorus(2.0, 0.4, 7.0, 0.0, 0.6)),
    ({"clip": -9}, pedalboard.Clipping(-9)),
    (
        {"compressor": {"threshold": -30, "ratio": 5, "attack": 3, "release": 70, "link": False}},
        pedalboard.Compressor(-30, 5, 3, 70),
    ),
    ({"delay": {"time": "0.11 s", "feedback": 0.5, "mix": 0.4}}, pedalboard.Delay(0.11, 0.5, 0.4)),
    ({"distortion": 17}, pedalboard.Distortion(17)),
    ({"gain": -5.5}, pedalboard.Gain(-5.5)),
    (
        {"gate": {"threshold": -20, "ratio": 8, "attack": 2, "release": 60, "link": False}},
        pedalboard.NoiseGate(-20, 8, 2, 60),
    ),
    ({"high_shelf": {"cutoff": 4000, "gain": 7, "q": 0.8}}, pedalboard.HighShelfFilter(4000, 7, 0.8)),
    ({"highpass": 500}, pedalboard.HighpassFilter(500)),
    ({"invert": {}}, pedalboard.Invert()),
    (
        {"ladder": {"cutoff": 900, "resonance": 0.6, "drive": 3, "passes": "highpass", "slope": "12 dB"}},
        pedalboard.LadderFilter(pedalboard.LadderFilter.Mode.HPF12, 900, 0.6, 3),
    ),
    ({"limiter": {"threshold": -12, "release": 50}}, pedalboard.Limiter(-12, 50)),
    ({"low_shelf": {"cutoff": 300, "gain": -8, "q": 0.6}}, pedalboard.LowShelfFilter(300, -8, 0.6)),
    ({"lowpass": 1500}, pedalboard.LowpassFilter(1500)),
    ({"peak": {"cutoff": 1200, "gain": 9, "q": 3}}, pedalboard.PeakFilter(1200, 9, 3)),
    (
        {"phaser": {"rate": 1.1, "depth": 0.7, "centre": 900, "feedback": 0.3, "mix": 0.5}},
        pedalboard.Phaser(1.1, 0.7, 900, 0.3, 0.5),
    ),
    (
        {"reverb": {"room_size": 0.8, "damping": 0.3, "wet": 0.5, "dry": 0.3, "width": 0.7}},
        pedalboard.Reverb(0.8, 0.3, 0.5, 0.3, 0.7),
    ),
]


@pytest.mark.parametrize(("step", "plugin"), PAIRS, ids=[next(iter(step)) for step, _ in PAIRS])
def test_the_step_is_the_plugin(step: Any, plugin: pedalboard.Plugin) -> None:
    effect = parse_step(step)
    assert isinstance(effect, Effect)
    ours = through(effect, SOUND, RenderContext(RATE), cuts=(1000, 9000, 30_000))
    theirs = plugin.process(SOUND, RATE, buffer_size=8192)
    # One rounding to float32 near full scale is -144 dB; a gain may be rounded twice.
    assert null_db(ours, theirs) < -135


def test_the_brickwall_is_the_plugin_with_its_latency_taken_up() -> None:
    effect = parse_step({"brickwall": {"ceiling": -9, "release": 60, "lookahead": 4, "true_peak": False}})
    assert isinstance(effect, Effect)
    plugin = pedalboard.BrickwallLimiter(ceiling_db=-9, release_ms=60, lookahead_ms=4)
    theirs = plugin.process(SOUND, RATE, buffer_size=8192)
    ours = through(effect, SOUND, RenderContext(RATE), cuts=(1000, 9000))
    frames = theirs.shape[1]
    assert null_db(ours[:, : frames - 500], theirs[:, : frames - 500]) < -140


@pytest.mark.parametrize("name", ["gsm", "pitch_shift"])
def test_what_pedalboard_cannot_stream_is_a_transform_of_the_whole_sound(name: str) -> None:
    step = parse_step({name: {"semitones": 3}} if name == "pitch_shift" else name)
    assert isinstance(step, Transform)
    quality = pedalboard.Resample.Quality.WindowedSinc8
    plugin = pedalboard.PitchShift(3) if name == "pitch_shift" else pedalboard.GSMFullRateCompressor(quality)
    ours = step.apply(Audio(SOUND, RATE), RenderContext(RATE)).samples
    assert null_db(ours, plugin.process(SOUND, RATE)) < -140


def test_every_effect_that_pedalboard_has_is_a_step() -> None:
    wrapped = {step.pedal for step in registry().values() if issubclass(step, Pedal)}
    by_hand = {"Convolution", "GSMFullRateCompressor", "Gain", "Invert", "MP3Compressor", "PitchShift", "Resample"}
    hosts = {"AudioUnitPlugin", "Chain", "ExternalPlugin", "IIRFilter", "Mix", "Pedalboard", "Plugin", "PluginContainer",
             "VST3Plugin"}  # fmt: skip
    there = {
        name
        for name, value in vars(pedalboard).items()
        if inspect.isclass(value) and issubclass(value, pedalboard.Plugin) and not name.startswith("_")
    }
    assert there - hosts == wrapped | by_hand


def test_its_defaults_are_within_its_own_range() -> None:
    for step in registry().values():
        for name, kind in step.parameters().items():
            if not kind.required:
                assert kind.parse(kind.data(kind.parse(kind.default))) == kind.parse(kind.default), (
                    f"{step.step}.{name}"
                )
