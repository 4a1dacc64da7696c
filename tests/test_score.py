"""Scores: events in their order, and notes as a view on them."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import ScoreError
from studio.score import Event, Mark, Note, Score
from studio.tempo import Tempo, TempoMap
from tests.songs import score_of


def on(tick: int, pitch: int, velocity: int = 100, channel: int = 0, track: int = 0) -> Event:
    return Event(tick, bytes((0x90 | channel, pitch, velocity)), track)


def off(tick: int, pitch: int, channel: int = 0, track: int = 0, release: int = 64) -> Event:
    return Event(tick, bytes((0x80 | channel, pitch, release)), track)


@st.composite
def melodies(draw: st.DrawFn) -> list[Note]:
    """Notes of which no two of one pitch, channel and track overlap."""
    notes = []
    for pitch in draw(st.sets(st.integers(0, 127), min_size=1, max_size=4)):
        tick = 0
        for _ in range(draw(st.integers(1, 4))):
            tick += draw(st.integers(0, 500))
            length = draw(st.integers(1, 500))
            velocity, release = draw(st.integers(1, 127)), draw(st.integers(0, 127))
            notes.append(
                Note(
                    tick,
                    tick + length,
                    pitch,
                    velocity,
                    draw(st.sampled_from([0, 9])),
                    draw(st.integers(0, 2)),
                    0,
                    release,
                )
            )
            tick += length
    return notes


@settings(deadline=None)
@given(notes=melodies())
def test_the_notes_that_go_in_are_the_notes_that_are_seen(notes: list[Note]) -> None:
    seen = Score().with_notes(notes).notes
    assert sorted(seen) == sorted(notes)
    assert [note.start for note in seen] == sorted(note.start for note in notes)


@settings(deadline=None)
@given(notes=melodies(), resolution=st.integers(1, 5000))
def test_a_finer_grid_moves_nothing(notes: list[Note], resolution: int) -> None:
    song = score_of(*notes, resolution=96)
    fine = song.finer(resolution)
    assert fine.resolution >= resolution and fine.resolution % 96 == 0
    assert [fine.beat(event.tick) for event in fine.events] == [song.beat(event.tick) for event in song.events]
    assert fine.length == song.length and [event.data for event in fine.events] == [event.data for event in song.events]


def test_events_of_one_tick_keep_the_order_they_were_given_in() -> None:
    events = (on(10, 60), Event(0, b"\xb0\x07\x10"), off(10, 60), Event(0, b"\xb0\x07\x20"), on(0, 61))
    assert [event.data for event in Score(events).events] == [
        b"\xb0\x07\x10", b"\xb0\x07\x20", b"\x90\x3d\x64", b"\x90\x3c\x64", b"\x80\x3c\x40",
    ]  # fmt: skip


def test_in_one_tick_notes_end_then_controllers_act_then_notes_start() -> None:
    score = Score((Event(100, b"\xb0\x07\x10"),)).with_notes([Note(0, 100, 60, 80), Note(100, 200, 60, 90)])
    assert [event.data[0] >> 4 for event in score.events if event.tick == 100] == [0x8, 0xB, 0x9]
    assert score.notes == (Note(0, 100, 60, 80), Note(100, 200, 60, 90))


def test_the_first_note_on_is_ended_by_the_first_note_off() -> None:
    score = Score((on(0, 60, 1), on(10, 60, 2), off(20, 60, release=3), on(25, 60, 0), off(30, 60)))
    assert score.notes == (Note(0, 20, 60, 1, release=3), Note(10, 25, 60, 2, release=64))


def test_a_note_ends_only_on_its_own_channel_track_and_port() -> None:
    events = (on(0, 60), off(5, 60, channel=1), off(6, 60, track=1), off(7, 60)._replace(port=1), off(9, 60))
    assert Score(events).notes == (Note(0, 9, 60, 100),)


def test_a_note_that_is_never_released_lasts_to_the_end() -> None:
    score = Score((on(10, 60), on(20, 62)), end=480)
    assert [(note.start, note.end) for note in score.notes] == [(10, 480), (20, 480)]
    assert [event.tick for event in score.with_notes(score.notes).events] == [10, 20, 480, 480]


def test_other_notes_leave_everything_else_where_it_is() -> None:
    bend, text = Event(5, b"\xe0\x00\x50"), Mark(0, "lyric", "la")
    score = Score((on(0, 60), bend, off(10, 60)), marks=(text,), tracks=("Flute",), end=99)
    up = score.map_notes(lambda note: note._replace(pitch=note.pitch + 1))
    assert up.notes == (Note(0, 10, 61, 100),) and bend in up.events
    assert (up.marks, up.tracks, up.end) == (score.marks, score.tracks, 99)
    assert score.map_notes(lambda note: None).events == (bend,)
    both = replace(score, events=(*score.events, on(1, 62), off(2, 62)))
    assert both.keep(lambda note: note.pitch == 62).events == (on(1, 62), off(2, 62), bend)


def test_a_note_moved_before_the_start_or_to_no_length_is_still_a_note() -> None:
    assert Score().with_notes([Note(-5, 3, 60, 9), Note(7, 7, 61, 9)]).notes == (Note(0, 3, 60, 9), Note(7, 8, 61, 9))


def test_time_follows_the_tempo_map() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(2), Fraction(60))))
    score = Score((on(0, 60), on(480, 60), on(960, 60), on(1440, 60)), 480, tempo, end=1920)
    assert score.seconds.tolist() == [0, 0.5, 1, 2]
    assert score.length == 3
    assert score.tick(Fraction(5, 2)) == 1200 and score.beat(1200) == Fraction(5, 2)
    assert repr(score) == "Score(4 notes, 4 events, 3.0 s)"


def test_every_track_has_a_name_if_only_an_empty_one() -> None:
    assert Score((on(0, 60, track=3),), tracks=("Flute",)).tracks == ("Flute", "", "", "")
    assert Score().tracks == ("",)


def test_the_digest_is_of_what_is_heard() -> None:
    score = Score((on(0, 60), off(10, 60)), 480, TempoMap.constant(100), ("a",), (), 20)
    same = [replace(score, tracks=("b",)), replace(score, marks=(Mark(0, "text", "x"),))]
    other = [
        replace(score, end=21), replace(score, resolution=481), replace(score, tempo=TempoMap.constant(101)),
        replace(score, events=(on(1, 60), off(10, 60))), replace(score, events=(on(0, 61), off(10, 61))),
        replace(score, events=(on(0, 60)._replace(port=1), off(10, 60))), replace(score, events=(on(0, 60),)),
        replace(score, events=(Event(0, b"\xf0\x00\xf7"), *score.events)),
    ]  # fmt: skip
    assert {one.digest for one in same} == {score.digest}
    assert len({score.digest, *(one.digest for one in other)}) == len(other) + 1


@pytest.mark.parametrize(
    ("wrong", "words"), [({"resolution": 0}, "0 ticks per beat"), ({"events": (on(-1, 60),)}, "an event at tick -1")]
)
def test_what_no_score_can_be_is_refused(wrong: dict, words: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(ScoreError, match=words):
        Score(**wrong)
