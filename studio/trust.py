"""Whose programs may run: a list that the user keeps, by content, outside every document.

A TorchScript model is a program. A recipe or a pack that brings one along cannot say that it may run; only the user can,
with the command `studio trust FILE` or `trust_model`. What is trusted is the content, by its SHA-256: a file changed by one byte, or
another under the same name, is not.
"""

from __future__ import annotations

import json
import re
import shlex
import stat
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from studio.disk import file_sha256, write_whole
from studio.errors import MissingError, ModelError, OutputError, Place
from studio.folders import trust_file

_FORMAT = 1
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHORTEST = 8
"""Digits of a hash that are enough to name it."""


@dataclass(frozen=True)
class Trusted:
    """A file that may run, by its content.

    Args:
        sha256: of its content, in hexadecimal.
        name: what the file was called when it was trusted.
        since: the day, as 2026-11-26.
    """

    sha256: str
    name: str
    since: str


def trust_model(path: Path) -> Trusted:
    """Let a file's content run from now on, wherever it lies.

    Raises:
        MissingError: there is no such file.
        OutputError: the list cannot be read or written.
    """
    digest = sha256_of(path)
    known = {each.sha256: each for each in trusted_files()}
    if digest not in known:
        known[digest] = Trusted(digest, path.name, datetime.now(UTC).date().isoformat())
        _write(known.values())
    return known[digest]


def trusted_files() -> tuple[Trusted, ...]:
    """What may run, in the order in which it was trusted.

    Raises:
        OutputError: the list is there and cannot be read.
    """
    place = trust_file()
    try:
        plain = json.loads(place.read_text(encoding="utf-8"))
        if plain["trusted"] != _FORMAT:
            raise ValueError("it was written by a newer studio")
        listed = tuple(Trusted(**{key: str(value) for key, value in each.items()}) for each in plain["files"])
        if not all(_SHA256.fullmatch(each.sha256) for each in listed):
            raise ValueError("something in it is no SHA-256")
        return listed
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise OutputError(
            f"the list of what you trust cannot be read ({error}).",
            "Take it away; then trust again what you need.",
            place=Place(str(place)),
        ) from None


def revoke_trust(what: str) -> Trusted:
    """Take a file, or what has a hash that begins so (eight digits at least), off the list.

    Raises:
        MissingError: nothing of the kind is on it.
        OutputError: the list cannot be read or written.
    """
    listed = trusted_files()
    wanted = sha256_of(Path(what)) if Path(what).is_file() else what.lower()
    found = [each for each in listed if len(wanted) >= _SHORTEST and each.sha256.startswith(wanted)]
    if len(found) != 1:
        cause = f"{len(found)} files that you trust begin with" if found else "nothing that you trust has the hash"
        raise MissingError(f"{cause} {wanted!r}.", "`studio trust --list` tells what there is.")
    _write(each for each in listed if each not in found)
    return found[0]


def is_trusted(path: Path) -> bool:
    """Whether the content of a file may run.

    Raises:
        MissingError: it cannot be read.
        OutputError: the list cannot be read.
    """
    return sha256_of(path) in {each.sha256 for each in trusted_files()}


def require_trust(path: Path) -> str:
    """The SHA-256 of a file that may run.

    Raises:
        ModelError: the user has not said that it may.
        MissingError: it cannot be read.
        OutputError: the list cannot be read.
    """
    if not is_trusted(path):
        raise ModelError(
            f"{path.name!r} is a program, not data, and you have not said that it may run"
            f" (SHA-256 {sha256_of(path)[:16]}…).",
            f"If you trust whoever made it: studio trust {shlex.quote(str(path))}",
            place=Place(str(path)),
        )
    return sha256_of(path)


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, read anew whenever the file has changed.

    Raises:
        MissingError: it cannot be read, or is no file.
    """
    try:
        state = path.stat()
        if not stat.S_ISREG(state.st_mode):
            raise MissingError("this is no file.", place=Place(str(path)))
        return _hashed(path.resolve(), state.st_ino, state.st_size, state.st_mtime_ns)
    except OSError as error:
        raise MissingError(f"the file cannot be read: {error.strerror}.", place=Place(str(path))) from None


@lru_cache(maxsize=64)
def _hashed(path: Path, inode: int, size: int, changed: int) -> str:
    return file_sha256(path)


def _write(files: Any) -> None:
    path = trust_file()
    plain = {"trusted": _FORMAT, "files": [asdict(each) for each in files]}
    write_whole(path, json.dumps(plain, indent=2) + "\n")
    if sys.platform != "win32":
        path.chmod(0o600)
