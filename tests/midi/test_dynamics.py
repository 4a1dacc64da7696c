"""How hard notes are played."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.errors import KnobError
from studio.midi.dynamics import Velocity
from studio.score import Note
from studio.steps import parse_step
from tests.songs import score_of

ALL = score_of(*(Note(tick, tick + 1, 60, tick) for tick in range(1, 128)))


def played(**knobs: Any) -> list[int]:
    """What becomes of the velocities 1 to 127."""
    return [note.velocity for note in Velocity(**knobs).edit(ALL, RenderContext()).notes]


def test_left_alone_it_changes_nothing() -> None:
    assert Velocity().edit(ALL, RenderContext()).notes == ALL.notes


def test_the_curve_bends_then_the_scale_then_the_limits() -> None:
    assert played(curve=2)[63] == round(127 * (64 / 127) ** 2) == 32
    assert played(curve=0.5)[63] == 90 and played(curve=0.5)[126] == played(curve=3)[126] == 127
    assert played(scale=0.5)[99] == 50 and played(scale=2)[99] == 127
    assert played(curve=2, scale="150 %")[63] == 48
    assert (min(played(low=40, high=90)), max(played(low=40, high=90))) == (40, 90)
    assert set(played(low=64, high=64)) == {64} and min(played(scale=0)) == 1, "a velocity of 0 would end the note"


@given(
    curve=st.floats(0.1, 10),
    scale=st.floats(0, 4),
    ends=st.tuples(st.integers(1, 127), st.integers(1, 127)).map(sorted),
)
def test_softer_never_becomes_louder_and_nothing_leaves_the_limits(curve: float, scale: float, ends: list[int]) -> None:
    found = played(curve=curve, scale=scale, low=ends[0], high=ends[1])
    assert found == sorted(found)
    assert ends[0] <= found[0] and found[-1] <= ends[1]


def test_limits_the_wrong_way_round_are_refused() -> None:
    with pytest.raises(KnobError, match=r"low \(90\) is above high \(40\)") as caught:
        parse_step({"velocity": {"low": 90, "high": 40}})
    assert caught.value.path == ("velocity", "low")
