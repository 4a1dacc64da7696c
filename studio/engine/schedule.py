"""Who works when: every job as soon as what it needs has begun, as many at once as there are cores."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from studio.budgets import most_open_files
from studio.errors import Interrupted

_THREADS_PER_CORE = 16
"""Most of them wait for what others make, and cost nothing while they do but the files they have open."""

_FILES_PER_THREAD = 8
"""Of the files that a process may have open, so many are there for each thread; it needs three or four."""


@dataclass(frozen=True, eq=False)
class Job:
    """A piece of work. It may start once all its `needs` have begun; `work` calls what it is given when it has.

    A job reads what others write while they write it, so it must say so with `Schedule.waiting` when it waits.
    """

    key: str
    needs: frozenset[str]
    work: Callable[[Callable[[], None]], object]


class Schedule:
    """Runs jobs on threads, of which only `cores` work at a time."""

    def __init__(self, cores: int) -> None:
        self._count, self._cores = cores, threading.Semaphore(cores)
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether everybody should lay down their work."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Have everybody lay down their work; the `run` that is going on raises Interrupted."""
        self._stop.set()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Lend this thread's core to others while it waits."""
        self._cores.release()
        try:
            yield
        finally:
            self._cores.acquire()

    def run(self, jobs: Sequence[Job]) -> None:
        """Run all jobs.

        Raises:
            StudioError: the first that a job raised; the others were stopped.
            Interrupted: the user pressed Ctrl-C.
        """
        self._stop.clear()
        begun: set[str] = set()
        waiting, open_jobs = list(jobs), len(jobs)
        # Keys that have begun; and for each job that is over, what it raised or None.
        news: queue.SimpleQueue[str | BaseException | None] = queue.SimpleQueue()
        failures: list[BaseException] = []
        threads = max(self._count, min(_THREADS_PER_CORE * self._count, most_open_files() // _FILES_PER_THREAD))
        with ThreadPoolExecutor(threads, thread_name_prefix="studio") as pool:
            try:
                while open_jobs:
                    for job in [job for job in waiting if job.needs <= begun]:
                        waiting.remove(job)
                        pool.submit(self._work, job, news)
                    item = self._next(news)
                    if isinstance(item, str):
                        begun.add(item)
                        continue
                    open_jobs -= 1
                    if item is not None:
                        failures.append(item)
                        self._stop.set()
                        open_jobs -= len(waiting)
                        waiting = []
            except KeyboardInterrupt:
                self._stop.set()
                failures.append(
                    Interrupted(
                        "the render was stopped.", "What was finished is kept: the next render goes on from there."
                    )
                )
        self._stop.clear()
        if failures:
            # Who was interrupted by another's failure is not its cause.
            raise next((error for error in failures if not isinstance(error, Interrupted)), failures[-1])

    def _work(self, job: Job, news: queue.SimpleQueue[str | BaseException | None]) -> None:
        failure: BaseException | None = None
        with self._cores:
            try:
                if self.stopped:
                    raise Interrupted("the render was stopped.")
                job.work(partial(news.put, job.key))
            except BaseException as error:
                failure = error
        news.put(failure)

    def _next(self, news: queue.SimpleQueue[str | BaseException | None]) -> str | BaseException | None:
        while True:
            try:
                # On some systems only a wait that ends now and then lets Ctrl-C through.
                return news.get(timeout=0.5)
            except queue.Empty:
                continue
