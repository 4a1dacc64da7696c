"""Notes to oneself in the cache: signed with a key of the user's, so that nobody else's are ever believed.

A cache may lie where others can write. What is read from it counts only if this user wrote it: a note carries a keyed hash
(HMAC-SHA-256, RFC 2104) over its name and content, and files belong to the user and can be written by nobody else. The key
is 32 random bytes in the user's own data folder, readable by the user alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import stat
from functools import cache
from pathlib import Path
from typing import Any

from studio.disk import part_of, write_whole
from studio.errors import StudioError
from studio.folders import user_key_file
from studio.stored import Json, Members, Words, read_json

MOST_BYTES = 64 * 1024**2
_KEY_BYTES = 32
_NOTE = Members(of={"mac": Words(longest=64, pattern="[0-9a-f]{64}"), "note": Json()})


def write_note(path: Path, note: dict[str, Any]) -> None:
    """Write a note, whole or not at all, for nobody else to read or write.

    Raises:
        OutputError: it cannot be written.
    """
    write_whole(path, json.dumps({"mac": _mac(path, note), "note": note}), private=True)


def read_note(path: Path) -> dict[str, Any] | None:
    """A note of this user's; None if there is none, it is damaged, or somebody else wrote it."""
    try:
        if not is_ours(path.stat()):
            return None
        plain = _NOTE.parse(read_json(path, MOST_BYTES))
    except (OSError, StudioError):
        return None
    return plain["note"] if hmac.compare_digest(plain["mac"], _mac(path, plain["note"])) else None


def is_ours(status: os.stat_result) -> bool:
    """Whether a file belongs to this user and nobody else can write it; always so where the system knows no owners."""
    if not hasattr(os, "getuid"):
        return True
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _mac(path: Path, note: dict[str, Any]) -> str:
    facts = json.dumps([path.parent.name, path.name, note], sort_keys=True)
    return hmac.new(_key(user_key_file()), facts.encode(), hashlib.sha256).hexdigest()


@cache
def _key(path: Path) -> bytes:
    """The user's key, made when it is first needed; where none can be kept, one for this process."""
    for _ in range(3):
        with contextlib.suppress(OSError):
            status = path.stat()
            content = path.read_bytes()
            if len(content) == _KEY_BYTES and is_ours(status) and (os.name == "nt" or not status.st_mode & 0o077):
                return content
            path.unlink()
        part = part_of(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(secrets.token_bytes(_KEY_BYTES))
            # Of several processes that make one at once, the first wins.
            os.link(part, path)
        except OSError:
            continue
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
    return secrets.token_bytes(_KEY_BYTES)
