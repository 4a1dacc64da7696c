"""The JSON Schema of recipes as an editor uses it: own help for every word, units checked, presets completed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from studio import units
from studio.errors import KnobError
from studio.recipe.document import Document
from studio.recipe.presets import presets
from studio.recipe.schema import schema
from studio.steps import registry
from studio.tempo import Time

SHIPPED = Path(__file__).parents[2] / "presets" / "recipes"
HEAD = "tracks:\n  keys:\n    play: {noise: {length: 1 s}}\n"


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    made = schema()
    Draft7Validator.check_schema(made)
    return made


def deepest(error: ValidationError) -> list[Any]:
    """The path of the deepest place that an error is about."""
    inner = [deepest(each) for each in error.context or ()]
    return max([list(error.absolute_path), *inner], key=len)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_recipes_fit_it(whole: dict[str, Any], path: Path) -> None:
    assert not list(Draft7Validator(whole).iter_errors(Document.open(path).data))


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        ("    chain: [{corus: {rate: 1 Hz}}]", ["chain", 0]),
        ("    chain: [{lowpass: 4 kHzz}]", ["chain", 0, "lowpass"]),
        ("    chain: [{reverb: {room_size: 3}}]", ["chain", 0, "reverb", "room_size"]),
        ("    chain: [{chorus: {depht: 0.2}}]", ["chain", 0, "chorus"]),
        ("    chain: [{delay: {time: 1/8x}}]", ["chain", 0, "delay", "time"]),
        ("    chain: [{preset: taap}]", ["chain", 0, "preset"]),
        ("    pan: 2", ["pan"]),
        ("    volume: [[0 bars, -inf dB], [2 barz, -3 dB, smooth]]", ["volume", 1, 0]),
        ("    volume: [[0 bars, -inf dB], [2 bars, -3 dBB, smooth]]", ["volume", 1, 1]),
        ("    pan: {lfo: sine, period: 4 barz, from: -1, to: 1}", ["pan", "period"]),
        ("    volum: 3 dB", []),
    ],
)
def test_mistakes_are_seen_where_they_stand(whole: dict[str, Any], lines: str, where: list[Any]) -> None:
    errors = list(Draft7Validator(whole).iter_errors(Document(f"{HEAD}{lines}\n").data))
    assert any(deepest(error) == ["tracks", "keys", *where] for error in errors)


def test_the_patterns_of_units_and_times_say_what_the_parsers_say() -> None:
    texts = (
        "-12 dB",
        "-12DB",
        "−3",
        "1.2 kHz",
        "4 kHzz",
        "80 ms",
        "1e3 Hz",
        "inf dB",
        "-inf dB",
        "57 %",
        "4:1",
        "3 cents",
        "x",
        "",
    )
    for unit in (units.DB, units.HZ, units.MS, units.SECONDS, units.PLAIN, units.RATIO, units.SEMITONES, units.LUFS):
        for text in texts:
            assert _parses(unit.parse, text) == _fits(unit.pattern, text), (unit, text)
    from studio.tempo import TIME_PATTERN

    for text in (
        "1/8",
        "1/8.",
        "1/8t",
        "2 bars",
        "4 bars 2 beats",
        "1.5 s",
        "80 ms",
        "1 min",
        "2 barz",
        "1/8x",
        "3",
        "-1 s",
        "soon",
    ):
        assert _parses(Time.parse, text) == _fits(TIME_PATTERN, text), text


def _parses(parse: Any, text: str) -> bool:
    try:
        parse(text)
    except KnobError:
        return False
    return True


def _fits(pattern: str, text: str) -> bool:
    return Draft7Validator({"pattern": pattern}).is_valid(text)


def test_every_name_of_every_step_has_a_title_and_its_own_help(whole: dict[str, Any]) -> None:
    for name, step in registry().items():
        found = whole["$defs"][f"step-{name}"]
        assert found["title"] == name and found["description"] == step.help()
        for knob, about in _properties(found):
            assert about["title"] == knob
            if knob in step.kinds():
                assert step.kinds()[knob].help in about["description"], (name, knob)


def _properties(found: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for form in found["anyOf"]:
        yield from form.get("properties", {}).items()


def test_presets_are_completed(whole: dict[str, Any]) -> None:
    [named] = [form for form in whole["$defs"]["step-preset"]["anyOf"] if "anyOf" in form]
    listed = [listed.name for listed in presets() if listed.kind == "chain"]
    assert named["anyOf"][0]["anyOf"][0] == {"enum": listed} and "tape" in listed
