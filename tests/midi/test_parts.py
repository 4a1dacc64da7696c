"""Parts: they hold all notes once, start as the whole does, and sound together as the whole."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.audio import Block
from studio.context import RenderContext
from studio.midi import split, together
from studio.score import DRUM_CHANNEL, Event, Note, Score
from studio.sources.soundfont import SoundFont
from studio.tempo import TempoMap
from tests.listening import null_db, rms_db
from tests.songs import MESSAGES, band

RATE = 44_100


def program(tick: int, number: int, channel: int = 0, track: int = 0) -> Event:
    return Event(tick, bytes((0xC0 | channel, number)), track)


def control(tick: int, number: int, value: int, channel: int = 0, track: int = 0) -> Event:
    return Event(tick, bytes((0xB0 | channel, number, value)), track)


def bend(tick: int, value: int, channel: int = 0, track: int = 0) -> Event:
    return Event(tick, bytes((0xE0 | channel, value & 127, value >> 7)), track)


def mixed() -> Score:
    """Two tracks on one channel, programs that change in mid-song, bends over a wide range, drums, and a stray note."""
    events = [
        Event(0, b"\xf0\x7e\x7f\x09\x01\xf7"), program(0, 80), program(960, 48), program(1920, 80), control(0, 7, 110), control(900, 7, 80),
        control(0, 101, 0), control(0, 100, 0), control(0, 6, 12), bend(1000, 12_000), bend(1900, 8192),
        program(0, 32, 1, 1), control(10, 10, 20, 1, 1),
    ]  # fmt: skip
    notes = [
        *(Note(start, start + 400, 60 + start // 480, 100, 0, 0) for start in range(0, 2880, 480)),
        *(Note(start, start + 200, 72 + start // 480, 90, 0, 2) for start in range(240, 2880, 480)),
        *(Note(start, start + 100, 36 + start // 240 % 2 * 2, 110, 9, 3) for start in range(0, 2880, 240)),
        *(Note(start, start + 700, 40, 90, 1, 1) for start in range(0, 2000, 960)),
    ]
    score = Score(tuple(events), 480, TempoMap.constant(120), ("Lead", "Bass", "Second", ""), end=2880).with_notes(
        notes
    )
    return Score((*score.events, Event(1200, b"\x90\x4f\x50")), 480, score.tempo, score.tracks, end=2880)


def test_a_part_is_what_one_instrument_plays() -> None:
    parts = split(mixed())
    assert [str(part) for part in parts] == [
        "Lead (channel 1, Lead 1 (square), 4 notes)", "Lead (channel 1, String Ensemble 1, 3 notes)", "Bass (channel 2, Acoustic Bass, 3 notes)",
        "Second (channel 1, Lead 1 (square), 4 notes)", "Second (channel 1, String Ensemble 1, 2 notes)", "Drums (channel 10, drums, 12 notes)",
    ]  # fmt: skip
    assert [part.family for part in parts] == ["Synth Lead", "Ensemble", "Bass", "Synth Lead", "Ensemble", "Drums"]
    ported = [Note(0, 10, 60, 90, port=1), Note(20, 30, 60, 90, 0)]
    assert [(part.port, str(part)) for part in split(Score().with_notes(ported))] == [
        (0, "Acoustic Grand Piano (channel 1, Acoustic Grand Piano, 1 notes)"),
        (1, "Acoustic Grand Piano (port 2, channel 1, Acoustic Grand Piano, 1 notes)"),
    ]
    assert split(Score((program(0, 3),))) == ()


@settings(max_examples=80, deadline=None)
@given(
    events=st.lists(st.builds(Event, st.integers(0, 300), MESSAGES, st.integers(0, 2), st.integers(0, 1)), max_size=60)
)
def test_every_note_is_in_one_part_and_every_part_has_all_else_of_its_channel(events: list[Event]) -> None:
    score = Score(tuple(events), end=400)
    parts = split(score)
    started = Counter(event for event in score.events if event.starts_note)
    assert (
        sum((Counter(event for event in part.score.events if event.starts_note) for part in parts), Counter())
        == started
    )
    assert sum(part.notes for part in parts) == len(score.notes)
    for part in parts:
        assert part.notes == sum(event.starts_note for event in part.score.events) > 0
        others = [event for event in part.score.events if event.status not in (8, 9)]
        assert others == [
            event for event in score.events
            if event.status == 15 or (event.status not in (8, 9) and (event.port, event.channel) == (part.port, part.channel))
        ]  # fmt: skip
        assert (part.score.tempo, part.score.end, part.score.tracks) == (score.tempo, score.end, score.tracks)
    if parts:
        ports = {(part.port, part.channel) for part in parts}
        heard = [event for event in score.events if event.status == 15 or (event.port, event.channel) in ports]
        assert [event for event in together(parts).events if event.status not in (8, 9)] == [
            event for event in heard if event.status not in (8, 9)
        ]
        assert together(parts).notes == score.notes


def test_all_parts_together_are_the_whole_in_its_own_order() -> None:
    """One note ends and the next begins on one key in one tick, from part to part: the order decides what is heard."""
    notes = [Note(start, start + 10, 60, 90) for start in range(0, 60, 10)]
    score = Score(tuple(program(start, start % 20) for start in range(0, 60, 10)), end=60).with_notes(notes)
    parts = split(score)
    assert len(parts) == 2 and together(parts) == score and together(parts[::-1]) == score


def play(score: Score) -> Block:
    """Through FluidSynth, without its reverb and chorus, which many parts share."""
    return np.concatenate(list(SoundFont(reverb=0, chorus=0, polyphony=4096).play(score, RenderContext(RATE))), axis=1)


def restruck() -> Score:
    """Parts that strike and let go each other's keys on one channel."""
    random, events, tick = np.random.default_rng(3), [], 0
    for _ in range(60):
        tick += int(random.integers(60, 200))
        events.append(program(tick, int(random.choice([48, 80, 19])), 0, int(random.integers(2))))
        key = bytes((0x90, int(random.integers(60, 64)), int(random.integers(40, 100))))
        events.append(Event(tick, key, int(random.integers(2))))
        if random.random() < 0.6:
            events.append(Event(tick + 50, bytes((0x80, *key[1:])), int(random.integers(2))))
    return Score(tuple(events), 480, TempoMap.constant(120), end=tick + 480)


