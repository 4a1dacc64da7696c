"""Watching the recipe that is played, and the files that it uses."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, SimpleQueue

from studio.errors import StudioError
from studio.live.player import LivePlayer
from studio.live.voice import LiveVoice

LOOKING_SECONDS = 0.1
"""How often it is looked; a file that changed between two looks may still be being written."""

Stamp = tuple[int, int, int]
"""File number, size in bytes and time of change in ns."""


class Reloader:
    """Fades a player into its recipe anew whenever its file, or one that it uses, has changed.

    It works on a thread of its own, so that whoever waits for the end of playing need not wait for a render.

    Args:
        player: plays the recipe.
        path: of the recipe; what is no file is not watched.
        voice: reads the recipe and makes what plays.
        begun: when what plays now began to be read, in ns since 1970: what changed after that is loaded once more.
    """

    def __init__(self, player: LivePlayer, path: Path, voice: Callable[[], LiveVoice], begun: int) -> None:
        self._player, self._path, self._voice = player, path, voice
        self._news: SimpleQueue[StudioError | None] = SimpleQueue()
        self._before = self._stamps()
        self._seen = {path: stamp if stamp and stamp[2] < begun else None for path, stamp in self._before.items()}

    def start(self) -> None:
        """Look again and again until the process ends."""
        threading.Thread(target=self._watch, daemon=True, name="reloading").start()

    def news(self) -> Iterator[StudioError | None]:
        """What has happened since it was last asked: None for each change that is heard, the error for one that is not."""
        while True:
            try:
                yield self._news.get_nowait()
            except Empty:
                return

    def look(self) -> None:
        """Load anew what has changed since it was loaded, and has not since the last look."""
        now = self._stamps()
        settled, self._before = now == self._before, now
        if settled and now != self._seen:
            try:
                self._player.swap(self._voice())
                self._news.put(None)
            except StudioError as error:
                self._news.put(error)
            # What changed while it was loaded is loaded once more.
            self._seen = {path: now.get(path, stamp) for path, stamp in self._stamps().items()}

    def _watch(self) -> None:
        while True:
            time.sleep(LOOKING_SECONDS)
            self.look()

    def _stamps(self) -> dict[Path, Stamp | None]:
        return {path: _stamp(path) for path in (self._path, *self._player.voice.files)}


def _stamp(path: Path) -> Stamp | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
