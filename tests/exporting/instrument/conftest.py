"""Instruments that several tests look at, exported once."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.exporting.export import Exported, export
from tests.once import once_a_run

PLAY = "{play: {soundfont: {program: 4}}, chain: [{brickwall: {ceiling: -6}}, {gain: 6}]}"
SMALL = {"lowest": 55, "highest": 67, "step": 6, "velocities": [60, 127], "seconds": 1.2}


@pytest.fixture(scope="session")
def vst3(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    name = 'Keys "ü"; // \U0001f600'
    return once_a_run(
        tmp_path_factory, "keys", lambda folder: export(PLAY, folder / "Keys.vst3", name=name, grid=SMALL)
    )
