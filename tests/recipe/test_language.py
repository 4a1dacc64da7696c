"""The recipe language: what it reads, what it writes, and that both mean the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.knobs import Choice, Number, Numbers, Span, Switch, Text
from studio.recipe import Recipe, Track
from studio.recipe.model import Origin
from studio.steps import Step, registry

TEXT = """\
# My song
recipe: 1
title: Dusty        # as the keys are
score: dusty.mid

knobs:
  dust: {value: 0.3, drives: {keys.chorus.depth: [0, 0.6]}}   # what I turn

tracks:
  keys:
    part: {channel: 1}
    # two steps
    chain:
      - chorus: {rate: 0.8 Hz, mix: 0.4}
      - lowpass: 4 kHz
    volume: -3 dB
"""


def test_what_is_read_is_written_back_as_it_was() -> None:
    assert Recipe.loads(TEXT).dumps() == TEXT


def test_a_turned_knob_changes_its_line_and_no_other() -> None:
    turned = Recipe.loads(TEXT).set("keys.lowpass", "2.5 kHz").set("dust", 0.8).dumps()
    changed = [(old, new) for old, new in zip(TEXT.splitlines(), turned.splitlines(), strict=True) if old != new]
    assert [new.strip() for _, new in changed] == [
        "dust: {value: 0.8, drives: {keys.chorus.depth: [0, 0.6]}}   # what I turn",
        "- lowpass: 2.5 kHz",
    ]


def test_a_recipe_built_in_python_is_the_one_in_the_file(tmp_path: Path) -> None:
    built = Recipe(
        title="Dusty",
        score="dusty.mid",
        knobs={"dust": {"value": 0.3, "drives": {"keys.chorus.depth": [0, 0.6]}}},
        tracks={
            "keys": Track(
                part={"channel": 1}, chain=[{"chorus": {"rate": 0.8, "mix": 0.4}}, {"lowpass": 4000}], volume=-3
            )
        },
    )
    read = Recipe.loads(TEXT)
    assert built == read and built.hash == read.hash
    built.save(tmp_path / "built.yaml")
    assert Recipe.load(tmp_path / "built.yaml").hash == read.hash
    assert "rate: 0.8 Hz" in (tmp_path / "built.yaml").read_text()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("volume: -3 dB", "volume: -3"), ("volume: -3dB", "volume: '-3.0 dB'"), ("chain: chorus", "chain: [chorus: {}]"),
        ("chain: [{lowpass: 4 kHz}]", "chain: [{lowpass: {cutoff: 4000}}]"), ("part: Piano", "part: [{track: Piano}]"),
        ("chain: [{echo: 1/8.}]", "chain: [{echo: {time: 3/16}}]"), ("send: {room: -6 dB}", "send: {room: {level: -6}}"),
        ("pan: [[2 bars, 50 %]]", "pan: [[2 bars, 0.5]]"), ("volume: -inf dB", "volume: -.inf"),
    ],
)  # fmt: skip
def test_two_ways_to_say_a_thing_have_one_hash(one: str, other: str) -> None:
    def recipe(words: str) -> Recipe:
        part = "" if words.startswith("part") else "part: all\n    "
        return Recipe.loads(f"score: a.mid\nbuses: {{room: {{}}}}\ntracks:\n  keys:\n    {part}{words}\n")

    assert recipe(one).hash == recipe(other).hash
    assert recipe(one).hash != recipe("mute: true").hash


def test_the_hash_is_the_same_on_every_machine() -> None:
    """A change here makes every cached sound and every manifest of the past a stranger: raise the format instead."""
    plain = Recipe.loads("{tracks: {a: {play: {noise: {length: 1 s}}}}, title: x}")
    assert plain.hash == Recipe.loads("title: x\ntracks:\n  a:\n    play: {noise: {seed: 0, length: 1000 ms}}\n").hash


def number(kind: Number) -> st.SearchStrategy[Any]:
    low, high = max(kind.low, -1e4), min(kind.high, 1e6)
    values = st.integers(int(low), int(high)) if kind.whole else st.floats(low, high)
    if not kind.live:
        return values
    times = st.lists(st.integers(0, 500), min_size=1, max_size=4, unique=True).map(sorted)
    points = times.flatmap(
        lambda at: st.tuples(*(st.tuples(st.sampled_from([f"{t} s", f"{t} bars"]), st.floats(low, high)) for t in at))
    )
    lfo = st.fixed_dictionaries(
        {
            "lfo": st.sampled_from(["sine", "drift", "square"]),
            "period": st.sampled_from(["1/8", "2 bars", "0.3 s"]),
            "from": st.floats(low, high),
            "to": st.floats(low, high),
        }
    )
    return st.one_of(values, values, points.map(lambda found: [list(point) for point in found]), lfo)


def value_of(kind: Any) -> st.SearchStrategy[Any]:
    """Any value that a knob may stand at."""
    if isinstance(kind, Number):
        return number(kind)
    if isinstance(kind, Choice):
        return st.sampled_from(kind.options)
    if isinstance(kind, Switch):
        return st.booleans()
    if isinstance(kind, Span):
        return st.sampled_from(["1/16", "1/8t", "3 beats", "2 bars 1/4", "0.125 s", "80 ms", "1.5 bars"])
    if isinstance(kind, Numbers):
        low, high = kind.each.low, kind.each.high
        return st.lists(st.integers(int(low) + 1, int(high)), min_size=2, max_size=2, unique=True).map(sorted)
    return st.nothing()


PLAIN = {
    name: step for name, step in registry().items() if name not in ("preset", "multiband", "rack", "ducker", "velocity")
}


@st.composite
def step_data(draw: st.DrawFn, *kinds: str) -> dict[str, Any]:
    name = draw(st.sampled_from(sorted(name for name, step in PLAIN.items() if step.kind in kinds)))
    step = PLAIN[name]
    knobs = {}
    for knob, kind in step.parameters().items():
        if kind.required and not isinstance(kind, (Span,)):
            knobs[knob] = "file.wav"
        elif isinstance(kind, (Number, Choice, Switch, Span, Numbers)) and (kind.required or draw(st.booleans())):
            notes = st.sampled_from(["1/16", "1/8t", "1/4."])
            knobs[knob] = draw(notes if knob in ("rate", "grid") and isinstance(kind, Span) else value_of(kind))
    if draw(st.booleans()):
        knobs["name"] = draw(st.text("abcdefgh xyz", min_size=1, max_size=12).map(str.strip).filter(bool))
    return {name: knobs}


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    def strip() -> dict[str, Any]:
        return {
            "chain": draw(st.lists(step_data("effect", "transform"), max_size=3)),
            "volume": draw(number(Recipe.kinds()["tracks"].each.of.kinds()["volume"])),  # type: ignore[attr-defined]
            "send": {"room": draw(st.floats(-60, 12))} if draw(st.booleans()) else {},
        }

    tracks: dict[str, Any] = {
        "notes": {"part": "all", "notes": draw(st.lists(step_data("score"), max_size=2)), **strip()}
    }
    tracks["sound"] = {"play": draw(step_data("source")), **strip()}
    return Recipe.parse(
        {
            "score": "song.mid",
            "title": draw(st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=20)),
            "tempo": draw(
                st.sampled_from(["score", "92 bpm", [["0 bars", "90 bpm"], ["4 bars", "140 bpm", "linear"]]])
            ),
            "rate": draw(st.sampled_from([22_050, 44_100, 96_000])),
            "tracks": tracks,
            "buses": {"room": {"chain": draw(st.lists(step_data("effect"), max_size=2))}},
            "master": {"loudness": draw(st.none() | st.floats(-60, -5))},
        }
    )


@settings(max_examples=150, deadline=None)
@given(recipe=recipes())
def test_any_recipe_comes_back_equal_from_its_text(recipe: Recipe) -> None:
    text = recipe.dumps()
    again = Recipe.loads(text)
    assert again == recipe
    assert again.hash == recipe.hash
    assert again.dumps() == text
    assert again.replace(origin=None).dumps() == text


@pytest.mark.parametrize("name", sorted(registry()))
def test_every_step_is_documented_by_its_declaration(name: str) -> None:
    step: type[Step] = registry()[name]
    assert step.help()[0].isupper() and step.help().split("\n")[0].endswith((".", ";", ":")), step.help().split("\n")[0]
    for knob, kind in step.kinds().items():
        assert kind.help or not isinstance(kind, (Number, Choice, Switch, Text)), f"{name}.{knob} has no help"
        assert not kind.help.endswith(".")


def test_saving_elsewhere_keeps_files_reachable(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "a.mid").write_bytes(b"")
    (tmp_path / "songs" / "a.yaml").write_text("score: a.mid\ntracks: {keys: {part: all}}\n")
    Recipe.load(tmp_path / "songs" / "a.yaml").save(tmp_path / "b.yaml")
    moved = Recipe.load(tmp_path / "b.yaml")
    assert moved.score == "songs/a.mid"
    assert isinstance(moved.origin, Origin)
