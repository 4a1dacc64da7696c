"""Letting the threads beside the sound run ahead of other programs."""

from __future__ import annotations

import os
from contextlib import suppress

SWITCH_SECONDS = 2e-4
"""How long one thread of Python may keep the others waiting while sound is made; 5 ms otherwise, two periods."""


def ahead() -> None:
    """Put the calling thread before those of other programs, where the system lets it.

    Python runs one thread at a time. One that is put to sleep while it has its turn, because another program wants
    the processor, keeps the thread that makes the sound waiting, whatever the priority of that.
    """
    if hasattr(os, "sched_setscheduler"):
        with suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
