"""Sounds taken apart into events: exact together, each by itself, played by notes, read back strictly."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import studio
from studio.audio import Audio
from studio.cli.main import main
from studio.errors import StudioError
from studio.midi import read_midi, write_midi
from studio.recipe import Recipe
from studio.score import DRUM_CHANNEL, Note
from studio.stretch.attribution import take_apart
from studio.stretch.event_file import bank_of, read_events, whole_of, write_events
from studio.tempo import TempoMap
from tests.listening import null_db
from tests.stretch.battery import RATE, render

ROWS = {36: "x.......x.x.....", 38: "....x.......x...", 42: "x.x.x.x.x.x.x.x."}
STEP = 144
"""Ticks of a sixteenth at 100 bpm, of the battery's 960 a second."""


def struck(*without: int) -> np.ndarray:
    """A bar of drums, without the hits at some sixteenths."""
    played = [
        Note(STEP * place, STEP * place + 60, key, 100 if place % 4 == 0 else 80, DRUM_CHANNEL)
        for key, row in ROWS.items()
        for place, hit in enumerate(row)
        if hit == "x" and place not in without
    ]
    return render(sorted(played, key=lambda note: note.start), {}, seconds=3.0)


PLACES = sorted({place for row in ROWS.values() for place, hit in enumerate(row) if hit == "x"})


def chords(*without: int) -> np.ndarray:
    """Six piano notes that ring into each other."""
    keys = (48, 60, 55, 67, 52, 64)
    played = [Note(300 * at, 300 * at + 280, key, 90) for at, key in enumerate(keys) if at not in without]
    return render(played, {0: 0}, seconds=3.0)


@pytest.mark.parametrize("sound", [struck(), chords(), np.zeros((1, 700), np.float32), struck()[:1, :3000]])
def test_events_add_up_to_the_sound(sound: np.ndarray) -> None:
    whole = whole_of(bank_of(take_apart(Audio(sound, RATE)), RATE)).samples
    padded = np.zeros_like(sound)
    padded[:, : whole.shape[1]] = whole[:, : sound.shape[1]]
    assert np.abs(padded - sound).max() <= 10**-6 * max(np.abs(sound).max(), 1e-6)


def sdr(event: np.ndarray, first: int, truth: np.ndarray) -> float:
    """How far the error of an event lies below what it should be, in dB."""
    got = np.zeros(truth.shape)
    got[:, first : first + event.shape[1]] = event
    return 10 * float(np.log10((truth**2).sum() / ((truth - got) ** 2).sum()))


def test_one_event_taken_out_is_the_hit_that_was_struck() -> None:
    """Against the same bar played without it; the places of the hits are found by ourselves."""
    sound = struck()
    events = take_apart(Audio(sound, RATE))
    assert len(events) == len(PLACES)
    found = [
        sdr(event.samples, event.first, sound - struck(place))
        for event, place in zip(events, PLACES, strict=True)
        if place in (4, 8, 10, 12)
    ]
    assert np.median(found) > 14 and min(found) > 8, found


def test_one_piano_note_taken_out_is_the_note_that_was_played() -> None:
    sound = chords()
    onsets = np.array([at * 300 / 960 * RATE + 100 for at in range(6)])
    events = take_apart(Audio(sound, RATE), onsets)
    found = [sdr(events[at].samples, events[at].first, sound - chords(at)) for at in range(1, 6)]
    assert np.median(found) > 9 and min(found) > 4, found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("events")
    soundfile.write(folder / "loop_100bpm.wav", struck()[:, : round(2.4 * RATE)].T, RATE, "FLOAT")
    done = CliRunner().invoke(main, ["events", str(folder / "loop_100bpm.wav"), "-o", str(folder / "a.events")])
    assert done.exit_code == 0 and f"{len(PLACES)} events" in done.output and "100 bpm" in done.output, done.output
    return folder


def rendered(folder: Path, notes: str = "[]") -> np.ndarray:
    text = (folder / "a.yaml").read_text().replace("part: all", f"part: all, notes: {notes}")
    return studio.render(Recipe.loads(text, folder)).stems["events"].samples


def test_unedited_notes_play_the_sound_as_it_was(made: Path) -> None:
    source = soundfile.read(made / "loop_100bpm.wav", dtype="float32", always_2d=True)[0].T
    played = rendered(made)[:, : source.shape[1]]
    assert null_db(played, np.broadcast_to(source, played.shape)) < -120


