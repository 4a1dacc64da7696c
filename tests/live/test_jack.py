"""Live playing on a JACK server without a sound card."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from studio.errors import MissingError
from studio.live.control import message
from studio.live.jack import Jack

RATE, PERIOD = 48_000, 128
SONG = """\
recipe: 1
title: Live
rate: 48000
tracks:
  hum: {play: {noise: {length: 1 s, level: -20 dB}}, chain: [{gain: -6}, {lowpass: 4 kHz}]}
master: {chain: [{gain: {gain: 0, name: out}}]}
"""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A JACK server of its own name on the dummy driver."""
    name = f"studio-{os.getpid()}"
    monkeypatch.setenv("JACK_DEFAULT_SERVER", name)
    monkeypatch.setenv("JACK_NO_AUDIO_RESERVATION", "1")
    process = subprocess.Popen(
        ["jackd", "-r", "-n", name, "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(100):
            time.sleep(0.05)
            try:
                assert Jack.rate() == RATE
                break
            except MissingError:
                continue
        else:
            raise AssertionError("jackd does not answer")
        yield name
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def test_a_song_plays_is_turned_over_osc_and_heard_by_another_client(server: str, tmp_path: Path) -> None:
    import socket

    import jack

    (tmp_path / "song.yaml").write_text(SONG)
    live = subprocess.Popen(
        [sys.executable, "-c", "from studio.cli import main; main()", "live", str(tmp_path / "song.yaml"), "--osc", "0", "--seconds", "8"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert live.stdout is not None
    line = live.stdout.readline()
    port = int(line.split("127.0.0.1:")[1].split(".")[0])
    ear = jack.Client("ear", no_start_server=True)
    heard: list[np.ndarray] = []
    inport = ear.inports.register("in")
    ear.set_process_callback(lambda frames: heard.append(inport.get_array().copy()))
    ear.activate()
    try:
        ear.connect("studio:out_1", "ear:in")
        time.sleep(1.0)
        loud = np.concatenate(heard[-300:])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(3)
            client.sendto(message("/knob/out.gain", -20.0), ("127.0.0.1", port))
            assert b"/knob/out.gain" in client.recv(4096)
        time.sleep(1.0)
        soft = np.concatenate(heard[-300:])
    finally:
        ear.deactivate()
        ear.close()
    said, _ = live.communicate(timeout=20)
    assert live.returncode == 0
    assert "too late" in said and "From input to output" in said
    level = [float(np.sqrt(np.mean(sound**2))) for sound in (loud, soft)]
    assert level[0] > 1e-3 and abs(20 * np.log10(level[1] / level[0]) + 20) < 1.5


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    with pytest.raises(MissingError, match="no JACK server"):
        Jack.rate()
