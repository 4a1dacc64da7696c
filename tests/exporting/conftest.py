"""Compiled pieces are shared by all tests of this room, on every worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.once import once_a_run


@pytest.fixture(scope="session")
def objects(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache of compiled pieces, in which what is exported for several tests is built."""
    patch, folder = pytest.MonkeyPatch(), once_a_run(tmp_path_factory, "objects", lambda folder: folder)
    patch.setenv("STUDIO_CACHE", str(folder))
    (folder / "plugins").mkdir(0o700, exist_ok=True)
    yield folder
    patch.undo()


@pytest.fixture(autouse=True)
def compiled_pieces(own_folders: Path, objects: Path) -> None:
    """The test's own cache has the pieces of all."""
    (own_folders / "cache").mkdir(0o700)
    (own_folders / "cache" / "plugins").symlink_to(objects / "plugins")
