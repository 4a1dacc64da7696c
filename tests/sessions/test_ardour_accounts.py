"""What stands in sessions of Ardour is heard as Ardour plays it, or listed."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

import numpy as np
import pytest
import soundfile

from studio.levels import decibels
from studio.recipe import Recipe
from studio.rendering import render
from studio.sessions.exporting import export_session
from studio.sessions.importing import import_session
from studio.sessions.recipes import Imported
from tests.sessions.ardour import edit_notes, rendered
from tests.sessions.sessions import song

RATE = 44_100
TEXT = "title: S\ntracks: {a: {play: {clips: [{file: n.wav}]}}, b: {play: {clips: [{file: n.wav, offset: 1 s}]}}}"


def session(folder: Path) -> tuple[Path, ElementTree.ElementTree[Element]]:
    """A session of two tracks of noise, and its document."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(1).uniform(-0.3, 0.3, (2 * RATE, 2)).astype(np.float32)
    soundfile.write(folder / "n.wav", noise, RATE, subtype="FLOAT")
    made = export_session(Recipe.loads(TEXT, folder), folder / "out", "ardour")
    path = made.path / "S.ardour"
    return path, ElementTree.parse(path)


def found(document: ElementTree.ElementTree[Element], way: str) -> Element:
    element = document.find(way)
    assert element is not None, way
    return element


def imported(path: Path) -> tuple[Imported, np.ndarray]:
    made = import_session(path, path.parent.parent / "in" / "s.yaml", replace=True)
    return made, render(path.parent.parent / "in" / "s.yaml", cache=False).mix.samples


def points(parent: Element, name: str, text: str, **words: str) -> None:
    """An automation list."""
    about = {
        "automation-id": name,
        "id": f"9{len(text)}",
        "interpolation-style": "Linear",
        "state": "Off",
        "time-domain": "AudioTime",
    }
    listed = SubElement(parent, "AutomationList", about | words)
    SubElement(listed, "events").text = text


def test_envelopes_bent_fades_polarity_and_groups_are_heard_as_ardour_plays_them(tmp_path: Path) -> None:
    path, document = session(tmp_path)
    second = 282_240_000
    region = found(document, "Playlists/Playlist[@name='a']/Region")
    region.attrib |= {"envelope-active": "1", "fade-in-active": "1"}
    points(SubElement(region, "Envelope"), "envelope", f"a0 1\na{second} 0.25\na{2 * second} 0.5\n")
    bend = "".join(f"a{round(second * at / 16)} {(at / 16) ** 3}\n" for at in range(17))
    points(SubElement(region, "FadeIn"), "fadein", bend)
    route = found(document, "Routes/Route[@name='b']")
    SubElement(
        route, "Controllable", {"name": "phase", "id": "9001", "flags": "Toggle", "value": "1", "phase-invert": "11"}
    )
    SubElement(SubElement(route, "Slavable"), "Master", number="1")
    group = Element("VCAManager")
    fader = found(document, "Routes/Route[@name='b']/Processor[@type='amp']/Controllable")
    SubElement(SubElement(fader, "masters"), "master", {"id": "9003", "val-ctrl": "1", "val-master": "1"})
    vca = SubElement(group, "VCA", {"name": "VCA 1", "number": "1", "id": "9002", "version": "7002"})
    SubElement(vca, "Controllable", {"name": "gaincontrol", "id": "9003", "flags": "GainLike", "value": "0.5"})
    document.getroot().insert(list(document.getroot()).index(found(document, "Routes")), group)
    document.write(path)
    made, sound = imported(path)
    assert made.losses == ()
    heard = rendered(path.parent, "S", tmp_path / "x.wav")
    assert decibels(float(np.max(np.abs(heard[:, : sound.shape[1]] - sound)))) < -55
    steps = made.recipe.tracks["b"].chain
    assert [step.step for step in steps] == ["invert"] and made.recipe.tracks["b"].volume == pytest.approx(
        -6.0206, abs=1e-3
    )


def test_what_ardour_saves_itself_leaves_nothing_over(tmp_path: Path) -> None:
    made = export_session(song(tmp_path / "song"), tmp_path / "out", "ardour", name="Sess")
    edit_notes(made.path, "Sess", 62, tmp_path / "edit.lua")
    back = import_session(made.path / "Sess.ardour", tmp_path / "in" / "back.yaml")
    assert back.losses == ()


@pytest.mark.parametrize(
    ("way", "change", "said"),
    [
        ("Playlists/Playlist[@name='a']/Region", {"stretch": "1.5"}, "the stretch of a region"),
        ("Routes/Route[@name='a']", {"wobble": "3"}, "Route wobble"),
        ("Routes/Route[@name='a']/Processor[@type='trim']", {}, "automation that is not switched to play"),
        ("Routes/Route[@name='a']", {"tag": "Surround"}, "Surround"),
    ],
)
def test_what_the_reader_does_not_know_is_listed_with_its_place(
    tmp_path: Path, way: str, change: dict[str, str], said: str
) -> None:
    path, document = session(tmp_path)
    if "trim" in way:
        amp = found(document, "Routes/Route[@name='a']/Processor[@type='amp']/Automation/AutomationList")
        SubElement(amp, "events").text = "a0 1\na100 0.5\n"
    elif "tag" in change:
        SubElement(found(document, way), change["tag"], depth="2")
    else:
        found(document, way).attrib |= change
    document.write(path)
    [loss] = imported(path)[0].losses
    assert said in loss.what and loss.where in ("a", "n")


def test_mute_automation_trim_and_inactive_routes(tmp_path: Path) -> None:
    path, document = session(tmp_path)
    second = 282_240_000
    route = found(document, "Routes/Route[@name='a']")
    automation = SubElement(route, "Automation")
    points(automation, "mute", f"a0 0\na{second} 1\n", state="Play", **{"interpolation-style": "Discrete"})
    found(document, "Routes/Route[@name='b']").set("active", "0")
    document.write(path)
    made, sound = imported(path)
    assert made.losses == () and made.recipe.tracks["b"].mute
    assert np.max(np.abs(sound[:, : RATE - 64])) > 0.2 and not np.any(np.abs(sound[:, RATE + 64 :]) > 1e-4)
