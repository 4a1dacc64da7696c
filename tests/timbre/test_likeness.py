"""Ears that tell instruments apart, and the figures they give."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from studio.audio import Audio
from studio.nets.ears import PROGRAMS, RATE, InstrumentPhrases, train_ears
from studio.nets.material import phrases
from studio.timbre.figures import compare
from studio.timbre.likeness import divergence, inception, likeness, shipped_ears
from tests.listening import null_db, sine, white

pytestmark = pytest.mark.usefixtures("processor_time")


@cache
def played(name: str, seed: int = 99, seconds: float = 20.0) -> Audio:
    program, low, high = PROGRAMS[name]
    return phrases(program, low, high, seconds / 60, RATE, seed, "fluid")


def test_instruments_are_heard_as_what_they_are() -> None:
    wrong = []
    for name in PROGRAMS:
        _, chances = shipped_ears().listen(played(name, seconds=6.0))
        if shipped_ears().card["classes"][int(chances.mean(axis=0).argmax())] != name:
            wrong.append(name)
    assert len(wrong) <= 3, wrong
    assert shipped_ears().card["right"] > 0.8


def test_the_same_instrument_is_nearer_than_another_and_worse_sound_is_further() -> None:
    trumpet, again = played("trumpet", 1, 40.0), played("trumpet", 2)
    floor = likeness(again, trumpet)
    noisy = Audio(again.samples + white(again.seconds + 1, 0.02, RATE, 1)[:, : again.frames], RATE)
    other = likeness(played("flute"), trumpet)
    worse = likeness(noisy, trumpet)
    assert floor is not None and other is not None and worse is not None
    assert floor.frechet < 0.25 * other.frechet and floor.frechet < 0.5 * worse.frechet
    assert floor.divergence < 0.5 * other.divergence and floor.different_bins <= other.different_bins
    assert floor.heard_as == "trumpet" and other.heard_as == "flute"
    assert likeness(trumpet, trumpet).data()["frechet"] < 1e-2  # type: ignore[union-attr, operator]


def test_a_band_of_many_is_more_varied_than_one() -> None:
    many = Audio(
        np.concatenate([played(name).samples[:, : 4 * RATE] for name in ("piano", "flute", "choir")], axis=1), RATE
    )
    one, other = likeness(many, many), likeness(played("flute"), many)
    assert one is not None and other is not None and one.inception > 1.5 * other.inception


def test_figures_of_known_spreads() -> None:
    assert inception(np.eye(4)) == pytest.approx(4, rel=1e-3) and inception(np.full((9, 4), 0.25)) == pytest.approx(1)
    assert divergence(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == pytest.approx(1)
    assert divergence(np.array([0.3, 0.7]), np.array([0.3, 0.7])) == 0


def test_silence_is_heard_as_nothing_and_a_click_is_enough() -> None:
    silent = Audio(np.zeros((1, RATE), np.float32), RATE)
    assert likeness(silent, played("oboe")) is None
    figures = compare(played("oboe"), played("oboe"), played("flute"))
    assert figures.ears_source == pytest.approx(0, abs=1e-2) and figures.ears_target > 10
    short = likeness(Audio(sine(440.0, 0.1), 44_100), played("oboe"))
    assert short is not None and np.isfinite(short.frechet)


def test_ears_hear_the_same_whatever_the_rate_and_the_level() -> None:
    sound = played("oboe")
    import soxr

    other = Audio(soxr.resample(sound.samples.T, RATE, 48_000).T * np.float32(0.25), 48_000)
    one, two = (shipped_ears().listen(each)[1].mean(axis=0) for each in (sound, other))
    assert null_db(one, two) < -20


def test_ears_learn_within_seconds() -> None:
    ears = train_ears(InstrumentPhrases.played("fluid", 8.0, ("flute", "harpsichord", "choir")), 6.0, {})
    assert ears.card["right"] > 0.6 and ears.card["classes"] == ["flute", "harpsichord", "choir"]
