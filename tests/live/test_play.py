"""`studio play`: what is heard is the render, and what is saved is heard."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from soundfile import write

from studio.audio import Audio
from studio.live.player import LivePlayer
from studio.live.song import rendered_voice
from studio.recipe import Recipe
from studio.rendering.render import render
from tests.listening import sine
from tests.live.ear import ear
from tests.live.test_jack import STUDIO
from tests.live.test_mixer import null_depth, played
from tests.waiting import wait_until

RATE = 48_000
SONG = """\
rate: 48000
length: 0.5 s
tracks:
  a: {play: {audio: loop.wav}, chain: [{lowpass: 5 kHz}], volume: -3 dB}
master: {chain: [{compressor: {threshold: -30 dB}}], loudness: LOUDNESS}
"""


def song(folder: Path, loudness: str = "-20 LUFS") -> Path:
    write(folder / "loop.wav", sine(330.0, 0.5, 0.3, RATE).T, RATE, subtype="FLOAT")
    (folder / "song.yaml").write_text(SONG.replace("LOUDNESS", loudness))
    return folder / "song.yaml"


def test_what_is_played_is_what_is_rendered_master_loudness_and_all(tmp_path: Path) -> None:
    recipe = Recipe.load(song(tmp_path))
    mix = render(recipe).mix
    voice, seconds = rendered_voice(recipe, 1.0)
    assert seconds == mix.seconds == 0.5
    heard = played(LivePlayer(voice), mix.frames)
    assert null_depth(heard[:, : mix.frames], mix.samples) < -120


@pytest.mark.parametrize("watch", [False, True])
def test_a_song_is_heard_to_its_end_or_until_it_is_changed(server: str, tmp_path: Path, watch: bool) -> None:
    path = song(tmp_path)
    mix: Audio = render(Recipe.load(path)).mix
    words = ["play", path, *(["--watch", "--seconds", "60"] if watch else [])]
    process = subprocess.Popen([*STUDIO, *words], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and "Playing 0.5 s" in process.stdout.readline()
        if watch:
            song(tmp_path, "-40 LUFS")
            assert "Changed." in process.stdout.readline()
            with ear(1) as heard:
                heard.client.connect("studio:out_1", "ear:in_1")
                loudest = np.abs(mix.samples).max()
                # From one moment on, what is heard for a whole round is 20 dB softer.
                wait_until(
                    lambda: (
                        0.08 < max((np.abs(block).max() for block in heard.blocks[-200:]), default=1) / loudest < 0.12
                    ),
                    "the softer song",
                )
            process.terminate()
        process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == (143 if watch else 0)
