"""Writing to disk: whole or not at all, and with errors a person can act on."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from studio.budgets import most_open_files
from studio.errors import MissingError, OutputError, Place


@contextmanager
def writing(path: Path, what: str = "the file", elsewhere: str = "choose another folder") -> Iterator[None]:
    """Turn the operating system's refusals into an `OutputError` that names the place and the mend."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        if error.errno in (errno.EMFILE, errno.ENFILE):
            raise OutputError(
                f"too many files are open at once; this process may have {most_open_files():,}.",
                "Raise the limit (ulimit -n 4096), or use fewer workers.",
                place=Place(str(path)),
            ) from None
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else f"{what} cannot be written: {(error.strerror or str(error)).lower()}"
        mend = f"Free some space, or {elsewhere}." if full else f"{elsewhere.capitalize()}."
        raise OutputError(f"{reason}.", mend, place=Place(str(path))) from None


_STALE_SECONDS = 24 * 3600
_PART = re.compile(r"\..+\.(\d+)-([0-9a-f]{6,})\.part")


def check_regular(path: Path) -> None:
    """Find out whether a path leads to a file, and to no pipe, device or folder, on which a reader could wait for ever.

    Raises:
        MissingError: it is there, and is none.
    """
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return  # Whoever opens it says what is wrong.
    if not stat.S_ISREG(mode):
        kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
        what = kinds.get(stat.S_IFMT(mode), "a device")
        raise MissingError(f"this is {what}, not a file.", "Give a file.", place=Place(str(path)))


def part_of(path: Path) -> Path:
    """A name beside `path` for what is not yet whole; it tells which process of which machine is at it."""
    return path.with_name(f".{path.name}.{os.getpid()}-{_machine()}{secrets.token_hex(3)}.part")


@cache
def _machine() -> str:
    """Six digits that tell this machine, and on Linux the container that process numbers are counted in."""
    name = platform.node()
    with contextlib.suppress(OSError):
        name += str(Path("/proc/self/ns/pid").readlink())
    return hashlib.sha256(name.encode()).hexdigest()[:6]


def remove_abandoned(folder: Path) -> tuple[int, int]:
    """Remove the unfinished files that killed processes left in a folder.

    Gone are those of this machine whose process is no more, and those of any machine that are older than a day.

    Returns:
        How many there were, and their bytes.
    """
    count = total = 0
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            named = _PART.fullmatch(entry.name)
            with contextlib.suppress(OSError):
                stat = entry.stat(follow_symlinks=False)
                if not named or not entry.is_file(follow_symlinks=False):
                    continue
                here = named[2].startswith(_machine()) and len(named[2]) > 6
                if time.time() - stat.st_mtime > _STALE_SECONDS or (here and not _runs(int(named[1]))):
                    Path(entry.path).unlink()
                    count, total = count + 1, total + stat.st_size
    return count, total


def _runs(process: int) -> bool:
    """Whether there is such a process on this machine; where it cannot be asked, there may be."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def write_whole(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Replace a file by new content in one step.

    Args:
        private: nobody else can read or write it, nor look into the folder if that is made for it.

    Raises:
        OutputError: it cannot be written; what was there before is untouched.
    """
    part = part_of(path)
    with writing(path):
        try:
            make_folder(path.parent, private=private)
            if private:
                part.touch(0o600, exist_ok=False)
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def make_folder(folder: Path, *, private: bool = False) -> None:
    """Make a folder and those above it where they are not there; `private` ones only their owner can look into."""
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(0o700 if private else 0o777, exist_ok=True)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def whole_folder(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """A new folder beside `target` to write into, which takes its place when all went well.

    Raises:
        OutputError: something is there already and `replace` is off, or the disk refuses.
    """
    if target.exists() and not replace:
        raise OutputError(f"{target} is there already.", "Choose another name, or say that it is to be replaced.")
    part, old = part_of(target), part_of(target)
    with writing(target, "the folder"):
        try:
            part.mkdir(parents=True)
            yield part
            if target.exists():
                target.rename(old)
            part.rename(target)
        finally:
            if old.exists() and not target.exists():
                old.rename(target)
            for left in (part, old):
                if left.is_dir():
                    shutil.rmtree(left, ignore_errors=True)
                else:
                    left.unlink(missing_ok=True)
