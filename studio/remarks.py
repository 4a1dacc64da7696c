"""Remarks: what a step has to say of its own work while it runs, such as that it had to leave something out.

A sound with a remark is given out once, with the remark in its report, and never served from the cache.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

log = logging.getLogger("studio")

_collected: ContextVar[list[str] | None] = ContextVar("the remarks on the sound that is being made", default=None)


def remark(text: str) -> None:
    """Say something that whoever hears the sound must know."""
    log.warning("%s", text)
    collected = _collected.get()
    if collected is not None and text not in collected:
        collected.append(text)


@contextmanager
def remarking() -> Iterator[list[str]]:
    """Collect the remarks made meanwhile in this thread."""
    collected: list[str] = []
    token = _collected.set(collected)
    try:
        yield collected
    finally:
        _collected.reset(token)
