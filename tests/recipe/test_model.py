"""The recipe as a value: equal to its text, changed one knob at a time, and sound in its routes."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from studio.errors import KnobError, OutputError, Problems, RecipeError, StudioError
from studio.knobs import Number
from studio.recipe import Bus, Master, Output, Recipe, Send, Track
from studio.recipe.document import Document, write
from studio.recipe.presets import Preset
from studio.steps import registry
from tests.recipe.random_recipes import recipes

SHIPPED = Path(__file__).parents[2] / "presets" / "recipes"
DEMO = SHIPPED / "demo.yaml"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@example(plain={"score": "song.mid", "tracks": {"a": {"part": "all"}}, "tags": ["", "?Ĕ", ": a", ":b", "-x", "- y"]})
@given(plain=recipes())
def test_any_recipe_is_equal_to_what_its_text_says_and_has_its_hash(plain: dict[str, Any]) -> None:
    built = Recipe.parse(plain)
    text = built.dumps()
    read = Recipe.loads(text)
    assert read == built and read.hash == built.hash
    assert read.dumps() == text
    assert Recipe.loads(json.dumps(plain)) == built, "JSON is YAML"
    assert Recipe.parse(built.data(full=False)) == built


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(plain=recipes())
def test_any_change_of_a_knob_changes_the_hash_and_is_in_the_text(plain: dict[str, Any]) -> None:
    song = Recipe.loads(Recipe.parse(plain).dumps())
    for address, value in (
        ("room.wide.rate", 2.5),
        ("808.volume", "-7.5 dB"),
        ("master.ceiling", -2),
        ("dust", 0.123),
        ("null.mute", True),
    ):
        changed = song.set(address, value)
        assert changed.hash != song.hash
        again = Recipe.loads(changed.dumps())
        assert again == changed and again.hash == changed.hash


@settings(max_examples=150, deadline=None)
@example({"?a": ":b"}, "\x85")
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=3), st.text(max_size=8))
def test_any_text_is_read_back_as_it_was_written_wherever_it_stands(named: dict[str, str], title: str) -> None:
    data = {"title": title, "tracks": named, "list": [title, *named]}
    assert Document(write(data), "a").data == data
    assert Document(write(data, "title: a  # kept\n", {"title": "a"}), "a").data == data


def test_the_hash_is_the_same_in_another_process_whatever_pythons_own_hashing() -> None:
    ask = f"from studio.recipe import Recipe; print(Recipe.load({str(DEMO)!r}).hash)"
    command = [sys.executable, "-W", "ignore", "-c", ask]
    found = {
        subprocess.run(
            command, env={"PYTHONHASHSEED": seed, "PATH": ""}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {Recipe.load(DEMO).hash}


def addresses(song: Recipe) -> list[str]:
    """Every number that can be turned in the chains of the tracks, and every macro."""
    found = list(song.knobs)
    for name, track in song.tracks.items():
        for step in track.chain:
            knobs = step.knobs if isinstance(step, Preset) else step.parameters()  # type: ignore[union-attr]
            found += [f"{name}.{step.label}.{knob}" for knob in knobs]
    return found


def turned_a_little(song: Recipe, address: str, value: float) -> Recipe:
    """The song with a knob at another value inside its range, whichever way that is."""
    for other in (value + 0.01, value - 0.01):
        with contextlib.suppress(KnobError):
            return song.set(address, round(other, 6))
    raise AssertionError(f"{address} takes neither more nor less")


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_knob_turned_keeps_every_comment_and_touches_no_other_line(path: Path) -> None:
    # A list written over several lines comes back in one.
    song, before = Recipe.load(path), re.sub(r",\n +\[", ", [", path.read_text()).splitlines()
    turned = 0
    for address in addresses(song)[:60:2]:
        value = song.get(address)
        if not isinstance(value, float):
            continue
        changed = turned_a_little(song, address, value)
        after = changed.dumps().splitlines()
        # A knob that was at its default is a line more, or a longer one.
        different = [line for line in before if line not in after]
        assert len(different) <= 2, different
        assert [line.split("#", 1)[1] for line in before if "#" in line] == [
            line.split("#", 1)[1] for line in after if "#" in line
        ]
        assert Recipe.loads("\n".join(after), path.parent) == changed.replace(origin=None)
        turned += 1
    assert turned > 5


@pytest.mark.parametrize(
    "text",
    [
        "tracks:\n  a: {part: all, chain: &c [chorus]}\n  b: {part: all, chain: *c}\n",
        "tracks:\n  a: &t\n    part: all   # both\n    chain: [chorus]\n  b: *t\n",
        "tracks:\n  808: {part: all, chain: [chorus]} # the low one\n  a: {part: all, chain: [chorus]}\n  true: {part: all}\n  ~: {part: all}\n",
        "{tracks: {a: {part: all, chain: chorus}}}",
        "tracks:\n  a:\n    part: all\n    chain:\n      # first\n      - chorus   # wide\n      # second\n      - reverb\n",
        '"tracks": {"a": {"part": "all", "chain": ["chorus", {"lowpass": [[0, 200], ["4 bars", 2000]]}]}}',
        "%YAML 1.2\n---\ntracks: {a: {part: all, chain: [{chorus: }]}}\n",
    ],
)
def test_however_it_is_written_a_change_says_what_is_meant(text: str) -> None:
    song = Recipe.loads(text)
    for changed in (
        song.set("a.chorus.mix", 0.3), song.set("a.volume", "-3 dB"), song.set("a.chain", ["reverb", {"chorus": {"mix": 0.1}}]),
        song.set("a.chain", []), song.set("a.chorus.name", "1.0"), song.set("title", "yes"),
    ):  # fmt: skip
        again = Recipe.loads(changed.dumps())
        assert again == changed and again.hash == changed.hash
    assert Recipe.loads(song.dumps()) == song


def test_set_and_get_speak_the_language_of_the_file() -> None:
    song = Recipe.load(DEMO)
    assert song.set("bass.volume", "-3 dB").get("bass.volume") == -3.0
    assert song.set("keys.pan", {"lfo": "sine", "period": "1 bar", "from": -1, "to": 1}).get("keys.pan").wave == "sine"
    assert song.get("bass.volume") == 2.0, "the old one is as it was"
    assert song.set("dust", 0.9).settled().get("crackle.volume") == pytest.approx(-12 + 0.9 * 24)
    for address, value, words in (
        ("keys.chorus.rat", 1, "Did you mean rate"), ("keys.volume", "40 dB", "40 dB is out of range"), ("kyes.volume", 1, "keys"),
        ("master.chain", ["quantise"], "kind score"), ("keys.send", {}, "there is no 'send'"), ("output.bits", 20, "is not one of"),
    ):  # fmt: skip
        with pytest.raises(StudioError) as caught:
            song.set(address, value)
        assert words in str(caught.value) and address in str(caught.value)


def test_what_is_changed_inside_a_preset_is_kept_as_a_rack_that_sounds_the_same() -> None:
    song = Recipe.loads(
        "tracks: {a: {part: all, chain: [{preset: tape}, {parallel: {chain: [{preset: {use: vinyl, name: old}}]}}]}}"
    )
    [knob, *_] = song.tracks["a"].chain[0].knobs  # type: ignore[attr-defined]
    turned = song.set(f"a.tape.{knob}", 0.123)
    assert f"{{use: tape, {knob}: 0.123}}" in turned.dumps() and Recipe.loads(turned.dumps()) == turned
    inner = song.tracks["a"].chain[0].chain[0]  # type: ignore[attr-defined]
    for address, value in (
        (f"a.tape.{inner.label}.bypass", True),
        (f"a.tape.{knob}.help", "words"),
    ):
        changed = song.set(address, value)
        again = Recipe.loads(changed.dumps())
        assert (
            again == changed
            and again.hash == changed.hash
            and again.get(address) == changed.get(address) != song.get(address)
        )
    other = song.set("a.tape.use", "hall")
    assert other == Recipe.loads(song.dumps().replace("preset: tape", "preset: hall"))
    assert other.tracks["a"].chain[0].chain != song.tracks["a"].chain[0].chain  # type: ignore[attr-defined]


def test_saving_elsewhere_makes_every_path_fit_and_keeps_the_comments(tmp_path: Path) -> None:
    here, there = tmp_path / "songs", tmp_path / "other" / "place"
    here.mkdir()
    for name in ("a.mid", "hall.wav", "loop.wav"):
        (here / name).write_bytes(b"")
    (here / "mine.yaml").write_text(
        "chain: [{chorus: {mix: 0.2}}]\nknobs: {k: {value: 0.5, drives: {chorus.mix: [0, 1]}}}\n"
    )
    (here / "song.yaml").write_text(
        "# kept\nscore: a.mid\ntracks:\n  a:\n    part: all\n    play: {soundfont: gm}\n    chain:\n"
        "      - parallel: {chain: [{convolution: hall.wav}]}  # far\n      - preset: {use: mine.yaml, k: 0.9}\n"
        "  b: {play: {audio: gone.wav}}\n"
    )
    song = Recipe.load(here / "song.yaml")
    song.save(there / "copy.yaml")
    copy = Recipe.load(there / "copy.yaml")
    text = (there / "copy.yaml").read_text()
    assert text.startswith("# kept\n") and "# far" in text
    assert copy.score == "../../songs/a.mid" and copy.get("a.convolution.file") == "../../songs/hall.wav"
    assert copy.get("a.soundfont.file") == "gm" and copy.get("b.audio.file") == "gone.wav"
    assert copy.tracks["a"].chain[1].use == "../../songs/mine.yaml"  # type: ignore[attr-defined]
    assert copy.get("a.mine.k") == 0.9 and copy.get("a.mine.chorus.mix") == 0.2
    copy.save(here / "back.yaml")
    assert Recipe.load(here / "back.yaml") == song
    assert song.data() == Recipe.load(here / "back.yaml").data()


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "folder.yaml").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        Recipe.load(DEMO).save(tmp_path / "folder.yaml")
    assert [path.name for path in tmp_path.iterdir()] == ["folder.yaml"]


TRACK = {"part": "all"}


@pytest.mark.parametrize(
    ("plain", "path", "cause", "mend"),
    [
        ({"tracks": {"a": {**TRACK, "to": "rom"}}, "buses": {"room": {}}}, ("tracks", "a", "to"), "no bus 'rom'", "Did you mean room?"),
        ({"tracks": {"a": {**TRACK, "to": "a"}}}, ("tracks", "a", "to"), "no bus 'a'", "master"),
        ({"tracks": {"a": {**TRACK, "send": {"rom": -3}}}, "buses": {"room": {}}}, ("tracks", "a", "send", "rom"), "no bus 'rom'", "room"),
        ({"tracks": {"a": {**TRACK, "chain": [{"ducker": {"sidechain": "b"}}]}, "bb": TRACK}}, ("tracks", "a", "chain", 0, "ducker", "sidechain"),
         "no track or bus 'b'", "bb"),
        ({"tracks": {"a": TRACK}, "buses": {"a": {}}}, ("buses", "a"), "a track has that name too", "Rename"),
        ({"tracks": {"title": TRACK}}, ("tracks", "title"), "the word means something else", "Rename"),
        ({"tracks": {"master": TRACK}}, ("tracks", "master"), "the word means something else", "Rename"),
        ({"tracks": {"a": {"play": {"noise": {}}, "part": "all"}}}, ("tracks", "a", "part"), "'noise' plays no notes", "Take `part`"),
        ({"tracks": {"a": {"play": {"noise": {}}, "notes": ["quantise"]}}}, ("tracks", "a", "notes"), "plays no notes", "Take `part`"),
        ({"tracks": {"a": {}}}, ("tracks", "a", "part"), "an instrument but no part", "part: all"),
        ({"tracks": {"a": {**TRACK, "chain": ["soundfont"]}}}, ("tracks", "a", "chain", 0), "kind instrument; here stands effect or transform", ""),
        ({"recipe": 2}, ("recipe",), "2 is out of range", "1 to 1"), ({"rate": 44}, ("rate",), "44 Hz is out of range", "8 kHz to 192 kHz"),
        ({"trakcs": {}}, ("trakcs",), "a recipe has no 'trakcs'", "tracks"), ({"tracks": ["a"]}, ("tracks",), "is not a mapping", "track: value"),
        ({"tracks": {"a.b": TRACK}}, ("tracks", "a.b"), "cannot be a track", "letters"), ({"origin": "x"}, ("origin",), "a recipe has no 'origin'", ""),
        ({"master": {"pan": 0.3}}, ("master", "pan"), "a master has no 'pan'", ""), ({"tail": "-1 s"}, ("tail",), "before the start", ""),
        ({"credits": {"x" * 500: "CC0-1.0"}}, ("credits", "x" * 500), "too long", ""),
    ],
)  # fmt: skip
def test_what_does_not_hold_together_is_refused_at_its_place(
    plain: dict[str, Any], path: tuple[object, ...], cause: str, mend: str
) -> None:
    with pytest.raises(StudioError) as caught:
        Recipe.parse(plain)
    assert not isinstance(caught.value, Problems)
    assert caught.value.path == path
    assert cause in caught.value.cause and mend in caught.value.mend


@pytest.mark.parametrize(
    ("buses", "circle"),
    [
        ({"x": {"to": "y"}, "y": {"to": "x"}}, {"x", "y"}), ({"x": {"send": {"x": 0}}}, {"x"}),
        ({"x": {"send": {"y": -3}}, "y": {"to": "z"}, "z": {"send": {"x": -3}}, "free": {}}, {"x", "y", "z"}),
        ({"x": {"to": "y"}, "y": {}, "z": {}}, None),
    ],
)  # fmt: skip
def test_signals_that_go_round_in_a_circle_are_refused_by_their_names(
    buses: dict[str, Any], circle: set[str] | None
) -> None:
    plain = {"tracks": {"a": {**TRACK, "send": dict.fromkeys(buses, -6)}}, "buses": buses}
    if circle is None:
        assert Recipe.parse(plain).feeds("y", Recipe.parse(plain).buses["y"]) == {"a", "x"}
        return
    with pytest.raises(RecipeError, match="goes round in a circle") as caught:
        Recipe.parse(plain)
    named = caught.value.cause.split(": ")[1].rstrip(".").split(" ← ")
    assert set(named) == circle and named[0] == named[-1]


def test_side_chains_make_circles_too() -> None:
    listens = {"chain": [{"ducker": {"sidechain": "b"}}]}
    with pytest.raises(RecipeError, match=r"circle: \w ← \w ← \w"):
        Recipe.parse({"tracks": {"a": {**TRACK, **listens}, "b": {**TRACK, "chain": [{"gate": {"sidechain": "a"}}]}}})
    chain = Recipe.parse({"tracks": {"a": {**TRACK, **listens}, "b": TRACK}})
    assert chain.feeds("a", chain.tracks["a"]) == {"b"} and chain.feeds("b", chain.tracks["b"]) == frozenset()


def test_everything_wrong_in_a_file_is_said_at_once_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text(
        "titel: x\ntracks:\n  keys:\n    part: all\n    volume: 40 dB\n    chain:\n      - corus\nrate: 3\n"
    )
    with pytest.raises(Problems) as caught:
        Recipe.load(tmp_path / "bad.yaml")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines if line.startswith(str(tmp_path))] == ["1", "5", "7", "8"]


def test_python_builds_what_a_file_says() -> None:
    built = Recipe(
        tracks={
            "a": Track(part="all", chain=[registry()["chorus"](mix=0.2)], volume=-3, send={"room": Send(-6, pre=True)})
        },
        buses={"room": Bus(chain=["reverb"])},
        master=Master(loudness="-14 LUFS"),
        output=Output(bits="16"),
    )
    text = """
        tracks: {a: {part: all, chain: [{chorus: {mix: 20 %}}], volume: -3 dB, send: {room: {level: -6 dB, pre: true}}}}
        buses: {room: {chain: reverb}}
        master: {loudness: -14}
        output: {bits: 16}
    """
    assert built == Recipe.loads(text) and built.hash == Recipe.loads(text).hash
    with pytest.raises(RecipeError, match="there is no bus 'room'"):
        built.replace(buses={})


def test_every_number_of_the_mixer_has_a_unit_and_a_range() -> None:
    for record in (Recipe, Track, Bus, Master, Send, Output):
        for name, kind in record.kinds().items():
            assert kind.help, name
            assert not isinstance(kind, Number) or (kind.low > -1e9 and kind.high < 1e9)
