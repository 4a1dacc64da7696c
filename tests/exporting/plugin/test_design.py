"""What of a chain becomes a plugin: its parameters, its ids, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.effects.blocks import RackBlock
from studio.effects.filters import Lowpass
from studio.effects.mixing import Gain
from studio.errors import KnobError, MissingError, RecipeError
from studio.exporting.plugin.design import Design
from studio.exporting.target import Target
from studio.midi.files import write_midi
from studio.recipe import Recipe
from studio.score import Score
from studio.steps import Effect
from studio.tempo import TempoMap
from tests.exporting.plugin.late import Late

SONG = """
recipe: 1
author: Somebody
tempo: 90 bpm
knobs:
  dust: {value: 0.25, drives: {keys.chorus.depth: [0, 0.6], keys.volume: [-3, 0], keys.dirt.age: [0, 1]}}
  room: {value: 300 Hz, range: [100, 1000], unit: Hz, taper: log, drives: {hall.lowpass.cutoff: [1 kHz, 9 kHz]}}
tracks:
  keys:
    part: all
    chain:
      - chorus: {depth: 0.3}
      - preset: {use: vinyl, name: dirt}
  stretched: {part: all, chain: [gain, fade_in: 1 s]}
  plain: {part: all}
buses:
  hall: {chain: [lowpass]}
