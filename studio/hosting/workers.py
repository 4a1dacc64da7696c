"""A process with a plugin in it, seen from outside: asked, watched, and replaced when it fails."""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.folders import cache_folder
from studio.foreign import ForeignProcess
from studio.hosting.contract import PluginError
from studio.hosting.worker import BYTES, CHANNELS, FRAMES, SLOTS

PATIENCE = 2.5
"""Seconds that a plugin is given for a block, besides ten times its length."""

LOADING = 30.0
"""Seconds that a plugin is given to load and to describe itself."""

UNCONFINED = "STUDIO_PLUGIN_SANDBOX"
"""The variable that, set to `off`, lets plugins write and reach the network as they like."""

_LAST_WORDS = 400
_LONGEST_ANSWER = 1 << 29


class Worker:
    """A process with one plugin in it.

    Args:
        path: the plugin's file.
        host: which of `HOSTS` loads it.
        inner: its name, where the file holds several.
    """

    def __init__(self, path: Path, host: str, inner: str = "") -> None:
        self.path, self.host, self.inner = path, host, inner
        self.broken = False
        self._unanswered = 0
        shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
        with tempfile.NamedTemporaryFile(prefix="studio-", dir=shared, delete=False) as file:
            file.truncate(BYTES)
            self._memory_file = Path(file.name)
            self._memory = mmap.mmap(file.fileno(), BYTES)
        self._sent, self._received = np.frombuffer(self._memory, np.float32).reshape(2, SLOTS, CHANNELS, FRAMES)
        self._process = ForeignProcess(
            "from studio.hosting.worker import main; main()",
            *(str(self._memory_file), str(path.absolute()), host, inner),
            writable=[self._memory_file],
            # One thread for libraries that would take them all, and no screen for those that bring a toolkit along.
            environment={"OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"},
            confined=os.environ.get(UNCONFINED) != "off",
        )

    def ask(self, request: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        """Ask the plugin something and wait for the answer.

        Raises:
            PluginError: as `answer`.
        """
        self.post(request)
        return self.answer(seconds)

    def post(self, request: Mapping[str, Any]) -> None:
        """Ask the plugin something, and go on; every request must be answered for, in order, by `answer`."""
        self._unanswered += 1
        # A process that is gone is told of when its answer is missed.
        with contextlib.suppress(OSError):
            self._process.line.send_bytes(json.dumps(request).encode())

    def answer(self, seconds: float) -> dict[str, Any]:
        """The answer to the first request that has none yet.

        Raises:
            PluginError: it crashed, did not answer in time, or refused; after the first two the worker is done for.
        """
        name = self.path.stem
        self._unanswered -= 1
        try:
            if not self._process.line.poll(seconds):
                raise self._failed(f"{name} did not answer within {seconds:.0f} s and was stopped.")
            answer: Any = json.loads(self._process.line.recv_bytes(_LONGEST_ANSWER))
        except (EOFError, OSError):
            raise self._failed(f"{name} crashed ({self._process.how_it_ended()}).") from None
        except (ValueError, RecursionError):
            raise self._failed(f"{name} gave an answer that is none.") from None
        except PluginError:
            raise
        except BaseException:
            # Interrupted in the middle: the answer would be taken for that of the next question.
            self.close()
            raise
        # Both have it mapped by now; its name is not needed.
        self._memory_file.unlink(missing_ok=True)
        if not isinstance(answer, dict):
            raise self._failed(f"{name} gave an answer that is none.")
        if "error" in answer:
            raise PluginError(str(answer["error"])[:2_000], str(answer.get("mend", ""))[:2_000])
        return answer

    def settle(self) -> None:
        """Wait for what nobody has waited for; one that takes its time over it is done for."""
        with contextlib.suppress(PluginError):
            while self._unanswered and not self.broken:
                self.answer(PATIENCE)

    def send(self, slot: int, block: Block, sides: Block | None = None) -> None:
        """Put sound where the plugin will look for it."""
        channels, frames = block.shape
        self._sent[slot, :channels, :frames] = block
        if sides is not None:
            self._sent[slot, channels : channels + sides.shape[0], :frames] = sides

    def receive(self, slot: int, channels: int, frames: int) -> Block:
        """What the plugin has put there."""
        return np.array(self._received[slot, :channels, :frames])

    def close(self) -> None:
        """End the process, whatever it is doing, and wait until it is gone."""
        self.broken = True
        self._process.close()
        self._memory_file.unlink(missing_ok=True)

    def _failed(self, cause: str) -> PluginError:
        self.close()
        words = self._process.words()
        log = self._write_log(words)
        last = " ".join(words[-_LAST_WORDS:].split())
        said = f" Its last words: {last!r}." if last else ""
        return PluginError(cause + said, f"Bypass it, or write `on_error: bypass`. What it said is in {log}.")

    def _write_log(self, words: str) -> Path:
        log = cache_folder() / "plugins" / "logs" / f"{self.path.stem}.log"
        with contextlib.suppress(OSError):
            log.parent.mkdir(parents=True, exist_ok=True)
            log.write_text(words, encoding="utf-8")
        return log
