"""Files that play elsewhere are read here, and what had to be mended in them is told."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pytest

import studio
from studio.cli.opening import recipe_of
from studio.context import RenderContext
from studio.errors import ScoreError
from studio.midi import parse_midi, read_midi, split, write_midi
from studio.recipe import Recipe
from studio.recipe.starter import from_midi
from studio.sources.soundfont import SoundFont
from tests.listening import null_db
from tests.songs import midi_file

Message, Meta = mido.Message, mido.MetaMessage
END = b"\0\xff\x2f\0"


def smf(*tracks: bytes, type: int = 1) -> bytes:
    header = b"MThd" + struct.pack(">IHHH", 6, type, len(tracks), 480)
    return header + b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)


BEHIND = {
    "sysex": b"\0\xf0\x05\x7e\x7f\x09\x01\xf7",
    "long sysex": b"\0\xf0\x81\x05" + bytes(132) + b"\xf7",
    "escape": b"\0\xf7\x02\xf3\x01",
    "two": b"\0\xf0\x02\x01\xf7\0\xf0\x02\x01\xf7",
}


@pytest.mark.parametrize("between", BEHIND)
@pytest.mark.parametrize("channel", [0, 9])
def test_running_status_goes_on_behind_a_sysex(between: str, channel: int) -> None:
    """Read without care the sysex would swallow notes, or the whole track be refused."""
    on = bytes([0x90 | channel])
    track = (
        b"\0" + on + b"\x3c\x64\x60\x3c\0" + BEHIND[between] + b"\0\x40\x64\x60\x40\0" + 20 * b"\0\x43\x64\x60\x43\0"
    )
    program = (
        b"\0" + bytes([0xC0 | channel]) + b"\x10" + BEHIND[between] + b"\0\x20\0" + on + b"\x30\x40\x60\x30\0" + END
    )
    score = parse_midi(smf(track + END, program))
    assert [note.pitch for note in score.notes if note.track == 0] == [60, 64, *[67] * 20]
    assert [event.data[1] for event in score.events if event.status == 12] == [16, 32]
    assert len(score.remarks) == 2 and "running status behind a SysEx" in score.remarks[0]
    plain = parse_midi(smf(b"\0" + on + b"\x3c\x64\x60\x3c\0" + END))
    assert not plain.remarks


def test_it_sounds_as_if_it_had_been_written_out(tmp_path: Path) -> None:
    sounds = []
    for name, status in (("short", b""), ("long", b"\x90")):
        path = tmp_path / f"{name}.mid"
        track = b"\0\x90\x3c\x64\x81\x70\x3c\0" + BEHIND["sysex"] + b"\0" + status + b"\x40\x64\x81\x70\x40\0"
        path.write_bytes(smf(track + END))
        sounds.append(np.concatenate(list(SoundFont().play(read_midi(path), RenderContext())), axis=1))
    assert null_db(*sounds) < -300


@pytest.mark.parametrize("power", [8, 16, 31, 255])
def test_meters_finer_than_any_bar_are_left_out_and_told(tmp_path: Path, power: int) -> None:
    notes = b"\0\x90\x3c\x64\x60\x3c\0"
    path = tmp_path / "song.mid"
    path.write_bytes(
        smf(b"\0\xff\x58\x04\x03\x03\x18\x08" + b"\0\xff\x58\x04\x04" + bytes([power]) + b"\x18\x08" + notes + END)
    )
    score = read_midi(path)
    assert [(meter.count, meter.unit) for meter in score.tempo.meters] == [(3, 8)]
    assert "left out" in score.remarks[0]
    song = Recipe.loads("{score: song.mid, tracks: {a: {part: all}}}", tmp_path)
    result = studio.render(song, tmp_path / "out", report=False)
    assert result.manifest is not None and score.remarks[0] in result.manifest.remarks
    write_midi(score, tmp_path / "back.mid")
    assert read_midi(tmp_path / "back.mid").tempo == score.tempo


def test_key_signatures_that_do_not_exist_are_told() -> None:
    [remark] = parse_midi(smf(b"\0\xff\x59\x02\x7f\0" + END)).remarks
    assert "read as C major" in remark


@pytest.mark.parametrize("ending", [".rmi", ".RMI", ".kar", ".mid"])
def test_riff_and_karaoke_files_are_songs(tmp_path: Path, ending: str) -> None:
    from contextlib import ExitStack

    content = smf(b"\0\x90\x3c\x64\x60\x3c\0" + END)
    if ending.lower() == ".rmi":
        content = (
            b"RIFF" + struct.pack("<I", len(content) + 12) + b"RMIDdata" + struct.pack("<I", len(content)) + content
        )
        content += b"LIST" + struct.pack("<I", 12) + b"INFOINAM\0\0\0\0"
    path = tmp_path / f"song{ending}"
    path.write_bytes(content)
    with ExitStack() as stack:
        song = recipe_of(str(path), stack)
    assert studio.render(song, score=path, cache=False).mix.peak_db > -60


def test_lyrics_keep_their_spaces_and_lines(tmp_path: Path) -> None:
    words = ["@KMIDI KARAOKE FILE", "@TSong", "\\Hel", "lo ", "/world", "Ünï "]
    lyrics = ["Hel", "lo ", "world\r", "again\n"]
    text = [Meta("text", text=each.encode().decode("latin-1"), time=10) for each in words]
    sung = [Meta("lyrics", text=each, time=10) for each in lyrics]
    score = read_midi(midi_file(tmp_path / "song.kar", [*text, *sung, Message("note_on", note=60)]))
    assert [mark.text for mark in score.marks if mark.kind == "text"] == words
    assert [mark.text for mark in score.marks if mark.kind == "lyric"] == lyrics
    write_midi(score, tmp_path / "back.mid")
    assert read_midi(tmp_path / "back.mid").marks == tuple(mark._replace(track=0) for mark in score.marks)


def test_lyrics_of_one_moment_keep_their_order() -> None:
    marks = parse_midi(smf(b"\0\xff\x05\x01b" + b"\0\xff\x05\x01a" + END)).marks
    assert [mark.text for mark in marks] == ["b", "a"]


def test_a_file_of_type_0_with_sixteen_channels_splits_into_named_tracks(tmp_path: Path) -> None:
    track: list[Any] = [Meta("track_name", name="My song")]
    for channel in range(16):
        track.append(Message("program_change", channel=channel, program=channel * 8))
        track.append(Message("note_on", channel=channel, note=60, velocity=90))
        track.append(Message("note_off", channel=channel, note=60, time=60))
    path = midi_file(tmp_path / "song.mid", track, type=0)
    assert len(split(read_midi(path))) == 16
    song = Recipe.loads(from_midi(path, tmp_path / "song.yaml"), tmp_path)
    assert len(song.tracks) == 16
    assert {"acoustic-grand-piano", "drums", "violin"} <= set(song.tracks)
    assert all(len(track.part) == 1 for track in song.tracks.values())
    result = studio.render(song.set("length", "1 s"), cache=False)
    assert all(stem.peak_db > -90 for stem in result.stems.values())


def test_a_file_of_type_2_says_what_it_is() -> None:
    with pytest.raises(ScoreError, match="type 2: 2 independent patterns"):
        parse_midi(smf(END, END, type=2))
