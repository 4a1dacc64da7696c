"""Instruments of the file: banks, resets and rhythm parts, against FluidSynth's own program at device 16."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

import studio
from studio.audio import Block
from studio.context import RenderContext
from studio.midi import read_midi, split
from studio.midi.instruments import MidiInstrument, instruments, unheard
from studio.midi.pitch import Transpose
from studio.recipe import Recipe
from studio.recipe.starter import from_midi
from studio.sources.fonts import find_font
from studio.sources.soundfont import SoundFont
from tests.fluidsynth import by_fluidsynth, differs_only_at_onsets
from tests.listening import cents, null_db, pitch_hz
from tests.songs import midi_file

RATE = 44_100
Message = mido.Message


def control(channel: int, number: int, value: int) -> Any:
    return Message("control_change", channel=channel, control=number, value=value)


def program(channel: int, number: int) -> Any:
    return Message("program_change", channel=channel, program=number)


def notes(channel: int, *pitches: int, ticks: int = 240) -> list[Any]:
    made: list[Any] = []
    for pitch in pitches:
        made.append(Message("note_on", channel=channel, note=pitch, velocity=100))
        made.append(Message("note_off", channel=channel, note=pitch, time=ticks))
    return made


def gs(*body: int) -> Any:
    """A GS data set: address and data, with its checksum."""
    return Message("sysex", data=[0x41, 0x10, 0x42, 0x12, *body, (128 - sum(body) % 128) % 128])


GS_RESET, XG_RESET = gs(0x40, 0, 0x7F, 0), Message("sysex", data=[0x43, 0x10, 0x4C, 0, 0, 0x7E, 0])
GM_RESET, GM2_RESET = (Message("sysex", data=[0x7E, 0x7F, 9, mode]) for mode in (1, 3))


def rhythm(channel: int, map: int = 1) -> Any:
    return gs(0x40, 0x10 | (0 if channel == 9 else channel + 1 if channel < 9 else channel), 0x15, map)


def played(path: Path, **knobs: Any) -> Block:
    return np.concatenate(
        list(SoundFont(**knobs).play(read_midi(path), RenderContext(RATE, folder=path.parent))), axis=1
    )


def random_file(path: Path, seed: int) -> Path:
    """A song of one standard, with banks, kits, rhythm parts, resets in mid-song, bends and pedals."""
    random = np.random.default_rng(seed)
    reset = [GS_RESET, XG_RESET, GM_RESET, GM2_RESET][seed % 4]
    channels = [9, *random.choice([0, 1, 2, 5, 10, 15], 3, replace=False).tolist()]
    track: list[Any] = [reset.copy(time=5)]
    for _ in range(12):
        channel = int(random.choice(channels))
        for _ in range(random.integers(0, 3)):
            track.append(
                [
                    control(channel, 0, int(random.choice([0, 8, 64, 120, 121, 126, 127]))),
                    control(channel, 32, int(random.choice([0, 1, 8]))),
                    rhythm(channel, int(random.integers(0, 3))),
                    control(channel, 64, int(random.choice([0, 127]))),
                    control(channel, 10, int(random.integers(0, 128))),
                    Message("pitchwheel", channel=channel, pitch=int(random.integers(-8192, 8192))),
                    reset if random.random() < 0.1 else gs(0x40, 1, 0x30, 4),
                ][random.integers(0, 7)]
            )
        if random.random() < 0.7:
            track.append(program(channel, int(random.choice([0, 8, 16, 25, 30, 48, 80, 127]))))
        track += notes(channel, *random.integers(35, 75, 2).tolist(), ticks=int(random.integers(60, 200)))
    return midi_file(path, track)


@pytest.mark.parametrize("seed", range(12))
def test_files_of_every_standard_sound_as_fluidsynth_plays_them(tmp_path: Path, seed: int) -> None:
    path = random_file(tmp_path / "song.mid", seed)
    ours, theirs = played(path, file="fluid", reverb=0, chorus=0), by_fluidsynth(path, dry=True)
    assert differs_only_at_onsets(ours, theirs, path)


@pytest.mark.parametrize("reset", [GS_RESET, XG_RESET, GM2_RESET])
def test_a_whole_file_becomes_a_recipe_that_sounds_as_it_does(tmp_path: Path, reset: Any) -> None:
    """Voices that FluidSynth uses again begin louder than fresh ones, so all notes sound at once here."""
    melody = [reset.copy(), control(0, 0, 8), program(0, 28), *notes(0, 52)]
    other = [control(1, 32, 0), program(1, 33), Message("note_on", channel=1, note=40, velocity=0, time=100)]
    path = midi_file(tmp_path / "song.mid", melody, other + notes(1, 40))
    expected = by_fluidsynth(path, "gm")
    song = Recipe.loads(from_midi(path, tmp_path / "song.yaml", bare=True), tmp_path)
    mix = studio.render(song, cache=False).mix.samples
    frames = min(mix.shape[1], expected.shape[1])
    assert null_db(mix[:, :frames], expected[:, :frames]) < -90


def test_a_bank_that_is_chosen_holds_until_the_next_program(tmp_path: Path) -> None:
    track = [control(0, 0, 8), program(0, 28), control(0, 0, 0), *notes(0, 52), program(0, 28), *notes(0, 52)]
    parts = split(read_midi(midi_file(tmp_path / "song.mid", track)))
    assert [(part.bank, part.program) for part in parts] == [(8, 28), (0, 28)]
    text = from_midi(tmp_path / "song.mid", tmp_path / "song.yaml")
    song = Recipe.loads(text, tmp_path)
    picked = [track.part[0].data() for track in song.tracks.values()]
    assert [pick.get("bank") for pick in picked] == [8, 0] or picked[0]["bank"] == 8
    assert [track.play.program for track in song.tracks.values()] == [None, 28]  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", range(12))
def test_what_a_note_sounds_with_is_what_fluidsynth_says(tmp_path: Path, seed: int) -> None:
    """The banks and programs that are told are those that the synthesiser itself names when the note comes."""
    from studio.sources.fluid import Fluid

    score = read_midi(random_file(tmp_path / "song.mid", seed))
    told = instruments(score)
    with Fluid(find_font("fluid", RenderContext()), RATE, 16) as synth:
        for index, event in enumerate(score.events):
            if event.starts_note:
                assert synth.chosen(event.channel) in (told[index], _fallback(told[index]), _first(told[index]))
            synth.send(event, event.channel)


def _fallback(asked: MidiInstrument) -> MidiInstrument:
    """What FluidSynth plays when the SoundFont lacks a bank."""
    return MidiInstrument(128 if asked.drums else 0, 0 if asked.drums else asked.program)


def _first(asked: MidiInstrument) -> MidiInstrument:
    return MidiInstrument(128 if asked.drums else 0, 0)


@pytest.mark.parametrize(
    ("start", "channel"), [([GS_RESET, rhythm(2)], 2), ([XG_RESET, control(2, 0, 127), program(2, 0)], 2), ([], 9)]
)
def test_drums_are_where_the_file_puts_them(tmp_path: Path, start: list[Any], channel: int) -> None:
    path = midi_file(tmp_path / "kit.mid", [*start, *notes(channel, 36, 38), *notes(0, 60)])
    kit, piano = sorted(split(read_midi(path)), key=lambda part: not part.drums)
    assert kit.drums and kit.family == "Drums" and kit.channel == channel and not piano.drums
    moved = Transpose(semitones=5).edit(read_midi(path), RenderContext())
    assert sorted({note.pitch for note in moved.notes}) == [36, 38, 65]
    text = "{score: kit.mid, tracks: {kit: {part: {drums: true}, play: {soundfont: {program: 25}}}}}"
    result = studio.render(Recipe.loads(text, tmp_path), cache=False)
    plain = midi_file(tmp_path / "plain.mid", [program(9, 25), *notes(9, 36, 38)])
    expected = played(plain)
    assert null_db(result.mix.samples[:, :RATE], expected[:, :RATE]) < -90


def test_a_reset_keeps_the_recipes_instrument(tmp_path: Path) -> None:
    path = midi_file(tmp_path / "reset.mid", [GM_RESET, *notes(0, 60, 64)])
    plain = midi_file(tmp_path / "plain.mid", notes(0, 60, 64))
    assert null_db(played(path, program=48)[:, :RATE], played(plain, program=48)[:, :RATE]) < -100


@pytest.mark.parametrize("port", [0, 1])
def test_every_port_has_its_drums_after_a_reset(tmp_path: Path, port: int) -> None:
    ported = [mido.MetaMessage("midi_port", port=port)]
    path = midi_file(tmp_path / "ports.mid", [*ported, GS_RESET, rhythm(3), *notes(9, 36), *notes(3, 38)])
    plain = midi_file(tmp_path / "plain.mid", [GS_RESET, rhythm(3), *notes(9, 36), *notes(3, 38)])
    assert null_db(played(path)[:, :RATE], played(plain)[:, :RATE]) < -100
    assert all(part.drums for part in split(read_midi(path)))


def bent(tmp_path: Path, *range_: tuple[int, int], pitch: int = 8191) -> float:
    """The cents of a full bend after these data entries to RPN 0."""
    begin = [program(0, 79), control(0, 101, 0), control(0, 100, 0)]
    wheel = Message("pitchwheel", pitch=pitch)
    path = midi_file(
        tmp_path / "bent.mid", [*begin, *(control(0, *each) for each in range_), wheel, *notes(0, 69, ticks=960)]
    )
    plain = midi_file(tmp_path / "plain.mid", [program(0, 79), *notes(0, 69, ticks=960)])
    dry = {"reverb": 0, "chorus": 0}
    one, other = (played(each, **dry)[:, :RATE] for each in (path, plain))
    return cents(pitch_hz(one, RATE), pitch_hz(other, RATE))


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([(6, 0), (38, 50)], 50), ([(38, 50), (6, 0)], 50), ([(6, 1), (38, 25)], 125), ([(6, 12), (38, 99)], 1299),
        ([(6, 0), (38, 50), (6, 2)], 198.4), ([(6, 12)], 1190.6), ([(6, 2), (38, 0)], 198.4),
    ],
)  # fmt: skip
def test_bend_ranges_in_cents(tmp_path: Path, entries: list[tuple[int, int]], expected: float) -> None:
    """Whole semitones bend as FluidSynth bends them, by 127/128; twelve give 1,190.6 cents."""
    assert bent(tmp_path, *entries) == pytest.approx(expected, abs=1.5)
    assert bent(tmp_path, *entries, pitch=-8192) == pytest.approx(-expected, abs=1.5)


@pytest.mark.parametrize(
    ("messages", "said"),
    [
        ([Message("sysex", data=[0x41, 0x10, 0x16, 0x12, 0x7F, 0, 0, 1, 0])], "MT-32"),
        ([control(9, 99, 24), control(9, 98, 36), control(9, 6, 70)], "tuning, level or filter of a single drum"),
        ([gs(0x40, 1, 0x30, 4)], "GS reverb"),
        ([gs(0x41, 0, 0x24, 0x40)], "GS drum setup"),
        ([Message("sysex", data=[0x41, 0x10, 0x42, 0x12, 0x40, 0, 0x7F, 0, 0])], "checksum"),
        ([GM2_RESET, control(3, 0, 120), program(3, 0)], "rhythm channel of General MIDI 2"),
        ([XG_RESET, Message("sysex", data=[0x43, 0x10, 0x4C, 2, 1, 0, 1])], "an XG setting"),
    ],
)
def test_what_fluidsynth_does_not_have_is_told(tmp_path: Path, messages: list[Any], said: str) -> None:
    path = midi_file(tmp_path / "song.mid", [*messages, *notes(0, 60)])
    [remark] = unheard(read_midi(path))
    assert said in remark
    song = Recipe.loads("{score: song.mid, tracks: {a: {part: all}}}", tmp_path)
    result = studio.render(song, tmp_path / "out", report=False, cache=False)
    assert result.manifest is not None and remark in result.manifest.remarks


def test_resets_and_rhythm_parts_that_are_honoured_need_no_word() -> None:
    from studio.score import Event, Score

    data = [bytes(each.bytes()) for each in (GS_RESET, XG_RESET, GM_RESET, GM2_RESET, rhythm(3))]
    assert not list(unheard(Score(tuple(Event(0, each) for each in data))))
