"""Tempos and beats as sessions say them: to few digits, or in seconds."""

from __future__ import annotations

from fractions import Fraction

from studio.errors import RecipeError
from studio.midi.files import FASTEST_BPM, SLOWEST_BPM


def check_tempo(bpm: float | Fraction) -> None:
    """Nothing, if a song can be as fast.

    Raises:
        RecipeError: it cannot.
    """
    if not SLOWEST_BPM <= bpm <= FASTEST_BPM:
        raise RecipeError(f"a tempo of {float(bpm):g} bpm.", f"Tempos go from {SLOWEST_BPM} to {FASTEST_BPM} bpm.")


def meant(beat: Fraction) -> Fraction:
    """The beat as it was most likely meant, where the way through seconds or few digits has only just missed it."""
    near = Fraction(round(beat * 96), 96)
    return near if abs(near - beat) < Fraction(1, 20_000) else beat.limit_denominator(10**6)
