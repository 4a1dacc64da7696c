"""DAWproject, read back by openDAW's own library."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.recipe import Recipe
from studio.sessions.exporting import export_session
from tests.sessions.opendaw import read
from tests.sessions.sessions import song

RAMP = "[[0 bars, 120 bpm], [2 bars, 90 bpm, linear]]"


def exported(tmp_path: Path, tempo: str, **words: bool) -> tuple[Recipe, dict[str, Any]]:
    recipe = song(tmp_path / "song", tempo=tempo, **words)
    return recipe, read(export_session(recipe, tmp_path / "out", "dawproject").path)


def clips(project: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The clips on a track."""
    track = next(track for track in project["structure"] if track["name"] == name)
    [lanes] = [lanes for lanes in project["arrangement"]["lanes"]["lanes"] if lanes["track"] == track["id"]]
    found: list[dict[str, Any]] = next(lane["clips"] for lane in lanes["lanes"] if "clips" in lane)
    return found


def test_it_finds_tempo_meter_and_words(tmp_path: Path) -> None:
    _, found = exported(tmp_path, RAMP)
    project, transport = found["project"], found["project"]["transport"]
    assert found["metadata"]["title"] == "Täst söng" and found["metadata"]["copyright"] == "CC0-1.0"
    assert (transport["tempo"]["value"], transport["tempo"]["unit"]) == (120, "bpm")
    assert transport["timeSignature"] == {"numerator": 4, "denominator": 4}
    tempo = project["arrangement"]["tempoAutomation"]["points"]
    assert [(float(each["time"]), each["value"], each["interpolation"]) for each in tempo] == [
        (0, 120, "linear"), (8, 90, "hold"),
    ]  # fmt: skip
    meter = project["arrangement"]["timeSignatureAutomation"]["points"]
    assert [(float(each["time"]), each["numerator"], each["denominator"]) for each in meter] == [(0, 4, 4), (8, 7, 8)]


def test_it_finds_every_strip_with_its_colour_levels_and_ways(tmp_path: Path) -> None:
    recipe, found = exported(tmp_path, RAMP)
    strips = {strip["name"]: strip for strip in found["project"]["structure"]}
    assert set(strips) == {"Master", "room", "group", "hiss", "rain & snow", "cuts", "keys", "keys (notes)"}
    assert strips["hiss"]["color"] == "#ff8800"
    channels = {name: strip["channel"] for name, strip in strips.items()}
    for name, db in {"hiss": -6, "rain & snow": -4, "room": 2, "group": -3, "Master": -1, "cuts": 0}.items():
        assert channels[name]["volume"]["unit"] == "linear"
        assert channels[name]["volume"]["value"] == pytest.approx(10 ** (db / 20), rel=1e-9)
    assert channels["hiss"]["pan"]["value"] == pytest.approx(0.35)
    assert channels["keys"]["mute"]["value"] and not channels["hiss"]["mute"]["value"]
    ways = {channel["id"]: name for name, channel in channels.items()}
    assert ways[channels["rain & snow"]["destination"]] == "group"
    assert ways[channels["group"]["destination"]] == ways[channels["hiss"]["destination"]] == "Master"
    sends = {ways[send["destination"]]: send for send in channels["hiss"]["sends"]}
    assert (sends["room"]["type"], sends["group"]["type"]) == ("pre", "post")
    assert sends["room"]["volume"]["value"] == pytest.approx(10 ** (-12 / 20), rel=1e-9)
    assert set(recipe.tracks) < set(strips)


@pytest.mark.parametrize("tempo", [RAMP, "100 bpm"])
def test_it_finds_every_clip_in_its_place_and_its_sound(tmp_path: Path, tempo: str) -> None:
    recipe, found = exported(tmp_path, tempo)
    steady = tempo != RAMP
    map_ = recipe.tempo_map(None)
    place = (lambda second: float(map_.beat_at(second))) if steady else float
    cuts = clips(found["project"], "cuts")
    # A clip on a beat begins on the frame that is nearest to it.
    near = 0.6 / 44_100 * (100 / 60 if steady else 1)
    assert [clip["time"] for clip in cuts] == pytest.approx([place(0.5), place(map_.second_at(2))], abs=near)
    assert cuts[0]["duration"] == pytest.approx(place(0.25) if steady else 0.25, abs=near)
    assert cuts[0]["fadeInTime"] == pytest.approx(place(0.01) if steady else 0.01, abs=near)
    inner = [clip["content"][0]["clips"][0] for clip in cuts]
    assert inner[1]["playStart"] == pytest.approx(place(0.1) if steady else 0.1, abs=near)
    warps = inner[0]["content"][0]
    assert [warp["contentTime"] for warp in warps["warps"]] == [0, 1]
    for name in ("hiss", "rain & snow", "cuts"):
        for clip in clips(found["project"], name):
            content = clip["content"][0]["clips"][0]["content"][0]
            audio = content["content"][0] if "warps" in content else content["lanes"][0]["content"][0]
            assert audio["file"]["path"] in found["files"] and audio["sampleRate"] == 44_100


def test_it_finds_the_notes_and_the_way_of_a_fader(tmp_path: Path) -> None:
    _, found = exported(tmp_path, "100 bpm", moving=True)
    project = found["project"]
    [clip] = clips(project, "keys (notes)")
    lanes = clip["content"][0].get("lanes", clip["content"])
    notes = next(lane["notes"] for lane in lanes if "notes" in lane)
    assert [(note["time"], note["key"]) for note in notes] == [(beat, 60 + beat) for beat in range(6)]
    assert notes[0]["duration"] == pytest.approx(400 / 480) and notes[0]["vel"] == pytest.approx(90 / 127)
    rain = next(track for track in project["structure"] if track["name"] == "rain & snow")
    points = next(
        lane for lanes in project["arrangement"]["lanes"]["lanes"] for lane in lanes["lanes"]
        if lane.get("target", {}).get("parameter") == rain["channel"]["volume"]["id"]
    )["points"]  # fmt: skip
    values = [float(point["value"]) for point in points]
    assert values[0] == pytest.approx(10 ** (-30 / 20), rel=1e-3) and values[-1] == pytest.approx(1, rel=1e-3)
