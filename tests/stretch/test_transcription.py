"""One voice and drums become notes, and what is changed in the notes is heard in the voice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import studio
from studio.audio import Audio
from studio.cli.main import main
from studio.errors import AudioError
from studio.midi import read_midi, write_midi
from studio.midi.wheel import bends_at
from studio.nets.material import Phrases
from studio.recipe import Recipe
from studio.score import DRUM_CHANNEL, Event, Note, Score
from studio.stretch import track_f0
from studio.stretch.drum_transcription import drum_score, transcribe_drums
from studio.stretch.transcription import transcribe
from studio.tempo import TempoMap
from tests.listening import white
from tests.stretch.battery import RATE, mix, render, tone, vowel
from tests.stretch.known_pitch import PLAYED


def hit_rate(heard: list[tuple[float, float]], played: list[tuple[float, float]], seconds: float) -> float:
    """The F-measure of (second, key): within `seconds` and 50 cents, each counted once."""
    left, found = list(heard), 0
    for start, key in played:
        near = [each for each in left if abs(each[0] - start) <= seconds and abs(each[1] - key) <= 0.5]
        if near:
            left.remove(min(near, key=lambda each: abs(each[0] - start)))
            found += 1
    return 2 * found / max(1, len(heard) + len(played))


@pytest.mark.parametrize(
    ("name", "least"), [("clarinet", 0.9), ("trumpet", 0.9), ("bass", 0.9), ("saxophone", 0.85), ("oboe", 0.85)]
)
def test_the_notes_of_an_instrument_are_found(name: str, least: float) -> None:
    program, low, high = PLAYED[name]
    given = Phrases(program, low, high, 10 / 60, RATE, 99, "fluid")
    played = [(note.start / 960, float(note.pitch)) for note in given.score().notes if note.start < 9.8 * 960]
    found = transcribe(Audio(given.sound().samples[:, : 10 * RATE], RATE))
    assert hit_rate([(note.start, note.key + note.cents / 100) for note in found.notes], played, 0.05) >= least


def test_a_note_says_how_far_it_is_off_how_it_trembles_and_how_loud_it_is() -> None:
    """A vowel of 220 Hz less 20 cents, with vibrato, and one of half the amplitude behind it: velocities go by the square."""
    sung = vowel(1.5, hz=220 * 2 ** (-20 / 1200))
    gap = np.zeros((1, RATE // 4), np.float32)
    first, second = transcribe(Audio(np.concatenate([sung, gap, sung * 0.5], axis=1), RATE)).notes
    assert first.key == second.key == 57 and first.cents == pytest.approx(-20, abs=6)
    assert first.vibrato_cents == pytest.approx(30, abs=8) and 4 < first.vibrato_hz < 7
    assert first.velocity == 112 and second.velocity == pytest.approx(112 * 0.5**0.5, abs=2)
    assert second.start == pytest.approx(1.75, abs=0.03) and second.end == pytest.approx(3.25, abs=0.06)


def test_the_bends_say_the_pitch_that_was_sung() -> None:
    found = transcribe(Audio(vowel(2.0, hz=200.0), RATE))
    score = found.score(TempoMap.constant(97))
    (note,) = score.notes
    inside = (found.track.times > 0.1) & (found.track.times < 1.9)
    times = found.track.times[inside]
    sung = 69 + 12 * np.log2(found.track.hz[inside] / 440)
    assert np.abs(note.pitch + bends_at(score, times) - sung).max() < 0.02


def test_ranges_of_the_wheel_are_read_as_they_are_said() -> None:
    bend = bytes((0xE0, 0, 96))
    plain = Score((Event(0, bend),))
    ranged = Score(
        tuple(Event(0, bytes(data)) for data in ((0xB0, 101, 0), (0xB0, 100, 0), (0xB0, 6, 7), (0xB0, 38, 50)))
    )
    ranged = Score((*ranged.events, Event(960, bend), Event(1920, bytes((0xE0, 0, 64)))))
    assert bends_at(plain, np.array([0.0, 1.0])) == pytest.approx([1.0, 1.0])
    assert bends_at(ranged, np.array([0.0, 1.5, 2.5])) == pytest.approx([0.0, 3.75, 0.0])


def sung_line() -> Audio:
    """Three vowels on G3, A3 and C4."""
    gap = np.zeros((1, RATE // 10), np.float32)
    pieces = [piece for key in (55, 57, 60) for piece in (vowel(0.8, hz=440 * 2 ** ((key - 69) / 12)), gap)]
    return Audio(np.concatenate(pieces, axis=1), RATE)


def test_a_recording_becomes_a_recipe_whose_notes_edit_the_voice(tmp_path: Path) -> None:
    line = sung_line()
    soundfile.write(tmp_path / "vocal.wav", line.samples.T, RATE, "FLOAT")
    made = CliRunner().invoke(main, ["new", "--from", str(tmp_path / "vocal.wav"), "-o", str(tmp_path / "song.yaml")])
    assert made.exit_code == 0 and "3 notes" in made.output, made.output
    song = Recipe.load(tmp_path / "song.yaml")
    same = studio.render(song).stems["voice"]
    score = read_midi(tmp_path / "song.mid")
    assert [note.pitch for note in score.notes] == [55, 57, 60]
    raised = score.map_notes(lambda note: note._replace(pitch=note.pitch + 3) if note.pitch == 57 else note)
    write_midi(raised, tmp_path / "song.mid")
    other = studio.render(Recipe.load(tmp_path / "song.yaml")).stems["voice"]
    before, unedited, edited = (track_f0(audio) for audio in (line, same, other))
    times = np.concatenate([np.arange(start + 0.15, start + 0.65, 0.02) for start in (0.0, 0.9, 1.8)])
    moved = np.where((times > 0.9) & (times < 1.8), 300.0, 0.0)
    for track, wanted in ((unedited, 0.0 * moved), (edited, moved)):
        cents = 1200 * np.log2(track.at(times) / before.at(times)) - wanted
        assert np.abs(cents).max() < 12, cents
    again = CliRunner().invoke(
        main, ["new", "--from", str(tmp_path / "vocal.wav"), "-o", str(tmp_path / "b.yaml"), "--as", "drums"]
    )
    assert again.exit_code == 0
    refused = CliRunner().invoke(main, ["new", "--from", str(tmp_path / "vocal.wav"), "-o", str(tmp_path / "b.yaml")])
    assert refused.exit_code == 1 and "is there already" in refused.output


def break_of(pattern: dict[int, str]) -> Audio:
    played = [
        Note(144 * place, 144 * place + 60, key, 110 if key != 42 else 80, DRUM_CHANNEL)
        for key, row in pattern.items()
        for place, hit in enumerate(row)
        if hit == "x"
    ]
    return Audio(render(sorted(played, key=lambda note: note.start), {}, seconds=5.0), RATE)


def test_drums_are_told_apart_and_stand_where_they_were_struck() -> None:
    rows = {
        36: "x.......x.......x.......x.......",
        38: "....x.......x.......x.......x...",
        42: "..x...x...x...x...x...x...x...x.",
    }
    hits = transcribe_drums(break_of(rows))
    played = sorted((place * 0.15, key) for key, row in rows.items() for place, hit in enumerate(row) if hit == "x")
    assert len(hits) == len(played)
    assert max(abs(hit.start - start - 0.0024) for hit, (start, _) in zip(hits, played, strict=True)) < 0.01
    assert [hit.key for hit in hits] == [key for _, key in played]
    score = drum_score(hits, TempoMap.constant(100))
    assert [note.channel for note in score.notes] == [DRUM_CHANNEL] * len(hits)
    assert score.notes[4].start == pytest.approx(4 * 240 * 2, abs=24)


def test_what_is_neither_one_voice_nor_drums_is_refused(tmp_path: Path) -> None:
    chords = Audio(mix(4.0), RATE)
    with pytest.raises(AudioError, match="one pitch at a time"):
        transcribe(Audio(white(2.0, 0.1, channels=1), RATE))
    with pytest.raises(AudioError, match="no hits"):
        transcribe_drums(Audio(tone(440.0) * 0, RATE))
    soundfile.write(tmp_path / "band.wav", chords.samples.T, RATE, "FLOAT")
    made = CliRunner().invoke(main, ["new", "--from", str(tmp_path / "band.wav"), "-o", str(tmp_path / "song.yaml")])
    assert made.exit_code == 1 and "neither one voice alone nor drums" in made.output
    assert not (tmp_path / "song.yaml").exists() and not (tmp_path / "song.mid").exists()
