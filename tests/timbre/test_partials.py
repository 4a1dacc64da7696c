"""Harmonics and the rest: they add up, each has what belongs to it, and morphs lie between."""

from __future__ import annotations

import numpy as np
import pytest

from studio.audio import Audio
from studio.stretch import track_f0
from studio.timbre import compare, transfer
from studio.timbre.partials import hps, taken_apart
from tests.listening import cents, null_db, rms_db, sine, white
from tests.stretch.battery import RATE, mix, sax_line, vowel


def tone(hz: float, strengths: list[float], seconds: float = 2.0) -> Audio:
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(level * np.sin(2 * np.pi * hz * (index + 1) * time) for index, level in enumerate(strengths))
    return Audio((0.2 * np.asarray(wave))[None].astype(np.float32), RATE)


@pytest.mark.parametrize("samples", [sax_line(4.0), vowel(2.0), white(0.5), mix(2.0), np.zeros((1, 4000), np.float32)])
def test_harmonics_and_rest_add_up_to_the_sound(samples: np.ndarray) -> None:
    parts = taken_apart(Audio(samples, RATE))
    assert null_db(parts.harmonics().samples + parts.residual().samples, samples) < -90


def test_what_is_harmonic_lies_in_the_harmonics_and_noise_in_the_rest() -> None:
    pure = tone(220.0, [1 / number for number in range(1, 20)])
    inner = slice(RATE // 4, -RATE // 4)
    parts = taken_apart(pure)
    assert rms_db(parts.residual().samples[:, inner]) - rms_db(pure.samples[:, inner]) < -40
    middle = parts.strengths[0, len(parts.hz) // 2]
    assert np.abs(middle[:6]) == pytest.approx([0.2 / number for number in range(1, 7)], rel=0.03)
    noisy = Audio(pure.samples + white(2.0, 0.02, channels=1), RATE)
    rest = taken_apart(noisy).residual().samples
    assert abs(rms_db(rest[:, inner]) - rms_db(white(2.0, 0.02, channels=1)[:, inner])) < 2
    hiss = Audio(white(1.0, channels=1), RATE)
    assert rms_db(taken_apart(hiss).harmonics().samples) < rms_db(hiss.samples) - 3


@pytest.mark.parametrize("amount", [0.25, 0.5, 1.0])
def test_the_pitch_goes_in_octaves_and_the_envelope_in_decibels(amount: float) -> None:
    bright, dull = tone(200.0, [1.0] * 12), tone(300.0, [10 ** (-number / 2) for number in range(8)])
    out = hps(bright, dull, amount)
    hz = float(np.nanmedian(track_f0(out).hz))
    assert abs(cents(hz, 200.0 * 1.5**amount)) < 10
    power = np.abs(taken_apart(out).strengths[0, 100])
    slopes = 20 * np.log10(power[1] / power[0])
    assert slopes == pytest.approx(amount * -10 * (200 * 1.5**amount / 300), abs=2.5)


def test_it_is_a_method_of_transfer_that_keeps_the_loudness() -> None:
    source, target = Audio(sax_line(4.0), RATE), Audio(vowel(3.0), RATE)
    out = transfer(source, target, "hps", 0.5)
    figures = compare(out, source, target)
    assert figures.loudness_db < 2
    still = transfer(source, target, "hps", lambda seconds: np.zeros(len(seconds)))
    assert rms_db(still.samples - source.samples) < rms_db(source.samples) - 40, "no way gone is the source"
    for short in (sine(440.0, 0.1), np.ones((1, 1), np.float32)):
        assert transfer(Audio(short, RATE), target, "hps").samples.shape == short.shape
