"""How long notes last."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from studio.context import RenderContext
from studio.midi.articulation import Legato
from studio.score import Note, Score
from studio.tempo import Meter, Tempo, TempoMap
from tests.songs import score_of


def ends(score: Score, **knobs: Any) -> list[float]:
    """The beats on which notes end."""
    edited = Legato(**knobs).edit(score, RenderContext())
    assert [note.start * score.resolution for note in edited.notes] == [
        note.start * edited.resolution for note in score.notes
    ]
    return [float(edited.beat(note.end)) for note in edited.notes]


MELODY = score_of(*(Note(start, start + 100, 60 + index, 90) for index, start in enumerate([0, 480, 1440, 1920])))


def test_every_note_lasts_to_the_next_and_the_last_one_as_it_did() -> None:
    assert ends(MELODY) == [1, 3, 4, 4 + 100 / 480]


def test_overlap_is_in_time_at_any_tempo_and_below_zero_a_gap() -> None:
    assert ends(MELODY, overlap="50 ms")[:3] == [1.1, 3.1, 4.1]
    assert ends(MELODY, overlap="-50 ms")[:3] == [0.9, 2.9, 3.9]
    slowing = Score(MELODY.events, 480, TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(1), Fraction(60)))))
    assert ends(slowing, overlap=50)[:3] == [1.1, 3.05, 4.05]
    assert ends(MELODY, overlap=-200)[0] == 0.6
    fast = score_of(Note(0, 100, 60, 90), Note(48, 100, 62, 90))
    assert ends(fast, overlap=-200)[0] == 1 / 960, "a note is a note"


def test_no_rest_is_filled_beyond_the_longest() -> None:
    waltz = TempoMap(meters=(Meter(Fraction(0), 3, 4),))
    far = Score(score_of(Note(0, 100, 60, 90), Note(480 * 10, 480 * 10 + 9, 62, 90)).events, 480, waltz)
    assert ends(far)[0] == 3
    assert ends(far, longest="1/4")[0] == 1
    assert ends(far, longest="1.5 s")[0] == 3
    assert ends(MELODY, longest="2 beats") == [1, 3, 4, 4 + 100 / 480]


def test_chords_end_together_and_channels_are_on_their_own() -> None:
    chord = score_of(*(Note(0, 50, pitch, 90) for pitch in (60, 64, 67)), Note(960, 1000, 60, 90))
    assert ends(chord)[:3] == [2, 2, 2]
    duo = score_of(Note(0, 50, 60, 90, channel=0), Note(240, 300, 70, 90, channel=1), Note(480, 500, 62, 90, channel=0))
    assert ends(duo) == [1, 300 / 480, 500 / 480]
    long = score_of(Note(0, 960, 60, 90), Note(480, 700, 62, 90))
    assert ends(long)[0] == 1, "what overlapped does so no more"
