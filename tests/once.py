"""What takes long to make for the tests is made once: for a machine, until its sources change, or for a run."""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from filelock import FileLock
from platformdirs import user_cache_path

Made = TypeVar("Made")


def once(name: str, sources: Path, made: str, make: Callable[[Path], None]) -> Path:
    """The folder `made` with what `make` puts into a folder, or has put there before from the same sources.

    Args:
        name: what the thing is called.
        sources: the folder it is made of.
        made: what its folder is called.
        make: fills a new folder; what lies beside that is kept when it fails.
    """
    content = b"".join(path.read_bytes() for path in sorted(sources.iterdir()))
    folder = user_cache_path("mirepoix-tests") / f"{name}-{hashlib.sha256(content).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / made).is_dir():
            unfinished = folder / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            unfinished.rename(folder / made)
    return folder / made


def once_a_run(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], Made]) -> Made:
    """What `make` gives for a new folder; all workers of this run of the tests share it, so it must be picklable.

    Args:
        name: what the folder is called.
        make: fills the folder.
    """
    home = factory.getbasetemp()
    home = (home.parent if "PYTEST_XDIST_WORKER" in os.environ else home) / "once"
    home.mkdir(exist_ok=True)
    with FileLock(home / f"{name}.lock"):
        kept = home / f"{name}.pickle"
        if not kept.exists():
            folder = home / name
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            kept.write_bytes(pickle.dumps(make(folder)))
        made: Made = pickle.loads(kept.read_bytes())
    return made
