"""Zip files from strangers: members are read one by one, bounded, and never written where their names say."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Self

from studio.budgets import check_disk, check_swelling, size_text
from studio.disk import check_regular
from studio.errors import MissingError, Place, RecipeError

MOST_MEMBERS = 20_000
LARGEST_MEMBER, LARGEST_WHOLE = 4 * 1024**3, 32 * 1024**3


class Archive:
    """An opened zip file.

    Raises:
        MissingError: there is no such file.
        RecipeError: it is no zip file, damaged, or a bomb.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        check_regular(path)
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise MissingError(f"the file cannot be opened: {error.strerror}.", place=Place(str(path))) from None
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
            raise self._refusal(f"this is no zip file, or a damaged one ({error}).") from None
        self._members = {info.filename: info for info in self._zip.infolist() if not info.is_dir()}
        self._check()

    def _check(self) -> None:
        infos = self._zip.infolist()
        if len(infos) > MOST_MEMBERS:
            raise self._refusal(f"the zip file holds {len(infos)} files; {MOST_MEMBERS} at most.")
        whole, largest = (
            sum(info.file_size for info in infos),
            max(infos, key=lambda info: info.file_size, default=None),
        )
        if whole > LARGEST_WHOLE:
            raise self._refusal(f"the zip file would unpack to {size_text(whole)}; {size_text(LARGEST_WHOLE)} at most.")
        if largest is not None and largest.file_size > LARGEST_MEMBER:
            size, most = size_text(largest.file_size), size_text(LARGEST_MEMBER)
            raise self._refusal(f"{largest.filename!r} would unpack to {size}; {most} at most.")
        try:
            check_swelling(infos)
        except RecipeError as error:
            error.place = Place(str(self.path))
            raise

    def check_room(self, folder: Path) -> None:
        """Refuse an archive that would not fit, unpacked, on the disk of a folder.

        Raises:
            OutputError: it would not, in numbers.
        """
        check_disk(folder, sum(info.file_size for info in self._members.values()), "what is in the session")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    @property
    def names(self) -> list[str]:
        """The names of its files, in the order of the archive, repeated ones as often as they stand there."""
        return [info.filename for info in self._zip.infolist() if not info.is_dir()]

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        return name in self._members

    def read(self, name: str, largest: int) -> bytes:
        """The content of a file of up to `largest` bytes.

        Raises:
            MissingError: there is no such file.
            RecipeError: it is larger, or damaged.
        """
        info = self._info(name)
        if info.file_size > largest:
            raise self._refusal(f"{name!r} is larger than {largest // 1024**2} MB.")
        try:
            with self._zip.open(info) as member:
                return member.read(largest + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError) as error:
            raise self._refusal(f"{name!r} is damaged ({error}).") from None

    def open(self, name: str) -> IO[bytes]:
        """A file, to be read in pieces."""
        return self._zip.open(self._info(name))

    def extract(self, name: str, target: Path) -> None:
        """Write a file's content to `target`, in pieces; the name of the member has no say in where."""
        try:
            with self._zip.open(self._info(name)) as member, target.open("wb") as file:
                shutil.copyfileobj(member, file, 1024 * 1024)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            target.unlink(missing_ok=True)
            raise self._refusal(f"{name!r} is damaged ({error}).") from None

    def _info(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise MissingError(f"the archive has no {name!r}.", place=Place(str(self.path)))
        return self._members[name]

    def _refusal(self, cause: str) -> RecipeError:
        return RecipeError(cause, "Get another copy, or export it again.", place=Place(str(self.path)))


def safe_name(name: str) -> bool:
    """Whether a path stays inside the folder it is relative to, on every system."""
    path = PurePosixPath(name)
    odd = "\\" in name or "\0" in name or (len(name) > 1 and name[1] == ":")
    return bool(name) and not odd and not path.is_absolute() and ".." not in path.parts


def bytes_of(path: Path, largest: int, what: str) -> bytes:
    """The content of a file of up to `largest` bytes.

    Raises:
        MissingError: it cannot be opened.
        RecipeError: it is larger.
    """
    check_regular(path)
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except OSError as error:
        raise MissingError(f"the file cannot be opened: {error.strerror}.", place=Place(str(path))) from None
    if len(content) > largest:
        raise RecipeError(
            f"{what} of more than {largest // 1024**2} MB.", "That is no session.", place=Place(str(path))
        )
    return content


__all__ = ["Archive", "bytes_of", "safe_name"]
