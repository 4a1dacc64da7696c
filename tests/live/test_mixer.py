"""The whole mixer in real time against the render, without a sound card."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.errors import RecipeError
from studio.levels import decibels
from studio.live.player import LivePlayer
from studio.live.song import song_voice, strip_voice
from studio.recipe import Recipe
from studio.rendering.render import render

BLOCK = 128
SONG = """\
recipe: 1
rate: 48000
tempo: 120 bpm
length: 1 bar
knobs: {dirt: {value: 0.5, drives: {hiss.lowpass: [500 Hz, 8 kHz], room.volume: [-20 dB, 0 dB]}}}
tracks:
  beat:
    play: {noise: {length: 0.3 s, level: -12 dB, seed: 3}}
    send: {room: -6 dB}
  hiss:
    play: {noise: {length: 1.5 s, level: -20 dB}}
    chain: [{pitch: 3}, {lowpass: 2 kHz}, {ducker: {sidechain: beat}}, {rack: {chain: [{tremolo: 1/4}]}}]
    pan: -0.3
    send: {room: {level: -9 dB, pre: true}}
  rain:
    play: {noise: {length: 1.2 s, level: -24 dB, seed: 2}}
    chain: [{brickwall: {ceiling: -20 dB}}, {rack: {chain: [{gain: {gain: [[0, -12], [1 beats, 0], [3 beats, -20]]}}]}}]
    to: group
buses:
  group: {chain: [{eq: {low: 3 dB}}], volume: -2 dB}
  room: {chain: [{echo: {time: 1/16, feedback: 0.2}}, {reverb: {room_size: 0.3}}]}
master: {chain: [{compressor: {threshold: -20 dB}}, {limiter: {threshold: -3 dB}}]}
"""


def played(player: LivePlayer, frames: int) -> np.ndarray:
    silence = np.zeros((2, BLOCK), np.float32)
    return np.concatenate([player.process(silence) for _ in range(-(-frames // BLOCK))], axis=1)


def null_depth(live: np.ndarray, mix: np.ndarray) -> float:
    """The largest difference in dBFS, once the live sound's latency is off."""
    return decibels(float(np.max(np.abs(live[:, : mix.shape[1]] - mix))))


def test_the_song_live_is_the_render(tmp_path: Path) -> None:
    recipe = Recipe.loads(SONG, tmp_path)
    player = LivePlayer(song_voice(recipe))
    player.warm(BLOCK)
    mix = render(recipe).mix.samples
    live = played(player, mix.shape[1] + player.latency)[:, player.latency :]
    assert np.max(np.abs(mix)) > 0.1
    assert null_depth(live, mix) < -90


DRY = """\
recipe: 1
rate: 48000
length: 1.00101 s
knobs: {loud: {value: 0.5, drives: {a.volume: [-40 dB, 0 dB], a.rack.warmth: [0, 1]}}}
tracks:
  a:
    play: {noise: {length: 0.9 s, level: -12 dB}}
    chain:
      - gain: {gain: [[0, -12], [0.4 s, 0], [0.9 s, -20]]}
      - brickwall: {ceiling: -20 dB}
      - rack: {chain: [{lowpass: 5 kHz}], knobs: {warmth: {drives: {lowpass: [9 kHz, 1 kHz]}}}}
  b: {play: {noise: {length: 0.5 s, level: -20 dB, seed: 2}}, send: {room: -3 dB}}
buses: {room: {chain: [{gain: -6}]}}
"""


def test_it_comes_round_to_the_frame(tmp_path: Path) -> None:
    recipe = Recipe.loads(DRY, tmp_path)
    player = LivePlayer(song_voice(recipe))
    player.warm(BLOCK)
    mix = render(recipe).mix.samples
    frames = mix.shape[1]
    assert frames % 64
    live = played(player, 3 * frames + player.latency)[:, player.latency :]
    assert null_depth(live, mix) < -90
    for start in (frames, 2 * frames):
        # Curves turn over with the cell of the grid in which the song begins anew.
        assert null_depth(live[:, start : start + 64], mix[:, :64]) < -50
        assert null_depth(live[:, start + 64 :], mix[:, 64:]) < -80


