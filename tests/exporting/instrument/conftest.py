"""Instruments that several tests look at, exported once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.exporting.export import Exported, export

PLAY = "{play: {soundfont: {program: 4}}, chain: [{brickwall: {ceiling: -6}}, {gain: 6}]}"
SMALL = {"lowest": 55, "highest": 67, "step": 6, "velocities": [60, 127], "seconds": 1.2}


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of compiled pieces for all tests of this room."""
    patch, folder = pytest.MonkeyPatch(), tmp_path_factory.mktemp("objects")
    patch.setenv("STUDIO_CACHE", str(folder))
    yield folder
    patch.undo()


@pytest.fixture(scope="session")
def vst3(objects: Path, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export(PLAY, tmp_path_factory.mktemp("vst3") / "Keys.vst3", name='Keys "ü"; // \U0001f600', grid=SMALL)
