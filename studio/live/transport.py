"""Starting, stopping and moving what plays."""

from __future__ import annotations

from typing import Protocol

from studio.errors import KnobError

_FURTHEST = 1 << 31


class LiveTransport(Protocol):
    """Says whether a song moves, and where it is."""

    def roll(self, on: bool) -> None:
        """Start the song, or stop it where it is."""
        ...

    def locate(self, seconds: float) -> None:
        """Move to a time, in seconds from the song's start, which is not negative.

        Raises:
            KnobError: it is none.
        """
        ...

    @property
    def rolls(self) -> bool:
        """Whether it moves."""
        ...

    @property
    def seconds(self) -> float:
        """Where it is, in seconds from the song's start."""
        ...


def frame_at(seconds: float, rate: int) -> int:
    """The frame of the song at a time in seconds.

    Raises:
        KnobError: it lies before the song, or further than JACK can count.
    """
    if not 0 <= seconds * rate < _FURTHEST:
        raise KnobError(f"{seconds} is no time in a song.", "Give seconds from its start.")
    return round(seconds * rate)
