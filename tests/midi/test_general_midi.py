"""The names of General MIDI."""

from __future__ import annotations

import pretty_midi
import pytest

from studio.errors import RecipeError
from studio.midi.general_midi import FAMILIES, family_name, family_of, program_names, program_number


def test_names_and_families_are_those_of_pretty_midi() -> None:
    for number, name in enumerate(program_names()):
        assert (
            program_number(name)
            == program_number(name.upper())
            == program_number(number)
            == program_number(f" {number} ")
            == number
        )
        assert pretty_midi.program_to_instrument_class(number) == family_of(number)
        assert family_name(family_of(number).lower()) == family_of(number)
    assert len(set(program_names())) == 128 and len(FAMILIES) == 16


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("Flut", "Did you mean Flute"),
        (128, "0 to 127"),
        ("", "There is"),
        ("-1", "There is"),
        ("²", "There is"),
        (10**50, "0 to 127"),
    ],
)
def test_a_program_that_does_not_exist_is_answered_with_the_nearest(name: str | int, mend: str) -> None:
    with pytest.raises(RecipeError, match="there is no program") as caught:
        program_number(name)
    assert mend in caught.value.mend


def test_a_family_that_does_not_exist_is_answered_with_the_nearest() -> None:
    with pytest.raises(RecipeError, match="there is no family 'Bras'") as caught:
        family_name("Bras")
    assert "Brass" in caught.value.mend