@pytest.mark.parametrize("song", [mixed(), band(4, 4), restruck()], ids=["mixed", "band", "restruck"])
def test_parts_sound_together_as_the_whole_does(song: Score) -> None:
    """Every note begins as on a fresh voice, whichever part it belongs to."""
    whole, sounds = play(song).astype(np.float64), [play(part.score) for part in split(song)]
    total = np.zeros((2, max(whole.shape[1], *(sound.shape[1] for sound in sounds))))
    for sound in sounds:
        total[:, : sound.shape[1]] += sound
    frames = min(whole.shape[1], total.shape[1])
    assert len(sounds) > 3
    assert rms_db(whole) > -45
    assert null_db(total[:, :frames], whole[:, :frames]) < -110


def test_controllers_and_programs_from_before_hold_in_every_part() -> None:
    """Each part alone has the level and pitch it has in the whole: a bend of an octave is a bend of an octave."""
    second = next(part for part in split(mixed()) if part.name == "Lead" and part.program == 48)
    sent = [event.data for event in second.score.events if event.tick <= 1000]
    assert sent.index(b"\xb0\x06\x0c") < sent.index(b"\xe0\x60\x5d")
    assert [event.data[1] for event in second.score.events if event.status == 12] == [80, 48, 80]
    assert {event.channel for event in second.score.events if event.status != 15} == {0} != {DRUM_CHANNEL}
