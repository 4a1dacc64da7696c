"""Noise has the level, the spectrum and the repeatability it promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import welch

from studio.context import RenderContext
from studio.sources.noise import Noise
from tests.listening import rms_db


def made(rate: int = 44_100, **knobs: object) -> np.ndarray:
    return np.concatenate(list(Noise(**knobs).read(RenderContext(rate))), axis=1)


@pytest.mark.parametrize("rate", [44_100, 48_000, 96_000])
@pytest.mark.parametrize("colour", ["white", "pink", "brown"])
def test_its_level_is_its_rms(colour: str, rate: int) -> None:
    assert rms_db(made(rate, colour=colour, level=-30, length="20 s")) == pytest.approx(-30, abs=0.3)


@pytest.mark.parametrize(("colour", "slope"), [("white", 0.0), ("pink", -3.01), ("brown", -6.02)])
def test_its_spectrum_falls_as_its_colour_says(colour: str, slope: float) -> None:
    frequencies, power = welch(made(colour=colour, length="30 s")[0], 44_100, nperseg=16_384)
    band = (frequencies > 100) & (frequencies < 8000)
    fitted = np.polyfit(np.log2(frequencies[band]), 10 * np.log10(power[band]), 1)[0]
    assert fitted == pytest.approx(slope, abs=0.15)


def test_a_seed_is_a_noise_and_a_longer_one_begins_alike() -> None:
    short, long = made(length="1 s", seed=4), made(length="3 s", seed=4)
    assert short.shape == (2, 44_100)
    assert np.array_equal(short, long[:, :44_100])
    assert abs(np.corrcoef(short[0], made(length="1 s", seed=5)[0])[0, 1]) < 0.1


def test_a_worn_record_clicks_about_six_times_a_second() -> None:
    sound = np.abs(made(colour="crackle", length="60 s", level=-20)[0])
    clicks = np.flatnonzero((sound[1:] > 2 * sound[:-1]) & (sound[1:] > 1e-4))
    assert 250 < len(clicks) < 470
