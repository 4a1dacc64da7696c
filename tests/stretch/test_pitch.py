"""Pitch and formants of every method, and the reading at another speed underneath."""

from __future__ import annotations

import numpy as np
import pytest

from studio.audio import Audio
from studio.stretch import stretch
from studio.stretch.resample import read_at, to_length
from tests.listening import cents, peak_db
from tests.stretch.battery import (
    RATE,
    envelope_change_db,
    periods,
    pitch_error_cents,
    strongest_hz,
    tone,
    vowel,
    vowel_hz,
)

PITCHED = ("wsola", "vocoder", "hptsm", "psola", "rubberband", "rubberband_cli", "signalsmith", "praat")


@pytest.mark.parametrize("method", PITCHED)
def test_four_semitones_are_four_semitones(method: str) -> None:
    made = stretch(Audio(vowel(), RATE), 1.0, semitones=4.0, method=method).samples
    median, gross = pitch_error_cents(made, 4)
    # WSOLA joins whole frames, which costs a few cents; the others stay below a just noticeable difference.
    assert median < (8 if method == "wsola" else 4)
    assert gross < 0.03


@pytest.mark.parametrize("method", ["wsola", "vocoder", "hptsm", "psola", "rubberband", "rubberband_cli"])
def test_formants_stay_move_with_the_pitch_or_go_their_own_way(method: str) -> None:
    voice = Audio(vowel(), RATE)
    stay = stretch(voice, semitones=4.0, formant_semitones=0.0, method=method).samples
    along = stretch(voice, semitones=4.0, formant_semitones=4.0, method=method).samples
    # The same vowel sung four semitones higher differs by 1 dB, one whose formants moved along by more than 5 dB.
    assert envelope_change_db(vowel(), stay) < 2.5
    assert envelope_change_db(vowel(formants=4.0), along) < 2.5
    assert envelope_change_db(vowel(), along) > 5
    assert pitch_error_cents(stay, 4)[0] < 8


@pytest.mark.parametrize("method", ["wsola", "vocoder", "hptsm"])
def test_formants_move_while_the_pitch_stays(method: str) -> None:
    made = stretch(Audio(vowel(), RATE), formant_semitones=3.0, method=method).samples
    assert pitch_error_cents(made)[0] < 3
    assert envelope_change_db(vowel(formants=3.0), made) < 2.5
    assert envelope_change_db(vowel(), made) > 4


@pytest.mark.parametrize("method", ["wsola", "vocoder", "hptsm", "psola", "rubberband"])
def test_pitch_follows_a_curve_over_the_seconds_of_the_input(method: str) -> None:
    made = stretch(Audio(vowel(), RATE), 1.2, semitones=lambda seconds: 2 + seconds, method=method).samples
    heard = periods(made)
    wanted = vowel_hz(heard.seconds / 1.2) * 2 ** ((2 + heard.seconds / 1.2) / 12)
    errors = np.abs(1200 * np.log2(heard.hz / wanted))[10:-10]
    assert np.median(errors) < (10 if method == "wsola" else 5)


@pytest.mark.parametrize("step", [0.4, 0.8, 1.0, 1.9])
def test_reading_at_another_speed_is_exact_and_folds_nothing_back(step: float) -> None:
    positions = np.arange(round(2 * RATE / step)) * step
    made = read_at(tone(1000.0), positions)
    wanted = 0.5 * np.sin(2 * np.pi * 1000 * positions / RATE)
    assert peak_db((made[0] - wanted)[500:-500]) < -100
    if step > 1.5:
        assert peak_db(read_at(tone(15_000.0), positions)[:, 500:-500]) < -90


@pytest.mark.parametrize(
    ("before", "after"), [(44_100, 66_150), (44_100, 44_099), (44_100, 30_001), (2, 7), (1, 5), (100, 1)]
)
def test_resampling_to_a_length_gives_that_length(before: int, after: int) -> None:
    sound = tone(1000.0)[:, :before]
    made = to_length(sound, after)
    assert made.shape == (1, after)
    if min(before, after) > 20_000:
        assert abs(cents(strongest_hz(made), 1000 * before / after)) < 0.05
