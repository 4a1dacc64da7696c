"""Hosted plugins in sessions: live in Ardour, and back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rpp

from studio.hosting.plugin import Plugin
from studio.levels import decibels
from studio.recipe import Recipe
from studio.rendering import render
from studio.sessions.exporting import export_session
from studio.sessions.importing import import_session
from tests.sessions.ardour import rendered, scan

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

MOVING = """\
recipe: 1
title: Squeezed
tracks:
  hiss:
    play: {noise: {length: 3 s, level: -24 dB}}
    chain:
      - plugin:
          file: ZamCompX2
          ratio: 8
          threshold: [[0.5 s, -50], [2 s, -20]]
          makeup: [[0 s, 0], [1 s, 6], [2.5 s, 3, step]]
          attack: {lfo: sine, period: 0.7 s, from: 1, to: 40}
    volume: -3 dB
"""


@pytest.fixture(scope="session", autouse=True)
def scanned() -> None:
    scan(ZAM)


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


def test_ardour_moves_the_parameters_of_a_plugin_as_the_studio_does(tmp_path: Path) -> None:
    recipe = Recipe.loads(MOVING, tmp_path)
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    assert [loss.what for loss in made.losses] == ["automation of 'ZamCompX2' between blocks"]
    mix, still = render(recipe).mix.samples, render(recipe.set("hiss.ZamCompX2.makeup", 0)).mix.samples
    assert null(mix, still) > -20
    heard = rendered(made.path, "Sess", tmp_path / "x.wav", finely=True)
    apart = np.abs(heard - mix)
    jump = slice(int(2.5 * 44_100) - 128, int(2.5 * 44_100) + 128)
    assert decibels(float(np.max(np.delete(apart, jump, axis=1)))) < -60


@pytest.mark.parametrize(
    ("form", "file"), [("dawproject", "Sess.dawproject"), ("reaper", "Sess/Sess.rpp"), ("ardour", "Sess/Sess.ardour")]
)
def test_a_parameter_that_moves_comes_back_as_a_curve(tmp_path: Path, form: str, file: str) -> None:
    recipe = Recipe.loads(MOVING, tmp_path)
    export_session(recipe, tmp_path / "out", form, name="Sess")
    back = import_session(tmp_path / "out" / file, tmp_path / "in" / "back.yaml")
    assert back.losses == ()
    [step] = back.recipe.tracks["hiss"].chain
    assert isinstance(step, Plugin)
    assert {name for name, value in step.settings.items() if hasattr(value, "values")} == {
        "threshold", "makeup", "attack",
    }  # fmt: skip
    assert null(render(tmp_path / "in" / "back.yaml").mix.samples, render(recipe).mix.samples) < -80


def test_another_reader_finds_the_automation_of_a_plugin_behind_it(tmp_path: Path) -> None:
    made = export_session(Recipe.loads(MOVING, tmp_path), tmp_path / "out", "reaper", name="Sess")
    [track] = rpp.loads((made.path / "Sess.rpp").read_text()).findall("TRACK")
    lanes = {lane.attrib[4]: lane for lane in track.find("FXCHAIN") if getattr(lane, "tag", "") == "PARMENV"}
    assert set(lanes) == {"Threshold / ZamCompX2", "Makeup / ZamCompX2", "Attack / ZamCompX2"}
    threshold = lanes["Threshold / ZamCompX2"]
    assert threshold.attrib[:3] == ["7:7", "0", "1"]
    values = [float(point[2]) for point in threshold if point[0] == "PT"]
    assert values[0] == pytest.approx(30 / 80, abs=1e-6) and values[-1] == pytest.approx(60 / 80, abs=1e-6)


def test_a_parameter_that_the_plugin_has_not_is_named(tmp_path: Path) -> None:
    export_session(Recipe.loads(MOVING, tmp_path), tmp_path / "out", "reaper", name="Sess")
    project = tmp_path / "out" / "Sess" / "Sess.rpp"
    project.write_text(project.read_text().replace("7:7 0 1", "7:4711 0 1"))
    back = import_session(project, tmp_path / "in" / "back.yaml")
    assert [(loss.where, loss.what) for loss in back.losses] == [
        ("hiss", "automation of 'Threshold' of 'ZamCompX2'")
    ]  # fmt: skip


def test_a_plugin_that_is_not_here_is_kept_and_named(tmp_path: Path) -> None:
    export_session(Recipe.loads(SQUEEZED, tmp_path), tmp_path / "out", "reaper", name="Sess")
    project = tmp_path / "out" / "Sess" / "Sess.rpp"
    project.write_text(project.read_text().replace("ZamCompX2 (", "NobodyHasThis ("))
    back = import_session(project, tmp_path / "in" / "back.yaml")
    [loss] = back.losses
    assert "NobodyHasThis" in loss.what and ".vstpreset" in loss.why
    assert list((tmp_path / "in" / "back media").glob("*.vstpreset"))


@pytest.mark.parametrize(
    ("form", "file"), [("reaper", "P/P.rpp"), ("dawproject", "P.dawproject"), ("ardour", "P/P.ardour")]
)
def test_a_plugin_without_parameters_comes_back_and_plays(tmp_path: Path, form: str, file: str) -> None:
    """It refuses the state that it gave itself."""
    text = "title: P\ntracks: {a: {play: {noise: {length: 1 s, level: -12 dB}}, chain: [{plugin: ZamAutoSat}]}}"
    recipe = Recipe.loads(text, tmp_path)
    export_session(recipe, tmp_path / "out", form)
    made = import_session(tmp_path / "out" / file, tmp_path / "in" / "back.yaml")
    assert made.losses == ()
    back = render(tmp_path / "in" / "back.yaml").mix.samples
    assert null(back, render(recipe).mix.samples) < -100


def test_chains_of_single_clips_are_printed(tmp_path: Path) -> None:
    import soundfile

    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (44_100, 2)).astype(np.float32)
    soundfile.write(tmp_path / "n.wav", noise, 44_100, subtype="FLOAT")
    text = "title: P\ntracks: {a: {play: {clips: [{file: n.wav, at: 1 s, chain: [reverse, {gain: -6 dB}]}]}}}"
    recipe = Recipe.loads(text, tmp_path)
    made = export_session(recipe, tmp_path / "out", "dawproject")
    assert [loss.what for loss in made.losses] == ["what is done to single clips"]
    import_session(made.path, tmp_path / "in" / "back.yaml")
    assert null(render(tmp_path / "in" / "back.yaml").mix.samples, render(recipe).mix.samples) < -120
