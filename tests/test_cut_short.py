"""Files of which a part is missing, or damaged, are never played as if they were whole."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

import studio
from studio.audiofile import read_audio
from studio.context import RenderContext
from studio.errors import AudioError
from studio.headers import cut_short
from studio.recipe import Recipe
from studio.sources.fonts import find_font
from studio.sources.sf2 import damaged_samples
from tests.listening import sine
from tests.songs import band_file

FORMATS = [
    ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAVEX", "PCM_24"), ("RF64", "PCM_24"), ("AIFF", "PCM_16"), ("FLAC", "PCM_16"),
]  # fmt: skip


def written(path: Path, kind: str, subtype: str) -> Path:
    with soundfile.SoundFile(path, "w", 44_100, 2, subtype, format=kind) as file:
        file.title = "a title"
        file.write(sine(440, 0.5).T)
    return path


@pytest.mark.parametrize(("kind", "subtype"), FORMATS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_file_cut_short_is_told_with_how_much_is_missing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kind: str, subtype: str, share: float
) -> None:
    path = written(tmp_path / "sound.wav", kind, subtype)
    assert read_audio(path).frames == 22_050
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    song = Recipe.loads("{tracks: {a: {play: {audio: sound.wav}, chain: [normalise]}}}", tmp_path)
    if kind == "FLAC":
        with pytest.raises(AudioError, match=r"cut short|damaged|not an audio file"):
            read_audio(path)
        return
    assert read_audio(path).frames < 22_050
    assert "cut short: its header announces" in caplog.text
    assert "are missing" in cut_short(path)
    for _ in range(2):
        result = studio.render(song, tmp_path / "out", report=False)
        assert result.manifest is not None and cut_short(path) in result.manifest.remarks


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF - 36])
def test_what_a_pipe_wrote_does_not_know_its_length(tmp_path: Path, size: int) -> None:
    samples = np.zeros((1000, 1), np.int16).tobytes()
    head = (
        b"RIFF" + struct.pack("<I", 0xFFFFFFFF) + b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16_000, 2, 16)
    )
    path = tmp_path / "pipe.wav"
    path.write_bytes(head + b"data" + struct.pack("<I", size) + samples)
    if size:
        assert read_audio(path).frames == 1000


def test_a_byte_of_padding_that_is_not_there_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "odd.wav"
    soundfile.write(path, sine(440, 0.1)[:1, :4409].T, 44_100, subtype="PCM_U8")
    content = path.read_bytes()
    path.write_bytes(content[:-1] if len(content) % 2 == 0 else content)
    assert read_audio(path).frames >= 4400


def damaged_font(path: Path, only: int | None = None) -> Path:
    """The shipped SoundFont with the ends of its samples, or of one in so many, behind its sound."""
    content = bytearray(find_font("gm", RenderContext()).read_bytes())
    at = content.index(b"shdr")
    size = struct.unpack_from("<I", content, at + 4)[0]
    for number, header in enumerate(range(at + 8, at + 8 + size - 46, 46)):
        if only is None or number % only == 0:
            struct.pack_into("<I", content, header + 24, 0x7FFFFFFF)
    path.write_bytes(content)
    return path


def test_a_soundfont_whose_samples_are_damaged_is_told(tmp_path: Path) -> None:
    band_file(tmp_path / "band.mid", seconds=1, parts=2)
    whole = find_font("gm", RenderContext())
    assert damaged_samples(whole)[0] == 0 < damaged_samples(whole)[1]
    assert damaged_samples(find_font("fluid", RenderContext()))[0] == 0
    damaged_font(tmp_path / "bad.sf2")
    bad, samples = damaged_samples(tmp_path / "bad.sf2")
    assert bad == samples == damaged_samples(whole)[1]
    text = "{score: band.mid, tracks: {a: {part: all, play: {soundfont: {file: bad.sf2}}}}}"
    for _ in range(2):
        result = studio.render(Recipe.loads(text, tmp_path), tmp_path / "out", report=False)
        assert result.manifest is not None
        said = " ".join(result.manifest.remarks)
        assert f"{samples} of its {samples} samples lie outside its sound" in said
        assert result.mix.peak_db > -90 or "no sound for any of the notes" in said
    damaged_font(tmp_path / "some.sf2", only=5)
    assert 0 < damaged_samples(tmp_path / "some.sf2")[0] < samples / 4


def test_damaged_tables_are_no_traceback(tmp_path: Path) -> None:
    content = find_font("gm", RenderContext()).read_bytes()
    for cut in (0, 10, 13, 500, len(content) - 1000):
        (tmp_path / f"{cut}.sf2").write_bytes(content[:cut])
        damaged_samples(tmp_path / f"{cut}.sf2")
    assert damaged_samples(tmp_path / "none.sf2") == (0, 0)


def test_glib_does_not_print_above_our_errors(tmp_path: Path) -> None:
    (tmp_path / "bad.sf2").write_bytes(find_font("gm", RenderContext()).read_bytes()[:100_000])
    (tmp_path / "bad.dls").write_bytes(b"RIFF\x10\0\0\0DLS colh\4\0\0\0\1\0\0\0")
    script = """
import sys
from pathlib import Path
from studio.errors import RenderError
from studio.sources.fluid import Fluid
for name in sys.argv[1:]:
    try:
        Fluid(Path(name), 44100, 16)
    except RenderError as error:
        print(error.cause)
"""
    words = [sys.executable, "-c", script, tmp_path / "bad.sf2", tmp_path / "bad.dls"]
    heard = subprocess.run(words, capture_output=True, text=True, check=True)
    assert heard.stderr == "" and heard.stdout.count("not a SoundFont") == 2
