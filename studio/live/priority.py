"""Letting what makes the sound run ahead of everything else, in this program and beside others."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

SWITCH_SECONDS = 2e-4
"""How long one thread of Python may keep the others waiting while sound is made; 5 ms otherwise, two periods."""


def ahead(priority: int = 1) -> None:
    """Put the calling thread before those of other programs, where the system lets it.

    Python runs one thread at a time. One that is put to sleep while it has its turn, because another program wants
    the processor, keeps the thread that makes the sound waiting, whatever the priority of that.
    """
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))


@contextmanager
def undisturbed() -> Iterator[None]:
    """While it lasts, no collection of garbage stops the sound, and no thread waits long for its turn."""
    switch = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    ahead()
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()
        sys.setswitchinterval(switch)
