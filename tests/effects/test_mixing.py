"""What a mixer does, to the fraction of a dB."""

from __future__ import annotations

import numpy as np
import pytest

from studio.context import RenderContext
from studio.effects.mixing import LAWS, Gain, Invert, Pan, Width
from tests.listening import db, null_db, through, white

STAGE = RenderContext()


def pan_gains(position: float, law: str) -> tuple[float, float]:
    """What a pan makes of a sound of ones."""
    left, right = through(Pan(position=position, law=law), np.ones((2, 64), np.float32), STAGE)[:, 0]
    return float(left), float(right)


@pytest.mark.parametrize("law", LAWS)
def test_at_the_ends_one_side_is_silent_and_the_other_whole(law: str) -> None:
    assert np.allclose(pan_gains(-1, law), (1, 0), atol=1e-7)
    assert np.allclose(pan_gains(1, law), (0, 1), atol=1e-7)


@pytest.mark.parametrize(
    ("law", "centre_db"), [("balance", 0), ("-3 dB", -3.01), ("-4.5 dB", -4.515), ("-6 dB", -6.02)]
)
def test_the_centre_has_the_level_the_law_is_named_by(law: str, centre_db: float) -> None:
    left, right = pan_gains(0, law)
    assert left == pytest.approx(right)
    assert db(float(left)) == pytest.approx(centre_db, abs=0.01)


def test_laws_keep_what_they_promise_on_the_way() -> None:
    for position in np.linspace(-1, 1, 41):
        left, right = pan_gains(float(position), "-3 dB")
        assert left**2 + right**2 == pytest.approx(1, abs=1e-6)
        left, right = pan_gains(float(position), "-6 dB")
        assert left + right == pytest.approx(1, abs=1e-6)


def test_a_moving_pan_follows_its_curve_sample_by_sample() -> None:
    sound = np.ones((2, 44_032), np.float32)
    pan = Pan(position=[["0 s", -1], ["0.5 s", 1]], law="-6 dB")
    out = through(pan, sound, STAGE, cuts=(999,))
    expected = np.clip(np.arange(44_032) / 22_050, 0, 1)
    # Exact on the grid and straight between: a straight line is exact everywhere but around its corner.
    away = np.abs(np.arange(44_032) - 22_050) > 64
    assert np.abs(out[1] - expected)[away].max() < 1e-6
    assert np.abs(out[0] + out[1] - 1).max() < 1e-6


def test_gain_width_and_polarity_are_exact() -> None:
    sound = white(0.2)
    assert null_db(through(Gain(gain=-7), sound, STAGE), sound * 10 ** (-7 / 20)) < -130
    assert np.array_equal(through(Gain(gain="-inf dB"), sound, STAGE), np.zeros_like(sound))
    assert np.array_equal(through(Invert(), sound, STAGE), -sound)
    assert null_db(through(Width(width=1), sound, STAGE), sound) < -130
    mono = through(Width(width=0), sound, STAGE)
    assert np.array_equal(mono[0], mono[1])
    wide = through(Width(width=2), sound, STAGE)
    assert null_db(wide[0] - wide[1], 2 * (sound[0] - sound[1])) < -120
    assert null_db(wide[0] + wide[1], sound[0] + sound[1]) < -120
