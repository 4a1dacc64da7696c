"""Bad input: one readable error with the place, the cause and the mend, and nothing that was there is touched."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile

import studio
from studio.errors import OutputError, Problems, StudioError
from studio.recipe import Recipe
from tests.listening import sine, white
from tests.songs import band_file, midi_file

RATE = 44_100


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    band_file(tmp_path / "song.mid", seconds=1, parts=2)
    soundfile.write(tmp_path / "loop.wav", white(0.2).T, RATE)
    out = tmp_path / "out"
    out.mkdir()
    (out / "mix.wav").write_bytes(b"the last good mix")
    return tmp_path


def refused(desk: Path, text: str, score: Path | None = None) -> str:
    """The one error that rendering a recipe gives, as a person reads it; the output is untouched."""
    (desk / "bad.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(StudioError) as caught:
        studio.render(desk / "bad.yaml", desk / "out", score=score)
    assert not isinstance(caught.value, Problems), str(caught.value)
    assert caught.value.cause and caught.value.mend, str(caught.value)
    assert [path.name for path in (desk / "out").iterdir()] == ["mix.wav"]
    assert (desk / "out" / "mix.wav").read_bytes() == b"the last good mix"
    return str(caught.value)


TRACK = "score: song.mid\ntracks:\n  keys:\n    part: all\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (TRACK + "    volum: -3 dB\n", ["bad.yaml:5:5", "tracks › keys", "'volum'", "volume"]),
        (TRACK + "    volume: -3 Hz\n", ["bad.yaml:5", "keys › volume", "unknown unit 'Hz'"]),
        (TRACK + "    volume: 40 dB\n", ["bad.yaml:5", "40 dB is out of range", "-inf dB to 12 dB"]),
        (TRACK + "    chain: [corus]\n", ["bad.yaml:5", "chain › [1]", "no step 'corus'", "chorus"]),
        (TRACK + "    chain:\n      - chorus: {rat: 1 Hz}\n", ["bad.yaml:6", "[1] › chorus › rat", "rate"]),
        (TRACK + "    chain: [quantise]\n", ["kind score", "effect or transform"]),
        (TRACK + "    part: {channel: 1}\n", ["bad.yaml:5", "'part' stands here for the second time", "line 4"]),
        (TRACK.replace("all", "{channel: 12}"), ["part", "channel", "Part 1 (channel 1"]),
        (TRACK.replace("all", "Flute"), ["bad.yaml:4", "Part 1"]),
        (TRACK + "    send: {room: -3 dB}\n", ["bad.yaml:5", "no bus 'room'"]),
        (TRACK + "    to: mastr\n", ["no bus 'mastr'", "master"]),
        (
            TRACK + "    chain: [{ducker: {sidechain: drms}}]\n  drums: {part: all}\n",
            ["no track or bus 'drms'", "drums"],
        ),
        (TRACK + "    play: {soundfont: nice.sf2}\n", ["no SoundFont 'nice.sf2'", "bad.yaml:5"]),
        (TRACK + "    play: {soundfont: {program: Acustic Bass}}\n", ["Acoustic Bass"]),
        (TRACK.replace("song.mid", "sing.mid"), ["bad.yaml:1", "sing.mid", "song.mid"]),
        ("tracks:\n  loop: {play: {audio: lop.wav}}\n", ["bad.yaml:2", "lop.wav", "loop.wav"]),
        (TRACK + "    pan: [[0 s, -1], [1 s, 3]]\n", ["pan › [2]", "3 is out of range"]),
        (TRACK + "    pan: {lfo: sinus, period: 1 bar, from: 0, to: 1}\n", ["no LFO wave 'sinus'", "sine"]),
        (TRACK + "    chain: [{lowpass: [[0 s, 100 Hz], [1 s, 0 Hz, exponential]]}]\n", ["0 Hz is out of range"]),
        (TRACK + "knobs: {dust: {drives: {keys.chorus.depth: [0, 1]}}}\n", ["knobs › dust", "'chorus'"]),
        (TRACK + "tempo: 5000 bpm\n", ["5000 bpm is out of range", "2000 bpm"]),
        (TRACK + "length: -3 s\n", ["before the start"]),
        (TRACK + "meter: 4/5\n", ["'4/5' is not a meter"]),
        (TRACK + "\tpan: 0\n", ["bad.yaml:5", "spaces, not tabs"]),
        (TRACK + "    chain: !!python/object/apply:os.system [ls]\n", ["YAML tag", "plain data"]),
        ("tracks: &a [*a]\n", ["more values"]),
        ("- just\n- a list\n", ["not a recipe"]),
        ("tracks: {}\n", ["no tracks", "studio new"]),
        (
            "tracks: {a: {part: all, to: x}}\nscore: song.mid\nbuses: {x: {to: y}, y: {to: x}}\n",
            ["round in a circle", "x", "y"],
        ),
    ],
    ids=lambda value: None if isinstance(value, list) else value.splitlines()[-1].strip()[:40],
)
def test_a_recipe_that_is_wrong_says_where_what_and_how_to_mend_it(desk: Path, text: str, words: list[str]) -> None:
    message = _without_mend(desk, text) if "*a" in text or "- just" in text else refused(desk, text)
    for word in words:
        assert word in message, message


def _without_mend(desk: Path, text: str) -> str:
    (desk / "bad.yaml").write_text(text)
    with pytest.raises(StudioError) as caught:
        Recipe.load(desk / "bad.yaml")
    return str(caught.value)


def test_all_mistakes_are_told_at_once(desk: Path) -> None:
    (desk / "bad.yaml").write_text(TRACK + "    volum: 1\n    pan: 5\n    chain: [corus, {reverb: {wet: 2}}]\n")
    with pytest.raises(Problems) as caught:
        Recipe.load(desk / "bad.yaml")
    assert sorted(error.place.line for error in caught.value.errors if error.place) == [5, 6, 7, 7]


def test_a_yaml_bomb_is_put_out_quickly(desk: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 9)]
    message = refused(desk, "\n".join(lines))
    assert "more values" in message and "aliases" in message


Message, Meta = mido.Message, mido.MetaMessage


def _truncated(path: Path) -> None:
    band_file(path, seconds=1, parts=2)
    path.write_bytes(path.read_bytes()[:-40])


def _hasty(path: Path) -> None:
    midi_file(path, [Meta("set_tempo", tempo=1), Message("note_on", note=60), Message("note_off", note=60, time=480)])


def _gap(path: Path) -> None:
    midi_file(path, [Message("note_on", note=60), Message("note_off", note=60, time=480 * 2 * 3600 * 10)])


def _type_2(path: Path) -> None:
    song = mido.MidiFile(type=2)
    song.tracks += [mido.MidiTrack(), mido.MidiTrack()]
    song.save(path)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_truncated, ["cut short", "announces"]),
        (_hasty, ["track 1", "60000000 bpm", "tick 0"]),
        (_gap, ["10.0 hours", "tick 34560000", "track 1"]),
        (_type_2, ["type 2", "type 0 or 1"]),
        (lambda path: path.write_bytes(b"not midi at all, but text"), ["MThd"]),
        (lambda path: path.write_bytes(b""), ["MThd"]),
        (lambda path: path.write_bytes(b"MThd\0\0\0\6\0\1\0\0\1\xe0"), ["without tracks"]),
        (lambda path: path.write_bytes(b"MThd\0\0\0\6\0\1\0\1\0\0MTrk\0\0\0\4\0\xff\x2f\0"), ["division of zero"]),
    ],
    ids=["truncated", "absurd tempo", "ten-hour gap", "type 2", "text", "empty", "no tracks", "no division"],
)
def test_a_midi_file_that_cannot_be_played_is_named(
    desk: Path, make: Callable[[Path], object], words: list[str]
) -> None:
    make(desk / "wild.mid")
    message = refused(desk, TRACK, desk / "wild.mid")
    for word in [*words, "" if "hours" in words[0] else "wild.mid"]:
        assert word in message, message


def _nan(path: Path) -> None:
    sound = sine(440, 1.0)
    sound[0, 30_000] = np.nan
    soundfile.write(path, sound.T, RATE, "FLOAT")


def _lying(path: Path) -> None:
    """A header that announces no data, and a size of the whole that is too small."""
    soundfile.write(path, sine(440, 1.0).T, RATE, "PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data")
    content[place + 4 : place + 8] = struct.pack("<I", 0)
    path.write_bytes(content[: place + 8])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_nan, ["channel 1 holds nan at frame 30000", "Repair"]),
        (_lying, ["no samples"]),
        (lambda path: soundfile.write(path, np.zeros((0, 2)), RATE), ["no samples"]),
        (lambda path: path.write_bytes(b"RIFF\xff\xff\xff\xffWAVEfmt "), ["not an audio file"]),
        (lambda path: path.write_bytes(b""), ["not an audio file"]),
    ],
    ids=["nan", "lying header", "zero length", "only a header", "empty"],
)
def test_an_audio_file_that_is_no_sound_is_named(desk: Path, make: Callable[[Path], object], words: list[str]) -> None:
    make(desk / "wild.wav")
    message = refused(desk, "tracks:\n  loop: {play: {audio: wild.wav}}\n")
    for word in [*words, "loop"]:
        assert word in message, message


def test_an_impulse_response_that_is_no_sound_is_named_with_its_step(desk: Path) -> None:
    _nan(desk / "room.wav")
    message = refused(desk, TRACK + "    chain: [chorus, {convolution: room.wav}]\n")
    assert "keys" in message and "convolution › file" in message and "room.wav" in message


def test_an_effect_that_blows_up_is_named_with_its_step_and_second(desk: Path) -> None:
    text = "tracks:\n  hiss:\n    play: {noise: {length: 2 s}}\n    chain: [{name_of: x}]\n"
    assert "name_of" in refused(desk, text)
    hot = [{"gain": {"gain": 36, "name": f"g{index}"}} for index in range(25)]
    song = Recipe(tracks={"hiss": {"play": {"noise": {"length": "1 s"}}, "chain": hot}})
    with pytest.raises(StudioError) as caught:
        studio.render(song, desk / "out")
    assert "NaN or infinity at 0.00 s" in str(caught.value) and "hiss › chain › g22" in str(caught.value)
    assert (desk / "out" / "mix.wav").read_bytes() == b"the last good mix"


def test_a_folder_that_cannot_be_written_is_named_before_the_work(desk: Path) -> None:
    (desk / "file").write_text("in the way")
    with pytest.raises(OutputError) as caught:
        studio.render(Recipe.loads(TRACK, desk), desk / "file")
    assert "file" in str(caught.value) and "choose another folder" in str(caught.value).lower()
    assert (desk / "file").read_text() == "in the way"


def test_a_full_disk_is_named_and_leaves_what_was_there(desk: Path) -> None:
    """`/dev/full` is a disk without room."""
    from studio.disk import writing

    with (
        pytest.raises(OutputError, match="the disk is full") as caught,
        writing(desk / "out" / "mix.wav"),
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        full.write(b"one byte too many")
    assert "Free some space" in str(caught.value) and "mix.wav" in str(caught.value)
    assert (desk / "out" / "mix.wav").read_bytes() == b"the last good mix"
