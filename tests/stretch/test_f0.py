"""Pitch tracking."""

from __future__ import annotations

import numpy as np
import pytest

from studio.audio import Audio
from studio.errors import KnobError
from studio.stretch import F0Track, track_f0
from studio.stretch.f0 import TRACKERS, repair_octaves
from tests.listening import white
from tests.stretch.battery import RATE, tone, vowel, vowel_hz
from tests.stretch.known_pitch import PLAYED, WORSE, judged, played, tones


@pytest.mark.parametrize("hz", [80.0, 150.0, 300.0, 700.0])
@pytest.mark.parametrize("method", sorted(TRACKERS))
def test_a_vowel_is_tracked_within_cents(method: str, hz: float) -> None:
    seconds = 1.5 if method == "pyin" else 4.0
    track = track_f0(Audio(vowel(seconds, hz=hz), RATE), tracker=TRACKERS[method])
    errors = np.abs(1200 * np.log2(track.hz / vowel_hz(track.times, hz)))[10:-10]
    assert np.isfinite(errors).mean() > 0.97
    # Vibrato of 30 cents moves on within a window.
    assert np.nanmedian(errors) < 2.5
    assert np.nanmax(errors) < 30


def test_no_pitch_is_found_in_noise_and_silence() -> None:
    for sound in (white(2.0, 0.1, channels=1), np.zeros((1, RATE), np.float32), np.full((1, RATE), 0.5, np.float32)):
        track = track_f0(Audio(sound, RATE))
        assert track.voiced.mean() < 0.05


def test_a_voice_among_silence_is_voiced_where_it_sounds() -> None:
    gap = np.zeros((1, RATE), np.float32)
    track = track_f0(Audio(np.concatenate([gap, vowel()[:, :RATE], gap], axis=1), RATE))
    inside = (track.times > 1.05) & (track.times < 1.95)
    outside = (track.times < 0.95) | (track.times > 2.05)
    assert track.voiced[inside].all()
    assert not track.voiced[outside].any()
    assert track.confidence[inside].min() > 0.9


@pytest.mark.parametrize("way", WORSE)
def test_the_pitch_of_notes_is_kept_clean_and_after_a_hard_journey(way: str) -> None:
    found = {}
    for name in PLAYED:
        known = played(name, 8.0)
        found[name] = judged(track_f0(WORSE[way](known.sound), 35.0, 2500.0), known).kept
    assert np.mean(list(found.values())) > (0.99 if way == "clean" else 0.985), found
    assert min(found.values()) > 0.88, found


def test_harmonic_tones_that_tremble_are_kept_whatever_their_colour() -> None:
    found = judged(track_f0(tones().sound, 50.0, 2200.0), tones())
    assert found.kept > 0.999 and found.early > 0.999, found


def test_strays_by_octaves_come_back_and_leaps_stay() -> None:
    line = np.repeat([200.0, 400.0, 150.0], 60)
    strayed = line.copy()
    strayed[[10, 11, 70, 130, 131, 132]] *= 2
    strayed[[30, 90, 91, 150]] /= 2
    strayed[[5, 100]] = np.nan
    repaired = repair_octaves(strayed)
    known = np.isfinite(strayed)
    np.testing.assert_allclose(repaired[known], line[known])
    assert np.isnan(repaired[[5, 100]]).all()


def test_between_its_times_a_track_goes_straight() -> None:
    track = F0Track(np.array([0.0, 0.1, 0.2]), np.array([100.0, 200.0, np.nan]), np.ones(3))
    found = track.at(np.array([-1.0, 0.05, 0.1, 0.14, 0.16, 5.0]))
    np.testing.assert_allclose(found, [100, 150, 200, 200, np.nan, np.nan])


def test_ranges_and_names_that_are_none_are_refused() -> None:
    sound = Audio(tone(440.0), RATE)
    for low, high in ((400.0, 300.0), (5.0, 500.0), (60.0, 20_000.0), (np.nan, 500.0)):
        with pytest.raises(KnobError, match="Hz"):
            track_f0(sound, low, high)


@pytest.mark.parametrize("frames", [1, 2, 50, 500])
def test_a_sound_shorter_than_a_window_has_a_track(frames: int) -> None:
    for method in ("yin", "praat"):
        track = track_f0(Audio(vowel()[:, :frames], RATE), tracker=TRACKERS[method])
        assert len(track.times) == len(track.hz) == len(track.confidence)


def test_what_rings_far_below_the_loudest_and_what_has_ended_has_no_pitch() -> None:
    time = np.arange(2 * RATE) / RATE
    wave = sum(np.sin(2 * np.pi * 220 * number * time) / number for number in range(1, 8))
    dying = 0.2 * wave * 10 ** (-40 * time / 20)
    track = track_f0(Audio(dying[None].astype(np.float32), RATE))
    assert track.voiced[(track.times > 0.05) & (track.times < 1.0)].all()
    assert not track.voiced[track.times > 1.3].any(), "52 dB below the loudest tenth"
    cut = 0.2 * wave * (time < 1.0) + 2e-5 * np.sin(2 * np.pi * 100 * time)
    track = track_f0(Audio(cut[None].astype(np.float32), RATE))
    assert track.voiced[(track.times > 0.05) & (track.times < 0.98)].all()
    assert not track.voiced[track.times > 1.015].any(), "a hum is no pitch, and nothing lasts longer than it does"
    soft = track_f0(Audio((1e-3 * 0.2 * wave)[None].astype(np.float32), RATE))
    assert soft.voiced[5:-5].all(), "a recording that is soft throughout has its pitch"
