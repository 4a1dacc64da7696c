"""Live playing on a JACK server without a sound card."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from studio.context import RenderContext
from studio.errors import MissingError
from studio.levels import decibels
from studio.live.control import message
from studio.live.jack import Jack
from studio.live.player import LivePlayer
from studio.live.song import chain_voice
from studio.rendering.render import render
from tests.live.ear import Ear, ear
from tests.waiting import PATIENCE, wait_until

STUDIO = (sys.executable, "-c", "from studio.cli import main; main()")
SONG = """\
recipe: 1
title: Live
rate: 48000
tracks:
  hum: {play: {noise: {length: 1 s, level: -20 dB}}, chain: [{gain: -6}, {lowpass: 4 kHz}]}
master: {chain: [{gain: {gain: 0, name: out}}]}
"""


@contextmanager
def live(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`studio live` at work, and its first line; it is stopped as a person would stop it, and must end well."""
    process = subprocess.Popen([*STUDIO, "live", *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE)
        assert process.returncode == 0
    finally:
        process.kill()
        process.communicate()


def test_a_song_plays_is_turned_over_osc_and_heard_by_another_client(server: str, tmp_path: Path) -> None:
    (tmp_path / "song.yaml").write_text(SONG)
    with ear(1) as heard, live(tmp_path / "song.yaml", "--osc", "0") as (process, line):
        port = int(line.split("127.0.0.1:")[1].split(".")[0])
        heard.client.connect("studio:out_1", "ear:in_1")
        loud = level(heard)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(PATIENCE)
            client.sendto(message("/knob/master.out.gain", -20.0), ("127.0.0.1", port))
            assert b"/knob/master.out.gain" in client.recv(4096)
        soft = level(heard)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PATIENCE)
    assert "too late" in said and "From input to output" in said
    assert loud > 1e-3 and abs(20 * np.log10(soft / loud) + 20) < 1.5


def level(heard: Ear) -> float:
    """How loud most of the next blocks are that are not silent; JACK gives silence for a block that came too late."""
    begun = len(heard.blocks) + 50

    def loud() -> list[float]:
        powers = [float(np.mean(block**2)) for block in heard.blocks[begun:]]
        return [power for power in powers if power]

    wait_until(lambda: len(loud()) > 300, "300 blocks are heard")
    return float(np.sqrt(np.median(loud())))


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
    """In JACK's freewheel, where the next period waits until all have done this one, however busy the machine is."""
    (tmp_path / "song.yaml").write_text(MIXER)
    mix = render(tmp_path / "song.yaml").mix.samples
    with ear() as heard, live(tmp_path / "song.yaml", "--osc", "0", "--follow") as (_, line):
        assert "Playing the song" in line
        for channel in (1, 2):
            heard.client.connect(f"studio:out_{channel}", f"ear:in_{channel}")
        wait_until(lambda: len(heard.blocks) > 20, "something is heard")
        assert max(float(np.max(np.abs(block))) for block in heard.blocks[-5:]) < 1e-6
        heard.client.set_freewheel(True)
        heard.client.transport_frame = 12_345
        heard.client.transport_start()
        wait_until(lambda: heard.frames[-1] > 5 * mix.shape[1], "the transport has rolled five times round the song")
        heard.client.transport_stop()
        heard.client.set_freewheel(False)
    rolling = [
        place for place in range(1, len(heard.frames)) if heard.frames[place] - heard.frames[place - 1] == period
    ]
    # It comes in and goes out smoothly with the transport, and where the loop closes within a cell of the grid.
    errors = {place: error(heard, place, mix) for place in rolling[30:-3]}
    settled, bends = dict[bool, list[float]](), (19_200, 43_200)
    for index, each in errors.items():
        frame = heard.frames[index] % mix.shape[1]
        if 8192 < frame < mix.shape[1] - period:
            bent = any(-period < frame - bend < 3 * period for bend in bends)
            settled.setdefault(bent, []).append(each)
    assert decibels(max(settled[False])) < -90, settled[False]
    # Cells of automation begin elsewhere than in the render: where the curve bends, one of them strays by a part of its slope.
    assert decibels(max(settled[True])) < -70, settled[True]
    assert len(settled[False]) > 100 and float(np.max(np.abs(mix))) > 0.1


def error(heard: Ear, place: int, mix: np.ndarray) -> float:
    """How far a block is from the mix at its frame."""
    frames = (heard.frames[place] + np.arange(heard.blocks[place].shape[1])) % mix.shape[1]
    return float(np.max(np.abs(heard.blocks[place] - mix[:, frames])))


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    with pytest.raises(MissingError, match="no JACK server"):
        Jack()


def test_it_moves_the_transport_that_it_follows_and_lets_go_of_jack_when_it_is_closed(server: str) -> None:
    player = LivePlayer(chain_voice((), RenderContext(48_000)))
    with ear(2) as heard:
        with Jack(follow=True) as sound, sound.playing(player):
            transport = sound.transport(player)
            transport.locate(1.5)
            wait_until(lambda: transport.seconds == 1.5, "the transport is where it is told")
            transport.roll(True)
            wait_until(lambda: transport.rolls and transport.seconds > 1.6, "it moves")
            transport.roll(False)
            wait_until(lambda: not transport.rolls, "it stands")
            assert heard.client.get_ports("studio:out_1") and heard.frames[-1] > 72_000
        wait_until(lambda: not heard.client.get_ports("studio:"), "the client has gone")
