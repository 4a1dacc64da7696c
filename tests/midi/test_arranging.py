"""What a score plays when its sections are arranged, event by event."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from studio.arrangement import Arrangement, SectionSpan
from studio.midi.arranging import arrange
from studio.score import BEND, CONTROL, NOTE_OFF, NOTE_ON, PROGRAM, SYSTEM, Event, Mark, Note, Score
from tests.songs import score_of

DRUMS = 9


def arranged(score: Score, *spans: tuple[int, int], transpose: int = 0) -> Score:
    """The score with spans of it, in beats, one behind the other."""
    at, placed = 0, list[SectionSpan]()
    for start, end in spans:
        placed.append(SectionSpan(f"{start}", Fraction(start), Fraction(end), Fraction(at), transpose))
        at += end - start
    arrangement = Arrangement(tuple(placed), score.tempo)
    return arrange(score, arrangement, arrangement.tempo_map())


def heard(score: Score) -> list[tuple[int, int, int]]:
    return [(note.start, note.end, note.pitch) for note in score.notes]


def with_events(score: Score, *events: Event) -> Score:
    return replace(score, events=(*score.events, *events))


def test_a_held_note_ends_with_its_section_unless_what_is_written_behind_it_follows() -> None:
    score = score_of(Note(1440, 2400, 60, 90), end_beats=8)
    assert heard(arranged(score, (0, 4), (4, 8))) == [(1440, 2400, 60)]
    assert heard(arranged(score, (0, 4), (0, 4))) == [(1440, 1920, 60), (3360, 3840, 60)]


def test_a_note_that_is_held_into_a_section_is_struck_where_it_begins_drums_excepted() -> None:
    score = score_of(Note(1680, 2880, 60, 90), Note(1680, 2880, 36, 90, DRUMS), Note(1700, 1940, 72, 90), end_beats=8)
    assert heard(arranged(score, (4, 8))) == [(0, 960, 60)], "the pushed chord sounds, the end of a legato does not"


def test_a_note_that_is_early_belongs_to_the_section_it_is_early_for() -> None:
    score = score_of(Note(1910, 2100, 36, 90, DRUMS), Note(480, 700, 38, 90, DRUMS), end_beats=8)
    assert heard(arranged(score, (0, 4), (4, 8))) == [(480, 700, 38), (1910, 2100, 36)]
    assert heard(arranged(score, (0, 4), (0, 4))) == [(480, 700, 38), (2400, 2620, 38)]
    assert heard(arranged(score, (0, 4), (0, 4), (4, 8)))[-1] == (3830, 4020, 36)
    assert heard(arranged(score, (4, 8))) == [(0, 180, 36)], "before the song it cannot be"


def test_controllers_programs_and_bends_stand_as_they_do_where_a_section_is_written() -> None:
    score = with_events(
        score_of(Note(0, 400, 60, 90), Note(1920, 2300, 62, 90), Note(3840, 4000, 64, 90), end_beats=12),
        Event(0, bytes((0xC0, 5))), Event(960, bytes((0xB0, 11, 30))), Event(2400, bytes((0xC0, 40))),
        Event(2400, bytes((0xE0, 0, 80))), Event(2400, bytes((0xB0, 64, 127))),
    )  # fmt: skip
    again = arranged(score, (8, 12), (0, 4))
    first = [(event.status, event.data[1:]) for event in again.events if event.tick == 0 and event.status < SYSTEM]
    assert first == [
        (PROGRAM, b"\x05"), (CONTROL, b"\x0b\x1e"), (PROGRAM, b"\x28"), (BEND, b"\0\x50"), (CONTROL, b"\x40\x7f"),
        (NOTE_ON, b"\x40\x5a"),
    ]  # fmt: skip
    second = [
        (event.status, event.data[1:])
        for event in again.events
        if event.tick == 1920 and event.status not in (NOTE_OFF, NOTE_ON)
    ]
    assert {(CONTROL, b"\x0b\x7f"), (BEND, b"\0\x40"), (CONTROL, b"\x40\0")} <= set(second), (
        "what was not set yet is at rest"
    )
    assert second[-1] == (PROGRAM, b"\x05")


def test_what_sets_the_synthesiser_up_is_sent_once() -> None:
    reset, later = bytes.fromhex("f07e7f0901f7"), bytes.fromhex("f07e7f0902f7")
    score = with_events(score_of(Note(480, 700, 60, 90), end_beats=8), Event(0, reset), Event(960, later))
    again = arranged(score, (0, 4), (0, 4), (0, 4))
    sent = [(event.tick, event.data) for event in again.events if event.status == SYSTEM]
    assert sent == [(0, reset), (960, later), (2880, later), (4800, later)]
    assert [event.data for event in arranged(score, (4, 8)).events if event.status == SYSTEM] == [reset]


def test_notes_move_by_octaves_back_into_the_range_and_drums_stay() -> None:
    score = score_of(Note(0, 400, 60, 90), Note(0, 400, 125, 90), Note(0, 400, 36, 90, DRUMS), end_beats=4)
    assert sorted(pitch for _, _, pitch in heard(arranged(score, (0, 4), transpose=5))) == [36, 65, 118]


def test_sections_are_marked_and_words_follow() -> None:
    score = replace(score_of(Note(0, 400, 60, 90), end_beats=8), marks=(Mark(2000, "lyric", "la"),))
    again = arranged(score, (4, 8), (4, 8))
    assert [(mark.tick, mark.kind, mark.text) for mark in again.marks] == [
        (0, "marker", "4"), (80, "lyric", "la"), (1920, "marker", "4"), (2000, "lyric", "la"),
    ]  # fmt: skip
    assert again.end == 3840
