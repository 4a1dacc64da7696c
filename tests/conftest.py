"""Every test has a cache and a preset folder of its own, so none can see another's work or the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.stage import Stage


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`STUDIO_CACHE` and `STUDIO_PRESETS` in a fresh folder; child processes inherit them."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("STUDIO_CACHE", str(home / "cache"))
    monkeypatch.setenv("STUDIO_PRESETS", str(home / "presets"))
    return home


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    """44.1 kHz, stereo, 120 bpm in 4/4; paths are relative to `tmp_path`."""
    return Stage(folder=tmp_path)
