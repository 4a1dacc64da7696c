"""Tapes: audio on disk that can be read while it is still being written."""

from __future__ import annotations

import mmap
import os
import threading
import weakref
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.errors import Interrupted


class Tape:
    """Interleaved float32 in a file, read from any frame by several threads at once.

    A tape is born growing, unless its `frames` are known: readers that ask for what is not there yet wait, until
    it has come or the tape has ended.
    """

    def __init__(self, path: Path, channels: int, rate: int, frames: int | None = None) -> None:
        self.channels, self.rate = channels, rate
        self._changed = threading.Condition()
        self._written, self._growing, self._torn = frames or 0, frames is None, False
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
            self._file.seek(start * self.channels * 4)
            if have:
                self._file.readinto(buffer.data.cast("B"))
        # A view: what mixes and writes works on interleaved frames as they are.
        return buffer.T

    def mapped(self) -> Block:
        """All of it, mapped into memory; the system begins to read it ahead."""
        if not self.frames:
            return np.zeros((self.channels, 0), np.float32)
        mapping = mmap.mmap(self._file.fileno(), self._written * self.channels * 4, access=mmap.ACCESS_READ)
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
            self._growing = False
            self._changed.notify_all()

    def move(self, path: Path) -> None:
        """What was written so far lies in another file now."""
        with self._changed:
            self._close()
            self._load(path)

    def status(self) -> os.stat_result:
        """What the system knows of the open file."""
        return os.fstat(self._file.fileno())

    def tear(self) -> None:
        """No more will come, and what is there is worth nothing."""
        with self._changed:
            self._torn = True
            self._changed.notify_all()

    def _load(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        self._close = weakref.finalize(self, self._file.close)