def test_steps_on_notes_edit_the_sound(made: Path) -> None:
    """A note taken out mutes its hit; another key is another hit; half the velocity is 12 dB less."""
    bank, plain = read_events(made / "a.events"), rendered(made)
    score = read_midi(made / "a.mid")
    assert [note.pitch for note in score.notes] == [each.key for each in bank.events]
    muted = bank.events[2]
    song = Recipe.load(made / "a.yaml")
    try:
        write_midi(score.map_notes(lambda note: None if note.pitch == muted.key else note), made / "a.mid")
        without = studio.render(Recipe.load(made / "a.yaml")).stems["events"].samples
        swapped = score.map_notes(
            lambda note: note._replace(pitch=36, velocity=bank.events[0].velocity) if note.pitch == muted.key else note
        )
        write_midi(swapped, made / "a.mid")
        other = studio.render(Recipe.load(made / "a.yaml")).stems["events"].samples
    finally:
        write_midi(score, made / "a.mid")
    assert song.tracks["events"]
    first, own = muted.event.first, muted.event.samples
    expected = plain.astype(np.float64).copy()
    expected[:, first : first + own.shape[1]] -= own
    assert null_db(without, expected[:, : without.shape[1]].astype(np.float32)) < -100
    kick = bank.events[0].event
    start = (
        round(float(score.tempo.second_at(Fraction(score.notes[2].start, score.resolution))) * RATE)
        - kick.onset
        + kick.first
    )
    begin = max(start, 0)
    expected[:, begin : start + kick.samples.shape[1]] += kick.samples[:, begin - start :]
    assert null_db(other[:, : 2 * RATE], expected[:, : 2 * RATE].astype(np.float32)) < -60
    quiet = rendered(made, "[{velocity: {scale: 0.5}}]")
    assert null_db(quiet, plain * 0.25) < -30


def test_keys_that_are_no_event_are_told(made: Path) -> None:
    checked = rendered(made, "[{transpose: 60}]")
    assert np.abs(checked).max() == 0
    shown = CliRunner().invoke(main, ["check", str(made / "a.yaml")])
    assert shown.exit_code == 0


def test_files_of_events_are_read_back_and_strange_ones_refused(made: Path, tmp_path: Path) -> None:
    bank = read_events(made / "a.events")
    write_events(bank, tmp_path / "b.events")
    again = read_events(tmp_path / "b.events")
    assert [each.key for each in again.events] == [each.key for each in bank.events]
    assert null_db(whole_of(again).samples, whole_of(bank).samples) < -120
    for words, wanted in (
        ("", "no file of events"),
        ("{", "not JSON"),
        ('{"events_format": 2, "scale": 1, "events": []}', "format 2"),
        ('{"events_format": 1, "scale": 1, "events": [{"first": -1}]}', "out of range"),
        (
            '{"events_format": 1, "scale": 1, "events": [{"first": 0, "onset": 0, "frames": 7, "key": 1, "channel": 0,'
            ' "velocity": 1}]}',
            "not equally long",
        ),
    ):
        with soundfile.SoundFile(tmp_path / "c.events", "w", RATE, 1, "PCM_24", format="FLAC") as file:
            if words:
                file.comment = words
            file.write(np.zeros(100))
        with pytest.raises(StudioError, match=wanted):
            read_events(tmp_path / "c.events")
    (tmp_path / "d.events").write_bytes(b"fLaC and no more")
    with pytest.raises(StudioError, match=r"no file of events|cannot"):
        read_events(tmp_path / "d.events")


def test_silence_and_files_that_are_there_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), RATE)
    silent = CliRunner().invoke(main, ["events", str(tmp_path / "a.wav")])
    assert silent.exit_code == 1 and "silent" in silent.output
    (tmp_path / "a.mid").write_bytes(b"")
    there = CliRunner().invoke(main, ["events", str(tmp_path / "a.wav")])
    assert there.exit_code == 1 and "is there already" in there.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mid", "a.wav"]


def test_more_events_than_keys_go_on_on_the_next_channel() -> None:
    noise = np.random.default_rng(0).normal(size=(1, 140 * 1000)).astype(np.float32) * 0.1
    bank = bank_of(take_apart(Audio(noise, 8000), np.arange(140) * 1000.0), 8000)
    assert len({(each.channel, each.key) for each in bank.events}) == 140 and bank.events[-1].channel == 1
    assert [note.channel for note in bank.score(TempoMap.constant(120)).notes][-1] == 1
