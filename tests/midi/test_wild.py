"""A MIDI file from the wild: every channel, hundreds of programs, thousands of bends and controllers, dozens of tempos."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pretty_midi
import pytest

import studio
from studio.context import RenderContext
from studio.midi import read_midi, split
from studio.recipe import Recipe
from studio.recipe.starter import from_midi
from studio.sources.soundfont import SoundFont
from tests.listening import null_db, rms_db
from tests.songs import midi_file

Message, Meta = mido.Message, mido.MetaMessage


def wild(path: Path, type: int = 1, resolution: int = 192, programs: Sequence[int] = range(128)) -> Path:
    luck = random.Random(7)
    conductor: list[Any] = [Meta("track_name", name="Wild")]
    for _ in range(40):
        conductor.append(
            Meta("set_tempo", tempo=luck.randint(300_000, 900_000), time=luck.randint(10, max(11, resolution)))
        )
    tracks: list[list[Any]] = []
    for channel in range(16):
        track: list[Any] = [Meta("track_name", name=f"Channel {channel + 1}")]
        for _ in range(25):
            track.append(
                Message("program_change", channel=channel, program=luck.choice(programs), time=luck.randint(0, 60))
            )
            track.append(
                Message(
                    "control_change",
                    channel=channel,
                    control=luck.choice([1, 7, 10, 11, 91]),
                    value=luck.randrange(40, 128),
                )
            )
            pitch, length = luck.randint(36, 84), luck.randint(20, max(21, 2 * resolution))
            track.append(Message("note_on", channel=channel, note=pitch, velocity=luck.randint(20, 127)))
            for _ in range(8):
                track.append(Message("pitchwheel", channel=channel, pitch=luck.randint(-8192, 8191), time=length // 10))
                track.append(Message("control_change", channel=channel, control=11, value=luck.randrange(60, 128)))
            if luck.random() < 0.95:
                off = Message("note_off", channel=channel, note=pitch, time=length // 10)
                track.append(off if luck.random() < 0.5 else off.copy(velocity=0))
        tracks.append(track)
    return midi_file(path, conductor, *tracks, type=type, resolution=resolution)


def test_its_notes_and_times_are_those_of_pretty_midi(tmp_path: Path) -> None:
    path = wild(tmp_path / "wild.mid")
    ours, theirs = read_midi(path), pretty_midi.PrettyMIDI(str(path))
    starts = np.sort(ours.tempo.seconds_at(np.array([note.start for note in ours.notes]) / ours.resolution))
    expected = np.sort([note.start for instrument in theirs.instruments for note in instrument.notes])
    # pretty_midi drops notes that never end; all it has must be where we have them.
    gaps = np.abs(starts[None, :] - expected[:, None]).min(axis=1)
    assert len(ours.notes) == 16 * 25 and len(expected) > 350
    assert gaps.max() < 1e-6


def test_its_parts_hold_every_note_once(tmp_path: Path) -> None:
    score = read_midi(wild(tmp_path / "wild.mid"))
    parts = split(score)
    assert len(parts) > 200 and sum(part.notes for part in parts) == len(score.notes)


def test_parts_add_up_to_a_song_whose_program_changes(tmp_path: Path) -> None:
    track: list[Any] = [Message("control_change", control=7, value=90), Message("pitchwheel", pitch=2000)]
    for index, program in enumerate((0, 43)):
        track.append(Message("program_change", program=program, time=480))
        track.append(Message("control_change", control=10, value=30 * index + 20))
        track += [Message("note_on", note=60 + index, velocity=90), Message("note_off", note=60 + index, time=480)]
    score = read_midi(midi_file(tmp_path / "song.mid", track))
    dry = SoundFont(reverb=0, chorus=0)
    whole = np.concatenate(list(dry.play(score, RenderContext())), axis=1).astype(np.float64)
    total = np.zeros((2, whole.shape[1] + 44_100))
    for part in split(score):
        sound = np.concatenate(list(dry.play(part.score, RenderContext())), axis=1)
        frames = min(total.shape[1], sound.shape[1])
        total[:, :frames] += sound[:, :frames]
    assert len(split(score)) == 2 and rms_db(whole) > -50
    assert null_db(total[:, : whole.shape[1]], whole) < -90


@pytest.mark.parametrize(("type", "resolution"), [(1, 192), (1, 1), (1, 24), (1, 32_767)])
def test_it_is_rendered_end_to_end(tmp_path: Path, type: int, resolution: int) -> None:
    path = wild(tmp_path / "wild.mid", type, resolution, range(0, 128, 20))
    song = Recipe.loads(from_midi(path, tmp_path / "song.yaml", bare=True), tmp_path)
    planned = studio.plan(song)
    assert len(planned.tracks) == len(split(read_midi(path)))
    simple = Recipe.loads("{score: wild.mid, tracks: {all: {part: all}}, length: 4 s, tail: 1 s}", tmp_path)
    mix = studio.render(simple, cache=False).mix
    assert mix.frames == 4 * 44_100 and np.isfinite(mix.samples).all()
    assert resolution == 1 or rms_db(mix.samples) > -60
