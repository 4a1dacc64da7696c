"""PSOLA on a voice: in tune, as clear as before, with its vowel; and with any pitch track it is given."""

from __future__ import annotations

import numpy as np
import pytest

from studio.audio import Audio
from studio.stretch import F0Track, TimeMap, pitch_marks, track_f0
from studio.stretch.psola import psola
from tests.listening import rms_db
from tests.stretch.battery import RATE, envelope_change_db, hnr_db, periods, pitch_error_cents, vowel, vowel_hz

STILL = TimeMap.constant(vowel().shape[1], 1.0)


def _known(bias: float = 1.0) -> F0Track:
    times = np.arange(0, 4, 0.01)
    return F0Track(times, vowel_hz(times) * bias, np.ones(len(times)))


@pytest.mark.parametrize(("semitones", "ratio"), [(4, 1.0), (-4, 1.0), (0, 1.5), (7, 0.8), (-2, 2.5)])
def test_a_vowel_stays_in_tune_clear_and_itself(semitones: int, ratio: float) -> None:
    voice = vowel()
    made = psola(voice, TimeMap.constant(voice.shape[1], ratio), RATE, semitones=float(semitones))
    median, gross = pitch_error_cents(made, semitones, ratio)
    assert median < 3
    assert gross < 0.01
    # Against the vowel sung at that pitch: fewer periods in a window make the measure itself lower.
    assert hnr_db(made) > min(hnr_db(voice), hnr_db(vowel(semitones=semitones))) - 2
    assert envelope_change_db(vowel(semitones=semitones), made) < 1.5
    if abs(semitones) <= 4:
        assert envelope_change_db(voice, made) < 2


@pytest.mark.parametrize("bias", [0.95, 1.05])
def test_a_track_five_percent_off_costs_no_clarity(bias: float) -> None:
    made = psola(vowel(), STILL, RATE, track=_known(bias), semitones=4.0)
    assert pitch_error_cents(made, 4)[0] < 3
    assert hnr_db(made) > hnr_db(vowel()) - 2


def test_a_track_that_jitters_costs_no_clarity() -> None:
    track = _known()
    shaken = F0Track(
        track.times, track.hz * (1 + 0.03 * np.random.default_rng(1).standard_normal(400)), track.confidence
    )
    made = psola(vowel(), STILL, RATE, track=shaken, semitones=4.0)
    assert pitch_error_cents(made, 4)[0] < 3
    assert hnr_db(made) > hnr_db(vowel()) - 2


@pytest.mark.parametrize("octave", [0.5, 2.0])
def test_jumps_by_an_octave_are_repaired(octave: float) -> None:
    track = _known()
    jumping = track.hz.copy()
    jumping[np.random.default_rng(2).random(400) < 0.1] *= octave
    made = psola(vowel(), STILL, RATE, track=F0Track(track.times, jumping, track.confidence), semitones=4.0)
    assert pitch_error_cents(made, 4)[0] < 3
    assert hnr_db(made) > hnr_db(vowel()) - 2


@pytest.mark.parametrize("value", [np.nan, 0.0, 0.01, -150.0, np.inf, 1e6])
def test_a_pitch_that_is_none_counts_as_unvoiced(value: float) -> None:
    """A few such windows are bridged; a whole track of them leaves the sound without pitch, but does not break it."""
    track = _known()
    some = track.hz.copy()
    some[100:103] = value
    made = psola(vowel(), STILL, RATE, track=F0Track(track.times, some, track.confidence), semitones=4.0)
    assert pitch_error_cents(made, 4)[0] < 3
    none = F0Track(track.times, np.full(400, value), track.confidence)
    unpitched = psola(vowel(), TimeMap.constant(STILL.frames_in, 1.5), RATE, track=none, semitones=4.0)
    assert unpitched.shape == (1, round(1.5 * STILL.frames_in))
    assert rms_db(unpitched) == pytest.approx(rms_db(vowel()), abs=2.0)


def test_an_empty_track_is_all_unvoiced() -> None:
    nothing = F0Track(np.zeros(0), np.zeros(0), np.zeros(0))
    made = psola(vowel(), STILL, RATE, track=nothing, semitones=4.0)
    assert pitch_error_cents(made, 0)[0] < 3


@pytest.mark.parametrize("formants", [-5.0, 3.0])
def test_formants_move_on_their_own(formants: float) -> None:
    made = psola(vowel(), STILL, RATE, formant_semitones=formants)
    assert pitch_error_cents(made)[0] < 3
    assert envelope_change_db(vowel(formants=formants), made) < 2
    assert envelope_change_db(vowel(), made) > 4


def test_pitch_follows_a_curve_over_the_input() -> None:
    time = TimeMap.constant(STILL.frames_in, 1.5)
    made = psola(vowel(), time, RATE, semitones=lambda seconds: 3 * seconds - 4)
    heard = periods(made)
    wanted = vowel_hz(heard.seconds / 1.5) * 2 ** ((3 * heard.seconds / 1.5 - 4) / 12)
    errors = np.abs(1200 * np.log2(heard.hz / wanted))[10:-10]
    assert np.median(errors) < 3
    assert np.mean(errors > 50) < 0.01


def test_marks_lie_a_period_apart_at_the_same_place_of_the_wave() -> None:
    track = track_f0(Audio(vowel(), RATE))
    marks = pitch_marks(vowel(), RATE, track)
    inner = marks.positions[marks.voiced][5:-5]
    spacing = np.diff(inner)
    true = RATE / vowel_hz((inner[1:] + inner[:-1]) / 2 / RATE)
    # A hundredth of a period; a mark put on the nearest whole frame would stray as much.
    assert np.median(np.abs(spacing / true - 1)) < 0.003
    assert np.abs(spacing / true - 1).max() < 0.02
    heights = vowel()[0, np.round(inner).astype(int)]
    assert heights.std() / np.abs(heights).mean() < 0.2
