"""Workers that stay warm between renders, each with a plugin loaded."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.hosting.workers import Worker

IDLE = int(os.environ.get("STUDIO_PLUGIN_WORKERS", "8"))
"""How many idle workers are kept; the one idle for longest goes first."""

_Key = tuple[Path, str, str]


class Pool:
    """Lends workers, and takes them back with their plugin loaded."""

    def __init__(self, idle: int = IDLE) -> None:
        self._most, self._idle = idle, list[Worker]()
        self._lock = threading.Lock()

    def take(self, path: Path, host: str, inner: str = "") -> Worker:
        """A worker with the plugin, warm if there is one."""
        with self._lock:
            for worker in reversed(self._idle):
                if (worker.path, worker.host, worker.inner) == (path, host, inner):
                    self._idle.remove(worker)
                    return worker
        return Worker(path, host, inner)

    def give(self, worker: Worker) -> None:
        """Take a worker back."""
        worker.settle()
        if worker.broken:
            return
        with self._lock:
            self._idle.append(worker)
            surplus = self._idle[: -self._most] if self._most else self._idle[:]
            del self._idle[: len(surplus)]
        for old in surplus:
            old.close()

    @contextmanager
    def lent(self, path: Path, host: str, inner: str = "") -> Iterator[Worker]:
        """A worker for a while."""
        worker = self.take(path, host, inner)
        try:
            yield worker
        finally:
            self.give(worker)

    def close(self) -> None:
        """End all that are idle."""
        with self._lock:
            idle, self._idle = self._idle, []
        for worker in idle:
            worker.close()


POOL = Pool()
atexit.register(POOL.close)
