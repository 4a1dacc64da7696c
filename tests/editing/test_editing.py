"""Edits of whole sounds, frame by frame."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import RenderError
from studio.steps import Transform, parse_step
from studio.tempo import Tempo, TempoMap
from tests.listening import db, null_db, peak_db, white

RATE = 44_100


def edited(step: Any, samples: np.ndarray, context: RenderContext | None = None) -> np.ndarray:
    transform = parse_step(step)
    assert isinstance(transform, Transform)
    return transform.apply(Audio(samples, RATE), context or RenderContext(RATE)).samples


@pytest.mark.parametrize(
    ("shape", "middle"), [("linear", 0.5), ("smooth", 0.5), ("equal power", 0.5**0.5), ("logarithmic", 10**-1.5)]
)
def test_fades_pass_their_middle_where_their_shape_says(shape: str, middle: float) -> None:
    steady = np.ones((2, 4 * RATE), np.float32)
    rise = edited({"fade_in": {"length": "2 s", "shape": shape}}, steady)
    assert rise[0, 0] == 0 and rise[0, RATE] == pytest.approx(middle, abs=1e-4) and np.all(rise[:, 2 * RATE :] == 1)
    fall = edited({"fade_out": {"length": "2 s", "shape": shape}}, steady)
    assert fall[0, -1] == 0 and fall[0, 3 * RATE - 1] == pytest.approx(middle, abs=1e-4)
    assert np.all(fall[:, : 2 * RATE] == 1)


def test_two_equal_power_fades_keep_the_power_and_two_linear_ones_the_sum() -> None:
    steady = np.ones((2, RATE), np.float32)
    for shape, power in (("equal power", 2), ("linear", 1)):
        rise = edited({"fade_in": {"length": "1 s", "shape": shape}}, steady)
        fall = edited({"fade_out": {"length": "1 s", "shape": shape}}, steady)
        assert np.allclose(np.roll(fall, 1, axis=1)[:, 1:] ** power + rise[:, 1:] ** power, 1, atol=1e-3)


def test_a_fade_out_in_bars_follows_the_tempo_and_ends_where_it_is_told() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(4), Fraction(240))))
    steady = np.ones((2, 6 * RATE), np.float32)
    out = edited(
        {"fade_out": {"length": "1 bar", "end": "2 bars", "shape": "linear"}}, steady, RenderContext(RATE, tempo=tempo)
    )
    assert out.shape[1] == 3 * RATE
    assert out[0, 2 * RATE - 1] == 1 and out[0, round(2.5 * RATE)] == pytest.approx(0.5, abs=1e-3)


def test_repeats_fall_on_the_bars_of_the_tempo_map() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(90), ramp=True), Tempo(Fraction(16), Fraction(140))))
    click = np.zeros((2, 100), np.float32)
    click[:, 0] = 1
    out = edited({"repeat": {"times": 5, "every": "1 bar"}}, click, RenderContext(RATE, tempo=tempo))
    starts = np.flatnonzero(out[0] == 1)
    exact = [float(tempo.second_at(Fraction(4 * bar))) * RATE for bar in range(5)]
    assert np.abs(starts - exact).max() <= 0.5


def test_place_trim_reverse_and_normalise_are_exact() -> None:
    sound = white(1.0)
    context = RenderContext(RATE, tempo=TempoMap.constant(100))
    assert np.array_equal(edited({"place": "1 bar"}, sound, context)[:, round(2.4 * RATE) :], sound)
    assert np.array_equal(
        edited({"trim": {"start": "0.25 s", "length": "1 beat"}}, sound, context), sound[:, 11_025:37_485]
    )
    assert np.array_equal(edited("reverse", sound), sound[:, ::-1])
    assert np.array_equal(edited({"repeat": 3}, sound), np.tile(sound, 3))
    assert peak_db(edited({"normalise": -6}, sound)) == pytest.approx(-6, abs=1e-4)
    assert null_db(edited({"normalise": -6}, np.zeros((2, 10), np.float32)), np.zeros((2, 10))) == db(0)


def test_what_would_never_end_is_refused() -> None:
    with pytest.raises(RenderError, match=r"would last 27\.8 hours"):
        edited({"repeat": {"times": 10_000, "every": "10 s"}}, white(0.1))
    with pytest.raises(RenderError, match="is over after"):
        edited({"trim": {"start": "2 s"}}, white(1.0))
