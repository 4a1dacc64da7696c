"""Audio files of every kind, at any rate, in any number of channels."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.audio import to_channels
from studio.audiofile import probe, read_audio
from studio.context import RenderContext
from studio.errors import AudioError, MissingError
from studio.sources.audio_file import AudioSource
from tests.listening import cents, null_db, pitch_hz, rms_db, sine, white

RATE = 44_100


@pytest.mark.parametrize(
    ("name", "subtype", "depth"),
    [("a.wav", "PCM_16", -90), ("a.wav", "PCM_24", -138), ("a.wav", "FLOAT", -400), ("a.aiff", "PCM_16", -90),
     ("a.flac", "PCM_24", -138), ("a.ogg", "VORBIS", -25), ("a.mp3", "MPEG_LAYER_III", -25)],
)  # fmt: skip
def test_what_is_written_is_read(tmp_path: Path, name: str, subtype: str, depth: float) -> None:
    tone = sine(440, 1.0)
    soundfile.write(tmp_path / name, tone.T, RATE, subtype)
    read = read_audio(tmp_path / name)
    assert read.rate == RATE and read.channels == 2
    if name.endswith((".ogg", ".mp3")):
        assert rms_db(read.samples[:, 4000:40_000]) == pytest.approx(rms_db(tone), abs=0.1)
        assert abs(cents(pitch_hz(read.samples, RATE), 440)) < 1
    else:
        assert null_db(read.samples, tone) <= depth


@pytest.mark.parametrize("rate", [8000, 22_050, 48_000, 96_000, 192_000])
def test_any_rate_keeps_its_pitch_level_and_length(tmp_path: Path, rate: int) -> None:
    soundfile.write(tmp_path / "a.wav", sine(1000, 2.0, rate=rate).T, rate, "FLOAT")
    read = read_audio(tmp_path / "a.wav", RATE)
    assert abs(read.frames - 2 * RATE) <= 1
    assert abs(cents(pitch_hz(read.samples, RATE), 1000)) < 0.1
    assert rms_db(read.samples[:, 2000:-2000]) == pytest.approx(rms_db(sine(1000)), abs=0.01)


def test_nothing_folds_back_when_the_rate_falls(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "high.wav", sine(30_000, 1.0, rate=96_000).T, 96_000, "FLOAT")
    assert rms_db(read_audio(tmp_path / "high.wav", RATE).samples[:, 1000:-1000]) < -120


def test_a_source_is_fitted_to_the_rate_and_channels_of_the_song(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono.wav", sine(440, 1.0, rate=48_000, channels=1).T, 48_000, "FLOAT")
    blocks = np.concatenate(list(AudioSource(file="mono.wav").read(RenderContext(RATE, 2, folder=tmp_path))), axis=1)
    assert blocks.shape == (2, RATE)
    assert np.array_equal(blocks[0], blocks[1])
    assert not AudioSource(file="mono.wav").cheap(RenderContext(RATE, folder=tmp_path))
    assert AudioSource(file="mono.wav").cheap(RenderContext(48_000, folder=tmp_path))


def test_layouts_fold_down_after_bs_775() -> None:
    surround = white(0.1, channels=6)
    left, right, centre, _, rear_left, rear_right = surround
    half = np.float32(0.5**0.5)
    stereo = to_channels(surround, 2)
    assert null_db(stereo[0], left + half * centre + half * rear_left) < -130
    assert null_db(stereo[1], right + half * centre + half * rear_right) < -130
    with pytest.raises(AudioError, match="7 channels do not fit into 2"):
        to_channels(white(0.1, channels=7), 2)


def test_what_is_no_sound_is_refused_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="there is no file"):
        read_audio(tmp_path / "gone.wav")
    (tmp_path / "text.wav").write_text("not audio at all")
    with pytest.raises(AudioError, match="not an audio file"):
        probe(tmp_path / "text.wav")
    soundfile.write(tmp_path / "empty.wav", np.zeros((0, 2)), RATE)
    with pytest.raises(AudioError, match="no samples"):
        read_audio(tmp_path / "empty.wav")
    broken = sine(440, 3.0)
    broken[1, 100_000] = np.nan
    soundfile.write(tmp_path / "nan.wav", broken.T, RATE, "FLOAT")
    with pytest.raises(AudioError, match="channel 2 holds nan at frame 100000"):
        read_audio(tmp_path / "nan.wav")


def test_a_header_that_lies_about_its_length_gives_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "lies.wav"
    soundfile.write(path, sine(440, 1.0).T, RATE, "PCM_16")
    content = bytearray(path.read_bytes())
    place = content.index(b"data")
    content[place + 4 : place + 8] = struct.pack("<I", 0xFFFF_0000)
    path.write_bytes(content)
    assert read_audio(path).frames == RATE
