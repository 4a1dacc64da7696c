"""MIDI controllers through a real port: JACK's, where the system has no sequencer of its own."""

from __future__ import annotations

import queue
import subprocess
import sys
from pathlib import Path

import pytest

from studio.context import RenderContext
from studio.live.midi import MidiInput, MidiMap
from studio.live.player import LivePlayer
from studio.live.song import chain_voice
from studio.steps import Effect, parse_step
from tests.waiting import PATIENCE, wait_until


def gain() -> LivePlayer:
    step = parse_step({"gain": 0}, "effect")
    assert isinstance(step, Effect)
    return LivePlayer(chain_voice((step,), RenderContext()))


def test_a_controller_is_learned_and_turns_a_dial_through_a_port(server: str) -> None:
    import jack

    player = gain()
    controls = MidiMap(lambda: player.dials)
    hand = jack.Client("hand", no_start_server=True)
    out = hand.midi_outports.register("out")
    moves: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def send(frames: int) -> None:
        out.clear_buffer()
        if not moves.empty():
            out.write_midi_event(0, moves.get())

    hand.set_process_callback(send)
    with MidiInput(controls, "controlled"), hand:
        hand.activate()
        [port] = hand.get_ports("controlled.*control.*", is_midi=True, is_input=True)
        hand.connect(out, port)
        controls.learn("gain.gain")
        dial = player.dials["gain.gain"]
        for value in (64, 127, 0):
            wanted = dial.kind.at(value / 127)

            def turned(value: int = value, wanted: float = wanted) -> bool:
                # A connection lets through what comes a period later.
                moves.put(bytes((0xB2, 21, value)))
                return bool(dial.target == wanted)

            wait_until(turned, "the dial follows")
    assert controls.bound == {(2, 21): "gain.gain"}


def test_it_says_when_the_system_has_no_midi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "asound.conf").write_text("# no sequencer\n")
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("JACK_DEFAULT_SERVER", "nobody-runs-this")
    code = "from studio.live.midi import *\nMidiInput(MidiMap(dict))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1 and "MissingError: this system gives no MIDI input." in done.stderr
