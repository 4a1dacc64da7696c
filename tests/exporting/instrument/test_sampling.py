"""Instruments sampled: which keys stand for which, loops that cannot be heard, how notes die away and let go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import RenderError
from studio.exporting.instrument.grid import Grid, spans
from studio.exporting.instrument.loops import crossfaded, find_loop
from studio.exporting.instrument.sampling import sampled
from studio.exporting.samples import RELEASES
from studio.exporting.target import PlayedBy
from studio.knobs import knob
from studio.score import Score
from studio.sources.soundfont import SoundFont
from studio.steps import Instrument
from tests.listening import cents, db, pitch_hz

RATE = 44_100


class Bell(Instrument, step="test_bell"):
    """A sine that falls by so many dB a second, and in a hundredth of a second once it is let go; no key above 90."""

    fall: float = knob(20.0, 0.0, 400.0, help="dB a second", live=False)

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        out = np.zeros((context.channels, round(float(score.length) * context.rate) + 1), np.float32)
        for note in score.notes:
            start, end = (
                score.tempo.seconds_at(np.array([tick / score.resolution]))[0] for tick in (note.start, note.end)
            )
            first, frames = round(start * context.rate), round((end - start) * context.rate)
            time = np.arange(frames + 441) / context.rate
            level = (note.velocity / 127) ** 2 * 10 ** (-self.fall * time / 20) * (note.pitch <= 90)
            level[frames:] *= np.linspace(1, 0, 441)
            wave = np.sin(2 * np.pi * 440 * 2 ** ((note.pitch - 69) / 12) * time) * 0.5 * level
            room = out[:, first : first + len(wave)]
            room += wave[: room.shape[1]].astype(np.float32)
        yield out


@given(st.sets(st.integers(0, 127), min_size=1, max_size=30).map(sorted), st.integers(1, 5))
def test_every_key_of_the_keyboard_is_served_once(keys: list[int], seed: int) -> None:
    random = np.random.default_rng(seed).random((128, 128))
    found = spans(keys, False, lambda one, other: float(random[one, other]))
    assert [key for span in found for key in range(span.low, span.high + 1)] == list(range(128))
    assert all(span.low <= span.key <= span.high for span in found)
    assert [span.key for span in found] == keys


def test_keys_go_to_the_recording_they_sound_like() -> None:
    found = spans([48, 60], False, lambda one, other: abs((one >= 50) - (other >= 50)))
    assert [(span.low, span.high) for span in found] == [(0, 49), (50, 127)]
    assert spans([48, 60], False)[0].high in (53, 54), "without a difference in sound the middle divides them"


@pytest.mark.parametrize(
    ("low", "high", "step", "count"), [(36, 84, 4, 13), (60, 60, 4, 1), (50, 57, 4, 3), (0, 127, 24, 7)]
)
def test_the_grid_holds_both_ends_and_no_wider_steps(low: int, high: int, step: int, count: int) -> None:
    keys = Grid(lowest=low, highest=high, step=step).keys([], False)
    assert (keys[0], keys[-1], len(keys)) == (low, high, count)
    assert max(np.diff(keys), default=0) <= step
    assert Grid().keys([40, 42, 51], True) == [40, 42, 51], "drums: the keys that are played"


def test_a_loop_cannot_be_heard() -> None:
    time = np.arange(2 * RATE) / RATE
    tone = np.sin(2 * np.pi * 221.3 * time + 2 * np.sin(2 * np.pi * 5 * time)) + 0.3 * np.sin(2 * np.pi * 663.9 * time)
    block = np.stack([tone, tone * 0.5]).astype(np.float32)
    loop = find_loop(block, RATE, RATE // 2, 2 * RATE)
    assert loop is not None
    assert loop.alike > 0.99
    round_it = crossfaded(block, loop, RATE)
    whole = np.concatenate([round_it, *[round_it[:, loop.start :]] * 3], axis=1)
    seams = np.abs(np.diff(whole[0], 2))
    assert seams[loop.end - 50 : loop.end + 50].max() < 1.5 * seams[: loop.start].max(), "no click"
    assert abs(db(np.std(whole[0][RATE:])) - db(np.std(tone))) < 0.2


def test_noise_is_looped_without_a_hole() -> None:
    noise = np.random.default_rng(1).standard_normal((2, 2 * RATE)).astype(np.float32)
    loop = find_loop(noise, RATE, RATE // 2, 2 * RATE)
    assert loop is not None
    around = crossfaded(noise, loop, RATE)
    assert abs(db(np.std(around[:, -3000:-500])) - db(np.std(noise))) < 0.7


def test_what_is_learned_of_a_bell() -> None:
    grid = Grid(lowest=60, highest=72, step=12, velocities=(64, 127), seconds=1.5, rate=44_100)
    made = sampled(PlayedBy(Bell()), grid)
    assert [zone.span.key for zone in made.zones] == [60, 72]
    assert made.velocities == (127,), "a softer one is the same sound"
    assert made.soft == pytest.approx(2.0, abs=0.02)
    for zone in made.zones:
        assert zone.samples.shape[0] == 1, "both sides are the same"
        assert zone.loop is not None
        assert zone.decay == pytest.approx(20, abs=0.3)
        assert abs(cents(pitch_hz(zone.samples[:, : RATE // 2], RATE), 440 * 2 ** ((zone.span.key - 69) / 12))) < 1
        assert zone.release[0] == 0 and zone.release[RELEASES.index(0.02)] < -40
        looped = zone.samples[0, zone.loop :]
        assert abs(db(np.std(looped[:2000])) - db(np.std(looped[-2000:]))) < 0.2, "its fall is taken out of the loop"


def test_a_sound_that_ends_of_itself_is_kept_to_its_end() -> None:
    made = sampled(PlayedBy(Bell(fall=100)), Grid(lowest=60, highest=60, velocities=(127,), seconds=1.5))
    [zone] = made.zones
    assert zone.loop is None
    assert zone.samples.shape[1] / RATE == pytest.approx(0.75, abs=0.05)
    assert zone.samples[0, -1] == 0


def test_drums_are_sampled_key_by_key_and_nothing_stops_them() -> None:
    made = sampled(PlayedBy(SoundFont(), (36, 38, 49), 9), Grid(velocities=(127,), seconds=1.0))
    assert [(zone.span.low, zone.span.high) for zone in made.zones] == [(36, 36), (38, 38), (49, 49)]
    assert all(zone.loop is None for zone in made.zones[:2])
    assert all(level == 0 for zone in made.zones[:2] for level in zone.release)


def test_keys_that_are_silent_are_left_out_and_an_instrument_that_is_silent_refused() -> None:
    made = sampled(PlayedBy(Bell()), Grid(lowest=84, highest=96, step=12, velocities=(127,), seconds=0.5))
    assert [zone.span.key for zone in made.zones] == [84]
    with pytest.raises(RenderError, match="makes no sound"):
        sampled(PlayedBy(Bell()), Grid(lowest=100, highest=110, seconds=0.5))


def test_a_key_the_samples_leave_out_is_served_by_those_beside_it() -> None:
    made = sampled(PlayedBy(Bell()), Grid(lowest=84, highest=96, step=6, velocities=(127,), seconds=0.5))
    served = [key for zone in made.zones for key in range(zone.span.low, zone.span.high + 1)]
    assert served == list(range(90 + 1 + (made.zones[-1].span.high - 90)))
