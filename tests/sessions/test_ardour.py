"""Ardour sessions, opened and rendered by Ardour itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.levels import decibels
from studio.recipe import Recipe
from studio.rendering import render
from studio.sessions.exporting import export_session
from studio.sessions.importing import import_session
from studio.sources.clips import Clips
from tests.sessions.ardour import edit_notes, read_back, rendered
from tests.sessions.sessions import song


def without_fades(recipe: Recipe) -> Recipe:
    """Ardour's fades lie up to a frame beside ours, depending on where its blocks begin."""
    cuts = recipe.tracks["cuts"]
    assert isinstance(cuts.play, Clips)
    whole = cuts.play.replace(clips=tuple(clip.replace(fade_in=0) for clip in cuts.play.clips))
    return recipe.replace(tracks={**recipe.tracks, "cuts": cuts.replace(play=whole)})


def null(one: np.ndarray, other: np.ndarray) -> float:
    assert one.shape == other.shape
    return decibels(float(np.max(np.abs(one - other))))


def test_ardour_renders_faders_pans_sends_and_buses_as_the_studio_does(tmp_path: Path) -> None:
    recipe = without_fades(song(tmp_path / "song"))
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    assert made.losses == ()
    assert null(rendered(made.path, "Sess", tmp_path / "x.wav"), render(recipe).mix.samples) < -120


@pytest.mark.parametrize("moving", ["volume", "pan", "send"])
def test_ardour_follows_automation(tmp_path: Path, moving: str) -> None:
    recipe = song(tmp_path / "song", moving=moving == "volume")
    if moving == "pan":
        recipe = recipe.set("hiss.pan", [["0.5 s", -1], ["2 s", 1], ["3 s", 0, "step"]])
    if moving == "send":
        recipe = recipe.set("hiss.send.group.level", [["0.5 s", "-30 dB"], ["2 s", "0 dB"]])
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    assert null(rendered(made.path, "Sess", tmp_path / "x.wav"), render(recipe).mix.samples) < -50


def test_a_jump_of_a_fader_is_named_and_heard_beside_it_only(tmp_path: Path) -> None:
    recipe = without_fades(song(tmp_path / "song")).set("hiss.volume", [["1 s", "-12 dB"], ["2 s", "0 dB", "step"]])
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    assert [(loss.where, loss.what) for loss in made.losses] == [("hiss", "jumps of the fader")]
    apart = np.abs(rendered(made.path, "Sess", tmp_path / "x.wav") - render(recipe).mix.samples)
    jump = 2 * 44_100
    assert decibels(float(np.max(apart[:, : jump - 2205]))) < -120
    assert decibels(float(np.max(apart[:, jump + 4410 :]))) < -50


def test_a_fader_above_the_end_of_ardour_s_goes_into_the_trim(tmp_path: Path) -> None:
    recipe = without_fades(song(tmp_path / "song")).set("hiss.volume", "10 dB")
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    assert null(rendered(made.path, "Sess", tmp_path / "x.wav"), render(recipe).mix.samples) < -110


def test_ardour_reads_names_colours_clips_markers_tempo_and_meter(tmp_path: Path) -> None:
    recipe = song(tmp_path / "song")
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    frames = [0, 30_000, 90_000, 170_000, 200_000, 400_000]
    said = read_back(made.path, "Sess", frames, tmp_path / "read.lua")
    routes = {row[1]: row[2:] for row in said if row[0] == "route"}
    assert {"hiss", "rain & snow", "cuts", "keys", "keys (notes)", "room", "group"} == routes.keys() - {"Master"}
    assert routes["hiss"] == ["ff8800ff", "false"] and routes["keys"][1] == "true"
    regions = [(row[1], *map(int, row[2:])) for row in said if row[0] == "region" and row[1] == "cuts"]
    tempo = recipe.tempo_map(None)
    second = round(float(tempo.second_at(2)) * 44_100)  # type: ignore[arg-type]
    assert regions == [("cuts", 22_050, 11_025, 0), ("cuts", second, 44_100 - 4_410, 4_410)]
    marks = [(row[1], int(row[2])) for row in said if row[0] == "mark"]
    assert marks == [("Intro", 0), ("Größer & 'leiser'", int(float(tempo.second_at(4)) * 44_100))]  # type: ignore[arg-type]
    for row in (row for row in said if row[0] == "tempo"):
        beat = tempo.beat_at(int(row[1]) / 44_100)  # type: ignore[arg-type]
        assert abs(float(row[2]) - tempo.bpm_at(beat)) < 1e-3
        assert (float(row[3]), float(row[4])) == ((4, 4) if beat < 8 else (7, 8))


def test_a_dawproject_sounds_in_ardour_as_its_stems_do(tmp_path: Path) -> None:
    """Recipe → DAWproject → recipe → Ardour: null against the first render."""
    recipe = without_fades(song(tmp_path / "song"))
    project = export_session(recipe, tmp_path / "out", "dawproject")
    back = import_session(project.path, tmp_path / "in" / "back.yaml")
    made = export_session(tmp_path / "in" / "back.yaml", tmp_path / "out", "ardour", name="Sess")
    assert back.losses == ()
    assert null(rendered(made.path, "Sess", tmp_path / "x.wav"), render(recipe).mix.samples) < -120


def test_notes_edited_in_ardour_come_home(tmp_path: Path) -> None:
    from studio.midi import read_midi

    made = export_session(song(tmp_path / "song"), tmp_path / "out", "ardour", name="Sess")
    edit_notes(made.path, "Sess", 62, tmp_path / "edit.lua")
    import_session(made.path / "Sess.ardour", tmp_path / "in" / "back.yaml")
    notes = read_midi(tmp_path / "in" / "back media" / "notes.mid").notes
    assert [note.pitch for note in notes] == [60, 61, 74, 63, 64, 65]
