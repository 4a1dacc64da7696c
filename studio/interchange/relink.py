"""Files that a session names, where they are now: in its folder, in a folder to look in, or where it says, by consent."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from studio.errors import MissingError

_MOST_FILES = 200_000


@dataclass(frozen=True)
class Where:
    """Where media may be taken from.

    Attributes:
        media: a folder that is searched, with those in it, for files of the names that a session gives.
        anywhere: whether files may be taken from where the session says, outside its own folder.
    """

    media: Path | None = None
    anywhere: bool = False


HERE = Where()
"""Nothing but the folder of the session."""


class Relink:
    """Finds files for a session.

    Args:
        folder: of the session.
        where: where else may be looked.
    """

    def __init__(self, folder: Path, where: Where) -> None:
        self._folder, self._where = folder.resolve(), where
        self._named: dict[str, Path] | None = None

    def find(self, said: str) -> Path:
        """The file that a session means.

        Raises:
            MissingError: there is none, or it lies where nobody has allowed to look.
        """
        plain = said.replace("\\", "/")
        if not plain:
            raise MissingError("the session does not say where it is")
        drive = len(plain) > 1 and plain[1] == ":"
        path = (self._folder / plain).resolve()
        inside = not drive and path.is_relative_to(self._folder)
        if inside and path.is_file():
            return path
        found = self._in_media(PurePosixPath(plain).name)
        if found is not None:
            return found
        if not inside and self._where.anywhere and path.is_file() and not drive:
            return path
        looked = f", nor is one of that name in {self._where.media}" if self._where.media is not None else ""
        if inside or self._where.anywhere:
            raise MissingError(f"there is no such file{looked}. Give the folder it is in with --media DIR")
        raise MissingError(
            f"it lies outside the session's folder{looked}. Give the folder it is in with --media DIR, or take it from"
            " where the session says with --anywhere"
        )

    def _in_media(self, name: str) -> Path | None:
        """A file of a name in the folder to look in, or below; of several the first in the order of their paths."""
        if self._where.media is None:
            return None
        if self._named is None:
            self._named = {}
            count = 0
            for folder, _, files in sorted(os.walk(self._where.media)):
                for file in sorted(files):
                    count += 1
                    if count <= _MOST_FILES:
                        self._named.setdefault(file.casefold(), Path(folder, file))
        return self._named.get(name.casefold())
