"""Tapes: audio on disk that can be read while it is still being written."""

from __future__ import annotations

import contextlib
import mmap
import os
import threading
import weakref
from collections import OrderedDict
from io import FileIO
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.budgets import most_open_files
from studio.disk import part_of, writing
from studio.errors import Interrupted

_SHARE = 4
"""One in so many of the files that a process may have open may be a tape."""


class Tape:
    """Interleaved float32 in a file, read from any frame by several threads at once.

    A tape is born growing, unless its `frames` are known: readers that ask for what is not there yet wait, until
    it has come or the tape has ended.
    """

    def __init__(self, path: Path, channels: int, rate: int, frames: int | None = None) -> None:
        self.channels, self.rate = channels, rate
        self._changed = threading.Condition()
        self._written, self._growing, self._torn = frames or 0, frames is None, False
        self._path, self._kept = path, False
        self._file: FileIO | None = None
        self._load(path)

    @property
    def frames(self) -> int:
        """Its length, known once it has stopped growing."""
        self.wait(None)
        return self._written

    def ready(self, frames: int | None) -> bool:
        """Whether so many frames are there, or all there will be; with None, whether it has stopped growing."""
        return not self._growing or (frames is not None and self._written >= frames)

    def wait(self, frames: int | None) -> None:
        """Wait until `ready`.

        Raises:
            Interrupted: whoever wrote the tape has given up.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._torn or self.ready(frames))
            if self._torn:
                raise Interrupted("the sound this one is made of was not finished.")

    def read(self, start: int, frames: int) -> Block:
        """`frames` from `start`; silence beyond the end."""
        block = self.there(start, frames)
        missing = frames - block.shape[1]
        return np.pad(block, ((0, 0), (0, missing))) if missing else block

    def there(self, start: int, frames: int) -> Block:
        """What there is of `frames` from `start`: fewer at the end."""
        self.wait(start + frames)
        have = max(0, min(frames, self._written - start))
        buffer = np.empty((have, self.channels), np.float32)
        with self._changed:
            file = self._opened()
            file.seek(start * self.channels * 4)
            if have:
                file.readinto(buffer.data.cast("B"))
        # A view: what mixes and writes works on interleaved frames as they are.
        return buffer.T

    def mapped(self) -> Block:
        """All of it, mapped into memory; the system begins to read it ahead."""
        if not self.frames:
            return np.zeros((self.channels, 0), np.float32)
        with self._changed:
            size = self._written * self.channels * 4
            mapping = mmap.mmap(self._opened().fileno(), size, access=mmap.ACCESS_READ)
        if hasattr(mmap, "MADV_WILLNEED"):
            mapping.madvise(mmap.MADV_WILLNEED)
        return np.frombuffer(mapping, np.float32).reshape(-1, self.channels).T

    def grow(self, frames: int) -> None:
        """So many more frames are in the file."""
        with self._changed:
            self._written += frames
            self._changed.notify_all()

    def settle(self, part: Path | None = None, path: Path | None = None) -> None:
        """All is written; with both given, the file moves from `part` to `path`.

        The file stays open on the way, so that nobody who removes it there takes it from those who read it.

        Raises:
            OSError: it cannot be moved; it can still be read.
        """
        with self._changed:
            if part is not None and path is not None:
                try:
                    part.replace(path)
                except PermissionError:
                    # Some systems do not move a file that is open.
                    self._close()
                    try:
                        part.replace(path)
                    except OSError:
                        self._load(part)
                        raise
                    self._load(path)
                self._path = path
            self._growing = False
            self._changed.notify_all()

    def move(self, path: Path) -> None:
        """What was written so far lies in another file now."""
        with self._changed:
            self._close()
            self._load(path)

    def status(self) -> os.stat_result:
        """What the system knows of the open file."""
        with self._changed:
            return os.fstat(self._opened().fileno())

    def tear(self) -> None:
        """No more will come, and what is there is worth nothing."""
        with self._changed:
            self._torn = True
            self._changed.notify_all()

    def put_away(self) -> bool:
        """Close the file of a finished tape until it is read again; gives whether it is closed.

        A second name keeps it from those who remove it meanwhile. Where it cannot have one, or the tape is being read
        or still grows, it stays open.
        """
        if not self._changed.acquire(blocking=False):
            return False
        try:
            if self._file is None:
                return True
            if self._growing or not (self._kept or self._keep(self._file.fileno())):
                return False
            self._close()
            self._file = None
            return True
        finally:
            self._changed.release()

    def _keep(self, handle: int) -> bool:
        """Give the open file a second name; it goes when the tape does."""
        name = part_of(self._path)
        try:
            os.link(self._path, name)
            # Its age counts from now on, for those who remove what was abandoned.
            os.utime(name)
            self._kept = os.path.samestat(name.stat(), os.fstat(handle))
        except OSError:
            self._kept = False
        if not self._kept:
            _unlink(name)
            return False
        weakref.finalize(self, _unlink, name)
        self._path = name
        return True

    def _opened(self) -> FileIO:
        if (file := self._file) is None:
            try:
                file = self._load(self._path)
            except OSError as error:
                with writing(self._path, "the cache", "choose another folder for it with STUDIO_CACHE"):
                    raise error
        _OPEN.used(self)
        return file

    def _load(self, path: Path) -> FileIO:
        self._path = path
        self._file = file = path.open("rb", buffering=0)
        self._close = weakref.finalize(self, file.close)
        _OPEN.used(self)
        return file


def _unlink(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


class _OpenTapes:
    """The tapes whose files are open, those used last at the end; the others are put away when they are too many."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._tapes: OrderedDict[int, weakref.ref[Tape]] = OrderedDict()

    def used(self, tape: Tape) -> None:
        """A tape's file is open, and wanted."""
        with self._lock:
            self._tapes[id(tape)] = weakref.ref(tape)
            self._tapes.move_to_end(id(tape))
            if len(self._tapes) <= (most := most_open_files() // _SHARE):
                return
            for key, known in list(self._tapes.items())[:-1]:
                other = known()
                if other is None or other.put_away():
                    del self._tapes[key]
                if len(self._tapes) <= most:
                    return


_OPEN = _OpenTapes()
