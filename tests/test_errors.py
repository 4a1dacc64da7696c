"""Errors: the place, the cause and the mend, as a person reads them."""

from __future__ import annotations

import pytest

from studio.errors import (
    AudioError,
    Gather,
    Interrupted,
    KnobError,
    MissingError,
    OutputError,
    Place,
    Problems,
    RecipeError,
    RenderError,
    ScoreError,
    StudioError,
    nearest,
    shown,
    within,
)


def test_it_reads_place_and_way_then_cause_then_mend() -> None:
    error = KnobError(
        "too loud.", "Turn it down.", path=("tracks", "keys", "chain", 0, "gain"), place=Place("a.yaml", 3, 7)
    )
    assert str(error) == "a.yaml:3:7  tracks › keys › chain › [1] › gain\n  too loud.\n  Turn it down."
    assert str(StudioError("just this.")) == "just this."
    assert error.args == ("too loud.",)


@pytest.mark.parametrize(
    ("place", "text"),
    [(Place("a.mid"), "a.mid"), (Place("a.yaml", 3), "a.yaml:3"), (Place("a.yaml", 3, 4), "a.yaml:3:4")],
)
def test_a_place_is_written_as_editors_read_it(place: Place, text: str) -> None:
    assert str(place) == text


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(KnobError, ValueError), (RecipeError, ValueError), (ScoreError, ValueError), (AudioError, ValueError),
     (MissingError, LookupError), (RenderError, RuntimeError), (OutputError, OSError), (Problems, StudioError), (Interrupted, StudioError)],
)  # fmt: skip
def test_every_error_can_be_caught_as_what_python_calls_it(kind: type[StudioError], builtin: type[Exception]) -> None:
    error = kind([]) if kind is Problems else kind("cause.", "mend.")
    with pytest.raises(builtin):
        raise error
    assert issubclass(kind, StudioError)


def test_the_way_grows_from_the_inside_out() -> None:
    with pytest.raises(KnobError) as caught, within("tracks", "keys"), within("chain"), within(1):
        raise KnobError("no.", path=("chorus", "rate"))
    assert caught.value.path == ("tracks", "keys", "chain", 1, "chorus", "rate")


def test_one_of_several_problems_stays_itself_and_more_come_together_with_their_own_ways() -> None:
    def read(*broken: str) -> None:
        gather = Gather()
        for name in ("a", "b", "c"):
            with gather, within(name):
                inner = Gather()
                for index in range(2):
                    with inner, within(index):
                        if name in broken:
                            raise RecipeError(f"{name} is broken.")
                inner.done()
        gather.done()

    read()
    with pytest.raises(Problems) as caught, within("tracks"):
        read("a", "c")
    assert [error.path for error in caught.value.errors] == [
        ("tracks", "a", 0), ("tracks", "a", 1), ("tracks", "c", 0), ("tracks", "c", 1),
    ]  # fmt: skip
    assert str(caught.value).count("is broken.") == 4

    gather = Gather()
    with gather:
        raise KnobError("alone.")
    with pytest.raises(KnobError, match="alone"):
        gather.done()


@pytest.mark.parametrize("error", [Interrupted("stopped."), ZeroDivisionError("a bug")])
def test_what_is_no_refusal_is_not_gathered(error: Exception) -> None:
    gather = Gather()
    with pytest.raises(type(error)), gather:
        raise error
    gather.done()


@pytest.mark.parametrize(
    ("word", "options", "hint"),
    [
        ("corus", ["chorus", "reverb"], "Did you mean chorus?"), ("CHORUS", ["chorus"], "Did you mean chorus?"),
        ("delay", ["relay", "delays"], "Did you mean delays or relay?"), ("x", ["b", "a"], "There is: a, b."), ("x", [], ""),
        ("x", map(str, range(20)), "There is: 0, 1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, … (20 in all)."),
    ],
)  # fmt: skip
def test_a_mistyped_name_is_answered_with_its_nearest(word: str, options: list[str], hint: str) -> None:
    assert nearest(word, options) == hint


def test_no_error_is_longer_than_a_person_would_read() -> None:
    assert shown("x" * 10_000) == "'" + "x" * 58 + "…"
    assert shown(3) == "3"
    assert len(str(RecipeError("x" * 10**6, "y" * 10**6, path=("z" * 10**6,)))) < 6100
