"""A JACK server for whoever asks for one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator

import pytest

from studio.errors import MissingError
from studio.live.jack import Jack

RATE = 48_000


@pytest.fixture
def period(request: pytest.FixtureRequest) -> int:
    """Frames in a period of the server."""
    return int(getattr(request, "param", 128))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, period: int) -> Iterator[str]:
    """A JACK server of its own name on the dummy driver."""
    name = f"studio-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    process = subprocess.Popen(
        ["jackd", "-r", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(period)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            time.sleep(0.05)
            try:
                with Jack("probe") as probe:
                    assert (probe.rate, probe.period) == (RATE, period)
                break
            except MissingError:
                continue
        else:
            raise AssertionError("jackd does not answer")
        yield name
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
