"""Audio: samples that cannot be changed, and layouts that fit into each other."""

from __future__ import annotations

import numpy as np
import pytest

from studio.audio import Audio, check_finite, to_channels
from studio.errors import AudioError
from tests.listening import null_db, sine, white

HALF = np.float32(0.5**0.5)


def test_it_is_a_copy_that_nobody_can_change() -> None:
    samples = sine(440)
    audio = Audio(samples, 44_100)
    samples[:] = 0
    assert null_db(audio.samples, sine(440)) == -400
    with pytest.raises(ValueError, match="read-only"):
        audio.samples[0, 0] = 1


def test_it_knows_its_measures() -> None:
    audio = Audio.of([0.0, 0.5, -1.0], 48_000)
    assert (audio.channels, audio.frames, audio.rate, audio.seconds) == (1, 3, 48_000, 3 / 48_000)
    assert audio.peak_db == 0
    assert Audio(sine(440, level=0.5), 44_100).peak_db == pytest.approx(-6.02, abs=0.01)
    silence = Audio.silence(1.5, 22_050, 3)
    assert silence.samples.shape == (3, 33_075) and silence.peak_db == -np.inf
    assert repr(Audio(sine(1000, 2.0), 44_100)) == "Audio(2 channels, 2.000 s, 44100 Hz, peak -6.0 dBFS)"


@pytest.mark.parametrize(
    ("samples", "rate", "words"),
    [
        (np.zeros((2, 2, 2)), 44_100, r"shape \(2, 2, 2\)"), (np.zeros((0, 5)), 44_100, r"shape \(0, 5\)"),
        (np.zeros((44_100, 2)), 44_100, "44100 channels"), (np.zeros(4), 0, "a rate of 0 Hz"), (np.zeros(4), -8000, "a rate of -8000 Hz"),
        ([[0, 0], [0, np.nan]], 44_100, "channel 2 holds nan at frame 1"), ([[0, np.inf], [np.nan, 0]], 44_100, "channel 2 holds nan at frame 0"),
        ([0, 0, -np.inf], 44_100, "channel 1 holds -inf at frame 2"), ([1e300], 44_100, "channel 1 holds inf at frame 0"),
        ([np.inf, -np.inf], 44_100, "channel 1 holds inf at frame 0"),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:overflow encountered in cast")
def test_what_is_no_sound_is_refused(samples: object, rate: int, words: str) -> None:
    with pytest.raises(AudioError, match=words) as caught:
        Audio(samples, rate)  # type: ignore[arg-type]
    assert caught.value.mend


def test_a_block_from_the_middle_of_a_file_names_the_frame_of_the_file() -> None:
    block = np.zeros((2, 100), np.float32)
    check_finite(block)
    check_finite(np.full((2, 100_000), 3e38, np.float32))
    block[1, 7] = np.nan
    with pytest.raises(AudioError, match=r"loop\.wav: channel 2 holds nan at frame 65543"):
        check_finite(block, "loop.wav", 65_536)


def test_mono_goes_everywhere_and_everything_goes_to_mono_as_its_mean() -> None:
    mono, stereo = white(0.1, channels=1), white(0.1)
    assert np.array_equal(to_channels(mono, 6), np.repeat(mono, 6, axis=0))
    assert null_db(to_channels(white(0.1, channels=5), 1)[0], white(0.1, channels=5).mean(axis=0)) < -140
    assert to_channels(stereo, 2) is stereo


@pytest.mark.parametrize(
    ("channels", "left", "right"),
    [
        # WAV order: L R C, L R Ls Rs, L R C Ls Rs, L R C LFE Ls Rs, L R C LFE Lb Rb Ls Rs; after ITU-R BS.775.
        (3, {0: 1, 2: HALF}, {1: 1, 2: HALF}),
        (4, {0: 1, 2: HALF}, {1: 1, 3: HALF}),
        (5, {0: 1, 2: HALF, 3: HALF}, {1: 1, 2: HALF, 4: HALF}),
        (6, {0: 1, 2: HALF, 4: HALF}, {1: 1, 2: HALF, 5: HALF}),
        (8, {0: 1, 2: HALF, 4: HALF, 6: HALF}, {1: 1, 2: HALF, 5: HALF, 7: HALF}),
    ],
)
def test_surround_folds_down_to_stereo_channel_by_channel(channels: int, left: dict, right: dict) -> None:  # type: ignore[type-arg]
    surround = white(0.05, channels=channels)
    for side, gains in zip(to_channels(surround, 2), (left, right), strict=True):
        assert null_db(side, sum(gain * surround[channel] for channel, gain in gains.items())) < -130


@pytest.mark.parametrize(("have", "want"), [(7, 2), (2, 6), (6, 5), (64, 2)])
def test_layouts_without_a_rule_are_refused(have: int, want: int) -> None:
    with pytest.raises(AudioError, match=f"{have} channels do not fit into {want}"):
        to_channels(white(0.01, channels=have), want)
