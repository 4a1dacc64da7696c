"""The hostile plugin, built once a machine from JUCE's sources, and its copies under other names."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from platformdirs import user_cache_path

HERE = Path(__file__).parent / "hostile"
TEMPERS = (
    "Honest", "CrashOnLoad", "AbortOnLoad", "HangOnLoad", "CrashLater", "HangLater", "CrashOnState", "NotANumber",
    "Runaway", "LatencyLiar", "RestlessLatency", "BlockDropper", "SlowStarter", "Chatterbox",
)  # fmt: skip


@pytest.fixture(scope="session")
def hostile() -> Path:
    """A folder with one VST3 for each of `TEMPERS`."""
    sources = b"".join(path.read_bytes() for path in sorted(HERE.iterdir()))
    folder = user_cache_path("mirepoix-tests") / f"hostile-{hashlib.sha256(sources).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "plugins").is_dir():
            _build(folder)
    return folder / "plugins"


@pytest.fixture(autouse=True)
def trusted_folders(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Plugins in the test's own folder, and the hostile ones, may be loaded."""
    folders = [tmp_path, *([request.getfixturevalue("hostile")] if "hostile" in request.fixturenames else [])]
    monkeypatch.setenv("STUDIO_PLUGINS", os.pathsep.join(map(str, folders)))


def _build(folder: Path) -> None:
    build, ready = folder / "build", folder / "unfinished"
    for command in (
        ["cmake", "-S", str(HERE), "-B", str(build), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Debug"],
        ["cmake", "--build", str(build)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=1200)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    [built] = build.rglob("Hostile.so")
    shutil.rmtree(ready, ignore_errors=True)
    for temper in TEMPERS:
        inside = ready / f"{temper}.vst3" / "Contents" / f"{_machine()}-linux"
        inside.mkdir(parents=True)
        shutil.copy(built, inside / f"{temper}.so")
    ready.rename(folder / "plugins")


def _machine() -> str:
    import platform

    assert sys.platform == "linux"
    return platform.machine()
