"""A process for code of strangers: shut in before it loads any, watched, and ended with everything it made."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from studio.processes import python_command
from studio.typed import present

_LOG_BYTES = 200_000
_CONFINED = "from studio.foreign import _enter; _enter(); "
_OUTSIDE = ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS")
"""Doors out of the sandbox that are locked anyway; some libraries knock at them for long."""


class ForeignProcess:
    """An interpreter that runs a line of Python beside us, and our end of the line to it.

    Confined, it can write into `writable` and a scratch folder of its own alone, which is its working and temporary
    folder and goes with it.

    Args:
        program: what it runs; it finds the handle of its end of the line, for `connect`, in ``sys.argv[1]``.
        arguments: what it finds behind that.
        writable: other folders and files that it may write.
        environment: variables besides ours.
        confined: whether it is shut in, on systems that can do that.
    """

    def __init__(
        self,
        program: str,
        *arguments: str,
        writable: Iterable[Path] = (),
        environment: Mapping[str, str] | None = None,
        confined: bool = True,
    ) -> None:
        self.scratch = Path(tempfile.mkdtemp(prefix="studio-"))
        self.line, theirs = Pipe()
        handle = theirs.fileno()
        allowed = json.dumps([str(path) for path in (self.scratch, *writable)] if confined else None)
        variables = {key: value for key, value in os.environ.items() if not (confined and key in _OUTSIDE)}
        variables |= dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(self.scratch)) | dict(environment or {})
        inherit: dict[str, Any] = {"pass_fds": (handle,), "start_new_session": True}
        if sys.platform == "win32":
            os.set_handle_inheritable(handle, True)
            inherit = {"close_fds": False}
        self._process = subprocess.Popen(
            python_command(_CONFINED + program, allowed, str(handle), *arguments),
            cwd=self.scratch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables,
            **inherit,
        )
        theirs.close()
        self._said: deque[bytes] = deque()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def close(self) -> None:
        """End the process and what it started, whatever they are doing, and wait until it is gone."""
        if sys.platform != "win32" and self._process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._reader.join(1)
        self.line.close()
        if self._process.stdout is not None:
            self._process.stdout.close()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def how_it_ended(self) -> str:
        """In a phrase, once it has gone or is about to."""
        try:
            code = self._process.wait(2)
        except subprocess.TimeoutExpired:
            return "it closed its door"
        if code >= 0:
            return f"exit code {code}"
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"

    def words(self) -> str:
        """The end of what it has printed."""
        return b"".join(self._said).decode("utf-8", "replace").strip()

    def _read(self) -> None:
        """Keep the end of what it prints; some print without end."""
        size, out = 0, present(self._process.stdout)
        with contextlib.suppress(ValueError, OSError):
            while words := os.read(out.fileno(), 65_536):
                self._said.append(words)
                size += len(words)
                while size > _LOG_BYTES and len(self._said) > 1:
                    size -= len(self._said.popleft())


def connect() -> Connection[Any, Any]:
    """The process's own end of the line."""
    handle = int(sys.argv[1])
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def _enter() -> None:
    """What the process does first: it shuts itself in, and sees to it that it does not outlive who asks it."""
    from studio.sandbox import confine

    allowed = json.loads(sys.argv.pop(1))
    if allowed is not None:
        confine(allowed)
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    """End when nobody is left to ask, even while foreign code hangs."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
