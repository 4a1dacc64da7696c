"""Edits while it plays: knobs stay where hands have turned them, and changed files are heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from soundfile import write

from studio.levels import decibels
from studio.live.player import LivePlayer
from studio.live.reloading import Reloader
from studio.live.song import voice_of
from studio.recipe import Recipe
from studio.rendering.render import render
from tests.live.test_mixer import BLOCK, null_depth, played

RATE = 48_000
SONG = """\
recipe: 1
rate: 48000
length: 0.5 s
knobs: {{loud: {{value: {loud}, drives: {{a.volume: [-40 dB, 0 dB], b.volume: [-30 dB, 0 dB]}}}}}}
tracks:
  a: {{play: {{audio: loop.wav}}, chain: [{{gain: {{gain: {gain}}}}}, {{preset: soft.yaml}}], send: {{room: -6 dB}}}}
  b: {{play: {{noise: {{length: 0.4 s, level: -20 dB}}}}, pan: {pan}}}
buses: {{room: {{chain: [{{gain: -6}}]}}}}
"""
PRESET = "chain: [{{gain: {gain}}}]\n"


def edit(folder: Path, loud: float = 0.5, gain: float = -3, pan: float = 0.2) -> Path:
    (folder / "song.yaml").write_text(SONG.format(loud=loud, gain=gain, pan=pan))
    return folder / "song.yaml"


def sound(folder: Path, hertz: float) -> None:
    sine = 0.3 * np.sin(2 * np.pi * hertz * np.arange(RATE // 2) / RATE)
    write(folder / "loop.wav", sine, RATE, subtype="FLOAT")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    sound(tmp_path, 300)
    (tmp_path / "soft.yaml").write_text(PRESET.format(gain=-2))
    return edit(tmp_path)


def playing(song: Path, strip: str | None = None) -> tuple[LivePlayer, Callable[[], list[str]]]:
    """A player of a song, and what looks for changes until there are none, and gives what has been said."""
    begun = time.time_ns()
    player = LivePlayer(voice_of(Recipe.load(song), strip))
    player.warm(BLOCK)
    reloader = Reloader(player, song, lambda: voice_of(Recipe.load(song), strip), begun)

    def look() -> list[str]:
        for _ in range(4):
            reloader.look()
        return ["Changed." if error is None else str(error) for error in reloader.news()]

    return player, look


def heard(player: LivePlayer, frames: int) -> np.ndarray:
    """The song from its start, once the voices have crossed."""
    played(player, RATE // 5)
    silence = np.zeros((2, BLOCK), np.float32)
    blocks = range(0, frames + player.latency + BLOCK, BLOCK)
    return np.concatenate([player.process(silence, place) for place in blocks], axis=1)[:, player.latency :]


def test_what_a_hand_turned_stays_unless_the_edit_is_of_that_very_value(song: Path) -> None:
    player, look = playing(song)
    assert look() == []
    player.dials["a.gain.gain"].turn(-9)
    player.dials["b.pan"].turn(-0.5)
    edit(song.parent, pan=0.8)
    assert look() == ["Changed."]
    assert player.dials["a.gain.gain"].target == -9 and player.dials["b.pan"].target == 0.8
    # Through any number of edits, until it is edited itself.
    edit(song.parent, pan=-0.1)
    assert look() == ["Changed."]
    mix = render(Recipe.load(song).set("a.gain.gain", -9)).mix.samples
    assert null_depth(heard(player, mix.shape[1]), mix) < -80
    edit(song.parent, gain=-4, pan=-0.1)
    assert look() == ["Changed."] and player.dials["a.gain.gain"].target == -4


def test_a_turned_macro_stays_with_what_was_turned_by_itself_after_it(song: Path) -> None:
    player, look = playing(song)
    player.dials["loud"].turn(0.25)
    player.dials["a.volume"].turn(-20)
    edit(song.parent, gain=-4)
    assert look() == ["Changed."]
    turned = {name: player.dials[name].target for name in ("loud", "a.volume", "b.volume", "a.gain.gain")}
    assert turned == {"loud": 0.25, "a.volume": -20, "b.volume": -22.5, "a.gain.gain": -4}
    edit(song.parent, gain=-4, loud=1)
    assert look() == ["Changed."]
    assert [player.dials[name].target for name in ("loud", "a.volume", "b.volume")] == [1, 0, 0]


@pytest.mark.parametrize("strip", [None, "a"])
def test_changed_sounds_and_presets_are_heard_and_knobs_stay(song: Path, strip: str | None) -> None:
    player, look = playing(song, strip)
    knob = "gain.gain" if strip else "a.gain.gain"
    player.dials[knob].turn(-9)
    sound(song.parent, 900)
    assert look() == ["Changed."]
    (song.parent / "soft.yaml").write_text(PRESET.format(gain=-8))
    assert look() == ["Changed."]
    assert player.dials[knob].target == -9
    result = render(Recipe.load(song).set("a.gain.gain", -9))
    if strip is None:
        mix = result.mix.samples
        assert null_depth(heard(player, mix.shape[1]), mix) < -80
    else:
        block = heard(player, RATE // 2)[0, : RATE // 2]
        assert abs(np.argmax(np.abs(np.fft.rfft(block))) / 0.5 - 900) <= 2
        assert abs(decibels(float(np.max(np.abs(block)))) - (decibels(0.3) - 9 - 8)) < 0.1


def test_a_file_that_is_gone_or_broken_is_told_and_its_return_is_heard(song: Path) -> None:
    player, look = playing(song)
    before = player.voice
    whole = (song.parent / "loop.wav").read_bytes()
    (song.parent / "loop.wav").unlink()
    [said] = look()
    assert "loop.wav" in said and player.voice is before and look() == []
    (song.parent / "loop.wav").write_bytes(whole)
    assert look() == ["Changed."] and player.voice is not before


def test_what_changes_while_the_song_is_first_rendered_is_heard(song: Path) -> None:
    player = LivePlayer(voice_of(Recipe.load(song)))
    changed = (song.parent / "loop.wav").stat().st_mtime_ns
    reloader = Reloader(player, song, lambda: voice_of(Recipe.load(song)), begun=changed)
    for _ in range(4):
        reloader.look()
    assert list(reloader.news()) == [None]
