"""Waiting for a state instead of for a time: on a busy machine it takes longer, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 300.0
"""Seconds after which something hangs; nothing that works takes a tenth of it, however busy the machine."""


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE) -> None:
    """Look again and again until something is so.

    Raises:
        AssertionError: it has not come about.
    """
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.02)
