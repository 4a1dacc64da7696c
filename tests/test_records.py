"""Records: values whose fields are declared once, from Python and from a file alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from typing import Any

import jsonschema
import pytest

from studio.errors import KnobError, Problems, RecipeError, StudioError
from studio.knobs import Live, Text, choice, count, knob, switch
from studio.records import REQUIRED, ListOf, MapOf, Nested, Record, field
from studio.steps import Step, registry
from studio.units import DB, HZ


class Voice(Record):
    """One voice."""

    pitch: Live = knob(440.0, 20.0, 20_000.0, HZ, taper="log", help="how high")
    level: Live = knob(0.0, -60.0, 12.0, DB, help="how loud")
    wave: str = choice("sine", "sine", "saw", help="its wave")
    hold: bool = switch(False, help="hold it")


class Choir(Record):
    """Several voices."""

    name: str = field(Text(default=REQUIRED, help="what it is called"))
    lead: Voice = field(Nested(of=Voice, default={}))
    voices: tuple[Voice, ...] = field(ListOf(each=Nested(of=Voice)))
    named: Mapping[str, Voice] = field(MapOf(each=Nested(of=Voice), what="singer"))
    tags: tuple[str, ...] = field(ListOf(each=Text(), bare=True))
    seats: int = count(4, 1, 99, help="chairs")


WHOLE: dict[str, Any] = {
    "name": "Sunday",
    "lead": {"pitch": "1.2 kHz", "wave": "SAW"},
    "voices": [{"level": "-3 dB"}, {}],
    "named": {"anna": {"hold": "yes"}},
    "tags": "loud",
    "seats": 12,
}


def test_python_and_plain_data_give_equal_values() -> None:
    built = Choir(
        "Sunday",
        Voice(1200.0, wave="saw"),
        (Voice(level=-3), Voice()),
        {"anna": Voice(hold=True)},
        tags=["loud"],
        seats=12,
    )
    assert Choir.parse(WHOLE) == built == Choir(**WHOLE)
    assert built.lead.pitch == 1200.0 and built.named["anna"].hold is True
    assert Choir.parse(built) is built


def test_only_what_differs_is_written_and_in_full_everything() -> None:
    choir = Choir.parse(WHOLE)
    assert choir.data() == {
        "name": "Sunday", "lead": {"pitch": "1.2 kHz", "wave": "saw"}, "voices": [{"level": "-3 dB"}, {}],
        "named": {"anna": {"hold": True}}, "tags": "loud", "seats": 12,
    }  # fmt: skip
    assert Choir("x").data() == {"name": "x"}
    assert Choir("x").data(full=True) == {
        "name": "x", "lead": {"pitch": "440 Hz", "level": "0 dB", "wave": "sine", "hold": False},
        "voices": [], "named": {}, "tags": [], "seats": 4,
    }  # fmt: skip
    for full in (True, False):
        assert Choir.parse(choir.data(full=full)) == choir
    jsonschema.Draft7Validator(Choir.schema()).validate(choir.data(full=True))


def test_it_cannot_be_changed_only_replaced_and_the_copy_is_checked() -> None:
    voice = Voice()
    with pytest.raises(FrozenInstanceError):
        voice.level = 3.0  # type: ignore[misc]
    assert voice.replace(level="-6 dB").level == -6.0 and voice.level == 0.0
    with pytest.raises(KnobError, match="40 dB is out of range"):
        voice.replace(level=40)
    assert repr(Voice(level=-3)) == "Voice(level=-3.0)" and eval(repr(Voice(level=-3))) == Voice(level=-3)


def test_defaults_are_not_shared() -> None:
    assert Choir("a").named is not Choir("b").named


def test_everything_that_is_wrong_is_said_at_once_each_with_its_way() -> None:
    with pytest.raises(Problems) as caught:
        Choir.parse(
            {"lead": {"pich": 3}, "voices": [{"level": 99}, {"wave": "sqare"}], "named": {"a/b": {}, "c": 3}, "seat": 1}
        )
    said = {error.path: f"{error.cause} {error.mend}" for error in caught.value.errors}
    assert set(said) == {
        ("lead", "pich"), ("voices", 0, "level"), ("voices", 1, "wave"), ("named", "a/b"), ("named", "c"), ("seat",), (),
    }  # fmt: skip
    assert "a voice has no 'pich'. Did you mean pitch?" in said["lead", "pich"]
    assert "99 dB is out of range" in said["voices", 0, "level"]
    assert "'a/b' cannot be a singer" in said["named", "a/b"]
    assert "3 is not a voice. Write it as `name: value` pairs." in said["named", "c"]
    assert "Did you mean seats?" in said["seat",]
    assert "a choir needs 'name': what it is called (text)" in said[()]


def test_python_mistakes_are_gathered_in_the_same_way() -> None:
    with pytest.raises(Problems) as caught:
        Voice(pitch="5 dB", level=99)
    assert [error.path for error in caught.value.errors] == [("pitch",), ("level",)]


@pytest.mark.parametrize("value", ["text", 3, ["a"], None, "x" * 100_000])
def test_what_is_no_mapping_is_refused_in_few_words(value: object) -> None:
    with pytest.raises(RecipeError, match="is not a voice") as caught:
        Voice.parse(value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    "name", ["", " ", " a", "a ", "a.b", "a/b", "a\\b", "a:b", "a\nb", "a\0", "x" * 81, "a*", "a?", 'a"', "<a>", "a|b", "\ud800", "a\u202eb"]
)  # fmt: skip
def test_names_that_are_paths_addresses_or_unseen_are_refused(name: str) -> None:
    with pytest.raises(RecipeError, match="cannot be a singer"):
        Choir.parse({"name": "x", "named": {name: {}}})


@pytest.mark.parametrize("name", ["a", "ein Baß", "808", "キー", "a-b_c d", "x" * 80, "null", "don't", "(1)"])
def test_names_that_can_be_read_and_typed_are_kept(name: str) -> None:
    assert list(Choir.parse({"name": "x", "named": {name: {}}}).named) == [name]


@pytest.mark.parametrize(
    ("value", "read"), [(None, 0), ([], 0), ({}, 1), ([{}], 1), ([{}, {}], 2), (Voice(), 1), ((Voice(),), 1)]
)
def test_one_may_stand_without_its_list(value: object, read: int) -> None:
    assert len(Choir(name="x", voices=value).voices) == read  # type: ignore[arg-type]


def test_a_mapping_is_asked_for_where_one_must_be() -> None:
    for value in (["a"], "a", 3):
        with pytest.raises(StudioError, match="Write `singer: value` pairs"):
            Choir.parse({"name": "x", "named": value})


def test_errors_call_every_record_by_a_word_of_recipes_and_not_by_the_name_of_its_class() -> None:
    registry()
    wrong, kinds = [], [Record]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        words = re.findall("[A-Z][a-z0-9]*", kind.__name__)
        ours = kind.__module__.startswith("studio.") and not issubclass(kind, Step)  # those go by their own names
        if ours and len(words) > 1 and "".join(words).lower() in kind.called():
            wrong.append(f"{kind.__name__}: {kind.called()}")
    assert wrong == []
