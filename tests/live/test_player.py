"""Chains in real time, without a sound card: knobs, swaps, latency, OSC and MIDI."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import numpy as np
import pytest

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import KnobError, RecipeError
from studio.levels import decibels
from studio.live.control import OscControl, message
from studio.live.midi import MidiMap, parse_bindings
from studio.live.player import LivePlayer
from studio.live.song import chain_voice
from studio.steps import Effect, parse_step
from tests.waiting import PATIENCE

RATE, BLOCK = 48_000, 128


def chain(*steps: object) -> tuple[Effect, ...]:
    return tuple(parse_step(step, "effect") for step in steps)  # type: ignore[misc]


def playing(steps: Sequence[Effect], loop: Audio | None = None) -> LivePlayer:
    """A player of a chain on a sound in a loop, or on live input."""
    return LivePlayer(chain_voice(steps, RenderContext(RATE), loop))


def sine(seconds: float = 1.0) -> Audio:
    time = np.arange(int(seconds * RATE)) / RATE
    return Audio(np.tile(0.5 * np.sin(2 * np.pi * 440 * time), (2, 1)), RATE)


def played(player: LivePlayer, blocks: int) -> np.ndarray:
    silence = np.zeros((2, BLOCK), np.float32)
    return np.concatenate([player.process(silence) for _ in range(blocks)], axis=1)


def test_a_chain_in_blocks_sounds_as_it_does_in_a_render() -> None:
    from studio.effect_chain import EffectChain

    steps = chain({"gain": -6}, {"lowpass": "2 kHz"}, {"delay": {"time": "10 ms"}}, {"compressor": {}})
    context, loop = RenderContext(RATE), sine()
    live = played(playing(steps, loop), 300)
    line = EffectChain(steps, context)
    whole = line.push(loop.samples[:, : 300 * BLOCK])
    assert live.shape[1] >= whole.shape[1]
    assert decibels(float(np.max(np.abs(live[:, : whole.shape[1]] - whole)))) < -90


def test_a_knob_is_heard_within_one_block_and_without_a_click() -> None:
    player = playing(chain({"gain": 0}), sine())
    before = played(player, 40)
    assert player.dials["gain.gain"].turn("-20 dB") == -20
    after = played(player, 40)
    last = after[:, -BLOCK * 20 :]
    assert abs(float(np.max(np.abs(last))) - 0.05) < 1e-3
    assert float(np.max(np.abs(after[:, BLOCK : 3 * BLOCK]))) < 0.0501
    both = np.concatenate([before, after], axis=1)
    # No step is larger than that of the sine itself and of a glide over one block.
    assert float(np.max(np.abs(np.diff(both)))) < 0.5 * 2 * np.pi * 440 / RATE + 0.5 / BLOCK * 3


def test_a_chain_is_swapped_without_a_click() -> None:
    player = playing(chain({"gain": 0}), sine())
    sound = [played(player, 50)]
    player.dials["gain.gain"].turn(-6)
    sound.append(played(player, 50))
    player.swap(chain_voice(chain({"gain": 0}, "invert", {"lowpass": "500 Hz"}), RenderContext(RATE), sine()))
    sound.append(played(player, 200))
    whole = np.concatenate(sound, axis=1)
    assert set(player.dials) == {"gain.gain", "lowpass.cutoff"} and player.dials["gain.gain"].target == -6
    assert float(np.max(np.abs(np.diff(whole)))) < 0.5 * 2 * np.pi * 440 / RATE + 0.01
    # Inverted at half the level in the end.
    start = whole.shape[1] - 4800
    again = played(playing(chain({"gain": -6}, "invert", {"lowpass": "500 Hz"}), sine()), 300)
    assert decibels(float(np.max(np.abs(whole[:, start:] - again[:, start : start + 4800])))) < -80


def test_latency_is_found_and_a_failing_chain_goes_on_dry() -> None:
    class Broken(Effect, step="broken_live_test"):
        """Fail in the second block."""

        def open(self, context: RenderContext):  # type: ignore[no-untyped-def]
            blocks = iter([True, False])

            def run(block, now):  # type: ignore[no-untyped-def]
                return block if next(blocks) else 1 / 0

            return run

    player = playing((Broken(),), sine())
    sound = played(player, 4)
    assert decibels(float(np.max(np.abs(sound - sine().samples[:, : sound.shape[1]])))) < -120
    assert len(player.troubles) == 1 and "broken_live_test" in player.troubles[0]
    late = playing(chain({"limiter": {}}), sine())
    played(late, 20)
    assert late.latency >= 0


@pytest.mark.parametrize("bad", ["loud", 400, float("nan"), True])
def test_a_value_that_does_not_fit_leaves_the_dial_where_it_is(bad: object) -> None:
    dial = playing(chain({"gain": -3})).dials["gain.gain"]
    with pytest.raises(KnobError):
        dial.turn(bad)
    assert dial.target == -3


def ask(port: int, *packets: bytes, answers: int = 1) -> list[bytes]:
    """Send packets, and give what comes back."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(PATIENCE)
        for packet in packets:
            client.sendto(packet, ("127.0.0.1", port))
        return [client.recv(4096) for _ in range(answers)]


