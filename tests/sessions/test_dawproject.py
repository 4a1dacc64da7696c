"""DAWproject: out and in again without a loss that is not named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from studio.cli import main
from studio.levels import decibels
from studio.recipe import Recipe
from studio.rendering import render
from studio.sessions.exporting import export_session
from studio.sessions.importing import import_session
from tests.sessions.sessions import song

RAMP = "[[0 bars, 120 bpm], [2 bars, 90 bpm, linear]]"


def null(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference in dB."""
    assert one.shape == other.shape
    return decibels(float(np.max(np.abs(one - other))))


@pytest.mark.parametrize("tempo", [RAMP, "100 bpm"])
@pytest.mark.parametrize("moving", [False, True])
def test_a_song_sounds_the_same_after_a_round_trip(tmp_path: Path, tempo: str, moving: bool) -> None:
    recipe = song(tmp_path / "song", tempo=tempo, moving=moving)
    made = export_session(recipe, tmp_path / "out", "dawproject")
    back = import_session(made.path, tmp_path / "in" / "back.yaml")
    assert made.losses == () and back.losses == ()
    assert null(render(recipe).mix.samples, render(tmp_path / "in" / "back.yaml").mix.samples) < (
        -60 if moving else -120
    )
    again = Recipe.load(tmp_path / "in" / "back.yaml")
    assert again.tempo_map(None) == recipe.tempo_map(None)
    assert again.tracks["hiss"].colour == "#ff8800" and again.tracks["keys"].mute


def test_what_is_the_studio_s_own_is_printed_and_named(tmp_path: Path) -> None:
    """A session of effects nulls against what enters the master; the master's own work is on a muted track."""
    recipe = song(tmp_path / "song").set("buses.room.chain", ["reverb"]).set("master.chain", ["limiter"])
    made = export_session(recipe, tmp_path / "out", "dawproject")
    named = {(loss.where, loss.what) for loss in made.losses}
    assert {("hiss", "send to 'room'"), ("room", "live bus"), ("master", "master (limiter)")} <= named
    import_session(made.path, tmp_path / "in" / "back.yaml")
    before = render(recipe)
    after = render(tmp_path / "in" / "back.yaml")
    assert null(before.premaster.samples, after.mix.samples) < -120
    back = Recipe.load(tmp_path / "in" / "back.yaml")
    printed = render(back.set("printed mix.mute", False).set("printed mix.solo", True))
    assert null(before.mix.samples, printed.stems["printed mix"].samples) < -120


def test_the_command_line_renders_a_session_and_says_what_is_lost(tmp_path: Path) -> None:
    recipe = song(tmp_path / "song")
    made = export_session(recipe, tmp_path / "out", "dawproject", name="Session")
    shell = CliRunner()
    done = shell.invoke(main, ["render", str(made.path), "-o", str(tmp_path / "wav"), "--bits", "32", "--no-report"])
    assert done.exit_code == 0, done.output
    import soundfile

    assert null(soundfile.read(tmp_path / "wav" / "mix.wav")[0].T, render(recipe).mix.samples) < -120
    assert not list(tmp_path.glob("*yaml"))
    (tmp_path / "song" / "song.yaml").write_text(recipe.set("buses.room.chain", ["reverb"]).dumps())
    words = ["export", str(tmp_path / "song" / "song.yaml"), "--format", "dawproject", "-o", str(tmp_path / "two")]
    done = shell.invoke(main, words)
    assert done.exit_code == 0 and "live bus" in done.output
    assert shell.invoke(main, words).exit_code == 1
    assert shell.invoke(main, [*words, "--force"]).exit_code == 0
    done = shell.invoke(main, ["new", str(tmp_path / "new.yaml"), "--from", str(made.path)])
    assert done.exit_code == 0 and (tmp_path / "new media" / "hiss.wav").exists()
    assert render(tmp_path / "new.yaml").frames == render(recipe).frames
