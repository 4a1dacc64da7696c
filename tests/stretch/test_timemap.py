"""Time maps: exact ends, exact anchors, and refusals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.errors import AudioError, KnobError
from studio.stretch.timemap import TimeMap, bend

RATE = 44_100


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 10**7), st.floats(1 / 16, 16))
def test_a_constant_map_is_as_long_as_its_ratio_says(frames: int, ratio: float) -> None:
    time = TimeMap.constant(frames, ratio)
    assert time.frames_in == frames
    assert time.frames_out == max(1, round(frames * ratio))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.05, 1.0), st.floats(0.1, 8.0)), min_size=1, max_size=12))
def test_a_map_goes_through_its_anchors_and_back(steps: list[tuple[float, float]]) -> None:
    source = np.cumsum([step for step, _ in steps])
    target = np.cumsum([step * ratio for step, ratio in steps])
    time = TimeMap.through(round(source[-1] * RATE), RATE, list(zip(source.tolist(), target.tolist(), strict=True)))
    assert time.frames_out == round(target[-1] * RATE)
    # The last anchor moves to a whole frame; the others stay where they are.
    np.testing.assert_allclose(time.target_of(source * RATE), target * RATE, atol=16.0)
    np.testing.assert_allclose(time.target_of(source[:-1] * RATE), target[:-1] * RATE, atol=1e-6)
    middle = np.linspace(0, time.frames_in, 100)
    np.testing.assert_allclose(time.source_of(time.target_of(middle)), middle, atol=1e-6)


def test_behind_the_last_anchor_its_tempo_goes_on() -> None:
    time = TimeMap.through(4 * RATE, RATE, [(1.0, 2.0), (2.0, 2.5)])
    assert time.frames_out == round(3.5 * RATE)
    assert time.ratio_at(np.array([0.5, 1.5, 3.5]) * RATE).tolist() == pytest.approx([2.0, 0.5, 0.5], abs=1e-4)


def test_a_moving_ratio_is_summed_exactly() -> None:
    # The integral of 1 + s/8 over 8 s is 12 s, and over the first 4 s it is 5 s; straight lines between grid points
    # stray by a thousandth of a frame.
    time = TimeMap.curve(8 * RATE, RATE, lambda seconds: 1 + seconds / 8)
    assert time.frames_out == 12 * RATE
    assert float(time.target_of(np.array([4.0 * RATE]))[0]) == pytest.approx(5 * RATE, abs=0.01)


@pytest.mark.parametrize(
    "time",
    [
        TimeMap.constant(RATE, 1.0),
        TimeMap.through(RATE, RATE, [(0.5, 0.5), (1.0, 1.0)]),
        TimeMap.curve(RATE, RATE, lambda seconds: np.ones_like(seconds)),
    ],
)
def test_no_change_is_the_identity(time: TimeMap) -> None:
    positions = np.linspace(-100.3, RATE + 100.7, 1000)
    assert time.is_identity
    assert np.array_equal(time.source_of(positions), positions)
    assert np.array_equal(time.target_of(positions), positions)


@pytest.mark.parametrize("ratio", [0.0, -1.0, 16.1, 0.06, np.nan, np.inf])
def test_a_ratio_that_is_none_is_refused(ratio: float) -> None:
    with pytest.raises(KnobError, match="duration ratio"):
        TimeMap.constant(RATE, ratio)
    with pytest.raises(KnobError, match="duration ratio"):
        TimeMap.curve(RATE, RATE, lambda seconds: np.where(seconds > 0.5, ratio, 1.0))


@pytest.mark.parametrize(
    ("anchors", "words"),
    [
        ([(0.5, 0.5), (0.4, 0.6)], "does not come after"),
        ([(0.5, 0.5), (0.6, 0.5)], "does not come after"),
        ([(0.5, 0.5), (0.5, 0.5)], "does not come after"),
        ([(0.0, 0.3), (0.5, 0.5)], "does not come after"),
        ([(0.5, 0.5), (0.6, 0.4)], "does not come after"),
        ([(0.5, np.nan)], "no moment"),
        ([(-0.5, 0.5)], "no moment"),
        ([(0.5, 0.5), (1.5, 2.0)], "sound of 1 s"),
        ([], "no anchors"),
        ([(0.0, 0.0)], "only anchor"),
        ([(0.5, 9.0)], "duration ratio of 18"),
    ],
)
def test_anchors_that_are_no_path_are_refused(anchors: list[tuple[float, float]], words: str) -> None:
    with pytest.raises(KnobError, match=words):
        TimeMap.through(RATE, RATE, anchors)


def test_no_sound_has_no_map() -> None:
    for make in (
        lambda: TimeMap.constant(0, 1.5),
        lambda: TimeMap.through(0, RATE, [(0.5, 0.5)]),
        lambda: TimeMap.curve(0, RATE, np.ones_like),
    ):
        with pytest.raises(AudioError, match="no sound"):
            make()


def test_any_rising_map_and_any_hits_give_a_rising_map_on_which_the_hits_stay() -> None:
    """10,000 dense maps whose slopes change over the whole range, hits on top of each other and at both ends included."""
    rng = np.random.default_rng(20)
    for _ in range(10_000):
        points = int(rng.integers(1, 60))
        frames = int(rng.integers(points + 5, 200_000))
        inside = rng.choice(frames - 1, size=points, replace=False) + 1
        source = np.unique(np.concatenate([[0], inside, [frames]])).astype(np.float64)
        slopes = np.exp(rng.uniform(np.log(1 / 16), np.log(16), len(source) - 1))
        target = np.concatenate([[0.0], np.cumsum(np.diff(source) * slopes)])
        target *= max(1, round(target[-1])) / target[-1]
        target[-1] = round(target[-1])
        time = TimeMap(source, target)
        hits = rng.uniform(0, frames, int(rng.integers(0, 60)))
        hits = np.concatenate([hits, hits[:3], hits[:3] + 1e-9, [0.0, 1e-9, frames - 1e-9, frames]])
        before, after = rng.uniform(0, 600), rng.uniform(1, 4000)
        held = time.holding(hits, before, after)  # which refuses to be made if it does not rise
        assert held.frames_out == time.frames_out and held.frames_in == time.frames_in
        np.testing.assert_allclose(held.target_of(hits), time.target_of(hits), atol=0.02)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(100, RATE - 100), max_size=30), st.floats(1 / 16, 16))
def test_held_hits_keep_their_places_and_their_speed(places: list[float], ratio: float) -> None:
    hits = np.unique(np.round(places))
    time = TimeMap.constant(RATE, ratio)
    held = time.holding(hits, 100.0, 500.0)
    assert held.frames_out == time.frames_out
    np.testing.assert_allclose(held.target_of(hits), time.target_of(hits), atol=1e-6)
    room = np.minimum(np.diff(hits, append=RATE), np.diff(time.target_of(hits), append=time.frames_out))
    near = np.minimum(300.0, 0.5 * room)
    np.testing.assert_allclose(held.target_of(hits + near) - held.target_of(hits), near, atol=1e-6)


def test_one_map_after_another_is_both() -> None:
    first = TimeMap.through(RATE, RATE, [(0.3, 0.7), (1.0, 1.2)])
    second = TimeMap.curve(first.frames_out, RATE, lambda seconds: 0.5 + seconds)
    both = first.then(second)
    positions = np.linspace(0, RATE, 997)
    assert (both.frames_in, both.frames_out) == (RATE, second.frames_out)
    np.testing.assert_allclose(both.target_of(positions), second.target_of(first.target_of(positions)), atol=0.01)


def test_a_bend_has_the_slope_of_the_interval() -> None:
    time = TimeMap.constant(RATE, 2.0)
    bent = bend(time, RATE, lambda seconds: 12 * seconds)
    # At half the input, a second into the output, the pitch is half an octave up.
    assert float(bent.ratio_at(np.array([RATE]))[0]) == pytest.approx(2**0.5, rel=1e-3)
    with pytest.raises(KnobError, match="60 semitones"):
        bend(time, RATE, 60.0)
