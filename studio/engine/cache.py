"""Finished work on disk: bounded, self-checking, and safe under several processes.

An entry is a file of interleaved float32 (`<key>.f32`) and a card (`<key>.json`) with its shape and hash. The
card is written last, so an entry without one does not exist; both come into place by renaming.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import numpy as np
import xxhash

from studio.audio import Block
from studio.disk import part_of, write_whole, writing
from studio.engine.tape import Tape
from studio.folders import cache_folder

DEFAULT_BYTES = 8 * 1024**3
_STALE_SECONDS = 24 * 3600
_MEND = ("the cache", "move the cache with STUDIO_CACHE")


_checked: set[tuple[Path, int, int]] = set()
"""Entries whose content this process has found sound, by path, size and time of change."""


class Recording:
    """Writes a tape; it becomes an entry of the cache only once `keep` is called."""

    def __init__(self, cache: Cache, key: str, name: str, rate: int, channels: int) -> None:
        self._cache, self._key, self._name = cache, key, name
        self._hash = xxhash.xxh3_128()
        self._part = part_of(cache.folder / f"{key}.f32")
        with writing(cache.folder, *_MEND):
            cache.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb", buffering=0)
            self.tape = Tape(self._part, channels, rate)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is not None:
            self.tape.tear()
        self._part.unlink(missing_ok=True)

    def write(self, block: Block) -> None:
        """Write a block of shape (channels, frames)."""
        interleaved = np.ascontiguousarray(block.T).data.cast("B") if block.size else memoryview(b"")
        self._hash.update(interleaved)
        with writing(self._cache.folder, *_MEND):
            while interleaved:
                interleaved = interleaved[self._file.write(interleaved) :]
        self.tape.grow(block.shape[1])

    def keep(self, remarks: Sequence[str] = ()) -> None:
        """The tape is whole; with `remarks` on it, it is good for this once only."""
        data, listed = self._cache.paths(self._key)
        with writing(self._cache.folder, *_MEND):
            self._file.close()
            self.tape.settle(self._part, data)
            card = {
                "name": self._name,
                "frames": self.tape.frames,
                "channels": self.tape.channels,
                "rate": self.tape.rate,
                "xxh3": self._hash.hexdigest(),
                "remarks": list(remarks),
            }
            write_whole(listed, json.dumps(card))


class Cache:
    """The folder of finished work; the least recently used goes first when it outgrows `limit` bytes."""

    def __init__(self, folder: Path | None = None, limit: int | None = None) -> None:
        given = os.environ.get("STUDIO_CACHE_BYTES", "")
        self.folder = folder or cache_folder()
        self.limit = limit if limit is not None else int(given) if given.isdecimal() else DEFAULT_BYTES

    def paths(self, key: str) -> tuple[Path, Path]:
        """The files of an entry: its sound and its card."""
        return self.folder / f"{key}.f32", self.folder / f"{key}.json"

    def holds(self, key: str) -> bool:
        """Whether there is an entry; only `open` says whether it is sound."""
        return all(path.is_file() for path in self.paths(key))

    def open(self, key: str) -> Tape | None:
        """The entry's tape, once its content has been checked against its hash; None if there is none.

        A damaged entry is thrown away. An open tape stays readable even if another process evicts it.
        """
        data, listed = self.paths(key)
        try:
            card = json.loads(listed.read_text())
            if card.get("remarks"):
                return None
            tape = Tape(data, int(card["channels"]), int(card["rate"]), int(card["frames"]))
            if not self._is_sound(key, tape, str(card["xxh3"])):
                self.drop(key)
                return None
            os.utime(listed)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return tape

    def record(self, key: str, name: str, rate: int, channels: int) -> Recording:
        """A recording under a key, kept once it is whole."""
        return Recording(self, key, name, rate, channels)

    def drop(self, key: str) -> None:
        """Forget an entry."""
        for path in reversed(self.paths(key)):
            path.unlink(missing_ok=True)

    def prune(self) -> None:
        """Remove the least recently used entries until the rest fits, and what killed processes left behind."""
        entries, total = [], 0
        try:
            listing = list(os.scandir(self.folder))
        except OSError:
            return
        for entry in listing:
            try:
                stat = entry.stat()
            except OSError:
                continue
            if entry.name.endswith(".part") and time.time() - stat.st_mtime > _STALE_SECONDS:
                Path(entry.path).unlink(missing_ok=True)
            elif entry.name.endswith(".f32"):
                listed = Path(entry.path).with_suffix(".json")
                used = listed.stat().st_mtime if listed.exists() else stat.st_mtime
                entries.append((used, stat.st_size, entry.name.removesuffix(".f32")))
                total += stat.st_size
        for _, size, key in sorted(entries):
            if total <= self.limit:
                break
            self.drop(key)
            total -= size

    def _is_sound(self, key: str, tape: Tape, expected: str) -> bool:
        data, _ = self.paths(key)
        stat = data.stat()
        if stat.st_size != tape.frames * tape.channels * 4:
            return False
        known = (data, stat.st_size, stat.st_mtime_ns)
        if known in _checked:
            return True
        digest = xxhash.xxh3_128()
        with data.open("rb") as file:
            while chunk := file.read(1 << 22):
                digest.update(chunk)
        if digest.hexdigest() != expected:
            return False
        _checked.add(known)
        return True
