"""Drums by name: what a word plays, and that the drums of a part add up to the part."""

from __future__ import annotations

from pathlib import Path

import mido
import pytest
import soundfile

from studio.errors import StudioError
from studio.midi import read_midi, split, together
from studio.midi.drums import drum_keys, keys_of
from studio.midi.picks import Pick, chosen
from studio.recipe import Recipe
from studio.rendering import render
from tests.listening import null_db

HITS = (36, 42, 38, 42, 36, 46, 38, 42)


@pytest.fixture
def beat(tmp_path: Path) -> Path:
    """A bar of drums, and a melody whose keys are those of drums."""
    drums, melody = mido.MidiTrack(), mido.MidiTrack()
    for key in HITS:
        drums.append(mido.Message("note_on", channel=9, note=key, velocity=100))
        drums.append(mido.Message("note_off", channel=9, note=key, time=240))
    for key in (36, 48, 60):
        melody.append(mido.Message("note_on", channel=0, note=key, velocity=90))
        melody.append(mido.Message("note_off", channel=0, note=key, time=480))
    file = mido.MidiFile(ticks_per_beat=480, tracks=[drums, melody])
    file.save(tmp_path / "beat.mid")
    return tmp_path


def played(desk: Path, *picks: object) -> list[list[int]]:
    """The keys that tracks with these picks play."""
    parts = split(read_midi(desk / "beat.mid"))
    tracks = chosen({str(index): [Pick.parse(pick)] for index, pick in enumerate(picks)}, parts)
    return [[note.pitch for note in together(own).notes] if own else [] for own in tracks.values()]


def test_a_drum_is_a_word_a_name_a_key_or_a_list_of_them(beat: Path) -> None:
    assert played(beat, {"drums": True, "note": "kick"}) == [[36, 36]]
    assert played(beat, {"note": "kick"}) == [[36, 36]], "a name means drums, not the melody"
    assert played(beat, {"drums": True, "note": 38}) == played(beat, {"note": "Acoustic Snare"}) == [[38, 38]]
    assert played(beat, {"note": ["snare", 46]}) == [[38, 46, 38]]
    assert played(beat, {"note": "hat"}) == [[42, 42, 46, 42]]
    assert played(beat, {"channel": 1, "note": 48}) == [[48]]
    assert keys_of("Kick".lower()) == (35, 36) and len(drum_keys()) > 47


def test_what_is_taken_is_not_left_for_the_rest(beat: Path) -> None:
    kick, snare, rest = played(beat, {"note": "kick"}, {"note": "snare"}, "rest")
    assert sorted(kick + snare + rest) == sorted([*HITS, 36, 48, 60])
    assert kick == [36, 36] and snare == [38, 38]


def test_the_drums_of_a_part_add_up_to_it(beat: Path) -> None:
    # Struck together: a voice that FluidSynth uses for a second note begins otherwise than a fresh one.
    struck = [mido.Message("note_on", channel=9, note=key, velocity=100) for key in (36, 38, 42, 45)]
    released = [mido.Message("note_off", channel=9, note=key, time=120) for key in (36, 38, 42, 45)]
    mido.MidiFile(ticks_per_beat=480, tracks=[mido.MidiTrack([*struck, *released])]).save(beat / "beat.mid")
    tracks = {
        "whole": "{all: {part: all}}",
        "apart": "{kick: {part: {note: kick}}, snare: {part: {drums: true, note: 38}}, rest: {part: rest}}",
    }
    sounds = []
    for name, text in tracks.items():
        recipe = Recipe.loads(f"score: beat.mid\noutput: {{bits: 32, stems: none}}\ntracks: {text}", beat)
        render(recipe, beat / name, report=False, cache=False)
        sounds.append(soundfile.read(beat / name / "mix.wav", dtype="float32")[0].T)
    frames = min(sound.shape[1] for sound in sounds)
    assert null_db(*(sound[:, :frames] for sound in sounds)) < -90


def test_words_that_are_no_drums_and_drums_that_are_not_played_are_told(beat: Path) -> None:
    with pytest.raises(StudioError) as caught:
        Recipe.loads("score: beat.mid\ntracks: {a: {part: {note: [kik, snare, 200]}}}", beat)
    assert "kick" in str(caught.value) and "no key 200" in str(caught.value)
    with pytest.raises(StudioError, match="note Cowbell, which '0' plays"):
        played(beat, {"note": "Cowbell"})


def test_a_recipe_keeps_its_words() -> None:
    for words in ("kick", 36, ["kick", "Cowbell"], [36, 38]):
        recipe = Recipe.loads(f"score: x.mid\ntracks: {{a: {{part: {{drums: true, note: {words}}}}}}}".replace("'", ""))
        again = Recipe.loads(recipe.dumps())
        assert again == recipe and again.hash == recipe.hash
        assert Recipe.parse(recipe.data()).tracks["a"].part[0].data()["note"] == words
