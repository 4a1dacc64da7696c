"""Stems, read back by programs that are not ours."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import mido
import numpy as np
import soundfile
import wavinfo

from studio.rendering import render
from studio.sessions.exporting import export_session
from tests.sessions.sessions import song


def test_stems_are_broadcast_files_of_one_length_that_add_up_to_the_mix(tmp_path: Path) -> None:
    recipe = song(tmp_path / "song")
    made = export_session(recipe, tmp_path / "out", "stems")
    manifest = json.loads((made.path / "manifest.json").read_text())
    sounds = {entry["name"]: soundfile.read(made.path / entry["path"])[0].T for entry in manifest["files"][:-1]}
    mix = render(recipe).mix
    assert {samples.shape for samples in sounds.values()} == {(2, mix.frames)}
    # Nothing lies beside what the manifest lists, such as copies of the files that clips play.
    assert {path.name for path in made.path.iterdir()} == {entry["path"] for entry in manifest["files"]} | {
        "manifest.json"
    }
    assert np.max(np.abs(sounds.pop("mix") - mix.samples)) < 2**-23
    for entry in manifest["files"]:
        assert hashlib.sha256((made.path / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
        assert entry["path"].isascii() and " " not in entry["path"]
    # The group takes in the rain; the master turns what is left down by 1 dB.
    total = sounds["hiss"] + sounds["cuts"] + sounds["room"] + sounds["group"]
    assert np.max(np.abs(total * 10 ** (-1 / 20) - mix.samples)) < 4 * 2**-23


def test_ffprobe_finds_the_time_reference_and_mido_the_map(tmp_path: Path) -> None:
    made = export_session(song(tmp_path / "song"), tmp_path / "out", "stems", name="Named")
    [wave] = made.path.glob("*_hiss*.wav")
    shown = subprocess.run(
        ["ffprobe", "-v", "quiet", "-show_format", "-show_streams", "-of", "json", wave],
        capture_output=True, check=True, text=True,
    ).stdout  # fmt: skip
    tags = json.loads(shown)["format"]["tags"]
    assert int(tags["time_reference"]) == 0 and "hiss" in tags["comment"] + tags.get("title", "") + shown
    assert json.loads(shown)["streams"][0]["codec_name"] == "pcm_s24le"
    [midi] = made.path.glob("*.mid")
    read = mido.MidiFile(midi)
    assert read.type == 1
    conductor = [message for message in read.tracks[0] if message.is_meta]
    tempos = [round(mido.tempo2bpm(message.tempo), 2) for message in conductor if message.type == "set_tempo"]
    assert tempos[0] == 120 and tempos[-1] == 90 and len(tempos) > 100
    assert [message.text for message in conductor if message.type == "marker"] == [
        "Intro",
        "Größer & 'leiser'".encode().decode("latin-1"),
    ]
    assert [(m.numerator, m.denominator) for m in conductor if m.type == "time_signature"] == [(4, 4), (7, 8)]
    assert sum(message.type == "note_on" and message.velocity > 0 for message in read.tracks[1]) == 6


def test_another_reader_finds_the_names_of_tracks_in_the_ixml_of_every_stem(tmp_path: Path) -> None:
    recipe = song(tmp_path / "song")
    made = export_session(recipe, tmp_path / "out", "stems")
    for entry in json.loads((made.path / "manifest.json").read_text())["files"][:-1]:
        read = wavinfo.WavInfoReader(str(made.path / entry["path"]))
        assert (read.ixml.project, read.ixml.scene, read.ixml.take) == ("Täst söng", entry["name"], "1")
        tracks = [(track.interleave_index, track.name, track.function) for track in read.ixml.track_list]
        assert tracks == [("1", f"{entry['name']} L", "LEFT"), ("2", f"{entry['name']} R", "RIGHT")]
        assert "120 bpm, 4/4" in read.ixml.raw_xml.findtext("NOTE")
        assert read.ixml.raw_xml.findtext("SPEED/FILE_SAMPLE_RATE") == str(read.fmt.sample_rate)
        assert read.bext.time_reference == 0