"""


def names(design: Design) -> list[str]:
    return [parameter.name for parameter in design.parameters]


def test_a_presets_knobs_are_the_parameters() -> None:
    design = Design.of("hall", "Hall")
    size, distance = design.parameters
    assert (size.name, size.number.unit.symbol, size.initial) == ("size", "", 0.7)
    assert (distance.name, distance.number.unit.symbol, *distance.ends) == ("distance", "ms", 1.0, 120.0)
    assert design.vendor == "The Mirepoix developers"


def test_a_strips_parameters_are_what_reaches_it() -> None:
    design = Design.of(Recipe.loads(SONG), "Keys", strip="keys")
    assert names(design) == ["dust"], "vinyl's own knob is turned by the recipe's"
    assert (design.vendor, design.target.bpm, design.parameters[0].initial) == ("Somebody", 90.0, 0.25)
    assert [step.step for step in design.plain][:2] == ["chorus", "multiband"]
    hall = Design.of(Recipe.loads(SONG), "Hall", strip="hall").parameters[0]
    assert (hall.name, hall.number.taper, hall.initial) == ("room", "log", 300.0)


def test_parameters_at_a_value_give_the_chain_of_a_render() -> None:
    recipe = Recipe.loads(SONG)
    design = Design.of(recipe, "Keys", strip="keys")
    rendered = recipe.set("dust", 0.75).settled().tracks["keys"].chain
    assert design.chain({"dust": 0.75})[0] == rendered[0]


def test_what_cannot_move_is_baked_and_told() -> None:
    knobs = {"one": {"value": 0.5, "drives": {"late.size": [0, 2], "gain.gain": [-12, 0]}}, "two": {"drives": {}}}
    design = Design.of(RackBlock.parse({"chain": ["late", "gain"], "knobs": knobs}), "Baked")
    assert names(design) == ["one"]
    late = design.plain[0]
    assert isinstance(late, Late)
    assert (late.size, design.baked) == (1.0, ("late.size",))


def test_racks_side_by_side_keep_their_knobs_apart() -> None:
    rack = {"chain": ["gain"], "knobs": {"push": {"drives": {"gain": [0, 6]}}}}
    design = Design.of(
        "[" + ", ".join(f"rack: {{name: {name}, chain: [gain], knobs: {rack['knobs']}}}" for name in "ab") + "]", "Two"
    )
    assert names(design) == ["push", "b push"]


def test_ids_come_from_name_and_maker_alone() -> None:
    one, other = Design.of("tape", "Warm"), Design.of("hall", "Warm")
    assert one.id == other.id != Design.of("tape", "Cold").id
    assert one.hash != other.hash
    assert Design.of("tape", "Warm").id == one.id
    assert len({parameter.id for parameter in one.parameters}) == len(one.parameters)


def test_chains_are_found_as_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "song.yaml").write_text(SONG)
    (tmp_path / "mine.yaml").write_text("preset: 1\nchain: [gain]\n")
    assert names(Design.of("song.yaml:keys", "K", folder=tmp_path)) == ["dust"]
    assert Design.of("mine.yaml", "M", folder=tmp_path).plain == (Gain(),)
    assert Design.of([Gain(), Lowpass(500.0)], "Two").plain == (Gain(), Lowpass(500.0))
    texts = ("tape", "song.yaml:keys", "mine.yaml", "[gain, lowpass: 1 kHz]")
    assert [Target.parse(text, folder=tmp_path).name for text in texts] == ["tape", "song keys", "mine", "gain lowpass"]


def test_a_chain_knows_the_tempo_and_meter_of_its_song(tmp_path: Path) -> None:
    (tmp_path / "song.yaml").write_text(SONG.replace("tempo: 90 bpm", "tempo: 90 bpm\nmeter: 3/4"))
    target = Target.parse("song.yaml:keys", folder=tmp_path)
    assert (target.bpm, target.bar) == (90.0, 3.0)
    waltz = Score((), 480, TempoMap.constant(174, 6, 8), end=960)
    write_midi(waltz, tmp_path / "waltz.mid")
    (tmp_path / "own.yaml").write_text(SONG.replace("tempo: 90 bpm", "score: waltz.mid"))
    target = Target.parse("own.yaml:keys", folder=tmp_path)
    assert (round(target.bpm, 2), target.bar) == (174.0, 3.0), "as its score has them"


def test_instruments_are_told_from_chains(tmp_path: Path) -> None:
    assert Target.parse("{soundfont: {program: 4}}").name == "soundfont"
    both = Target.parse("{play: {soundfont: {program: 4}}, chain: [gain, {reverb: {wet: 0.3}}]}")
    assert (both.name, len(both.rack.chain), both.playing is not None) == ("soundfont gain reverb", 2, True)
    assert Target.parse(both) is both
    assert Target.parse("tape").playing is None


def test_mono_is_offered_where_every_step_can() -> None:
    assert Design.of("tape", "T").mono
    assert not Design.of("wide-chorus", "W").mono, "pan needs two channels"


def test_bypassed_steps_are_left_out() -> None:
    assert Design.of([Gain(bypass=True), Lowpass()], "B").plain == (Lowpass(),)


@pytest.mark.parametrize(
    ("chain", "strip", "kind", "words"),
    [
        (SONG, "stretched", RecipeError, ("fade_in", "whole sound")),
        (SONG, "plain", RecipeError, ("no chain",)),
        (SONG, "kees", RecipeError, ("kees", "keys")),
        (SONG, "", RecipeError, ("several chains", "keys")),
        ("tpae", "", MissingError, ("tpae",)),
        ([], "", RecipeError, ("no effect",)),
        ([Gain(bypass=True)], "", RecipeError, ("no effect",)),
        (7, "", RecipeError, ("int",)),
    ],
)
def test_refusals_say_what_and_where(chain: object, strip: str, kind: type[Exception], words: tuple[str, ...]) -> None:
    with pytest.raises(kind) as refused:
        Design.of(Recipe.loads(SONG) if chain is SONG else chain, "Name", strip=strip)
    assert all(word in str(refused.value) for word in words), str(refused.value)


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "two\nlines", "bell\a"])
def test_names_that_no_host_could_show(name: str) -> None:
    with pytest.raises(KnobError):
        Design.of([Gain()], name)


def test_the_hash_follows_the_sound() -> None:
    def hashed(*chain: Effect) -> str:
        return Design.of(chain, "H").hash

    assert hashed(Gain(1.0)) == hashed(Gain(1.0)) != hashed(Gain(2.0))
