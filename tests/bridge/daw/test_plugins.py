"""Hosted plugins in sessions: live in Ardour, and back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest

from studio.bridge import render
from studio.bridge.daw.exporting import export_session
from studio.bridge.daw.importing import import_session
from studio.levels import decibels
from studio.recipe import Recipe
from tests.bridge.daw.ardour import rendered

ZAM = Path("/usr/lib/vst3/ZamCompX2.vst3")
SQUEEZED = """\
recipe: 1
title: Squeezed
tracks:
  hiss:
    play: {noise: {length: 3 s, level: -12 dB}}
    chain:
      - gain: 3 dB
      - plugin: {file: ZamCompX2, ratio: 8, threshold: -30, makeup: 6}
    volume: -3 dB
    pan: 0.2
"""


@pytest.fixture(scope="session", autouse=True)
def scanned() -> None:
    """Ardour lists a VST3 once its scanner has seen it, and its note is newer than the plugin."""
    scanner = "/usr/lib/ardour7/ardour-vst3-scanner"
    subprocess.run(
        [scanner, "-q", ZAM],
        env={"LD_LIBRARY_PATH": "/usr/lib/ardour7", "HOME": str(Path.home())},
        check=True,
        capture_output=True,
        timeout=60,
    )
    for note in (Path.home() / ".cache/ardour7/vst").glob("*.v3i"):
        note.touch()


def null(one: np.ndarray, other: np.ndarray) -> float:
    frames = min(one.shape[1], other.shape[1])
    return decibels(float(np.max(np.abs(one[:, :frames] - other[:, :frames]))))


def test_ardour_plays_the_plugin_with_its_state_as_the_studio_does(tmp_path: Path) -> None:
    recipe = Recipe.loads(SQUEEZED, tmp_path)
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    assert [loss.what for loss in made.losses] == ["chain (gain)"]
    mix = render(recipe).mix.samples
    dry = render(recipe.replace(tracks={"hiss": recipe.tracks["hiss"].replace(chain=())})).mix.samples
    assert null(mix, dry) > -30
    assert null(rendered(made.path, "Sess", tmp_path / "x.wav"), mix) < -120


@pytest.mark.parametrize(("form", "file"), [("dawproject", "Sess.dawproject"), ("reaper", "Sess/Sess.rpp")])
def test_a_plugin_comes_back_as_a_step_with_its_state(tmp_path: Path, form: str, file: str) -> None:
    recipe = Recipe.loads(SQUEEZED, tmp_path)
    export_session(recipe, tmp_path / "out", form, name="Sess")
    back = import_session(tmp_path / "out" / file, tmp_path / "in" / "back.yaml")
    assert back.losses == ()
    again = Recipe.load(tmp_path / "in" / "back.yaml")
    [step] = again.tracks["hiss"].chain
    assert step.step == "plugin" and (tmp_path / "in" / step.preset).exists()  # type: ignore[attr-defined]
    assert null(render(again).mix.samples, render(recipe).mix.samples) < -120


def test_a_plugin_that_is_not_here_is_kept_and_named(tmp_path: Path) -> None:
    export_session(Recipe.loads(SQUEEZED, tmp_path), tmp_path / "out", "reaper", name="Sess")
    project = tmp_path / "out" / "Sess" / "Sess.rpp"
    project.write_text(project.read_text().replace("ZamCompX2 (", "NobodyHasThis ("))
    back = import_session(project, tmp_path / "in" / "back.yaml")
    [loss] = back.losses
    assert "NobodyHasThis" in loss.what and ".vstpreset" in loss.why
    assert list((tmp_path / "in" / "back media").glob("*.vstpreset"))
