"""The cheapest path of a pitch."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest

from studio.stretch.viterbi import LEAP, SWITCH, WIDEST, Path, States, best, states
from studio.tempo import Floats


def cost(given: States, way: tuple[int, ...]) -> float:
    """What a way costs, step by step."""
    none = given.octaves.shape[1] - 1
    total = sum(float(given.costs[moment, state]) for moment, state in enumerate(way))
    for moment, (one, other) in enumerate(pairwise(way)):
        if one != none and other != none:
            total += min(LEAP * abs(given.octaves[moment, one] - given.octaves[moment + 1, other]), WIDEST)
        elif one != other:
            total += SWITCH
    return total


@pytest.mark.parametrize("seed", range(20))
def test_no_way_is_cheaper_than_the_best(seed: int) -> None:
    random = np.random.default_rng(seed)
    hz: Floats = 220 * 2 ** random.uniform(-2, 3, (6, 3))
    hz[random.random((6, 3)) < 0.3] = np.nan
    given = states(hz, random.uniform(0, 0.8, (6, 3)))
    found = cost(given, tuple(best(given).tolist()))
    assert found == pytest.approx(min(cost(given, way) for way in product(range(4), repeat=6)))


def test_of_a_period_and_its_multiples_the_period_is_taken() -> None:
    hz = np.tile(440.0 / np.arange(1, 6), (50, 1))
    assert (best(states(hz, np.full(hz.shape, 0.02))) == 0).all()


def test_a_stray_of_three_moments_is_passed_over_and_a_leap_that_stays_is_taken() -> None:
    hz = np.tile([300.0, 150.0], (60, 1))
    depths = np.tile([0.1, 0.4], (60, 1))
    depths[20:23] = [0.3, 0.1]
    depths[40:] = [0.4, 0.02]
    found = best(states(hz, depths))
    assert (found[:40] == 0).all() and (found[41:] == 1).all()


def test_where_nothing_repeats_there_is_no_pitch() -> None:
    depths = np.concatenate([np.full((20, 1), 0.05), np.full((20, 1), 0.79), np.full((20, 1), 0.05)])
    found = best(states(np.full((60, 1), 220.0), depths))
    assert (found == np.repeat([0, 1, 0], 20)).all()
    assert (best(states(np.full((5, 1), np.nan), np.full((5, 1), np.inf))) == 1).all()


def test_step_by_step_it_ends_where_the_whole_ends() -> None:
    random = np.random.default_rng(3)
    given = states(220 * 2 ** random.uniform(-1, 1, (40, 4)), random.uniform(0, 0.6, (40, 4)))
    path = Path()
    stood = [path.push(*moment) for moment in zip(*given, strict=True)]
    assert stood[-1] == best(given)[-1]
