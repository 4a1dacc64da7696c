"""How sections, arrangements and places in a song are written, and what is said of those that cannot be."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from studio.arrangement import arrangement_of
from studio.errors import KnobError, StudioError
from studio.midi import write_midi
from studio.recipe import Recipe
from studio.recipe.schema import schema
from studio.rendering.checking import check
from studio.score import Mark, Note
from studio.tempo import TempoMap, Time, naming
from tests.songs import score_of

TRACK = {"play": {"noise": {"length": "1 bar"}}}


def spans(recipe: Recipe, score: Any = None) -> list[tuple[str, int, int]]:
    """The sections as they sound: their names, and the beats at which they are written and sound."""
    arranged = arrangement_of(recipe.tempo_map(score))
    assert arranged is not None
    return [(span.name, int(span.start), int(span.at)) for span in arranged.spans]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("bar 1", Time()), ("bar 5", Time(bars=Fraction(4))), ("bar 5 beat 3", Time(bars=Fraction(4), beats=Fraction(2))),
        ("5.1.1", Time(bars=Fraction(4))), ("2.3.2", Time(bars=Fraction(1), beats=Fraction(9, 4))),
        ("verse", Time(mark="verse")), ("Verse", Time(mark="verse")), ("verse 2", Time(mark="verse 2")),
        ("verse + 2 bars", Time(bars=Fraction(2), mark="verse")), ("verse 2+1/8", Time(beats=Fraction(1, 2), mark="verse 2")),
        ("pre-chorus - 1 bar 2 beats", Time(Fraction(-1), Fraction(-2), mark="pre-chorus")),
        ("bar 3 + 500 ms", Time(bars=Fraction(2), seconds=Fraction(1, 2))), ("verse − 1/4", Time(beats=Fraction(-1), mark="verse")),
    ],
)  # fmt: skip
def test_places_are_named_by_bars_and_sections(text: str, expected: Time) -> None:
    with naming(["verse", "verse 2", "pre-chorus"]):
        place = Time.parse(text, position=True)
        assert place == expected
        assert Time.parse(str(place), position=True) == place, "and written so that they are read as the same"


@pytest.mark.parametrize(
    "text", ["vers", "verse +", "verse + soon", "bar", "bar 0", "0.1.1", "5.1.1.1", "bar 2 bars", "verse 2 bars"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with naming(["verse"]), pytest.raises(KnobError):
        Time.parse(text, position=True)


def test_a_place_is_no_length() -> None:
    with naming(["verse"]):
        for text in ("verse", "verse + 1 bar"):
            with pytest.raises(KnobError, match="a place in the song"):
                Time.parse(text)
    assert Time.parse("bar 2", position=True) == Time.parse("1 bar")


def test_all_ways_to_write_a_section_say_the_same() -> None:
    for a, b in (
        ("4 bars", "4–12 bars"), ("0–4 bars", "8 bars"), ([0, "4 bars"], ["bar 5", "bar 13"]), ("0 bars to 4 bars", "4-12 bars"),
        ({"to": "4 bars"}, {"from": "5.1.1", "length": "8 bars"}), ("0 – 16 beats", {"length": "16 s"}),
    ):  # fmt: skip
        recipe = Recipe.parse({"sections": {"a": a, "b": b}, "arrangement": ["b", "a × 2", "b x2"]})
        assert spans(recipe) == [("b", 16, 0), ("a", 0, 32), ("a", 0, 48), ("b", 16, 64), ("b", 16, 96)], (a, b)
        assert Recipe.loads(recipe.dumps()).hash == recipe.hash


def test_sections_are_made_of_others_and_changes_add_up() -> None:
    recipe = Recipe.parse(
        {
            "sections": {"v": "4 bars", "c": "2 bars", "block": ["v", {"section": "c", "transpose": 1, "times": 2}]},
            "arrangement": [{"section": "block", "transpose": 2, "tempo": 90, "without": ["drums"]}, "c"],
            "tracks": {"drums": TRACK, "keys": TRACK},
        }
    )
    tempo = recipe.tempo_map(None)
    arrangement = arrangement_of(tempo)
    assert arrangement is not None
    assert [(span.name, span.transpose, float(span.speed * 120)) for span in arrangement.spans] == [
        ("v", 2, 90), ("c", 3, 90), ("c", 3, 90), ("c", 0, 120),
    ]  # fmt: skip
    assert [sorted(span.without) for span in arrangement.spans] == [["drums"]] * 3 + [[]]
    only = arrangement_of(recipe.replace(arrangement=[{"section": "v", "only": ["keys"]}]).tempo_map(None))
    assert only is not None and only.spans[0].without == {"drums"}
    assert Recipe.loads(recipe.dumps()) == recipe


def test_markers_of_the_score_are_sections(tmp_path: Path) -> None:
    score = score_of(Note(0, 480, 60, 90), Note(7000, 7100, 62, 90), end_beats=16)
    marks = [
        Mark(0, "marker", "Intro"),
        Mark(1920, "marker", "Verse"),
        Mark(5760, "marker", "Verse"),
        Mark(60, "lyric", "la"),
    ]
    score = type(score)(score.events, score.resolution, score.tempo, score.tracks, tuple(marks), score.end)
    write_midi(score, tmp_path / "song.mid")
    text = "score: song.mid\nsections: markers\narrangement: [Verse 2, Intro]\ntracks: {a: {part: all, volume: [[Verse, -3]]}}"
    (tmp_path / "song.yaml").write_text(text)
    recipe = Recipe.load(tmp_path / "song.yaml")
    assert spans(recipe, score) == [("Verse 2", 12, 0), ("Intro", 0, 4)]
    assert check(tmp_path / "song.yaml").errors == ()
    (tmp_path / "song.yaml").write_text(text.replace("Verse 2", "Verse 3"))
    [error] = check(tmp_path / "song.yaml").errors
    assert error.path[:2] == ("arrangement", 0) and "Did you mean Verse 2" in error.mend
    (tmp_path / "song.yaml").write_text(text.replace("song.mid", "gone.mid"))
    assert [error.path for error in check(tmp_path / "song.yaml").errors] == [("score",)], (
        "and nothing that follows from it"
    )
    with pytest.raises(StudioError, match="no markers"):
        recipe.tempo_map(score_of(Note(0, 480, 60, 90)))


def test_names_mean_places_on_both_timelines_and_tempos_may_stand_at_them() -> None:
    recipe = Recipe.parse(
        {
            "sections": {"a": "4 bars", "b": "4 bars"}, "tempo": [["a", 60], ["b", 120]], "arrangement": ["b", "a"],
            "tracks": {"x": TRACK},
        }
    )  # fmt: skip
    tempo = recipe.tempo_map(None)
    arrangement = arrangement_of(tempo)
    assert arrangement is not None
    assert float(arrangement.written.second_of(Time(mark="b"))) == 16
    assert float(tempo.second_of(Time(mark="a"))) == 8 and tempo.bpm_at(Fraction(20)) == 60
    alone = recipe.section("b").tempo_map(None)
    with pytest.raises(KnobError, match="'a' is not in the arrangement"):
        alone.beat_of(Time(mark="a"))
    with pytest.raises(StudioError, match="no section 'c'"):
        recipe.section("c")
    assert recipe.tempo_map(None) == Recipe.loads(recipe.dumps()).tempo_map(None)


def test_a_curve_between_sections_goes_through_the_places_they_are_written_at() -> None:
    recipe = Recipe.parse(
        {"sections": {"a": "1 bar", "b": "1 bar"}, "tracks": {"x": {**TRACK, "volume": [["a", -10], ["b", 0]]}}}
    )
    curve = recipe.tracks["x"].volume
    assert arrangement_of(recipe.tempo_map(None)) is None
    assert list(curve.values([0.0, 1.0, 3.0], TempoMap(marks=(("a", Fraction(0)), ("b", Fraction(4)))))) == [-10, -5, 0]  # type: ignore


def test_turning_a_knob_knows_the_sections_too() -> None:
    recipe = Recipe.parse({"sections": {"a": "1 bar"}, "tracks": {"x": TRACK}})
    turned = recipe.set("x.volume", [["a + 1/4", "-3 dB"]])
    assert turned.tracks["x"].volume.points[0].at == Time(beats=Fraction(1), mark="a")  # type: ignore[union-attr]


MISTAKES = {
    "sections: {a: 4 bars, b: 2–8 bars}\narrangement: [a]": (1, "overlap, by 2 bars"),
    "sections:\n  a: 4–4 bars": (2, "is empty"),
    "sections:\n  a: [8 bars, 4 bars]": (2, "is empty"),
    "sections:\n  a: 4 bars\n  b: {from: 1 s, to: 0 bars}": (3, "is empty"),
    "sections:\n  a: 4 bars\n  b:\n    - a\n    - b": (5, "made of itself: b → b"),
    "sections: {a: 4 bars}\narrangement:\n  - a\n  - aa": (4, "no section 'aa'"),
    "sections: {a: 4 bars}\narrangement:\n  - {section: a, without: [nobody]}": (3, "no track 'nobody'"),
    "sections: {a: 4 bars}\narrangement:\n  - {section: a, only: [x], without: [x]}": (3, "at once"),
    "sections: {a: 4 bars}\narrangement:\n  - a × 2000": (3, "out of range"),
    "sections: {a: 4 bars}\narrangement:\n  - {times: 2}": (3, "no section ''"),
    "arrangement: [a]": (1, "without sections"),
    "sections: {a: 400 bars, b: [a × 20]}\narrangement: [b × 20]": (2, "hours"),
    "sections: {a: 1 bar, b: [a × 1000]}\narrangement: [b × 1000]": (2, "more than 1,000"),
    "sections: {a: 4 bars}\narrangement: [a]\nseamless: true\nlength: 3 bars": (4, "as long as its arrangement"),
    "sections: markers\narrangement: [a]": (2, "no section 'a'"),
}  # fmt: skip


@pytest.mark.parametrize("text", MISTAKES)
def test_what_cannot_be_arranged_is_told_with_its_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "song.yaml").write_text(text + "\ntracks: {x: {play: {noise: {length: 1 bar}}}}\n")
    errors = check(tmp_path / "song.yaml").errors
    line, words = MISTAKES[text]
    assert [(error.place.line, words in error.cause) for error in errors if error.place] == [(line, True)], errors


def test_the_schema_knows_sections() -> None:
    good = {
        "sections": {"a": "4 bars", "b": ["4 bars", "8 bars"], "c": ["a", "b × 2"]}, "seamless": True,
        "arrangement": ["a", {"section": "c", "tempo": "96 bpm", "transpose": 2}],
        "tracks": {"x": {**TRACK, "volume": [["a + 1 bar", "-3 dB"], ["bar 5", 0], ["5.1.1", 0]]}},
    }  # fmt: skip
    jsonschema.validate(good, schema())
    for wrong in ({"arrangement": [{"sektion": "a"}]}, {"tracks": {"x": {**TRACK, "volume": [["4 barz", 0]]}}}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**good, **wrong}, schema())
    hover = json.dumps(schema()["properties"]["arrangement"])
    assert "order in which they sound" in hover and "drums excepted" in json.dumps(schema())
