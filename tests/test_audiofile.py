"""Audio files as they come: any length, rate and layout, and headers that do not tell the truth."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.audiofile import probe, read_audio, stream_audio
from studio.errors import AudioError, MissingError
from tests.listening import cents, null_db, pitch_hz, rms_db, sine, white

RATE = 44_100
FORMATS = {"a.wav": "PCM_16", "a.aiff": "PCM_24", "a.flac": "PCM_24", "a.ogg": "VORBIS", "a.mp3": "MPEG_LAYER_III"}


def tones(channels: int, rate: int = RATE, seconds: float = 1.0) -> np.ndarray:
    """On each channel a tone of its own, low enough for an LFE channel."""
    return np.stack([sine(60 + 20 * channel, seconds, 0.3, rate, 1)[0] for channel in range(channels)])


@pytest.mark.parametrize(
    ("channels", "layout"),
    [(1, "mono"), (2, "stereo"), (3, "3.0"), (4, "quad"), (5, "5.0"), (6, "5.1"), (7, "6.1"), (8, "7.1")],
)
@pytest.mark.parametrize("name", ["a.wav", "a.aiff", "a.flac", "a.ogg"])
def test_mono_to_7_1_come_in_the_order_of_wav_whatever_that_of_the_file(
    tmp_path: Path, name: str, channels: int, layout: str
) -> None:
    """ffmpeg writes the files, so that channels stand where each format wants them."""
    soundfile.write(tmp_path / "plain.wav", tones(channels).T, RATE, "FLOAT")
    command = ["ffmpeg", "-loglevel", "error", "-channel_layout", layout, "-i", tmp_path / "plain.wav"]
    subprocess.run([*command, *(["-c:a", "libvorbis"] if name == "a.ogg" else []), tmp_path / name], check=True)
    read = read_audio(tmp_path / name)
    assert probe(tmp_path / name)[:2] == (RATE, channels)
    for channel in range(channels):
        assert abs(cents(pitch_hz(read.samples[channel, 2000:], RATE), 60 + 20 * channel)) < 5


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    source=st.integers(4_000, 200_000),
    target=st.sampled_from([22_050, 44_100, 48_000, 96_000]),
    hz=st.floats(60, 1500),
    channels=st.integers(1, 3),
)
def test_a_file_of_any_rate_is_the_same_sound_at_the_same_time(
    tmp_path: Path, source: int, target: int, hz: float, channels: int
) -> None:
    """The resampled tone is nulled against one made at the target rate: pitch, level and delay all at once."""
    path = tmp_path / "tone.wav"
    soundfile.write(path, sine(hz, 0.6, 0.5, source, channels).T, source, "FLOAT")
    read = read_audio(path, target)
    assert abs(read.frames - 0.6 * target) <= 1 + target / source
    inside = slice(round(0.1 * target), round(0.5 * target))
    # Below the noise of 16 bits.
    assert null_db(read.samples[:, inside], sine(hz, 0.6, 0.5, target, channels)[:, inside]) < -90
    assert abs(cents(pitch_hz(read.samples[:, inside], target), hz)) < 0.1 or hz < 200


@pytest.mark.parametrize("rate", [None, RATE, 48_000, 8_000])
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_block_by_block_is_the_whole_file(tmp_path: Path, name: str, rate: int | None) -> None:
    soundfile.write(tmp_path / name, white(3.5).T, RATE, FORMATS[name])
    blocks = list(stream_audio(tmp_path / name, rate, 2))
    assert len(blocks) > 1 and all(block.dtype == np.float32 for block in blocks)
    assert np.array_equal(np.concatenate(blocks, axis=1), read_audio(tmp_path / name, rate).samples)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_an_empty_file_is_refused_in_every_format(tmp_path: Path, name: str) -> None:
    soundfile.write(tmp_path / name, np.zeros((0, 2)), RATE, FORMATS[name])
    with pytest.raises(AudioError, match=r"no samples|not an audio file") as caught:
        read_audio(tmp_path / name)
    assert caught.value.place is not None and name in caught.value.place.file


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("rate", [None, 48_000])
def test_a_sample_that_is_no_number_is_named_by_channel_and_frame_whatever_the_rate(
    tmp_path: Path, bad: float, rate: int | None
) -> None:
    tone = sine(440, 4.0)
    tone[0, 140_000] = bad
    soundfile.write(tmp_path / "bad.wav", tone.T, RATE, "FLOAT")
    with pytest.raises(AudioError, match=rf"bad\.wav: channel 1 holds {bad} at frame 140000"):
        read_audio(tmp_path / "bad.wav", rate)


def wav(path: Path) -> bytearray:
    soundfile.write(path, sine(440, 1.0).T, RATE, "PCM_16")
    return bytearray(path.read_bytes())


def put(place: Callable[[bytearray], int], layout: str, value: int) -> Callable[[bytearray], bytes]:
    def lie(content: bytearray) -> bytes:
        struct.pack_into(layout, content, place(content), value)
        return bytes(content)

    return lie


def data(content: bytearray) -> int:
    return content.index(b"data") + 4


def form(field: int) -> Callable[[bytearray], int]:
    return lambda content: content.index(b"fmt ") + 8 + field


@pytest.mark.parametrize(
    ("lie", "frames"),
    [
        (put(data, "<I", 0xFFFF_FFFF), RATE), (put(data, "<I", 4 * RATE + 1), RATE), (put(lambda _: 4, "<I", 0), RATE),
        (put(lambda _: 4, "<I", 0xFFFF_FFFF), RATE), (put(data, "<I", 4 * 1000), 1000), (lambda content: bytes(content[:-40_000]), RATE - 10_000),
        (lambda content: bytes(content[:-40_001]), RATE - 10_001), (lambda content: bytes(content) + b"junk" * 1000, RATE),
    ],
)  # fmt: skip
def test_a_wav_header_that_lies_about_its_length_gives_the_samples_that_are_there(
    tmp_path: Path, lie: Callable[[bytearray], bytes], frames: int
) -> None:
    path = tmp_path / "lies.wav"
    path.write_bytes(lie(wav(path)))
    read = read_audio(path)
    assert read.frames == frames
    assert null_db(read.samples, sine(440, 1.0)[:, :frames]) < -90  # 16 bits


@pytest.mark.parametrize(
    ("lie", "words"),
    [
        (put(data, "<I", 0), "no samples"), (put(form(2), "<H", 0), "not an audio file"), (put(form(2), "<H", 1000), "1000 channels"),
        (put(form(4), "<I", 0), "not an audio file"), (put(form(4), "<I", 1), "at 1 Hz"), (put(form(4), "<I", 2_000_000_000), "at 2000000000 Hz"),
        (put(form(14), "<H", 0), "not an audio file"), (put(form(0), "<H", 99), "not an audio file"),
        (lambda content: bytes(content[:30]), "not an audio file"), (lambda content: b"", "not an audio file"),
    ],
)  # fmt: skip
def test_a_header_that_describes_no_sound_is_refused_with_its_file(
    tmp_path: Path, lie: Callable[[bytearray], bytes], words: str
) -> None:
    path = tmp_path / "lies.wav"
    path.write_bytes(lie(wav(path)))
    for rate in (None, 48_000):
        with pytest.raises(AudioError, match=words) as caught:
            read_audio(path, rate)
        assert caught.value.place is not None and caught.value.place.file == str(path) and caught.value.mend


def test_a_flac_that_was_cut_short_is_damaged_at_a_frame(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", white(4.0).T, RATE, "PCM_16")
    whole = (tmp_path / "a.flac").read_bytes()
    (tmp_path / "cut.flac").write_bytes(whole[: len(whole) * 9 // 10])
    with pytest.raises(AudioError, match="damaged at frame 131072") as caught:
        read_audio(tmp_path / "cut.flac")
    assert "cut.flac" in str(caught.value)


def test_the_content_counts_not_the_name(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sine(440).T, RATE, "PCM_24")
    (tmp_path / "a.mp3").write_bytes((tmp_path / "a.wav").read_bytes())
    assert null_db(read_audio(tmp_path / "a.mp3").samples, sine(440)) < -138
    with pytest.raises(MissingError, match="there is no file"):
        read_audio(tmp_path)


def test_mono_keeps_its_level_on_both_sides(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "mono.wav", sine(440, channels=1).T, RATE, "FLOAT")
    stereo = read_audio(tmp_path / "mono.wav", channels=2)
    assert [rms_db(side) for side in stereo.samples] == pytest.approx([rms_db(sine(440))] * 2, abs=1e-6)


@pytest.mark.parametrize("checked", [True, False])
def test_a_flac_file_that_does_not_say_how_long_it_is_is_read_whole(tmp_path: Path, checked: bool) -> None:
    """As recorders and pipes write them: without a length, and without a hash."""
    sound = np.random.default_rng(0).normal(0, 0.1, (100_001, 2))
    soundfile.write(tmp_path / "whole.flac", sound, 44_100, "PCM_24")
    content = bytearray((tmp_path / "whole.flac").read_bytes())
    content[21] &= 0xF0
    content[22 : 26 if checked else 42] = bytes(4 if checked else 20)
    (tmp_path / "stream.flac").write_bytes(content)
    assert probe(tmp_path / "stream.flac") == (44_100, 2, 100_001)
    assert np.array_equal(read_audio(tmp_path / "stream.flac").samples, read_audio(tmp_path / "whole.flac").samples)
    (tmp_path / "cut.flac").write_bytes(content[: len(content) // 2])
    with pytest.raises(AudioError, match="damaged"):
        read_audio(tmp_path / "cut.flac")
