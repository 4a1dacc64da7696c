"""How a command is stopped from outside: like Ctrl-C, so that it tidies up, and with the exit code of the signal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

_STOPS = ("SIGTERM", "SIGHUP")


class Stopping:
    """What the system has asked for while a command runs."""

    def __init__(self) -> None:
        self.code = 128 + signal.SIGINT
        """The exit code of a command that is stopped: 128 and the number of the signal."""
        self._before: dict[int, Any] = {}

    def listen(self) -> Callable[[], None]:
        """Take SIGTERM and SIGHUP like Ctrl-C; gives what ends that. A signal that was ignored stays so (nohup)."""
        if threading.current_thread() is threading.main_thread():
            for name in _STOPS:
                number = getattr(signal, name, None)
                if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                    self._before[number] = signal.signal(number, self._stop)
        return self._leave

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.code = 128 + number
        raise KeyboardInterrupt

    def _leave(self) -> None:
        while self._before:
            signal.signal(*self._before.popitem())


STOPPING = Stopping()
