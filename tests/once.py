"""What takes long to build for the tests is built once a machine, and again when its sources change."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path


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
