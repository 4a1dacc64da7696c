"""What a render tells whoever watches it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True)
class ProgressEvent:
    """A piece of work was planned, started, has come to `done` of `total` seconds of sound, or is finished."""

    kind: Literal["planned", "cached", "started", "moved", "finished"]
    name: str
    done: float = 0.0
    total: float = 0.0


Listener: TypeAlias = Callable[[ProgressEvent], None]


def silent(event: ProgressEvent) -> None:
    """A listener that does nothing."""
