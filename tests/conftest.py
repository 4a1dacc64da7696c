"""Every test has a cache and a preset folder of its own, so none can see another's work or the user's; and none leaves
another arithmetic behind than it found."""

from __future__ import annotations

import os

# Tests run side by side, one for each core: networks that learn have a thread each. torch reads it when it is imported.
os.environ["OMP_NUM_THREADS"] = "1"

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from studio.context import RenderContext
from tests.once import once_a_run

HERE = Path(__file__).parent

# How long a busy machine takes says nothing about what is tested.
settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("busy")

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`STUDIO_CACHE`, `STUDIO_PRESETS`, `STUDIO_KEY` and `STUDIO_TRUST` in a fresh folder; child processes inherit them."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("STUDIO_CACHE", str(home / "cache"))
    monkeypatch.setenv("STUDIO_PRESETS", str(home / "presets"))
    monkeypatch.setenv("STUDIO_KEY", str(home / "cache.key"))
    monkeypatch.setenv("STUDIO_TRUST", str(home / "trusted.json"))
    return home


@pytest.fixture(autouse=True)
def subnormals_survive() -> Iterator[None]:
    """Nothing that a test loads or runs may leave flush-to-zero switched on in its thread."""
    yield
    assert np.float32(1e-40) * np.float32(1.0) == np.float32(1e-40), "flush-to-zero was left on"


@pytest.fixture
def context(tmp_path: Path) -> RenderContext:
    """44.1 kHz, stereo, 120 bpm in 4/4; paths are relative to `tmp_path`."""
    return RenderContext(folder=tmp_path)


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of compiled pieces, in which what is exported for several tests is built."""
    patch, folder = pytest.MonkeyPatch(), once_a_run(tmp_path_factory, "objects", lambda folder: folder)
    patch.setenv("STUDIO_CACHE", str(folder))
    (folder / "plugins").mkdir(0o700, exist_ok=True)
    yield folder
    patch.undo()


@pytest.fixture
def compiled_pieces(own_folders: Path, objects: Path) -> None:
    """The test's own cache has the pieces of all."""
    (own_folders / "cache").mkdir(0o700)
    (own_folders / "cache" / "plugins").symlink_to(objects / "plugins")


@pytest.fixture(scope="session")
def processor_time() -> Iterator[None]:
    """Networks learn for so many seconds of the processor: a busy machine takes longer, and teaches them as much."""
    from studio.nets import training

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "time", SimpleNamespace(perf_counter=time.process_time))
        yield


NEEDS = {
    "ardour": ("sessions/test_ardour.py", "sessions/test_plugins.py", "sessions/test_solo.py", "live/test_remotes.py"),
    "chromium": ("widgets/", "rendering/test_player_page.py", "test_notebooks.py"),
    "compiler": ("exporting/", "test_native_chain.py", "hosting/test_hostile.py"),
    "jack": ("live/test_jack.py", "live/test_system.py", "live/test_midi.py"),
    "node": ("sessions/test_opendaw.py",),
    "plugins": (
        "hosting/test_plugin.py",
        "hosting/test_floating_point.py",
        "hosting/test_looking.py",
        "sessions/test_plugins.py",
        "live/test_remotes.py",
    ),
    "training": ("cli/test_train.py", "nets/", "timbre/test_latents.py", "timbre/test_likeness.py"),
}
"""The slow groups, as pyproject.toml explains them, and the files and folders of tests that belong to each."""


def pytest_configure() -> None:
    """What stops a program stops those that tests start too, even where this run was started to ignore it (nohup)."""
    for name in ("SIGHUP", "SIGTERM"):
        if signal.getsignal(getattr(signal, name)) is signal.SIG_IGN:
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with what it needs."""
    for item in items:
        path = item.path.relative_to(HERE).as_posix()
        for need, paths in NEEDS.items():
            if path.startswith(paths):
                item.add_marker(need)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what this machine was too busy to be asked."""
    for report in terminalreporter.stats.get("passed", []):
        for name, said in report.user_properties:
            if name == "busy":
                terminalreporter.write_line(f"BUSY {report.nodeid} - {said}")


@pytest.fixture(scope="session")
def chrome() -> Iterator[Browser]:
    """One headless browser for all who need one."""
    from tests.widgets.lab import browser

    with browser() as opened:
        yield opened
