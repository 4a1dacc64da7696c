"""Exports that several tests look at, made once."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.effects.blocks import RackBlock
from studio.exporting.export import Exported, export
from tests.exporting.plugin.late import Late
from tests.once import once_a_run

NAME = 'Late "ü"; // \U0001f600'

NESTED = RackBlock.parse(
    {
        "chain": [
            {"parallel": {"name": "par", "mix": 0.3, "chain": [Late(777, 0.7, name="a"), {"lowpass": {"name": "lp"}}]}},
            {"gain": {"name": "g", "gain": -2}},
            {"layers": {"chains": [[], [Late(100, 1.0, 0.5, name="b")], [{"lowpass": 500}]]}},
            {"late": {"name": "c", "frames": 33, "level": {"lfo": "sine", "period": "1/4", "from": 0.5, "to": 1}}},
            {"multiband": {"crossovers": [200, 2500], "bands": [[{"gain": {"name": "low"}}], [Late(50, name="d")], []]}},
        ],
        "knobs": {
            "one": {"value": 0.3, "drives": {"par.mix": [0, 1], "lp.cutoff": ["200 Hz", "9 kHz"]}},
            "two ü": {"value": 0.6, "help": "wobble", "drives": {"b.wobble": [0, 1], "g.gain": [-20, 0]}},
            "three": {
                "value": "300 Hz", "range": [100, 1000], "unit": "Hz", "taper": "log",
                "drives": {"low.gain": [-20, 6, "smooth"], "d.level": [0.2, 1], "c.size": [0.5, 1.5]},
            },
        },
    }
)  # fmt: skip
"""Every way in which steps can stand, with 960 frames of latency in all."""


@pytest.fixture(scope="session")
def vst3(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return _late(tmp_path_factory, "vst3")


@pytest.fixture(scope="session")
def lv2(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return _late(tmp_path_factory, "lv2")


@pytest.fixture(scope="session")
def clap(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return _late(tmp_path_factory, "clap")


def _late(factory: pytest.TempPathFactory, form: str) -> Exported:
    return once_a_run(factory, form, lambda folder: export(NESTED, folder / f"Late.{form}", name=NAME))
