"""A JACK server for whoever asks for one."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from studio.errors import MissingError
from studio.live.jack import Jack
from tests.waiting import PATIENCE, wait_until

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
        wait_until(lambda: answers(period), "jackd answers")
        yield name
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)


def answers(period: int) -> bool:
    """Whether the server is there."""
    try:
        with Jack("probe") as probe:
            assert (probe.rate, probe.period) == (RATE, period)
    except MissingError:
        return False
    return True
