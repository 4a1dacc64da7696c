"""Finished work on disk: bounded, self-checking, and safe under several processes and users.

An entry is a file of interleaved float32 (`<key>.f32`) and a card (`<key>.json`), a note signed by the user, with its shape
and hash. The card is written last, so an entry without one does not exist; both come into place by renaming. What somebody
else wrote, or could have written, is never used. A cache that is full or cannot be written costs a remark: the render goes
on in a folder for temporary files.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import weakref
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import xxhash

from studio.audio import Block, interleaved
from studio.disk import make_folder, part_of, remove_abandoned, writing
from studio.engine.tape import Tape
from studio.errors import OutputError, StudioError
from studio.folders import cache_folder
from studio.notes import is_ours, read_note, write_note
from studio.remarks import remark
from studio.stored import Flag, Members, Whole, Words

log = logging.getLogger(__name__)

DEFAULT_BYTES = 8 * 1024**3
_MEND = ("the folder for temporary files", "free some space there")
_CHUNK = 1 << 19
"""Frames that are hashed at a time."""

_CARD = Members(
    of={
        "name": Words(longest=4_000),
        "frames": Whole(),
        "channels": Whole(low=1, high=64),
        "rate": Whole(low=1_000, high=1_536_000),
        "xxh3": Words(longest=32, pattern="[0-9a-f]{32}"),
        "once": Flag(),
    }
)

_checked: set[tuple[Path, int, int, int]] = set()
"""Entries whose content this process has found sound, by path, file, size and time of change."""


class Recording:
    """Writes a tape; it becomes an entry of the cache only once `keep` is called."""

    def __init__(self, cache: Cache, key: str, name: str, rate: int, channels: int) -> None:
        self._cache, self._key, self._name = cache, key, name
        self._hash = xxhash.xxh3_128()
        self._spare = False
        try:
            make_folder(cache.folder, private=True)
            self._part, self._file = _opened(cache.folder, key)
        except OSError as error:
            self._part, self._file = self._elsewhere(error)
        self.tape = Tape(self._part, channels, rate)

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if error is not None:
            self.tape.tear()
        _discard(self._part)

    def write(self, block: Block) -> None:
        """Add a block.

        Raises:
            OutputError: there is room neither in the cache nor for temporary files.
        """
        left = interleaved(block).data.cast("B") if block.size else memoryview(b"")
        self._hash.update(left)
        while left:
            try:
                left = left[self._file.write(left) :]
            except OSError as error:
                self._move(error)
        self.tape.grow(block.shape[1])

    def keep(self, remarks: Sequence[str] = ()) -> None:
        """The tape is whole; with `remarks` on it, or without room for it, it is good for this once only."""
        self._file.close()
        data, listed = self._cache.paths(self._key)
        if self._spare:
            self.tape.settle()
            return
        try:
            self.tape.settle(self._part, data)
        except OSError as error:
            self.tape.settle()
            self._cache.refused(error)
            return
        card = {
            "name": self._name[:1_000],
            "frames": self.tape.frames,
            "channels": self.tape.channels,
            "rate": self.tape.rate,
            "xxh3": self._hash.hexdigest(),
            "once": bool(remarks),
        }
        try:
            write_note(listed, card)
        except OutputError as error:
            # Without its card it is no entry, and would only take room.
            log.debug("no card for %s: %s", self._key, error.cause)
            _discard(data)

    def _move(self, error: OSError) -> None:
        """Go on in the folder for temporary files, with what was written so far."""
        if self._spare:
            with writing(self._part, *_MEND):
                raise error
        where, old = self._file.tell(), self._part
        part, file = self._elsewhere(error)
        with writing(part, *_MEND), old.open("rb") as source:
            shutil.copyfileobj(source, file)
            file.truncate(where)
            file.seek(where)
        self._file.close()
        self.tape.move(part)
        self._part, self._file = part, file
        _discard(old)

    def _elsewhere(self, error: OSError) -> tuple[Path, Any]:
        self._cache.refused(error)
        self._spare = True
        with writing(Path(tempfile.gettempdir()), *_MEND):
            return _opened(self._cache.spare(), self._key)


def _opened(folder: Path, key: str) -> tuple[Path, Any]:
    """A new file beside an entry, which nobody else can read or write."""
    part = part_of(folder / f"{key}.f32")
    flags = os.O_CREAT | os.O_EXCL | os.O_RDWR | getattr(os, "O_BINARY", 0)
    return part, os.fdopen(os.open(part, flags, 0o600), "w+b", buffering=0)


def _discard(part: Path) -> None:
    """Remove a file that is no entry; one that is still open stays on some systems, until the cache is tidied."""
    try:
        part.unlink(missing_ok=True)
    except OSError as error:
        log.debug("%s stays: %s", part, error)


class Cache:
    """The folder of finished work; the least recently used goes first when it outgrows `limit` bytes."""

    def __init__(self, folder: Path | None = None, limit: int | None = None) -> None:
        given = os.environ.get("STUDIO_CACHE_BYTES", "")
        self.folder = folder or cache_folder()
        self._spare: Path | None = None
        self._refused = False
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
        note = read_note(listed)
        try:
            card = _CARD.parse(note) if note is not None else None
            if card is None or card["once"]:
                return None
            tape = Tape(data, card["channels"], card["rate"], card["frames"])
            if not self._is_sound(data, tape, card["xxh3"]):
                self.drop(key)
                return None
        except (OSError, StudioError):
            return None
        try:
            os.utime(listed)
        except OSError as error:
            # It has been evicted meanwhile, or cannot be written; what is open can be read all the same.
            log.debug("%s is not marked as used: %s", key, error)
        return tape

    def record(self, key: str, name: str, rate: int, channels: int) -> Recording:
        """A recording under a key, kept once it is whole."""
        return Recording(self, key, name, rate, channels)

    def refused(self, error: OSError) -> None:
        """Remark, once, that it has no room, or cannot be written."""
        if not self._refused:
            reason = (error.strerror or str(error)).lower()
            remark(f"the cache in {self.folder} cannot be used ({reason}): the render went on without it.")
        self._refused = True

    def spare(self) -> Path:
        """A folder for temporary files, where work goes on that the cache has no room for; gone when the cache is."""
        if self._spare is None:
            self._spare = Path(tempfile.mkdtemp(prefix="studio-"))
            weakref.finalize(self, shutil.rmtree, self._spare, ignore_errors=True)
        return self._spare

    def drop(self, key: str) -> None:
        """Remove an entry, if it is there and can be removed."""
        for path in reversed(self.paths(key)):
            _discard(path)

    def prune(self) -> None:
        """Remove the least recently used entries until the rest fits, and what killed processes left behind."""
        entries, total = [], 0
        remove_abandoned(self.folder)
        try:
            listing = list(os.scandir(self.folder))
        except OSError:
            return
        for entry in listing:
            try:
                stat = entry.stat()
            except OSError:
                continue
            if entry.name.endswith(".f32"):
                try:
                    used = Path(entry.path).with_suffix(".json").stat().st_mtime
                except OSError:
                    used = stat.st_mtime
                entries.append((used, stat.st_size, entry.name.removesuffix(".f32")))
                total += stat.st_size
        for _, size, key in sorted(entries):
            if total <= self.limit:
                break
            self.drop(key)
            total -= size

    def _is_sound(self, data: Path, tape: Tape, expected: str) -> bool:
        """Whether an open entry is this user's, and holds what its card says."""
        status = tape.status()
        if not is_ours(status):
            log.warning("%s in the cache is somebody else's, or can be written by others: it is not used", data)
            return False
        if status.st_size != tape.frames * tape.channels * 4:
            return False
        known = (data, status.st_ino, status.st_size, status.st_mtime_ns)
        if known in _checked:
            return True
        digest = xxhash.xxh3_128()
        for start in range(0, tape.frames, _CHUNK):
            digest.update(tape.there(start, _CHUNK).T.data.cast("B"))
        if digest.hexdigest() != expected:
            return False
        _checked.add(known)
        return True
