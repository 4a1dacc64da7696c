"""Mute, solo and transport over OSC, against the render of a recipe that says the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pythonosc.osc_message import OscMessage
from soundfile import write

from studio.live.control import OscControl, message
from studio.live.player import LivePlayer
from studio.live.song import song_voice
from studio.recipe import Recipe
from studio.rendering.render import render
from tests.live.test_mixer import BLOCK, null_depth, played
from tests.live.test_player import ask

RATE = 48_000
SONG = """\
recipe: 1
rate: 48000
length: 0.4 s
tracks:
  a: {play: {noise: {length: 0.4 s, level: -12 dB}}, send: {room: -6 dB}}
  b: {play: {noise: {length: 0.3 s, level: -20 dB, seed: 2}}, pan: 0.4, send: {room: {level: -9 dB, pre: true}}}
  c: {play: {noise: {length: 0.4 s, level: -16 dB, seed: 3}}, chain: [{ducker: {sidechain: a}}], to: group}
buses: {group: {volume: -2 dB}, room: {chain: [{gain: -6}]}}
"""


class Desk:
    """A player, and what turns it over OSC."""

    def __init__(self, folder: Path) -> None:
        self.recipe = Recipe.loads(SONG, folder)
        self.player = LivePlayer(song_voice(self.recipe))
        self.player.warm(BLOCK)
        self.osc = OscControl(lambda: self.player.dials, muting=self.player.muting, transport=self.player)

    def say(self, address: str, *values: Any) -> tuple[str, list[Any]]:
        """Send a message, and give the answer."""
        answer = OscMessage(ask(self.osc.port, message(address, *values))[0])
        return answer.address, list(answer.params)

    def heard(self, seconds: float = 0.0, frames: int | None = None) -> np.ndarray:
        """The song from a place on, once what sounded before has died away."""
        self.say("/stop")
        played(self.player, 2 * RATE)
        self.say("/locate", seconds)
        self.say("/play")
        length = render(self.recipe).mix.samples.shape[1] if frames is None else frames
        return played(self.player, length + self.player.latency)[:, self.player.latency :][:, :length]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    with made.osc:
        yield made


@pytest.mark.parametrize(
    "knobs", [["a.mute"], ["b.mute", "room.mute"], ["a.solo", "b.solo"], ["a.solo", "a.mute", "c.solo"]]
)
def test_what_is_muted_and_soloed_sounds_as_in_a_render(desk: Desk, knobs: list[str]) -> None:
    turned = desk.recipe
    for knob in knobs:
        strip, _, verb = knob.partition(".")
        turned = turned.set(knob, True)
        assert desk.say(f"/{verb}/{strip}", 1) == (f"/{verb}/{strip}", [1])
    assert null_depth(desk.heard(), render(turned).mix.samples) < -90
    # An edit leaves it as it is, and without it everything is back.
    desk.player.swap(song_voice(desk.recipe))
    played(desk.player, 4800)
    assert null_depth(desk.heard(), render(turned).mix.samples) < -90
    for knob in knobs:
        strip, _, verb = knob.partition(".")
        assert desk.say(f"/{verb}/{strip}") == (f"/{verb}/{strip}", [1])
        assert desk.say(f"/{verb}/{strip}", 0) == (f"/{verb}/{strip}", [0])
    assert null_depth(desk.heard(), render(desk.recipe).mix.samples) < -90


def test_the_song_stops_goes_on_and_moves(desk: Desk) -> None:
    mix = render(desk.recipe).mix.samples
    assert desk.say("/transport") == ("/transport", [1, 0])
    played(desk.player, 4800)
    assert desk.say("/stop")[1][0] == 0
    played(desk.player, 4800)
    assert np.max(np.abs(played(desk.player, 4800))) < 1e-6
    assert desk.say("/locate", 0.3) == ("/transport", [0, pytest.approx(0.3)])
    # The side-chain needs some milliseconds of the song.
    late = 4800
    assert null_depth(desk.heard(0.1, 9600)[:, late:], mix[:, 4800 + late : 4800 + 9600]) < -80
    # A button that is let go does nothing.
    assert desk.say("/stop", 0)[1][0] == 1


@pytest.mark.parametrize(
    ("address", "values", "word"),
    [
        ("/mute/A", [1], "'A'"),
        ("/solo/room", [1], "'room'"),
        ("/mute/a", ["on"], "neither 1 nor 0"),
        ("/mute/a", [0.5], "neither 1 nor 0"),
        ("/locate", [-1.0], "-1.0"),
        ("/locate", [float("nan")], "nan"),
        ("/locate", [], "/locate"),
        ("/play/a", [], "/play/a"),
    ],
)
def test_what_cannot_be_is_answered_and_changes_nothing(desk: Desk, address: str, values: list[Any], word: str) -> None:
    where, [said] = desk.say(address, *values)
    assert where == "/error" and word in said
    assert desk.say("/mute/a") == ("/mute/a", [0]) and desk.say("/transport") == ("/transport", [1, 0])


def test_a_mute_glides(tmp_path: Path) -> None:
    """Within one block, so that no step is much larger than the sound's level in as many steps."""
    write(tmp_path / "slow.wav", 0.5 * np.sin(2 * np.pi * 20 * np.arange(RATE) / RATE), RATE)
    slow = Recipe.loads("recipe: 1\nrate: 48000\ntracks: {a: {play: {audio: slow.wav}}}\n", tmp_path)
    player = LivePlayer(song_voice(slow))
    player.warm(BLOCK)
    before = played(player, 6000)
    player.muting.mute("a", True)
    after = played(player, 6000)
    steps = np.abs(np.diff(np.concatenate([before, after], axis=1)))
    assert np.max(np.abs(before)) > 0.1 and np.max(np.abs(after[:, BLOCK:])) == 0
    assert np.max(steps) < 1.5 * np.max(np.abs(before)) / BLOCK
