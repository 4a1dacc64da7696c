"""The hostile plugin, built once a machine from JUCE's sources, and its copies under other names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.once import once

HERE = Path(__file__).parent / "hostile"
TEMPERS = (
    "Honest", "CrashOnLoad", "AbortOnLoad", "HangOnLoad", "CrashLater", "HangLater", "CrashOnState", "NotANumber",
    "Runaway", "LatencyLiar", "RestlessLatency", "BlockDropper", "SlowStarter", "Chatterbox",
)  # fmt: skip


@pytest.fixture(scope="session")
def hostile() -> Path:
    """A folder with one VST3 for each of `TEMPERS`."""
    return once("hostile", HERE, "plugins", _build)


@pytest.fixture(autouse=True)
def trusted_folders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Plugins in the test's own folder, and the hostile ones, may be loaded."""
    folders = [tmp_path, *([request.getfixturevalue("hostile")] if "hostile" in request.fixturenames else [])]
    monkeypatch.setenv("STUDIO_PLUGINS", os.pathsep.join(map(str, folders)))


def _build(folder: Path) -> None:
    build = folder.parent / "build"
    for command in (
        ["cmake", "-S", str(HERE), "-B", str(build), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug"],
        ["cmake", "--build", str(build)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    [built] = build.rglob("Hostile.so")
    for temper in TEMPERS:
        inside = folder / f"{temper}.vst3" / "Contents" / f"{_machine()}-linux"
        inside.mkdir(parents=True)
        shutil.copy(built, inside / f"{temper}.so")


def _machine() -> str:
    import platform

    assert sys.platform == "linux"
    return platform.machine()
