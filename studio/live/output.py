"""Where the sound goes: an output runs a player, period by period, and keeps count of how it went."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from typing import Self

from studio.live.health import Health, Watch
from studio.live.player import LivePlayer
from studio.live.transport import LiveTransport

LEAVING_SECONDS = 0.3
"""How long an output waits for the period that is being played, before it leaves without its end."""


class LiveOutput(ABC):
    """An output of the system; closed when it is left, which takes hardly longer than `LEAVING_SECONDS`.

    Args:
        rate: in Hz.
        period: frames of a block.
    """

    def __init__(self, rate: int, period: int) -> None:
        self.rate, self.period = rate, period
        self._watch = Watch()
        self._player: LivePlayer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abstractmethod
    def playing(self, player: LivePlayer) -> AbstractContextManager[None]:
        """Play while it lasts."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the device."""

    def transport(self, player: LivePlayer) -> LiveTransport:
        """What starts, stops and moves the song."""
        return player

    def health(self) -> Health:
        """How it has gone so far; a block waits a period on its way in and one on its way out."""
        late = self._player.latency if self._player else 0
        return self._watch.health(self.period / self.rate, (2 * self.period + late) / self.rate)
