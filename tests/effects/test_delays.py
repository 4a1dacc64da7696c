"""Echoes fall on their beats, whatever the tempo does."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from studio.context import RenderContext
from studio.effects.delays import Delay, Echo
from studio.effects.modulation import Tremolo
from studio.errors import KnobError
from studio.tempo import Tempo, TempoMap
from tests.listening import db, impulse, null_db, pitch_hz, sine, through

RATE = 44_100


def peaks(block: np.ndarray, floor: float = 0.01) -> list[int]:
    """The first frame of every click."""
    loud = np.flatnonzero(np.abs(block).max(axis=0) > floor)
    return [int(frame) for index, frame in enumerate(loud) if index == 0 or frame - loud[index - 1] > 1000]


@pytest.mark.parametrize(
    ("time", "bpm", "frames"), [("1/8.", 120, 16_537.5), ("1 beat", 90, 29_400), ("0.25 s", 90, 11_025)]
)
def test_a_repeat_comes_after_its_time(time: str, bpm: float, frames: float) -> None:
    context = RenderContext(RATE, tempo=TempoMap.constant(bpm))
    for effect in (Delay(time=time, mix=0.5, feedback=0), Echo(time=time, mix=1, feedback=0.3)):
        found = peaks(through(effect, impulse(3 * RATE, at=1000), context))
        assert found[0] == 1000
        assert abs(found[1] - 1000 - frames) <= 1


def test_repeats_die_away_by_the_feedback() -> None:
    echo = Echo(time="0.1 s", feedback=0.5, mix=1, highs="20 kHz", lows="10 Hz")
    out = through(echo, sine(1000, 0.05, 0.5), RenderContext(RATE), tail=RATE)
    level = [db(float(np.abs(out[:, index * 4410 + 500 : index * 4410 + 2000]).max())) for index in range(1, 6)]
    assert np.allclose(np.diff(level), -6.02 - 0.03, atol=0.15)


def test_every_repeat_is_darker_than_the_one_before() -> None:
    echo = Echo(time="0.1 s", feedback=0.9, mix=1, highs="2 kHz", lows="10 Hz")
    out = through(echo, sine(4000, 0.05, 0.5), RenderContext(RATE), tail=RATE)
    level = [db(float(np.abs(out[:, index * 4410 + 500 : index * 4410 + 2000]).max())) for index in range(1, 5)]
    # One pole at 2 kHz takes 7 dB from 4 kHz each turn, the feedback 0.9 dB.
    assert np.all(np.diff(level) < -7)


def test_ping_pong_changes_sides() -> None:
    out = through(Echo(time="0.1 s", feedback=0.8, mix=1, pingpong=True), impulse(RATE, at=0), RenderContext(RATE))
    sides = [np.abs(out[:, index * 4410 - 5 : index * 4410 + 200]).max(axis=1) for index in (1, 2, 3)]
    assert [int(np.argmax(side)) for side in sides] == [0, 1, 0]
    assert all(side.min() < side.max() / 1000 for side in sides)


def test_an_echo_follows_a_change_of_tempo() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(4), Fraction(60))))
    context = RenderContext(RATE, tempo=tempo)
    late = through(Echo(time="1 beat", mix=1, feedback=0), impulse(6 * RATE, at=3 * RATE), context)
    assert abs(peaks(late)[1] - 4 * RATE) <= 1
    early = through(Delay(time="1 beat", mix=0.5, feedback=0), impulse(6 * RATE, at=RATE), context)
    assert abs(peaks(early)[1] - round(1.5 * RATE)) <= 1


def test_a_tremolo_swings_once_a_period_and_as_deep_as_asked() -> None:
    context = RenderContext(RATE, tempo=TempoMap.constant(150))
    steady = np.ones((2, 4 * RATE), np.float32)
    out = through(Tremolo(period="1/8", depth=0.6), steady, context)
    assert pitch_hz(out - out.mean(), RATE) == pytest.approx(5.0, abs=0.01)
    assert out.max() == pytest.approx(1.0, abs=1e-4)
    assert out.min() == pytest.approx(0.4, abs=1e-4)
    swung = through(Tremolo(period="1/8", depth=0.6, spread=180), steady, context)
    assert null_db(swung[0] + swung[1], np.full(4 * RATE, 1.4, np.float32)) < -100


@pytest.mark.parametrize("step", [Delay, Echo])
def test_a_time_that_no_delay_can_last_is_refused(step: type[Delay]) -> None:
    with pytest.raises(KnobError, match="no length"):
        step(time="0 s")
    with pytest.raises(KnobError, match=r"64.0 s"):
        through(step(time="32 bars"), impulse(100), RenderContext(RATE))
