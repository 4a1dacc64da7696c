"""Whole chains as plugins: presets, the long one with everything in it, and ones that nobody wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, Phase, given, seed, settings

from studio.effects.blocks import RackBlock
from studio.exporting.export import export
from studio.exporting.plugin.design import Design
from tests.exporting.plugin.random_chains import chains, rack_of
from tests.listening import white

LONG = {
    "chain": [
        {"eq": {"low_cut": "40 Hz", "high": 2}},
        {"compressor": {"threshold": -20, "ratio": "3:1"}},
        {"parallel": {"mix": 0.3, "chain": [{"distortion": 12}, {"lowpass": "4 kHz"}, {"gain": {"name": "under", "gain": -6}}]}},
        {"peak": {"cutoff": "900 Hz", "gain": 3}},
        "chorus",
        {"phaser": {"mix": 0.4}},
        {"delay": {"time": "1/8.", "mix": 0.2}},
        {"tremolo": {"depth": 0.3}},
        {"width": 1.2},
        {"high_shelf": {"gain": -2}},
        {"reverb": {"wet": 0.2}},
        {"gain": {"name": "out", "gain": -3}},
    ],
    "knobs": {
        "air": {"value": 0.4, "drives": {"eq.high": [-6, 6]}},
        "squeeze": {"value": 0.5, "drives": {"compressor.threshold": [-6, -36]}},
        "under": {"value": 0.3, "drives": {"parallel.mix": [0, 0.8], "distortion.drive": [0, 24]}},
        "tone": {"value": "2 kHz", "range": [200, 12_000], "unit": "Hz", "taper": "log", "drives": {"lowpass.cutoff": [200, 12_000]}},
        "swirl": {"value": 0.3, "drives": {"chorus.depth": [0, 0.5], "phaser.depth": [0.1, 0.9]}},
        "echo": {"value": 0.2, "drives": {"delay.mix": [0, 0.7], "delay.feedback": [0, 0.8]}},
        "room": {"value": 0.5, "drives": {"reverb.room_size": [0.1, 0.9], "reverb.wet": [0, 0.5]}},
        "level": {"value": -3, "range": [-24, 6], "unit": "dB", "drives": {"out.gain": [-24, 6]}},
    },
}  # fmt: skip


def test_twelve_effects_with_eight_knobs_turned_while_they_play(tmp_path: Path) -> None:
    made = export(RackBlock.parse(LONG), tmp_path / "Long.vst3")
    assert made.card and made.card.verdict
    verdict = made.card.verdict
    assert len(verdict.parameters) == 8
    [moving] = [each for each in verdict.played if each.signal == "all knobs turned while it plays"]
    assert moving.null_db < -90
    assert verdict.worst_db < -100
    assert made.card.kilobytes < 500


def test_what_comes_late_is_on_time_in_both_lv2_hosts_at_every_rate(tmp_path: Path) -> None:
    rack = {
        "chain": [{"brickwall": -12}, {"gain": -3}],
        "knobs": {"out": {"value": 0.5, "drives": {"gain.gain": [-12, 0]}}},
    }
    made = export(RackBlock.parse(rack), tmp_path / "Late.lv2")
    assert made.card and made.card.verdict
    assert made.card.verdict.hosts == ("lv2apply (lilv)", "our own LV2 host", "Ardour 7, headless")
    assert made.card.verdict.worst_db < -140


@pytest.mark.parametrize("preset", ["hall", "dub-delay"])
def test_presets_become_plugins(preset: str, tmp_path: Path) -> None:
    made = export(preset, tmp_path / "Preset.clap")
    assert made.card and made.card.verdict
    assert made.card.verdict.worst_db < -120


def test_a_recorded_room_in_front_of_a_limiter_that_looks_ahead(tmp_path: Path) -> None:
    room = white(0.3, 0.3, seed=5, rate=48_000) * np.exp(-np.arange(14_400) / 4000)
    soundfile.write(tmp_path / "room.wav", room.T, 48_000, "FLOAT")
    chain = [
        {"convolution": {"file": str(tmp_path / "room.wav"), "mix": 0.5}},
        {"brickwall": {"ceiling": -12, "lookahead": 3}},
    ]
    rack = {"chain": chain, "knobs": {"top": {"value": 0.5, "drives": {"brickwall.ceiling": [-30, 0]}}}}
    made = export(RackBlock.parse(rack), tmp_path / "Room.vst3")
    assert made.card and made.card.verdict
    assert made.card.verdict.worst_db < -110
    assert made.card.verdict.latency["reported"] == made.card.verdict.latency["measured"] == 132 + 60


def test_what_moves_at_random_moves_alike(tmp_path: Path) -> None:
    lfo = {"period": "70 ms", "from": -24, "to": 0, "seed": 12}
    chain = [
        {"gain": lfo | {"lfo": "random"}},
        {"tremolo": {"wave": "drift", "spread": 90}},
        {"ladder": lfo | {"lfo": "drift", "from": 300, "to": 3000}},
    ]
    made = export(RackBlock.parse({"chain": chain, "knobs": {}}), tmp_path / "Random.clap")
    assert made.card and made.card.verdict
    assert made.card.verdict.worst_db < -120


@seed(20)
@settings(
    max_examples=5, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
)  # fmt: skip
@given(chain=chains())
def test_chains_that_nobody_wrote(chain: list[Any], tmp_path: Path) -> None:
    rack = rack_of(chain)
    name = f"Random {Design.of(rack, 'R').hash[:12]}"
    made = export(rack, tmp_path / f"{name}.clap", allow_mismatch=True)
    assert made.card and made.card.verdict
    assert made.card.verdict.failures == (), chain
