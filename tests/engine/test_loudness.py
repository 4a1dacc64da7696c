"""The meter against pyloudnorm, EBU Tech 3341's cases, and an oversampled reference; mastering against the meter."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import butter, resample_poly, sosfilt

import studio
from studio.audio import Audio
from studio.engine.loudness import LoudnessMeter, measure
from studio.recipe import Recipe
from tests.listening import db, sine, white


def lufs(samples: np.ndarray, rate: int = 48_000) -> float:
    return measure(Audio(samples, rate)).integrated


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("signal", ["tone", "noise", "bursts", "one side", "soft and loud"])
def test_it_agrees_with_pyloudnorm(signal: str, rate: int) -> None:
    made = {
        "tone": sine(997, 5, 0.3, rate),
        "noise": white(5, 0.1, rate),
        "bursts": white(6, 0.2, rate) * (np.arange(6 * rate) // rate % 2),
        "one side": sine(200, 5, 0.5, rate) * np.array([[1], [0]]),
        "soft and loud": np.concatenate([white(4, 0.003, rate), white(4, 0.2, rate)], axis=1),
    }[signal].astype(np.float32)
    reference = pyloudnorm.Meter(rate).integrated_loudness(made.T.astype(np.float64))
    assert lufs(made, rate) == pytest.approx(reference, abs=0.02)


def tones(*parts: tuple[float, float]) -> np.ndarray:
    """A stereo 1 kHz sine at levels in dBFS for so many seconds each, as EBU Tech 3341 asks."""
    return np.concatenate([sine(1000, seconds, 10 ** (level / 20), 48_000) for level, seconds in parts], axis=1)


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (tones((-23, 20)), -23.0),
        (tones((-33, 20)), -33.0),
        (tones((-36, 10), (-23, 60), (-36, 10)), -23.0),
        (tones((-72, 10), (-36, 10), (-23, 60), (-36, 10), (-72, 10)), -23.0),
        (tones((-26, 20), (-20, 20.1), (-26, 20)), -23.0),
    ],
    ids=["case 1", "case 2", "case 3", "case 4", "case 5"],
)
def test_the_cases_of_ebu_tech_3341(signal: np.ndarray, expected: float) -> None:
    assert lufs(signal) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize(("divider", "phase"), [(4, 45), (6, 60), (8, 67.5), (4, 0)])
def test_true_peaks_between_the_samples(divider: int, phase: float) -> None:
    turn = 2 * np.pi * np.arange(48_000) / divider + np.radians(phase)
    tone = (0.5 * np.sin(turn) * np.hanning(48_000) ** 0.1).astype(np.float32)
    found = measure(Audio(np.stack([tone, tone]), 48_000)).true_peak_db
    assert -0.4 <= found - db(0.5) <= 0.2


def test_true_peaks_of_noise_against_32_fold_oversampling() -> None:
    for seed in range(5):
        # Music has little at the very top, where four-fold oversampling falls short by up to 0.7 dB.
        noise = sosfilt(butter(8, 15_000, fs=44_100, output="sos"), white(0.5, 0.2, seed=seed), axis=1).astype(
            np.float32
        )
        exact = db(float(np.abs(resample_poly(noise.astype(np.float64), 32, 1, axis=1)).max()))
        assert measure(Audio(noise, 44_100)).true_peak_db == pytest.approx(exact, abs=0.4)


def test_the_meter_reads_the_same_however_it_is_fed() -> None:
    noise = white(3.3, 0.2)
    whole, pieces = LoudnessMeter(44_100, 2), LoudnessMeter(44_100, 2)
    whole.push(noise)
    for start in range(0, noise.shape[1], 777):
        pieces.push(noise[:, start : start + 777])
    assert whole.read() == pieces.read()


@pytest.mark.parametrize("target", [-23.0, -16.0, -13.0])
def test_a_song_is_brought_to_its_loudness_under_its_ceiling(target: float) -> None:
    text = """
    {tracks: {beat: {play: {noise: {colour: crackle, length: 12 s, level: -16 dB}}}, bed: {play: {noise: {length: 12 s, level: -22 dB}},
     volume: {lfo: square, period: 3 s, from: -9 dB, to: 0 dB}}}}
    """
    song = Recipe.loads(text).set("master.loudness", target).set("master.ceiling", -1.5)
    read = measure(studio.render(song, cache=False).mix)
    assert read.integrated == pytest.approx(target, abs=0.1)
    assert read.true_peak_db <= -1.5 + 0.1


def test_what_cannot_be_brought_to_a_loudness_is_said(caplog: pytest.LogCaptureFixture) -> None:
    silent = Recipe.loads("{tracks: {a: {play: {noise: {length: 1 s}}, volume: -inf dB}}, master: {loudness: -14}}")
    assert not studio.render(silent, cache=False).mix.samples.any()
    assert "silent" in caplog.text
    click = Recipe.loads(
        "{tracks: {a: {play: {noise: {colour: crackle, length: 8 s, level: -6 dB}}}}, master: {loudness: -5, ceiling: -20}}"
    )
    read = measure(studio.render(click, cache=False).mix)
    assert "cannot be brought to -5.0 LUFS" in caplog.text
    assert read.true_peak_db <= -19.9
