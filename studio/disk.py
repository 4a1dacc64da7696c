"""Writing to disk: whole or not at all, and with errors a person can act on."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.errors import OutputError, Place


@contextmanager
def writing(path: Path, what: str = "the file", elsewhere: str = "choose another folder") -> Iterator[None]:
    """Turn the operating system's refusals into an `OutputError` that names the place and the mend."""
    try:
        yield
    except OutputError:
        raise
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if full else f"{what} cannot be written: {(error.strerror or str(error)).lower()}"
        mend = f"Free some space, or {elsewhere}." if full else f"{elsewhere.capitalize()}."
        raise OutputError(f"{reason}.", mend, place=Place(str(path))) from None


def part_of(path: Path) -> Path:
    """A name beside `path` for what is not yet whole."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(3)}.part")


def write_whole(path: Path, content: str | bytes) -> None:
    """Replace a file by new content in one step.

    Raises:
        OutputError: it cannot be written; what was there before is untouched.
    """
    part = part_of(path)
    with writing(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part.write_bytes(content.encode() if isinstance(content, str) else content)
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


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
