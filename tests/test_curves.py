"""Curves: what they are at every instant, on every tempo map."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.curves import SHAPES, WAVES, Lfo, Mapped, Point, Points
from studio.errors import KnobError
from studio.tempo import Meter, Tempo, TempoMap, Time

STEADY = TempoMap.constant(120)
SLOWING = TempoMap(
    (Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(8), Fraction(60)), Tempo(Fraction(16), Fraction(60), ramp=True),
     Tempo(Fraction(24), Fraction(180))),
    (Meter(Fraction(0), 4, 4),),
)  # fmt: skip


def points(*triples: tuple[str, float] | tuple[str, float, str]) -> Points:
    return Points(tuple(Point(Time.parse(at), *rest) for at, *rest in triples))


def at(curve: Points | Lfo | Mapped, *seconds: float, tempo: TempoMap = STEADY) -> list[float]:
    return curve.values(np.array(seconds), tempo).tolist()


@pytest.mark.parametrize(
    ("shape", "quarters"),
    [("linear", [1, 4.75, 8.5, 12.25, 16]), ("exponential", [1, 2, 4, 8, 16]),
     ("smooth", [1, 3.34375, 8.5, 13.65625, 16]), ("step", [1, 1, 1, 1, 16])],
)  # fmt: skip
def test_a_shape_goes_its_way_between_two_points(shape: str, quarters: list[float]) -> None:
    curve = points(("1 s", 1.0), ("3 s", 16.0, shape))
    assert at(curve, 1, 1.5, 2, 2.5, 3) == pytest.approx(quarters, rel=1e-12)
    assert at(curve, 0, 0.99, 3.01, 1e6) == [1, 1, 16, 16]


def test_two_points_at_one_time_are_a_jump() -> None:
    curve = points(("0 s", 0.0), ("1 s", 1.0), ("1 s", 5.0), ("2 s", 6.0))
    assert at(curve, 0.999999, 1.0, 1.5) == pytest.approx([0.999999, 5.0, 5.5])
    assert at(points(("1 s", 3.0)), 0, 1, 2) == [3, 3, 3]


TRAVEL = st.lists(
    st.tuples(st.integers(1, 900), st.floats(0.01, 1000), st.sampled_from(sorted(SHAPES))), min_size=1, max_size=6
)


@settings(max_examples=100, deadline=None)
@given(travel=TRAVEL, musical=st.booleans())
def test_every_point_is_reached_and_no_value_leaves_its_pair(
    travel: list[tuple[int, float, str]], musical: bool
) -> None:
    places, beat = [], Fraction(0)
    for step, _, _ in travel:
        beat += Fraction(step, 64)
        places.append(beat)
    times = [Time(beats=place) if musical else Time(seconds=place) for place in places]
    curve = Points(tuple(Point(time, value, shape) for time, (_, value, shape) in zip(times, travel, strict=True)))
    seconds = [float(SLOWING.second_of(time)) for time in times]
    values = [value for _, value, _ in travel]
    # A hair later, since a jump and a rounded second may fall on either side of each other.
    assert at(curve, *(second + 1e-10 for second in seconds), tempo=SLOWING) == pytest.approx(values, abs=1e-4)
    for one in range(len(values) - 1):
        between = curve.values(np.linspace(seconds[one] + 1e-7, seconds[one + 1] - 1e-7, 50), SLOWING)
        low, high = sorted(values[one : one + 2])
        assert between.min() >= low * (1 - 1e-9) and between.max() <= high * (1 + 1e-9)
        assert np.all(np.diff(between) * np.sign(values[one + 1] - values[one]) >= -1e-9)


def test_a_musical_curve_bends_with_the_tempo_map() -> None:
    curve = points(("0 bars", 0.0), ("6 bars", 24.0))
    beats = np.linspace(0, 24, 49)
    assert curve.values(SLOWING.seconds_at(beats), SLOWING) == pytest.approx(beats, abs=1e-9)
    assert curve.musical and not points(("0 s", 0.0)).musical
    mixed = points(("0 s", 0.0), ("2 bars", 8.0))
    assert at(mixed, 2, tempo=SLOWING) == [4]


def test_points_that_go_back_in_time_on_this_tempo_map_are_refused() -> None:
    curve = points(("2 bars", 0.0), ("3 s", 1.0))
    with pytest.raises(KnobError, match="3 s after a later point"):
        at(curve, 0.0, tempo=STEADY)
    assert at(curve, 3.0, tempo=TempoMap.constant(240)) == [1]


def lfo(wave: str, period: str = "2 s", low: float = 0.0, high: float = 1.0, **rest: float) -> Lfo:
    return Lfo(wave, Time.parse(period), low, high, **rest)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("wave", "eighths"),
    [("sine", [0, 0.1464466, 0.5, 0.8535534, 1, 0.8535534, 0.5, 0.1464466]), ("triangle", [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25]),
     ("up", [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875]), ("down", [1, 0.875, 0.75, 0.625, 0.5, 0.375, 0.25, 0.125]),
     ("square", [1, 1, 1, 1, 0, 0, 0, 0])],
)  # fmt: skip
def test_a_wave_looks_as_its_name_says_in_every_cycle(wave: str, eighths: list[float]) -> None:
    for cycle in (0, 1, 7):
        assert at(lfo(wave), *(2 * cycle + np.arange(8) / 4)) == pytest.approx(eighths, abs=1e-6)
    shifted = at(lfo(wave, phase=0.25, low=10, high=30), *(np.arange(8) / 4))
    assert shifted == pytest.approx([10 + 20 * value for value in eighths[2:] + eighths[:2]], abs=1e-5)


def test_random_holds_drift_glides_between_the_same_values_and_both_repeat_for_a_seed() -> None:
    held = at(lfo("random", seed=3), *np.arange(0, 16, 2))
    assert held == at(lfo("random", seed=3), *np.arange(1.999, 17, 2))
    assert at(lfo("drift", seed=3), *np.arange(0, 16, 2)) == pytest.approx(held)
    glide = np.array(at(lfo("drift", seed=3), *np.arange(0, 14, 0.001)))
    # The steepest part of an S is 1.5 times as steep as the straight line: 0.001 s of a 2 s cycle.
    assert np.abs(np.diff(glide)).max() <= 1.5 * 0.0005 + 1e-9
    assert held != at(lfo("random", seed=4), *np.arange(0, 16, 2))
    draws = np.array(at(lfo("random", seed=5, period="1 s"), *range(4000)))
    assert np.histogram(draws, 4, (0, 1))[0] == pytest.approx([1000] * 4, abs=140)  # five standard deviations


def test_random_values_are_the_same_on_every_machine() -> None:
    drawn = [0.8658075582976756, 0.3010617581539508, 0.06543647347027161]
    assert at(lfo("random", period="1 s", seed=7), 0, 1, 2) == pytest.approx(drawn, abs=1e-15)


def test_a_sweep_by_ratios_passes_the_geometric_middle() -> None:
    assert at(lfo("triangle", low=100, high=10_000, log=True), 0, 0.5, 1) == pytest.approx([100, 1000, 10_000])


def test_a_musical_lfo_keeps_to_the_bars() -> None:
    curve = lfo("up", "1 bar")
    beats = np.arange(0, 28, 0.5) + 0.01
    assert curve.values(SLOWING.seconds_at(beats), SLOWING) == pytest.approx(beats % 4 / 4, abs=1e-9)
    waltz = TempoMap(meters=(Meter(Fraction(0), 3, 4),))
    assert at(curve, 0.75, tempo=waltz) == [0.5]
    assert at(lfo("up", "1/8."), 0.1875) == pytest.approx([0.5])


@settings(max_examples=60, deadline=None)
@given(
    wave=st.sampled_from(sorted(WAVES)), low=st.floats(0.1, 100), high=st.floats(0.1, 100), log=st.booleans(),
    phase=st.floats(0, 1), period=st.integers(1, 4000), start=st.integers(0, 10_000),
)  # fmt: skip
def test_no_wave_leaves_its_ends_and_any_excerpt_is_the_whole(
    wave: str, low: float, high: float, log: bool, phase: float, period: int, start: int
) -> None:
    curve = Lfo(wave, Time(seconds=Fraction(period, 1000)), low, high, phase, 1, log)
    seconds = np.arange(12_000) / 1000
    whole = curve.values(seconds, STEADY)
    assert whole.min() >= min(low, high) * (1 - 1e-9) and whole.max() <= max(low, high) * (1 + 1e-9)
    assert np.array_equal(curve.values(seconds[start:], STEADY), whole[start:])


def test_a_moving_macro_takes_its_knob_along() -> None:
    source = points(("0 s", 20.0), ("2 s", 40.0))
    assert at(Mapped(source, (20, 40), False, 0.0, -12.0), 0, 1, 2) == pytest.approx([0, -6, -12])
    assert at(Mapped(source, (20, 40), False, 100.0, 10_000.0, "exponential"), 0, 1, 2) == pytest.approx(
        [100, 1000, 10_000]
    )
    assert at(Mapped(source, (20, 40), False, 0.0, 1.0, "smooth"), 0.5) == pytest.approx([0.15625])
    by_ratios = points(("0 s", 20.0), ("2 s", 2000.0, "exponential"))
    assert at(Mapped(by_ratios, (20, 2000), True, 0.0, 1.0), 0, 1, 2) == pytest.approx([0, 0.5, 1])
    twice = Mapped(Mapped(source, (20, 40), False, 0.0, 1.0), (0, 1), False, 5.0, 7.0)
    assert at(twice, 1) == pytest.approx([6])
    assert Mapped(lfo("sine", "1 bar"), (0, 1), False, 0, 1).musical and not twice.musical
