"""Networks at work, as opposed to learning: without gradients, and on one thread of torch."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import torch

_counting = threading.Lock()
_inside = 0
_theirs = 1


class _Here(threading.local):
    """How often the thread at hand is inside."""

    depth = 0


_here = _Here()


@contextmanager
def inference() -> Iterator[None]:
    """Let networks work for a while; also serves as a decorator.

    On one thread: how torch cuts sums among threads changes their last bits, many threads make small networks slower, and
    the engine works on steps side by side as it is. torch keeps the number for each thread, and another for threads that it
    has not met; what its user has set is there again, for both, when the last one leaves.
    """
    if _here.depth:
        with torch.inference_mode():
            yield
        return
    _enter()
    try:
        with torch.inference_mode():
            yield
    finally:
        _leave()


def _enter() -> None:
    global _inside, _theirs
    with _counting:
        # Asked always: a thread that torch has not met yet would take the number from elsewhere later, in the middle.
        number = torch.get_num_threads()
        if not _inside:
            _theirs = number
        _inside += 1
        _here.depth += 1
        torch.set_num_threads(1)


def _leave() -> None:
    global _inside
    with _counting:
        _inside -= 1
        _here.depth -= 1
        torch.set_num_threads(_theirs)
