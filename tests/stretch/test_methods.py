"""What every method promises: length, identity, determinism, one decision for all channels, and no bad sound ever."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.audio import Audio, Block
from studio.errors import AudioError, KnobError
from studio.stretch import METHODS, TimeMap, stretch
from studio.stretch.psola import psola
from studio.stretch.stretcher import TIME_METHODS
from tests.listening import null_db, rms_db, white
from tests.stretch.battery import HIT_SECONDS, RATE, hit_report, hits, mix, sax_line, stereo_image, tone, vowel

OURS: dict[str, Callable[[Block, TimeMap, int], Block]] = {**TIME_METHODS, "psola": psola}


def _of(samples: Block, ratio: float) -> TimeMap:
    return TimeMap.constant(samples.shape[1], ratio)


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(sorted(METHODS)),
    st.floats(1 / 16, 16),
    st.integers(1, 6000),
    st.floats(-12, 12),
)
def test_every_method_gives_exactly_the_length_asked_for(
    method: str, ratio: float, frames: int, semitones: float
) -> None:
    if method == "praat":
        frames += 3000
    sound = Audio(vowel()[:, :frames], RATE)
    result = stretch(sound, ratio, semitones=semitones, method=method)
    assert result.frames == max(1, round(frames * ratio))
    assert np.isfinite(result.samples).all()


@pytest.mark.parametrize("method", METHODS)
def test_no_change_gives_the_same_bits(method: str) -> None:
    sound = Audio(mix()[:, :RATE], RATE)
    assert np.array_equal(stretch(sound, 1.0, method=method).samples, sound.samples)
    assert np.array_equal(stretch(sound, 1.0, semitones=lambda at: 0 * at, method=method).samples, sound.samples)


@pytest.mark.parametrize("method", METHODS)
def test_the_same_input_gives_the_same_bits(method: str) -> None:
    sound = Audio((vowel() if method == "praat" else mix())[:, :RATE], RATE)
    first = stretch(sound, 1.3, semitones=2.0, method=method)
    assert np.array_equal(first.samples, stretch(sound, 1.3, semitones=2.0, method=method).samples)


@pytest.mark.parametrize("ratio", [0.7, 1.5, 2.0])
@pytest.mark.parametrize("method", sorted(TIME_METHODS))
def test_the_stereo_image_stays(method: str, ratio: float) -> None:
    sound = mix()
    before, after = stereo_image(sound), stereo_image(TIME_METHODS[method](sound, _of(sound, ratio), RATE))
    # The band has 0.66 itself; methods that decide for each channel leave less than 0.25.
    assert before.coherence > 0.65
    assert after.coherence > before.coherence - 0.02
    assert after.correlation == pytest.approx(before.correlation, abs=0.04)
    assert after.middle_side_db == pytest.approx(before.middle_side_db, abs=1.0)


@pytest.mark.parametrize("method", sorted(OURS))
def test_channels_that_are_alike_stay_alike(method: str) -> None:
    sound = sax_line()[:, : 2 * RATE]
    three = np.concatenate([sound, sound * np.float32(0.5), -sound])
    done = OURS[method](three, _of(three, 1.4), RATE)
    # Powers of two scale floats exactly, so only rounding in the sum of the parts remains.
    assert null_db(done[1], done[0] * np.float32(0.5)) < -120
    assert null_db(done[2], -done[0]) < -120


def test_a_voice_in_stereo_keeps_its_image_through_psola() -> None:
    voice = vowel()
    room = np.roll(voice, 400, axis=1) * np.float32(0.4)
    sound = np.concatenate([voice + room, voice * np.float32(0.6) - room]) + white(4.0, 0.003)
    before, after = stereo_image(sound), stereo_image(psola(sound, _of(sound, 1.5), RATE))
    assert after.coherence > before.coherence - 0.05
    assert after.correlation == pytest.approx(before.correlation, abs=0.02)


@pytest.mark.parametrize("ratio", [0.6, 1.5, 3.0])
@pytest.mark.parametrize("method", sorted(OURS))
def test_the_level_stays(method: str, ratio: float) -> None:
    """Within 1.3 dB, what plain overlap-add may lose of sounds that do not match; a vocoder without locking loses 3 dB."""
    sound = sax_line()[:, : 6 * RATE]
    assert rms_db(OURS[method](sound, _of(sound, ratio), RATE)) == pytest.approx(rms_db(sound), abs=1.3)


@pytest.mark.parametrize("method", sorted(OURS))
def test_hits_stay_on_a_ramp_from_90_to_140_bpm(method: str) -> None:
    """16 bars of hits at 90 bpm, moved onto beats of a tempo that rises evenly from 90 to 140 bpm."""
    beats = np.arange(1, 64)
    at_90 = beats / 1.5
    click = hits()[:, round(HIT_SECONDS[0] * RATE) : round((HIT_SECONDS[0] + 0.12) * RATE)]
    sound = np.zeros((1, round(64 / 1.5 * RATE)), np.float32)
    for second in at_90:
        begin = round(second * RATE)
        sound[:, begin : begin + click.shape[1]] += click
    per_second = (140 - 90) / 60 / 64
    on_the_ramp = np.log1p(beats * per_second / 1.5) / per_second
    time = TimeMap.through(sound.shape[1], RATE, list(zip(at_90.tolist(), on_the_ramp.tolist(), strict=True)))
    before = hit_report(sound, at_90)
    after = hit_report(OURS[method](sound, time, RATE), on_the_ramp)
    # WSOLA moves hits by its tolerance and half a window; all others hold them.
    most = 25.0 if method == "wsola" else 5.0
    assert abs(after.offset_ms - before.offset_ms) + after.worst_ms < most


@pytest.mark.parametrize("method", sorted(OURS))
def test_clicks_on_a_curve_that_falls_are_where_the_curve_says(method: str) -> None:
    """Sound that speeds up: from twice as long to half as long. A click before and behind the sound keeps the ends alive."""
    seconds = np.arange(1, 16) * 0.25
    sound = np.zeros((1, 4 * RATE), np.float32)
    sound[0, np.round(seconds * RATE).astype(int)] = 0.9
    time = TimeMap.curve(sound.shape[1], RATE, lambda at: 2 * 0.25 ** (at / 4))
    out = np.abs(OURS[method](sound, time, RATE)[0])
    for place in time.target_of(np.round(seconds * RATE)):
        around = round(0.04 * RATE)
        begin = max(0, round(place) - around)
        found = begin + int(np.argmax(out[begin : round(place) + around]))
        # WSOLA moves hits by its tolerance; all others hold them.
        assert abs(found - place) / RATE < (0.025 if method == "wsola" else 0.001), (
            f"{found / RATE:.4f} for {place / RATE:.4f} s"
        )


_SILENCE = np.zeros((2, 3000), np.float32)
_HOSTILE = {
    "one frame": np.full((1, 1), 0.5, np.float32),
    "two frames": np.array([[0.5, -0.5]], np.float32),
    "silence": _SILENCE,
    "direct current": _SILENCE + np.float32(0.7),
    "an impulse": np.eye(1, 3000, 1500, dtype=np.float32),
    "the highest frequency": np.tile(np.array([[0.9, -0.9]], np.float32), (2, 2000)),
    "far too loud": white(0.2, 30.0),
    "far too quiet": white(0.2, 1e-9),
    "many channels": white(0.1, 0.1, channels=7),
}


@pytest.mark.parametrize("ratio", [1 / 16, 0.4, 1.7, 16.0])
@pytest.mark.parametrize("name", _HOSTILE)
@pytest.mark.parametrize("method", [*sorted(OURS), "auto"])
def test_hostile_sounds_come_out_finite_and_no_louder(method: str, name: str, ratio: float) -> None:
    samples = _HOSTILE[name]
    result = stretch(Audio(samples, RATE), ratio, semitones=-3.0, method=method).samples
    peak = float(np.abs(samples).max())
    assert np.isfinite(result).all()
    # Windows that add in phase, and a sinc's overshoot on full-scale noise, stay within three times the peak.
    assert float(np.abs(result).max()) <= 3 * peak


@pytest.mark.parametrize("rate", [50, 400, 4000, 192_000])
@pytest.mark.parametrize("method", [*sorted(OURS), "auto"])
def test_any_rate_is_taken(method: str, rate: int) -> None:
    seconds = 2000 / rate
    sound = Audio(white(seconds, 0.1, rate=rate), rate)
    assert stretch(sound, 1.5, method=method).frames == 3000


@pytest.mark.parametrize("method", sorted(OURS))
def test_direct_current_stays_direct(method: str) -> None:
    flat = np.full((1, 20_000), 0.5, np.float32)
    result = OURS[method](flat, _of(flat, 1.5), RATE)[:, 6000:-6000]
    # PSOLA lifts what has no pitch by 1.25 dB, the power noise loses where Hann windows overlap.
    lift = 0.5 * (4 / 3) ** 0.5 if method == "psola" else 0.5
    assert np.abs(result - lift).max() < 0.005


@pytest.mark.parametrize("method", sorted(OURS))
def test_memory_does_not_grow_with_the_sound(method: str) -> None:
    """What a method allocates beside its result hardly differs between two minutes and eight, at 8 kHz."""
    import tracemalloc

    def beside(seconds: int) -> float:
        sound = np.tile(vowel()[:, : 2 * 8000], (1, seconds // 2))
        time = _of(sound, 1.1)
        tracemalloc.start()
        done = OURS[method](sound, time, 8000)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return float(peak - done.nbytes)

    OURS[method](vowel()[:, :8000], _of(vowel()[:, :8000], 1.1), 8000)
    longer, shorter = beside(480), beside(120)
    # A few numbers for each window, mark or grain remain: below four bytes for each frame of the input, which has four
    # itself. HPTSM keeps its three parts and their sum.
    assert longer - shorter < (20 if method == "hptsm" else 4) * 360 * 8000


def test_auto_says_what_it_chose_and_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="studio.stretch"):
        stretch(Audio(vowel(), RATE), 1.2)
        stretch(Audio(hits(), RATE), 1.2)
        stretch(Audio(mix(), RATE), 1.2)
    first, second, third = caplog.messages
    assert "psola" in first and "one pitch at a time" in first
    assert "hptsm" in second and "percussive" in second
    assert "hptsm" in third and "mix of tones and hits" in third


def test_tones_without_hits_go_to_the_vocoder(caplog: pytest.LogCaptureFixture) -> None:
    swell = np.hanning(4 * RATE).astype(np.float32)
    chord = sum(tone(hz) for hz in (220.0, 277.2, 329.6)) * swell
    wide = np.concatenate([chord, np.roll(chord, 5000, axis=1) * np.float32(0.3)])
    with caplog.at_level(logging.INFO, logger="studio.stretch"):
        stretch(Audio(wide, RATE), 1.2)
    assert "vocoder" in caplog.text


def test_wishes_that_cannot_be_met_are_refused() -> None:
    sound = Audio(vowel()[:, :8000], RATE)
    with pytest.raises(KnobError, match="no stretching method 'wsolla'"):
        stretch(sound, 1.5, method="wsolla")
    with pytest.raises(KnobError, match="duration ratio of 17"):
        stretch(sound, 17.0)
    with pytest.raises(KnobError, match="nan semitones"):
        stretch(sound, semitones=lambda seconds: seconds * np.nan)
    with pytest.raises(KnobError, match="50 semitones"):
        stretch(sound, semitones=3.0, formant_semitones=50.0, method="wsola")
    with pytest.raises(KnobError, match="for 100 frames"):
        stretch(sound, TimeMap.constant(100, 2.0))
    with pytest.raises(KnobError, match="signalsmith keeps one ratio"):
        stretch(sound, TimeMap.through(8000, RATE, [(0.05, 0.1), (0.1, 0.12)]), method="signalsmith")
    with pytest.raises(KnobError, match="signalsmith cannot move formants"):
        stretch(sound, semitones=3.0, formant_semitones=0.0, method="signalsmith")
    with pytest.raises(KnobError, match="praat takes one interval"):
        stretch(sound, semitones=lambda seconds: seconds, method="praat")
    with pytest.raises(AudioError, match="one channel"):
        stretch(Audio(mix()[:, :8000], RATE), 1.5, method="praat")
    with pytest.raises(AudioError, match="no sound"):
        stretch(Audio(np.zeros((1, 0)), RATE), 1.5)