def test_osc_turns_dials_and_answers() -> None:
    from pythonosc.osc_message import OscMessage

    player = playing(chain({"lowpass": "1 kHz"}, {"chorus": {}}))
    midi = MidiMap(lambda: player.dials)
    with OscControl(lambda: player.dials, learn=midi.learn) as osc:
        [said] = ask(osc.port, message("/knob/lowpass.cutoff", "2 kHz"))
        assert OscMessage(said).params[0] == 2000 and player.dials["lowpass.cutoff"].target == 2000
        [said] = ask(osc.port, message("/slider/lowpass.cutoff", 0.0))
        assert OscMessage(said).params[1] == 0 and player.dials["lowpass.cutoff"].position == 0
        [said] = ask(osc.port, message("/knob/lowpass.cutof", 3.0))
        assert "lowpass.cutoff" in str(OscMessage(said).params) or OscMessage(said).address == "/error"
        names = {OscMessage(each).address for each in ask(osc.port, message("/list", 1), answers=len(player.dials))}
        assert names == {f"/knob/{address}" for address in player.dials}
        ask(osc.port, message("/learn/chorus.mix", 1))
        midi.take([0xB2, 21, 127])
        midi.take([0xB2, 21, 0])
        midi.take([0x90, 60, 100])
        assert midi.bound == {(2, 21): "chorus.mix"} and player.dials["chorus.mix"].target == 0


def test_malformed_and_foreign_packets_change_nothing() -> None:
    player = playing(chain({"gain": -3}))
    random = np.random.default_rng(1)
    good = message("/knob/gain.gain", -9.0)
    with OscControl(lambda: player.dials) as osc:
        for size in range(1, 200):
            osc.take(random.bytes(size), ("127.0.0.1", 9))
            osc.take(good[: size % len(good)], ("127.0.0.1", 9))
        for values in ((), ("x",), (float("nan"),), (1e30,)):
            osc.take(message("/knob/gain.gain", *values), ("127.0.0.1", 9))
        osc.take(good, ("10.0.0.7", 5000))
        assert osc.malformed > 100 and osc.ignored >= 1 and player.dials["gain.gain"].target == -3
        ask(osc.port, good)
        assert player.dials["gain.gain"].target == -9
    with OscControl(lambda: player.dials, host="0.0.0.0") as osc:
        osc.take(message("/knob/gain.gain", -1.0), ("127.0.0.1", 9))
        assert player.dials["gain.gain"].target == -1


def test_controllers_are_bound_by_words() -> None:
    assert parse_bindings(["chorus.mix=21", "gain.gain=16:0"]) == {(0, 21): "chorus.mix", (15, 0): "gain.gain"}
    for bad in ("chorus", "=3", "a=1:2:3", "a=17:1", "a=200"):
        with pytest.raises(RecipeError):
            parse_bindings([bad])
