"""Chords into runs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.errors import KnobError
from studio.midi.arpeggiate import Arpeggiate
from studio.score import Event, Note, Score
from studio.steps import parse_step
from tests.songs import score_of


def run(score: Score, **knobs: Any) -> list[tuple[float, int]]:
    """The beats and pitches that come out."""
    edited = Arpeggiate(**{"rate": "1/8", **knobs}).edit(score, RenderContext())
    return [(float(edited.beat(note.start)), note.pitch) for note in edited.notes]


def chord(*pitches: int, start: int = 0, beats: float = 4, channel: int = 0) -> list[Note]:
    return [Note(start, start + round(beats * 480), pitch, 90, channel) for pitch in pitches]


@pytest.mark.parametrize(
    ("knobs", "pitches"),
    [
        ({}, [60, 64, 67, 60, 64, 67, 60, 64]), ({"pattern": "down"}, [67, 64, 60, 67, 64, 60, 67, 64]),
        ({"pattern": "up-down"}, [60, 64, 67, 64, 60, 64, 67, 64]), ({"pattern": "as played"}, [64, 60, 67, 64, 60, 67, 64, 60]),
        ({"octaves": 2}, [60, 64, 67, 72, 76, 79, 60, 64]), ({"octaves": 2, "pattern": "down"}, [79, 76, 72, 67, 64, 60, 79, 76]),
    ],
)  # fmt: skip
def test_a_chord_is_played_in_its_pattern_for_as_long_as_it_is_held(knobs: dict[str, Any], pitches: list[int]) -> None:
    assert run(score_of(*chord(64, 60, 67)), **knobs) == [(index / 2, pitch) for index, pitch in enumerate(pitches)]


def test_a_random_run_is_of_the_chord_and_the_same_for_a_seed() -> None:
    score = score_of(*chord(60, 64, 67, beats=32))
    first, again, other = (run(score, pattern="random", seed=seed) for seed in (1, 1, 2))
    assert first == again != other
    counts = [sum(pitch == wanted for _, pitch in first + other) for wanted in (60, 64, 67)]
    assert sum(counts) == 128 and min(counts) > 20


def test_notes_last_as_long_as_the_gate_and_keep_their_velocity() -> None:
    edited = Arpeggiate(rate="1/4", gate="50 %").edit(
        score_of(Note(0, 960, 60, 33), Note(0, 960, 64, 99)), RenderContext()
    )
    assert [(note.start, note.end, note.velocity) for note in edited.notes] == [(0, 480, 33), (960, 1440, 99)]


def test_keys_that_join_and_leave_change_the_run_and_a_new_chord_starts_where_it_starts() -> None:
    joining = score_of(Note(0, 1920, 60, 90), Note(480, 1440, 67, 90))
    assert run(joining) == [(0, 60), (0.5, 60), (1, 60), (1.5, 67), (2, 60), (2.5, 67), (3, 60), (3.5, 60)]
    later = score_of(*chord(60, beats=1), *chord(72, 76, start=900, beats=1))
    assert run(later) == [(0, 60), (0.5, 60), (1.875, 72), (2.375, 76)]


def test_channels_are_on_their_own_and_controllers_stay() -> None:
    pedal = Event(100, b"\xb0\x40\x7f")
    score = Score((pedal,)).with_notes([*chord(60, 64, beats=1), *chord(40, beats=1, channel=1)])
    edited = Arpeggiate(rate="1/8").edit(score, RenderContext())
    assert sorted((note.channel, note.pitch) for note in edited.notes) == [(0, 60), (0, 64), (1, 40), (1, 40)]
    assert edited.events.count(pedal._replace(tick=200)) == 1


@settings(deadline=None, max_examples=60)
@given(
    notes=st.lists(st.builds(lambda start, length, pitch: Note(start, start + length, pitch, 90), st.integers(0, 3000), st.integers(1, 2000),
                             st.integers(0, 127)), max_size=8, unique_by=lambda note: note.pitch),
    rate=st.sampled_from(["1/4", "1/16", "1/8t"]), octaves=st.integers(1, 4), pattern=st.sampled_from(["up", "down", "up-down", "as played", "random"]),
)  # fmt: skip
def test_only_what_is_held_is_heard_one_note_at_a_time(
    notes: list[Note], rate: str, octaves: int, pattern: str
) -> None:
    score = score_of(*notes)
    edited = Arpeggiate(rate=rate, octaves=octaves, pattern=pattern, gate=1.0).edit(score, RenderContext())
    for one, after in zip(edited.notes, edited.notes[1:], strict=False):
        assert one.end <= after.start
    for note in edited.notes:
        held = [other for other in score.finer(960).notes if other.start <= note.start < other.end]
        assert any(
            (note.pitch - other.pitch) % 12 == 0 and 0 <= note.pitch - other.pitch <= 12 * (octaves - 1)
            for other in held
        )
    assert bool(edited.notes) == bool(notes)


@pytest.mark.parametrize("rate", ["1 bar", "0.1 s"])
def test_the_rate_is_a_note_value(rate: str) -> None:
    with pytest.raises(KnobError, match="is not a note value") as caught:
        parse_step({"arpeggiate": rate})
    assert caught.value.path == ("arpeggiate", "rate")
