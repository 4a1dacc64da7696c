"""A note sounds the same whichever voice plays it, alone, after others, or in the whole song."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

from studio.audio import Block
from studio.context import RenderContext
from studio.midi import read_midi, split, together
from studio.score import Note, Score
from studio.sources.soundfont import SoundFont
from tests.fluidsynth import by_fluidsynth
from tests.listening import null_db, peak_db, rms_db
from tests.songs import band, midi_file, score_of

RATE = 44_100
Message = mido.Message


def played(score: Score, **knobs: Any) -> Block:
    return np.concatenate(list(SoundFont(**knobs).play(score, RenderContext(RATE))), axis=1)


def test_equal_hits_are_equal() -> None:
    """Hits two to eight used to differ from the first by -25 dB."""
    hits = [Note(index * 240, index * 240 + 120, 42, 100, 9, 0) for index in range(8)]
    sound = played(score_of(*hits, bpm=60_000 / 512), reverb=0, chorus=0)
    begins = np.flatnonzero(np.abs(sound).max(axis=0) > 1e-3)
    begins = begins[np.concatenate([[True], np.diff(begins) > 4_000])] // 64 * 64
    assert len(begins) == 8
    first = sound[:, begins[0] : begins[0] + 8_000]
    assert rms_db(first) > -60
    for begin in begins[1:]:
        assert np.array_equal(sound[:, begin : begin + 8_000], first)


@pytest.mark.parametrize("knobs", [{}, {"reverb": 0, "chorus": 0}, {"polyphony": 128}, {"chorus": 10.0}])
def test_parts_add_up_to_the_whole_song_in_one_synthesiser(knobs: dict[str, Any]) -> None:
    score = band(seconds=5, parts=8, bpm=150)
    parts = split(score)
    whole = played(together(parts), **knobs).astype(np.float64)
    total = np.zeros_like(whole)
    for part in parts:
        stem = played(part.score, **knobs)[:, : whole.shape[1]]
        total[:, : stem.shape[1]] += stem
    last = int(5.2 * RATE)
    assert null_db(total[:, :last], whole[:, :last]) < -120


@pytest.mark.parametrize(("program", "chorus"), [(0, 0), (0, 127), (19, 0), (48, 0), (88, 0), (16, 60)])
def test_the_chorus_runs_where_something_is_sent_to_it(tmp_path: Path, program: int, chorus: int) -> None:
    """Notes that all start at once have fresh voices in FluidSynth's own program too."""
    track: list[Any] = [Message("program_change", program=program), Message("control_change", control=93, value=chorus)]
    track += [Message("note_on", note=note, velocity=100, time=0 if note > 50 else 2_000) for note in (50, 57, 62)]
    path = midi_file(
        tmp_path / "chord.mid", [*track, *(Message("note_off", note=note, time=480) for note in (50, 57, 62))]
    )
    ours, theirs = played(read_midi(path)), by_fluidsynth(path, "gm")
    frames = min(ours.shape[1], theirs.shape[1])
    assert null_db(ours[:, :frames], theirs[:, :frames]) < -90


@pytest.mark.parametrize("rate", [44_100, 48_000])
def test_a_part_that_rests_long_comes_back_as_if_it_had_been_heard_through(rate: int) -> None:
    """A silent note beside it keeps the other synthesiser at work."""
    notes = [Note(0, 480, 60, 100), Note(110 * 480, 111 * 480, 64, 100), Note(160 * 480, 161 * 480, 67, 90)]
    alone = score_of(*notes, bpm=120, end_beats=164)
    mute = band(1, 1).events[0]._replace(data=bytes((0xB1, 7, 0)), tick=0)
    beside = Score((mute,), 480, alone.tempo, end=alone.end).with_notes([*notes, Note(0, 163 * 480, 40, 100, 1)])
    context = RenderContext(rate)
    resting, through = (
        np.concatenate(list(SoundFont(reverb=1.0).play(score, context)), axis=1) for score in (alone, beside)
    )
    frames = 82 * rate
    assert rms_db(resting[:, 80 * rate : frames]) > -60
    assert null_db(resting[:, :frames], through[:, :frames]) < -110
    assert peak_db(resting[:, 20 * rate : 50 * rate]) < -150
