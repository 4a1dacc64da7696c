"""Onto the grid, and away from it."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.errors import KnobError
from studio.midi.timing import Humanise, Quantise
from studio.score import Event, Note, Score
from studio.steps import parse_step
from studio.tempo import Meter, Tempo, TempoMap
from tests.songs import score_of


def starts(beats: list[float], tempo: TempoMap | None = None, **knobs: Any) -> list[float]:
    """Where notes that start on these beats come after quantising."""
    score = Score(resolution=960, tempo=tempo or TempoMap()).with_notes(
        Note(round(beat * 960), round(beat * 960) + 100, 60 + index, 90) for index, beat in enumerate(beats)
    )
    edited = Quantise(**knobs).edit(score, RenderContext())
    return [float(edited.beat(note.start)) for note in sorted(edited.notes, key=lambda note: note.pitch)]


@pytest.mark.parametrize(
    ("knobs", "beats", "expected"),
    [
        ({}, [0.1, 0.2, 0.9, 1.13], [0, 0.25, 1, 1.25]), ({"grid": "1/4"}, [0.4, 0.6, 3.9], [0, 1, 4]),
        ({"grid": "1/8t"}, [0.3, 0.7, 1.1], [1 / 3, 2 / 3, 1]), ({"grid": "1/4."}, [1.4, 2.8], [1.5, 3]),
        ({"grid": "1/8", "swing": 2 / 3}, [0.5, 0.6, 1.45, 1.0], [2 / 3, 2 / 3, 5 / 3, 1]),
        ({"swing": "57 %"}, [0.25, 0.75, 0.5], [0.285, 0.785, 0.5]), ({"grid": "1/8", "swing": 0.75}, [0.7, 0.9], [0.75, 1]),
        ({"strength": 0.5}, [0.1, 0.2, 0.9], [0.05, 0.225, 0.95]), ({"strength": 0}, [0.1, 0.37], [0.1, 0.37]),
        ({"grid": "1/8", "swing": 2 / 3, "strength": "50 %"}, [0.5], [7 / 12]),
    ],
)  # fmt: skip
def test_notes_are_pulled_to_the_nearest_line(knobs: dict[str, Any], beats: list[float], expected: list[float]) -> None:
    # A tick of the finer grid is 1/1920 beat.
    assert starts(beats, **knobs) == pytest.approx(expected, abs=1 / 1920)


def test_the_grid_begins_anew_with_every_bar() -> None:
    seven = TempoMap(meters=(Meter(Fraction(0), 7, 8),))
    assert starts([3.3, 3.45, 3.6, 4.4, 6.9], seven, grid="1/4") == [3.5, 3.5, 3.5, 4.5, 7]
    assert starts([2.9, 3.2], seven, grid="1/4") == [3, 3]
    changing = TempoMap(meters=(Meter(Fraction(0), 4, 4), Meter(Fraction(5), 3, 4)))
    assert starts([4.6, 5.4, 7.9], changing, grid="1/2") == [5, 5, 8]


LENGTHS = st.lists(st.tuples(st.integers(0, 8000), st.integers(1, 2000)), min_size=1, max_size=12)


@settings(deadline=None)
@given(
    played=LENGTHS, grid=st.sampled_from(["1/4", "1/8", "1/16", "1/8t"]), swing=st.sampled_from([0.5, 0.57, 0.66, 0.75])
)
def test_every_note_lands_on_a_line_with_its_length_and_stays_there(
    played: list[tuple[int, int]], grid: str, swing: float
) -> None:
    score = score_of(*(Note(start, start + length, 60 + index, 90) for index, (start, length) in enumerate(played)))
    quantise = Quantise(grid=grid, swing=swing)
    once = quantise.edit(score, RenderContext())
    assert quantise.edit(once, RenderContext()).notes == once.notes
    step = quantise.grid.beats
    before = {note.pitch: note for note in score.finer(1920).notes}
    for note in once.notes:
        place = float(once.beat(note.start) % 4 % (2 * step) / (2 * step))
        assert min(abs(place - line) for line in (0, swing, 1)) < 1 / 1920 / float(2 * step)
        assert note.end - note.start == before[note.pitch].end - before[note.pitch].start
        assert abs(note.start - before[note.pitch].start) <= 1920 * 2 * step * Fraction(swing) / 2 + 1


def test_ends_are_pulled_only_when_asked() -> None:
    score = score_of(Note(10, 470, 60, 90), Note(500, 505, 62, 90))
    kept, pulled = (Quantise(grid="1/8", ends=ends).edit(score, RenderContext()) for ends in (False, True))
    assert [(note.start, note.end) for note in kept.notes] == [(0, 460 * 4), (1920, 1920 + 5 * 4)]
    # A note whose end falls on its start stays as short as a note can be.
    assert [(note.start, note.end) for note in pulled.notes] == [(0, 1920), (1920, 1921)]


@pytest.mark.parametrize("grid", ["1 bar", "0.1 s", "0 s"])
def test_a_grid_is_a_note_value(grid: str) -> None:
    with pytest.raises(KnobError, match="is not a note value") as caught:
        parse_step({"quantise": grid})
    assert caught.value.path == ("quantise", "grid")


def line(count: int, tempo: TempoMap | None = None) -> Score:
    notes = [Note(480 * (index + 4), 480 * (index + 4) + 300, 60, 64) for index in range(count)]
    pedal = Event(480, b"\xb0\x40\x7f")
    return Score((pedal,), 480, tempo or TempoMap()).with_notes(notes)


def shifts(score: Score, humanise: Humanise) -> tuple[np.ndarray, np.ndarray]:
    """How far each note was moved, in ms and in velocity."""
    edited = humanise.edit(score, RenderContext())
    before = [float(score.tempo.second_at(score.beat(note.start))) for note in score.notes]
    after = [float(edited.tempo.second_at(edited.beat(note.start))) for note in edited.notes]
    return 1000 * (np.array(after) - before), np.array([note.velocity - 64 for note in edited.notes])


def test_a_player_strays_as_far_as_the_knobs_say() -> None:
    timing, velocity = shifts(line(2000), Humanise(timing="12 ms", velocity=6))
    # Draws beyond 2.5 deviations are cut off, which takes 1.6 % off the deviation; five standard errors are 8 %.
    assert timing.std() == pytest.approx(12 * 0.984, rel=0.08) and velocity.std() == pytest.approx(6 * 0.984, rel=0.08)
    assert abs(timing.mean()) < 5 * 12 / 2000**0.5 and abs(velocity.mean()) < 5 * 6 / 2000**0.5
    assert np.abs(timing).max() <= 2.5 * 12 + 0.5 and np.abs(velocity).max() <= 2.5 * 6 + 0.5


def test_it_strays_by_the_same_time_at_any_tempo() -> None:
    slowing = TempoMap((Tempo(Fraction(0), Fraction(180)), Tempo(Fraction(100), Fraction(45))))
    steady, changing = shifts(line(300), Humanise())[0], shifts(line(300, slowing), Humanise())[0]
    assert steady[:90] == pytest.approx(changing[:90], abs=0.3) and steady[110:] == pytest.approx(
        changing[110:], abs=0.8
    )


def test_one_seed_is_one_performance() -> None:
    first, again, other = (Humanise(seed=seed).edit(line(50), RenderContext()) for seed in (1, 1, 2))
    assert first.notes == again.notes and first.digest == again.digest != other.digest
    # Someone who plays nothing else differently plays the next notes the same, too.
    assert Humanise(seed=1).edit(line(60), RenderContext()).notes[:50] == first.notes


def test_lengths_and_controllers_stay_and_nothing_leaves_the_song_or_the_range() -> None:
    score = line(100)
    edited = Humanise(timing=200, velocity=60).edit(score, RenderContext())
    assert {note.end - note.start for note in edited.notes} == {300 * 4}
    assert [event for event in edited.events if event.status == 11] == [Event(480 * 4, b"\xb0\x40\x7f")]
    assert {1, 127} <= {note.velocity for note in edited.notes} <= set(range(1, 128))
    assert (
        min(
            note.start
            for note in Humanise(timing=200)
            .edit(score_of(*(Note(0, 9, pitch, 9) for pitch in range(40))), RenderContext())
            .notes
        )
        == 0
    )
    assert Humanise(timing=0, velocity=0).edit(score, RenderContext()).notes == score.finer(1920).notes
