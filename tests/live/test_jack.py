"""Live playing on a JACK server without a sound card."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from studio.errors import MissingError
from studio.levels import decibels
from studio.live.control import message
from studio.live.jack import Jack
from studio.rendering.render import render

STUDIO = (sys.executable, "-c", "from studio.cli import main; main()")
SONG = """\
recipe: 1
title: Live
rate: 48000
tracks:
  hum: {play: {noise: {length: 1 s, level: -20 dB}}, chain: [{gain: -6}, {lowpass: 4 kHz}]}
master: {chain: [{gain: {gain: 0, name: out}}]}
"""


def test_a_song_plays_is_turned_over_osc_and_heard_by_another_client(server: str, tmp_path: Path) -> None:
    import socket

    import jack

    (tmp_path / "song.yaml").write_text(SONG)
    live = subprocess.Popen(
        [*STUDIO, "live", str(tmp_path / "song.yaml"), "--osc", "0", "--seconds", "8"],
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
            client.sendto(message("/knob/master.out.gain", -20.0), ("127.0.0.1", port))
            assert b"/knob/master.out.gain" in client.recv(4096)
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


MIXER = """\
recipe: 1
rate: 48000
length: 1.00101 s
tracks:
  a:
    play: {noise: {length: 0.9 s, level: -12 dB}}
    chain: [{gain: {gain: [[0, -12], [0.4 s, 0], [0.9 s, -20]]}}, {brickwall: {ceiling: -20 dB}}]
    send: {room: -3 dB}
  b: {play: {noise: {length: 0.5 s, level: -20 dB, seed: 2}}, chain: [{lowpass: 2 kHz}], pan: 0.4}
buses: {room: {chain: [{delay: {time: 10 ms}}]}}
"""


@pytest.mark.parametrize("period", [1024], indirect=True)
def test_the_whole_song_out_of_jack_nulls_against_the_render_wherever_the_transport_is(
    server: str, period: int, tmp_path: Path
) -> None:
    import jack

    (tmp_path / "song.yaml").write_text(MIXER)
    mix = render(tmp_path / "song.yaml").mix.samples
    live = subprocess.Popen(
        [*STUDIO, "live", str(tmp_path / "song.yaml"), "--osc", "0", "--follow", "--seconds", "6"],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert live.stdout is not None and "Playing the song" in live.stdout.readline()
    ear = jack.Client("ear", no_start_server=True)
    heard: list[tuple[int, np.ndarray]] = []
    inports = [ear.inports.register(f"in_{channel}") for channel in (1, 2)]

    def hear(frames: int) -> None:
        _, position = ear.transport_query_struct()
        heard.append((int(position.frame), np.stack([port.get_array() for port in inports])))

    late: set[int] = set()
    # What the server says came late is silence or old: the machine's fault, not the mix's.
    ear.set_xrun_callback(lambda delay: late.update(range(len(heard) - 2, len(heard) + 3)))
    ear.set_process_callback(hear)
    ear.activate()
    try:
        for channel in (1, 2):
            ear.connect(f"studio:out_{channel}", f"ear:in_{channel}")
        time.sleep(0.5)
        assert max(float(np.max(np.abs(block))) for _, block in heard[-5:]) < 1e-6
        ear.transport_frame = 12_345
        ear.transport_start()
        time.sleep(0.5)
        begun = len(heard)
        time.sleep(3)
        blocks = [block for place, block in enumerate(heard) if place >= begun and place not in late]
        ear.transport_stop()
    finally:
        ear.deactivate()
        ear.close()
    live.communicate(timeout=20)
    places = [(frame + np.arange(period)) % mix.shape[1] for frame, _ in blocks]
    errors = [float(np.max(np.abs(block - mix[:, place]))) for (_, block), place in zip(blocks, places, strict=True)]
    # One period a round differs a little, where the loop closes within a cell of the grid.
    assert decibels(float(np.quantile(errors, 0.9))) < -90, errors
    assert len(blocks) > 100 and float(np.max(np.abs(mix))) > 0.1


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    with pytest.raises(MissingError, match="no JACK server"):
        Jack()
