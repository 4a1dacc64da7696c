"""Transposition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.midi.pitch import Transpose
from studio.score import Note
from tests.songs import score_of


def moved(semitones: float, *pitches: int, channel: int = 0, drums: bool = False) -> list[int]:
    notes = [Note(index * 10, index * 10 + 9, pitch, 90, channel) for index, pitch in enumerate(pitches)]
    return [
        note.pitch for note in Transpose(semitones=semitones, drums=drums).edit(score_of(*notes), RenderContext()).notes
    ]


def test_notes_move_by_semitones_and_drums_keep_their_keys_unless_asked() -> None:
    assert moved(-2, 60, 64, 67) == [58, 62, 65]
    assert moved(7, 36, 38, channel=9) == [36, 38]
    assert moved(7, 36, 38, channel=9, drums=True) == [43, 45]


@given(semitones=st.integers(-60, 60), pitch=st.integers(0, 127))
def test_what_would_leave_the_range_comes_back_by_octaves(semitones: int, pitch: int) -> None:
    [result] = moved(semitones, pitch)
    assert 0 <= result <= 127
    assert (result - pitch - semitones) % 12 == 0
    assert result == pitch + semitones or not 0 <= pitch + semitones <= 127
    assert min(result, 127 - result) <= 11 or result == pitch + semitones, "no more octaves than needed"


@pytest.mark.parametrize(("semitones", "pitch"), [("1 octave", 72), ("-1 st", 59), ("200 cents", 62)])
def test_intervals_are_written_in_any_unit(semitones: float, pitch: int) -> None:
    assert moved(semitones, 60) == [pitch]
