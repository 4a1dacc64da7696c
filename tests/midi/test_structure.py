"""Which bars, and whose."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.context import RenderContext
from studio.errors import MissingError, ScoreError
from studio.midi import split, write_midi
from studio.midi.structure import Excerpt, Merge
from studio.score import Event, Mark, Note, Score
from studio.sources.soundfont import SoundFont
from studio.tempo import Meter, Tempo, TempoMap
from tests.listening import cents, pitch_hz
from tests.songs import score_of

SCALE = score_of(*(Note(480 * beat, 480 * beat + 400, 60 + beat, 90) for beat in range(12)), end_beats=12)


def cut(score: Score, **knobs: Any) -> Score:
    return Excerpt(**knobs).edit(score, RenderContext())


def test_bars_are_cut_out_and_moved_to_the_start() -> None:
    middle = cut(SCALE, start="1 bar", length="1 bar")
    assert [(note.start, note.pitch) for note in middle.notes] == [(0, 64), (480, 65), (960, 66), (1440, 67)]
    assert middle.end == 4 * 480
    rest = cut(SCALE, start="2 bars 1 beat")
    assert [note.pitch for note in rest.notes] == [69, 70, 71] and rest.end == 3 * 480
    assert cut(SCALE) == SCALE
    assert cut(SCALE, start="9 bars").notes == () and cut(SCALE, start="9 bars").end == 0


def test_bars_and_seconds_follow_the_songs_own_meter_and_tempo() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(6), Fraction(60))), (Meter(Fraction(0), 3, 4),))
    waltz = Score(SCALE.events, 480, tempo, end=SCALE.end)
    assert [note.pitch for note in cut(waltz, start="1 bar", length="2 bars").notes] == list(range(63, 69))
    assert [note.pitch for note in cut(waltz, start="2 s", length="2 s").notes] == [64, 65, 66]


def test_notes_that_begin_inside_end_with_the_excerpt_and_those_from_before_are_gone() -> None:
    long = score_of(Note(0, 4000, 50, 90), Note(2000, 9000, 60, 90), Note(3839, 5000, 62, 90), Note(3840, 5000, 64, 90))
    assert [(note.start, note.end, note.pitch) for note in cut(long, start="1 bar", length="1 bar").notes] == [
        (80, 1920, 60),
        (1919, 1920, 62),
    ]


def test_marks_come_along() -> None:
    marked = Score(
        SCALE.events,
        480,
        marks=(Mark(0, "marker", "A"), Mark(1920, "marker", "B"), Mark(3840, "marker", "C")),
        end=5760,
    )
    assert cut(marked, start="1 bar", length="1 bar").marks == (Mark(0, "marker", "B"),)


def control(tick: int, number: int, value: int) -> Event:
    return Event(tick, bytes((0xB0, number, value)))


def test_what_was_set_before_is_set_again_in_the_order_it_was() -> None:
    before = [
        Event(0, b"\xf0\x7e\x7f\x09\x01\xf7"), control(0, 0, 8), Event(0, b"\xc0\x05"), control(10, 0, 0), control(10, 7, 90), control(20, 7, 70),
        control(30, 101, 0), control(30, 100, 0), control(30, 6, 12), control(30, 101, 127), control(30, 100, 127), Event(40, b"\xe0\x00\x20"),
        Event(50, b"\xe0\x00\x50"), Event(60, b"\xd0\x11"), control(1920, 7, 60),
    ]  # fmt: skip
    events = cut(Score((*before, *SCALE.events), 480, end=5760), start="1 bar").events
    assert [event.data.hex() for event in events if event.tick == 0 and event.status != 9] == [
        "f07e7f0901f7", "b00008", "c005", "b00000", "b00746", "b06500", "b06400", "b0060c", "b0657f", "b0647f", "e00050", "d011", "b0073c",
    ]  # fmt: skip


def test_a_wide_bend_is_as_wide_in_the_excerpt() -> None:
    """The range of bends is set once, by an RPN that is closed again, as most programs write it."""
    setup = [control(0, 101, 0), control(0, 100, 0), control(0, 6, 12), control(0, 101, 127), control(0, 100, 127)]
    bends = [Event(0, b"\xc0\x4f"), Event(1000, b"\xe0\x7f\x7f"), Event(3800, b"\xe0\x00\x40")]
    song = Score((*setup, *bends), 480, end=5760).with_notes([Note(1920, 3700, 57, 100), Note(3840, 5700, 57, 100)])

    def pitch(score: Score, second: int) -> float:
        sound = np.concatenate(list(SoundFont(reverb=0, chorus=0).play(score, RenderContext())), axis=1)
        return pitch_hz(sound[:, second * 44_100 + 8000 : second * 44_100 + 60_000], 44_100)

    excerpt = cut(song, start="1 bar")
    assert cents(pitch(excerpt, 0), pitch(song, 2)) == pytest.approx(0, abs=0.1)
    # FluidSynth takes a bend of 12 semitones for 12700 × 12 / 128 cents.
    assert cents(pitch(excerpt, 0), pitch(excerpt, 2)) == pytest.approx(1190.6, abs=3)


def test_another_file_is_added_at_its_own_resolution_from_any_place(tmp_path: Path) -> None:
    other = score_of(Note(0, 96, 40, 80, channel=1), Note(32, 64, 43, 80, channel=1), resolution=96, end_beats=9)
    write_midi(other, tmp_path / "bass.mid")
    context = RenderContext(folder=tmp_path)
    merged = Merge(file="bass.mid", at="1 bar 1/8").edit(SCALE, context)
    bass = [note for note in merged.notes if note.channel == 1]
    assert [(float(merged.beat(note.start)), float(merged.beat(note.end)), note.pitch) for note in bass] == [
        (4.5, 5.5, 40), (pytest.approx(4.5 + 1 / 3), pytest.approx(4.5 + 2 / 3), 43),
    ]  # fmt: skip
    assert [note for note in merged.notes if note.channel == 0] == list(SCALE.notes)
    assert merged.end == 480 * 13.5
    fine = score_of(Note(1, 2, 40, 80), resolution=7000)
    write_midi(fine, tmp_path / "fine.mid")
    finer = Merge(file="fine.mid").edit(SCALE, context)
    [added] = [note for note in finer.notes if note.pitch == 40]
    assert finer.resolution == 7200 and (added.start, added.end) == (1, 2)


def test_what_is_merged_keeps_its_tracks_apart_from_ours(tmp_path: Path) -> None:
    named = Score(score_of(Note(0, 99, 70, 80)).events, 480, tracks=("Flute",))
    write_midi(named, tmp_path / "flute.mid")
    parts = split(Merge(file="flute.mid").edit(SCALE, RenderContext(folder=tmp_path)))
    assert [(part.name, part.notes) for part in parts] == [("Acoustic Grand Piano", 12), ("Flute", 1)]


def test_a_file_that_is_not_there_or_no_midi_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.mid").write_bytes(b"not midi")
    with pytest.raises(ScoreError, match="not a MIDI file") as caught:
        Merge(file="bad.mid").edit(SCALE, RenderContext(folder=tmp_path))
    assert caught.value.path == ("file",)
    with pytest.raises(MissingError, match=r"there is no file 'bas\.mid'") as missing:
        Merge(file="bas.mid").edit(SCALE, RenderContext(folder=tmp_path))
    assert missing.value.path == ("file",) and "bad.mid" in missing.value.mend
