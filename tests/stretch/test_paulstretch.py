"""Sounds become textures: as long as asked, as loud, where they were between left and right, and noise stays noise."""

from __future__ import annotations

import numpy as np
import pytest

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import StudioError
from studio.steps import Transform, parse_step
from tests.listening import cents, pitch_hz, rms_db, white
from tests.stretch.battery import RATE, tone


def smeared(samples: np.ndarray, **knobs: object) -> np.ndarray:
    step = parse_step({"paulstretch": knobs})
    assert isinstance(step, Transform)
    return step.apply(Audio(samples, RATE), RenderContext(RATE, len(samples))).samples


@pytest.mark.parametrize("ratio", [1.5, 8.0, 200.0])
def test_it_is_as_long_as_asked_and_as_loud(ratio: float) -> None:
    sound = white(0.3, 0.1, channels=1)
    out = smeared(sound, duration_ratio=ratio, window="100 ms")
    assert out.shape[1] == round(sound.shape[1] * ratio)
    inner = out[:, len(out[0]) // 5 : -len(out[0]) // 5]
    assert rms_db(inner) == pytest.approx(rms_db(sound), abs=0.8)


def test_noise_stays_noise_at_forty_times() -> None:
    """What is repeated, as every method does that keeps the phases, is like itself a little later."""
    out = smeared(white(0.5, 0.1, channels=1), duration_ratio=40)[0]
    piece = out[len(out) // 2 :][: 1 << 17]
    spectrum = np.abs(np.fft.rfft(piece, 1 << 18)) ** 2
    alike = np.fft.irfft(spectrum)
    assert np.abs(alike[200 : 2 * RATE]).max() < 0.12 * alike[0]


def test_a_tone_keeps_its_pitch_and_its_place() -> None:
    sound = np.concatenate([tone(440.0, 0.5), 0.25 * tone(440.0, 0.5)])
    out = smeared(sound, duration_ratio=10)
    assert abs(cents(pitch_hz(out[:1], RATE), 440.0)) < 12
    assert rms_db(out[:1]) - rms_db(out[1:]) == pytest.approx(12.04, abs=0.01)
    assert np.corrcoef(out)[0, 1] > 0.9999


def test_the_same_seed_gives_the_same_bits_and_one_changes_nothing() -> None:
    sound = tone(440.0, 0.2)
    assert np.array_equal(smeared(sound, duration_ratio=3), smeared(sound, duration_ratio=3))
    assert not np.array_equal(smeared(sound, duration_ratio=3), smeared(sound, duration_ratio=3, seed=1))
    assert smeared(sound, duration_ratio=1) is not None and np.array_equal(smeared(sound, duration_ratio=1), sound)


def test_what_would_last_for_hours_is_refused_in_numbers_and_short_sounds_are_taken() -> None:
    with pytest.raises(StudioError, match=r"5\.6 hours.*"):
        smeared(np.zeros((1, 20 * 100), np.float32).repeat(441, 1)[:, : 20 * RATE], duration_ratio=1000)
    for frames in (1, 10, 500):
        assert smeared(np.ones((1, frames), np.float32), duration_ratio=100).shape[1] == 100 * frames
