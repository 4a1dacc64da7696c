"""The names of General MIDI, as pretty_midi spells them."""

from __future__ import annotations

import contextlib
import io
from functools import cache

from studio.errors import RecipeError, nearest

FAMILIES = (
    "Piano", "Chromatic Percussion", "Organ", "Guitar", "Bass", "Strings", "Ensemble", "Brass",
    "Reed", "Pipe", "Synth Lead", "Synth Pad", "Synth Effects", "Ethnic", "Percussive", "Sound Effects",
)  # fmt: skip
"""Each holds eight programs in a row."""


@cache
def program_names() -> tuple[str, ...]:
    """The 128 programs, by number from 0."""
    with contextlib.redirect_stdout(io.StringIO()):  # pyfluidsynth, which it loads, prints where a build server runs it
        from pretty_midi import program_to_instrument_name

    return tuple(program_to_instrument_name(program) for program in range(128))


def family_of(program: int) -> str:
    """The General MIDI family of a program from 0 to 127."""
    return FAMILIES[program // 8]


def program_number(name: str | int) -> int:
    """A program by its number (0 to 127) or its General MIDI name.

    Raises:
        RecipeError: there is no such program.
    """
    text = str(name).strip()
    if text.isdecimal():
        if int(text) < 128:
            return int(text)
        raise RecipeError(f"there is no program {text}.", "Programs go from 0 to 127.")
    folded = {known.casefold(): number for number, known in enumerate(program_names())}
    if text.casefold() not in folded:
        raise RecipeError(f"there is no program {text!r}.", nearest(text, program_names()))
    return folded[text.casefold()]


def family_name(name: str) -> str:
    """A family as General MIDI spells it.

    Raises:
        RecipeError: there is no such family.
    """
    folded = {family.casefold(): family for family in FAMILIES}
    if name.strip().casefold() not in folded:
        raise RecipeError(f"there is no family {name!r}.", nearest(name, FAMILIES))
    return folded[name.strip().casefold()]
