"""Solo in a session: the same is heard in the recipe that is made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.interchange.ardour.read import read_ardour
from studio.interchange.ardour.write import write_timeline as write_ardour
from studio.interchange.dawproject.read import read_dawproject
from studio.interchange.dawproject.write import write_timeline as write_dawproject
from studio.interchange.reaper.read import read_reaper
from studio.interchange.reaper.write import write_timeline as write_reaper
from studio.interchange.timeline import AudioClip, Timeline, TimelineStrip
from studio.levels import decibels
from studio.rendering import render
from studio.sessions.exporting import export_session
from studio.sessions.importing import import_session
from studio.sessions.recipes import Imported, recipe_of
from tests.sessions.ardour import rendered
from tests.sessions.sessions import song
from tests.sessions.test_ardour import without_fades

WAYS: dict[str, Callable[[Timeline, Path], Timeline]] = {
    "dawproject": lambda timeline, folder: (
        write_dawproject(timeline, folder / "a.dawproject"),
        read_dawproject(folder / "a.dawproject", folder / "media"),
    )[1],
    "reaper": lambda timeline, folder: (
        write_reaper(timeline, folder, "a"),
        read_reaper(folder / "a.rpp", folder / "media"),
    )[1],
    "ardour": lambda timeline, folder: (
        write_ardour(timeline, folder, "a"),
        read_ardour(folder / "a.ardour", folder / "media"),
    )[1],
}


def session(folder: Path, *solo: str) -> Timeline:
    """Three tracks of one tone at different places, two of them through a bus, another bus with a send only."""
    song(folder)
    audio = folder / "interchange" / "a" / "audiofiles"
    audio.mkdir(parents=True)
    for place in (folder, audio):
        (place / "sound.wav").write_bytes((folder / "tone.wav").read_bytes())

    def track(name: str, start: int, to: str = "master") -> TimelineStrip:
        clip = AudioClip(folder / "sound.wav", start, 10_000, start)
        return TimelineStrip(name, clips=(clip,), to=to, solo=name in solo)

    tracks = (track("one", 0), track("two", 20_000, "group"), track("three", 33_000, "group"))
    buses = (TimelineStrip("group", solo="group" in solo), TimelineStrip("room", solo="room" in solo))
    return Timeline("A", frames=44_100, tracks=tracks, buses=buses)


def imported(folder: Path, way: str, *solo: str) -> Imported:
    back = WAYS[way](session(folder, *solo), folder)
    assert back.losses == ()
    return recipe_of(back, folder, folder / "media")


def heard(made: Imported) -> set[str]:
    """The tracks that sound, each in a stretch of its own."""
    mix = render(made.recipe).mix.samples
    places = {"one": 0, "two": 20_000, "three": 33_000}
    return {
        name for name, start in places.items() if np.max(np.abs(mix[:, start : start + 10_000]), initial=0.0) > 0.01
    }


@pytest.mark.parametrize("way", WAYS)
def test_of_a_session_with_solo_the_same_tracks_are_heard(tmp_path: Path, way: str) -> None:
    made = imported(tmp_path, way, "two")
    assert heard(made) == {"two"} and made.recipe.tracks["two"].solo
    assert not any(loss.what == "solo" for loss in made.losses)


@pytest.mark.parametrize("way", WAYS)
def test_a_bus_that_is_solo_hands_it_to_what_goes_to_it_and_that_is_said(tmp_path: Path, way: str) -> None:
    made = imported(tmp_path, way, "group")
    assert heard(made) == {"two", "three"}
    [loss] = [loss for loss in made.losses if loss.what == "solo"]
    assert loss.where == "group" and loss.why.endswith(": three, two")


def test_a_bus_of_sends_cannot_be_heard_alone_and_that_is_said(tmp_path: Path) -> None:
    made = imported(tmp_path, "reaper", "room")
    assert heard(made) == {"one", "two", "three"}
    assert [loss.where for loss in made.losses if loss.what == "solo"] == ["room"]


@pytest.mark.parametrize("solo", ["two", "group"])
def test_ardour_hears_the_same_as_the_recipe_of_it(tmp_path: Path, solo: str) -> None:
    made = imported(tmp_path, "ardour", solo)
    mix = render(made.recipe).mix.samples
    theirs = rendered(tmp_path, "a", tmp_path / "x.wav")
    assert decibels(float(np.max(np.abs(theirs[:, : mix.shape[1]] - mix)))) < -120


def test_a_recipe_s_solo_stays_solo_in_ardour_and_comes_back(tmp_path: Path) -> None:
    recipe = without_fades(song(tmp_path / "song")).set("hiss.solo", True)
    made = export_session(recipe, tmp_path / "out", "ardour", name="Sess")
    mix = render(recipe).mix.samples
    assert made.losses == ()
    assert decibels(float(np.max(np.abs(rendered(made.path, "Sess", tmp_path / "x.wav") - mix)))) < -120
    back = import_session(made.path / "Sess.ardour", tmp_path / "in" / "back.yaml").recipe
    assert [name for name, track in back.tracks.items() if track.solo] == ["hiss"]
    assert not back.tracks["cuts"].mute


def test_where_a_bus_is_printed_what_solo_silences_is_muted_and_named(tmp_path: Path) -> None:
    recipe = song(tmp_path / "song").set("buses.room.chain", ["reverb"]).set("hiss.solo", True)
    made = export_session(recipe, tmp_path / "out", "dawproject")
    assert {loss.where for loss in made.losses if loss.what == "solo"} == {"rain & snow", "cuts"}
    import_session(made.path, tmp_path / "in" / "back.yaml")
    before, after = render(recipe).mix.samples, render(tmp_path / "in" / "back.yaml").mix.samples
    assert decibels(float(np.max(np.abs(before - after)))) < -120
