"""The recipe language: what it reads, what it writes, and that both mean the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.recipe import Recipe, Track
from studio.recipe.model import Origin

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


def test_saving_elsewhere_keeps_files_reachable(tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    (tmp_path / "songs" / "a.mid").write_bytes(b"")
    (tmp_path / "songs" / "a.yaml").write_text("score: a.mid\ntracks: {keys: {part: all}}\n")
    Recipe.load(tmp_path / "songs" / "a.yaml").save(tmp_path / "b.yaml")
    moved = Recipe.load(tmp_path / "b.yaml")
    assert moved.score == "songs/a.mid"
    assert isinstance(moved.origin, Origin)
