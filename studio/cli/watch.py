"""Progress on the terminal: a bar for the whole, a line for each piece of work that is under way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from studio.visible import visible

if TYPE_CHECKING:
    from studio.engine import Listener, ProgressEvent


@contextmanager
def watching(seconds: float, quiet: bool) -> Iterator[Listener]:
    """A listener that shows progress while the block lasts.

    Args:
        seconds: how long the song will be, to tell how far a piece of work has come.
        quiet: show nothing, because a script is listening.
    """
    if quiet:
        yield lambda event: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=not console.is_terminal) as progress:
        shown = _Shown(progress, max(seconds, 1e-3))
        yield shown.hear


class _Shown:
    """Turns events, which come from several threads, into bars."""

    def __init__(self, progress, seconds: float) -> None:  # type: ignore[no-untyped-def]
        self._progress, self._seconds, self._lock = progress, seconds, threading.Lock()
        self._whole = progress.add_task("song", total=None)
        self._tasks: dict[str, int] = {}
        self._planned = 0
        self._done: dict[str, float] = {}

    def hear(self, event: ProgressEvent) -> None:
        with self._lock:
            if event.kind == "planned":
                self._planned += 1
            elif event.kind == "started":
                self._tasks[event.name] = self._progress.add_task(f"  {visible(event.name)[:44]}", total=self._seconds)
            elif event.kind == "moved":
                self._done[event.name] = min(event.done / self._seconds, 0.99)
                self._progress.update(self._tasks[event.name], completed=event.done)
            elif event.kind == "finished":
                self._done[event.name] = 1.0
                self._progress.remove_task(self._tasks.pop(event.name))
            self._progress.update(self._whole, total=max(1, self._planned), completed=sum(self._done.values()))
