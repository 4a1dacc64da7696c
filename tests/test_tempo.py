"""Musical time: bars, beats, seconds and frames, both ways, without drift."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from studio.errors import KnobError
from studio.tempo import Meter, Tempo, TempoMap, Time

BEATS = st.integers(0, 4000).map(lambda eighths: Fraction(eighths, 8))
SPEEDS = st.one_of(st.integers(1, 2000), st.floats(20, 400)).map(lambda bpm: Fraction(repr(bpm)))
SECONDS = st.integers(0, 10**6).map(lambda number: Fraction(number, 997))


def maps(ramps: st.SearchStrategy[bool]) -> st.SearchStrategy[TempoMap]:
    tempos = st.lists(st.builds(Tempo, BEATS, SPEEDS, ramps), min_size=1, max_size=12)
    meters = st.lists(st.builds(Meter, BEATS, st.integers(1, 17), st.sampled_from([1, 2, 4, 8, 16, 32])), max_size=6)
    return st.builds(TempoMap, tempos.map(tuple), meters.map(tuple))


def speed(tempo: TempoMap, beat: float) -> float:
    """The tempo at a beat, read off the declaration."""
    for one, after in pairwise([*tempo.tempos, None]):
        if after is None or beat < after.beat:
            if not one.ramp or after is None:
                return float(one.bpm)
            way = (beat - float(one.beat)) / float(after.beat - one.beat)
            return float(one.bpm) + way * float(after.bpm - one.bpm)
    raise AssertionError


@settings(max_examples=100, deadline=None)
@given(tempo=maps(st.just(False)), beat=BEATS, seconds=SECONDS)
def test_beats_and_seconds_are_exact_inverses_where_the_tempo_steps(
    tempo: TempoMap, beat: Fraction, seconds: Fraction
) -> None:
    assert tempo.beat_at(tempo.second_at(beat)) == beat
    assert tempo.second_at(tempo.beat_at(seconds)) == seconds
    inner = [change.beat for change in tempo.tempos if change.beat < beat]
    expected = sum((after - one) * 60 / Fraction(speed(tempo, one)) for one, after in pairwise([*inner, beat]))
    assert float(tempo.second_at(beat)) == pytest.approx(float(expected), rel=1e-12)


@settings(max_examples=60, deadline=None)
@given(tempo=maps(st.booleans()), beat=BEATS)
def test_ramps_take_the_time_that_the_integral_of_the_tempo_says(tempo: TempoMap, beat: Fraction) -> None:
    edges = [0.0, *(float(change.beat) for change in tempo.tempos if 0 < change.beat < beat), float(beat)]
    expected = sum(
        quad(lambda at: 60 / speed(tempo, at), one, after, epsrel=1e-10)[0] for one, after in pairwise(edges)
    )
    seconds = tempo.second_at(beat)
    assert float(seconds) == pytest.approx(expected, rel=1e-8, abs=1e-9)
    assert float(tempo.beat_at(seconds)) == pytest.approx(float(beat), rel=1e-9, abs=1e-9)
    assert tempo.bpm_at(beat) == pytest.approx(speed(tempo, float(beat)), rel=1e-12)


def test_a_ramp_to_twice_the_tempo_takes_the_logarithm_of_two() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(60), ramp=True), Tempo(Fraction(4), Fraction(120))))
    assert float(tempo.second_at(Fraction(4))) == pytest.approx(4 * math.log(2), rel=1e-15)
    assert tempo.second_at(Fraction(6)) - tempo.second_at(Fraction(4)) == 1


@settings(max_examples=60, deadline=None)
@given(tempo=maps(st.booleans()), beats=st.lists(BEATS, min_size=1, max_size=20))
def test_arrays_agree_with_single_beats_to_a_nanosecond_an_hour(tempo: TempoMap, beats: list[Fraction]) -> None:
    exact = [tempo.second_at(beat) for beat in beats]
    seconds = tempo.seconds_at(np.array([float(beat) for beat in beats]))
    assert np.all(np.abs(seconds - [float(second) for second in exact]) <= 1e-9 + 1e-12 * seconds)
    back = tempo.beats_at(np.array([float(second) for second in exact]))
    assert np.allclose(back, [float(beat) for beat in beats], rtol=1e-10, atol=1e-8)


def bars_by_walking(tempo: TempoMap, last: Fraction) -> list[Fraction]:
    """The beats on which bars start, found one after the other as a conductor would."""
    starts, beat = [], Fraction(0)
    while beat <= last:
        starts.append(beat)
        meter = max((meter for meter in tempo.meters if meter.beat <= beat), key=lambda meter: meter.beat)
        coming = [other.beat for other in tempo.meters if beat < other.beat < beat + meter.bar]
        beat = coming[0] if coming else beat + meter.bar
    return starts


@settings(max_examples=80, deadline=None)
@given(tempo=maps(st.just(False)))
def test_bars_start_where_a_conductor_would_count_one(tempo: TempoMap) -> None:
    starts = bars_by_walking(tempo, Fraction(80))
    assert [tempo.beat_of_bar(Fraction(bar)) for bar in range(len(starts))] == starts
    assert [tempo.bar_of_beat(beat) for beat in starts] == list(range(len(starts)))
    for one, after in pairwise(starts):
        assert math.floor(tempo.bar_of_beat((one + after) / 2)) == starts.index(one)


def test_a_meter_that_changes_in_mid_bar_starts_a_new_bar() -> None:
    tempo = TempoMap(meters=(Meter(Fraction(0), 4, 4), Meter(Fraction(6), 7, 8), Meter(Fraction(13), 3, 4)))
    assert [tempo.beat_of_bar(Fraction(bar)) for bar in range(6)] == [0, 4, 6, Fraction(19, 2), 13, 16]


@settings(max_examples=100, deadline=None)
@given(
    bpm=st.integers(1000, 300_000),
    count=st.integers(1, 15),
    unit=st.sampled_from([2, 4, 8, 16]),
    bars=st.integers(0, 10_000),
    rate=st.sampled_from([8000, 22_050, 44_100, 48_000, 96_000, 192_000]),
)
def test_n_bars_are_the_exact_rounded_number_of_frames(bpm: int, count: int, unit: int, bars: int, rate: int) -> None:
    tempo = TempoMap.constant(Fraction(bpm, 1000), count, unit)
    # Frames are bars × beats a bar × 60 × rate / bpm; in whole numbers, so that nothing but the end is rounded.
    above, below = bars * 4 * count * 60 * 1000 * rate, unit * bpm
    assert tempo.frame_of(Time(bars=Fraction(bars)), rate) == (2 * above + below) // (2 * below)


def test_positions_mix_bars_beats_and_seconds() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(8), Fraction(60))), (Meter(Fraction(0), 3, 4),))
    assert tempo.second_of(Time.parse("2 bars 2 beats")) == 4
    assert tempo.second_of(Time.parse("2 bars 3 beats 0.25 s")) == Fraction(21, 4)
    assert tempo.beat_of(Time.parse("2 bars 2 beats 0.5 s")) == Fraction(17, 2)
    assert tempo.second_of(Time.parse("1.5 s")) == Fraction(3, 2)
    assert tempo.frame_of(Time.parse("5 ms"), 44_100) == 221


def test_a_length_is_as_long_as_the_tempo_where_it_begins() -> None:
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(8), Fraction(60))))
    assert tempo.length_of(Time.parse("1 bar")) == 2
    assert tempo.length_of(Time.parse("1 bar"), Fraction(6)) == 3
    assert tempo.length_of(Time.parse("1/4."), Fraction(8)) == Fraction(3, 2)
    assert tempo.length_of(Time.parse("0.3 s"), Fraction(9)) == Fraction(3, 10)


def test_the_first_tempo_and_meter_hold_from_the_start_and_the_last_on_a_beat_counts() -> None:
    late = TempoMap((Tempo(Fraction(4), Fraction(60)),), (Meter(Fraction(8), 3, 4),))
    assert late.second_at(Fraction(4)) == 4
    assert late.beat_of_bar(Fraction(3)) == 11
    twice = TempoMap((Tempo(Fraction(0), Fraction(60)), Tempo(Fraction(0), Fraction(90))))
    assert twice == TempoMap.constant(90)
    assert twice.data() == TempoMap.constant(90).data() != TempoMap.constant(91).data()


@pytest.mark.parametrize(
    ("text", "bars", "beats", "seconds"),
    [
        ("1.5 s", 0, 0, "3/2"), ("80 ms", 0, 0, "2/25"), ("2 min", 0, 0, 120), (0.1, 0, 0, "1/10"), ("3", 0, 0, 3), (7, 0, 0, 7),
        ("2 beats", 0, 2, 0), ("1 beat", 0, 1, 0), ("4 bars", 4, 0, 0), ("1/8", 0, "1/2", 0), ("1/8.", 0, "3/4", 0),
        ("1/8 dotted", 0, "3/4", 0), ("1/8t", 0, "1/3", 0), ("1/4 triplet", 0, "2/3", 0), ("4 bars 2 beats", 4, 2, 0),
        ("2 bars + 1/16", 2, "1/4", 0), ("−1 beats", 0, -1, 0), ("1 bar 1/4 20ms", 1, 1, "1/50"), ("1/3 bars", "1/3", 0, 0),
    ],
)  # fmt: skip
def test_times_are_read_as_people_write_them(text: object, bars: object, beats: object, seconds: object) -> None:
    assert Time.parse(text) == Time(Fraction(str(bars)), Fraction(str(beats)), Fraction(str(seconds)))


@pytest.mark.parametrize(
    "text",
    ["", "soon", "1/0", "1/8x", "4 barses", "3 s 4", "1/8.5", "--1 s", "1e3 s", "inf", True, None, [1], math.inf, math.nan, "1/7 " * 600],
)  # fmt: skip
def test_what_is_no_time_is_refused_with_examples(text: object) -> None:
    with pytest.raises(KnobError, match="is not a time") as caught:
        Time.parse(text)
    assert "4 bars 2 beats" in caught.value.mend
    assert len(caught.value.cause) < 100


@pytest.mark.parametrize("value", ["1000001 s", 10**400, 1e300, "2000000 bars", Time(beats=Fraction(10**7))])
def test_a_time_no_song_has_is_refused(value: object) -> None:
    with pytest.raises(KnobError, match="longer than any song"):
        Time.parse(value)


PARTS = st.one_of(
    st.fractions(-1000, 1000, max_denominator=10**6),
    st.integers(-(2**60), 2**60).map(lambda number: Fraction(number, 2**50)),
    st.floats(-1000, 1000).map(lambda number: Fraction(repr(number))),
)


@settings(max_examples=300, deadline=None)
@given(time=st.builds(Time, PARTS, PARTS, PARTS))
def test_any_time_reads_back_from_its_text_exactly(time: Time) -> None:
    assert Time.parse(str(time)) == time
    assert eval(repr(time)) == time


def test_note_values_are_written_as_musicians_write_them() -> None:
    written = {str(Time.parse(text)) for text in ("3/16", "1/8.", "0.75 beats")}
    assert written == {"3/16"}
    assert str(Time.parse("1 bar 2 beats 80 ms")) == "1 bar 2 beats 0.08 s"
    assert str(Time()) == "0 s"


def test_one_time_is_before_another_only_if_every_tempo_says_so() -> None:
    assert Time.parse("1 bar").before(Time.parse("1 bar 1/4"))
    assert not Time.parse("1 bar").before(Time.parse("1 bar"))
    assert not Time.parse("1 bar").before(Time.parse("9 s")) and not Time.parse("9 s").before(Time.parse("1 bar"))