def test_it_follows_a_transport_and_falls_silent_where_that_stands(tmp_path: Path) -> None:
    recipe = Recipe.loads(DRY, tmp_path)
    player = LivePlayer(song_voice(recipe))
    player.warm(BLOCK)
    mix, silence = render(recipe).mix.samples, np.zeros((2, BLOCK), np.float32)
    for begin in (0, 10_000, 4_321):
        heard = [player.process(silence, begin + player.latency + BLOCK * index) for index in range(100)]
        late = 20 * BLOCK
        assert null_depth(np.concatenate(heard, axis=1)[:, late:], mix[:, begin + late : begin + 100 * BLOCK]) < -80
        stopped = [player.process(silence, begin, rolling=False) for _ in range(40)]
        assert np.max(np.abs(stopped[-1])) < 1e-6


def test_every_fader_send_and_macro_is_under_the_hand(tmp_path: Path) -> None:
    recipe = Recipe.loads(DRY, tmp_path)
    player = LivePlayer(song_voice(recipe))
    assert {"a.volume", "a.pan", "a.brickwall.ceiling", "a.rack.lowpass.cutoff", "a.rack.warmth", "b.pan"} <= set(
        player.dials
    )
    assert {"b.send.room", "room.gain.gain", "room.volume", "master.volume", "loud"} <= set(player.dials)
    assert "a.gain.gain" not in player.dials
    player.dials["loud"].turn(0.25)
    player.dials["b.send.room"].turn("-inf dB")
    player.dials["b.pan"].turn(-1)
    player.dials["b.volume"].turn(-6)
    assert player.dials["a.volume"].target == -30 and player.dials["a.rack.warmth"].target == 0.25
    player.warm(BLOCK)
    turned = recipe.set("loud", 0.25).set("b.send.room", "-inf dB").set("b.pan", -1).set("b.volume", -6)
    mix = render(turned).mix.samples
    live = played(player, mix.shape[1] + player.latency)[:, player.latency :]
    assert null_depth(live, mix) < -90


def test_what_needs_a_whole_sound_is_played_as_rendered_and_the_loudness_is_held(tmp_path: Path) -> None:
    text = (
        DRY.replace("chain: [{gain: -6}]", "chain: [{lowpass: 2 kHz}, reverse, {gain: -6}]")
        + "master: {loudness: -20}\n"
    )
    recipe = Recipe.loads(text, tmp_path)
    player = LivePlayer(song_voice(recipe))
    assert any("reverse" in remark for remark in player.voice.remarks) and any(
        "loudness" in remark for remark in player.voice.remarks
    )
    assert "room.gain.gain" in player.dials and "room.lowpass.cutoff" not in player.dials
    player.warm(BLOCK)
    mix = render(recipe).mix.samples
    live = played(player, mix.shape[1] + player.latency)[:, player.latency :]
    assert null_depth(live, mix) < -80


def test_a_chain_that_takes_too_long_is_played_as_rendered_when_asked(tmp_path: Path) -> None:
    recipe = Recipe.loads(DRY, tmp_path)
    player = LivePlayer(song_voice(recipe, ("a",)))
    assert player.voice.remarks == ("a · gain → brickwall → rack is heard as rendered.",)
    assert "a.volume" in player.dials and "a.rack.warmth" not in player.dials
    player.warm(BLOCK)
    assert player.latency == 0
    mix = render(recipe).mix.samples
    assert null_depth(played(player, mix.shape[1]), mix) < -90
    with pytest.raises(RecipeError, match="no strip 'A'"):
        song_voice(recipe, ("A",))


def test_a_strip_alone_plays_what_comes_into_it_also_when_the_cache_is_full(tmp_path: Path) -> None:
    recipe = Recipe.loads(DRY, tmp_path).set("loud", 1)
    for _ in range(2):
        stem = render(recipe).stems["a"].samples
        player = LivePlayer(strip_voice(recipe, "a"))
        assert set(player.dials) >= {"brickwall.ceiling", "rack.lowpass.cutoff", "rack.warmth"}
        player.warm(BLOCK)
        live = played(player, stem.shape[1] + player.latency)[:, player.latency :]
        assert null_depth(live, stem) < -90
