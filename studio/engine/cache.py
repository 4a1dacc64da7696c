"""Finished work on disk: bounded, self-checking, and safe under several processes.

An entry is a file of interleaved float32 (`<key>.f32`) and a card (`<key>.json`) with its shape and hash. The
card is written last, so an entry without one does not exist; both come into place by renaming.
"""

from __future__ import annotations

import json
import os
import threading
import time
import weakref
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from types import TracebackType

import numpy as np
import xxhash

from studio.audio import Audio, Block
from studio.disk import part_of, write_whole, writing
from studio.folders import cache_folder

DEFAULT_BYTES = 8 * 1024**3
_STALE_SECONDS = 24 * 3600
_MEND = ("the cache", "move the cache with STUDIO_CACHE")


class Tape:
    """Audio on disk that can be read from any frame, by several threads at once, for as long as it is held."""

    def __init__(self, file: FileIO, channels: int, frames: int, rate: int) -> None:
        self._file, self._lock = file, threading.Lock()
        self.channels, self.frames, self.rate = channels, frames, rate
        weakref.finalize(self, file.close)

    def read(self, start: int, frames: int) -> Block:
        """`frames` from `start`; silence beyond the end."""
        have = max(0, min(frames, self.frames - start))
        buffer = np.empty((have, self.channels), np.float32)
        with self._lock:
            self._file.seek(start * self.channels * 4)
            self._file.readinto(buffer.data)
        block = np.ascontiguousarray(buffer.T)
        return block if have == frames else np.pad(block, ((0, 0), (0, frames - have)))

    def blocks(self, size: int) -> Iterator[Block]:
        for start in range(0, self.frames, size):
            yield self.read(start, min(size, self.frames - start))

    def audio(self) -> Audio:
        return Audio(self.read(0, self.frames), self.rate)


class Recording:
    """A tape being written; it exists only once `keep` is called."""

    def __init__(self, cache: Cache, key: str, name: str, rate: int) -> None:
        self._cache, self._key, self._name, self._rate = cache, key, name, rate
        self._hash = xxhash.xxh3_128()
        self._frames = self._channels = 0
        self._part = part_of(cache.folder / f"{key}.f32")
        with writing(cache.folder, *_MEND):
            cache.folder.mkdir(parents=True, exist_ok=True)
            self._file = self._part.open("wb")

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, block: Block) -> None:
        interleaved = np.ascontiguousarray(block.T)
        self._frames, self._channels = self._frames + len(interleaved), interleaved.shape[1]
        self._hash.update(interleaved.data)
        with writing(self._cache.folder, *_MEND):
            self._file.write(interleaved.data)

    def keep(self) -> Tape:
        card = {
            "name": self._name,
            "frames": self._frames,
            "channels": self._channels,
            "rate": self._rate,
            "xxh3": self._hash.hexdigest(),
        }
        data, listed = self._cache.paths(self._key)
        with writing(self._cache.folder, *_MEND):
            self._file.close()
            self._part.replace(data)
            tape = Tape(data.open("rb", buffering=0), self._channels, self._frames, self._rate)
            write_whole(listed, json.dumps(card))
        return tape


class Cache:
    """The folder of finished work; the least recently used goes first when it outgrows `limit` bytes."""

    def __init__(self, folder: Path | None = None, limit: int | None = None) -> None:
        given = os.environ.get("STUDIO_CACHE_BYTES", "")
        self.folder = folder or cache_folder()
        self.limit = limit if limit is not None else int(given) if given.isdecimal() else DEFAULT_BYTES
        self._sound: set[tuple[str, int, int]] = set()

    def paths(self, key: str) -> tuple[Path, Path]:
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
            file = data.open("rb", buffering=0)
            tape = Tape(file, int(card["channels"]), int(card["frames"]), int(card["rate"]))
            if not self._checked(key, file, tape, str(card["xxh3"])):
                file.close()
                self.drop(key)
                return None
            os.utime(listed)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return tape

    def record(self, key: str, name: str, rate: int) -> Recording:
        return Recording(self, key, name, rate)

    def drop(self, key: str) -> None:
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

    def _checked(self, key: str, file: FileIO, tape: Tape, expected: str) -> bool:
        stat = os.fstat(file.fileno())
        if stat.st_size != tape.frames * tape.channels * 4:
            return False
        known = (key, stat.st_size, stat.st_mtime_ns)
        if known in self._sound:
            return True
        digest = xxhash.xxh3_128()
        while chunk := file.read(1 << 22):
            digest.update(chunk)
        if digest.hexdigest() != expected:
            return False
        self._sound.add(known)
        return True
