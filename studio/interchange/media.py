"""The audio files of a session that is read, copied into a folder beside the recipe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath

from studio.audiofile import probe
from studio.disk import writing
from studio.errors import MissingError, StudioError
from studio.interchange.timeline import Loss
from studio.rendering.manifest import slug

MISSING = "audio file"
"""How losses of media begin."""


class Media:
    """A folder that takes each file once, whatever the session calls it.

    Args:
        folder: where the copies go; made when the first one comes.
        losses: hears of files that cannot be had or are no audio.
    """

    def __init__(self, folder: Path, losses: list[Loss]) -> None:
        self._folder, self._losses = folder, losses
        self._copies: dict[str, Path | None] = {}
        self._taken: set[str] = set()

    def audio(self, said: str, where: str, find: Callable[[str], Callable[[Path], object]]) -> Path | None:
        """The copy of an audio file, or None if there is none.

        Args:
            said: what the session calls the file.
            where: whose file it is.
            find: gives what writes the file to a path; it raises MissingError when there is none.
        """
        if said not in self._copies:
            self._copies[said] = None
            try:
                copy = self.copy(said, find(said))
            except MissingError as error:
                self._losses.append(Loss(f"{MISSING} {said!r}", where, error.cause))
                return None
            try:
                probe(copy)
                self._copies[said] = copy
            except StudioError as error:
                copy.unlink(missing_ok=True)
                self._losses.append(Loss(f"{MISSING} {said!r}", where, error.cause))
        return self._copies[said]

    def copy(self, said: str, fetch: Callable[[Path], object]) -> Path:
        """A new file with what `fetch` writes."""
        name = PurePosixPath(said.replace("\\", "/"))
        target = self._folder / f"{slug(name.stem, self._taken)}{name.suffix.lower()[:8]}"
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            fetch(target)
        return target


def copy_of(path: Path) -> Callable[[Path], object]:
    """What writes a file of this machine to another path."""
    return partial(shutil.copyfile, path)
