"""How good it sounds: hits, tones, the parts they are taken apart into, and distance to the music played anew."""

from __future__ import annotations

import numpy as np
import pytest

from studio.stretch.hptsm import hptsm
from studio.stretch.onsets import find_hits
from studio.stretch.psola import psola
from studio.stretch.separation import separate
from studio.stretch.stretcher import TIME_METHODS
from studio.stretch.timemap import TimeMap
from studio.stretch.vocoder import vocoder
from tests.listening import cents, log_mel_distance_db, null_db, rms_db, white
from tests.stretch.battery import (
    BPM,
    HIT_SECONDS,
    RATE,
    TONES,
    hit_report,
    hits,
    mix,
    sax_line,
    spur_db,
    strongest_hz,
    tone,
)


def _map(sound: np.ndarray, ratio: float) -> TimeMap:
    return TimeMap.constant(sound.shape[1], ratio)


@pytest.mark.parametrize("ratio", [0.7, 1.5, 2.0])
def test_hptsm_moves_hits_and_does_not_smear_them(ratio: float) -> None:
    played = hit_report(hits(BPM / ratio), np.array(HIT_SECONDS) * ratio)
    made = hit_report(hptsm(hits(), _map(hits(), ratio), RATE), np.array(HIT_SECONDS) * ratio)
    assert made.pre_echo_db < -40
    assert made.span_ms < min(55, played.span_ms + 5)
    assert abs(made.offset_ms - played.offset_ms) + made.worst_ms < 5


@pytest.mark.parametrize("ratio", [0.7, 1.5])
@pytest.mark.parametrize("method", [hptsm, vocoder])
def test_every_tone_stays_pure_and_in_tune(method: object, ratio: float) -> None:
    for hz in TONES:
        made = method(tone(hz), _map(tone(hz), ratio), RATE)  # type: ignore[operator]
        assert spur_db(made, hz) < -50, hz
        assert abs(cents(strongest_hz(made), hz)) < 0.1


@pytest.mark.parametrize("ratio", [0.6, 1.5, 4.0, 16.0])
@pytest.mark.parametrize("method", [psola, hptsm])
def test_breath_keeps_its_power_and_does_not_buzz(method: object, ratio: float) -> None:
    breath = white(2.0, 0.1, channels=1)
    made = method(breath, _map(breath, ratio), RATE)  # type: ignore[operator]
    assert rms_db(made) == pytest.approx(rms_db(breath), abs=0.6)
    power = np.abs(np.fft.rfft(np.asarray(made[0], np.float64))) ** 2
    smooth = np.convolve(power, np.ones(40) / 40, mode="valid")[round(150 * made.shape[1] / RATE) :]
    # Noise itself, averaged over 40 bins, strays by 1.8 times; windows repeated in step raise lines of ten times and more.
    assert smooth.max() / np.median(smooth) < 3.5


def test_hits_are_found_where_they_are() -> None:
    found = find_hits(hits(), RATE) / RATE
    played = np.array(HIT_SECONDS) + 0.0025  # FluidSynth's latency, as `hit_report` measures it
    assert len(found) == len(played)
    assert np.abs(found - played).max() < 0.003


def test_a_tone_and_noise_have_no_hits() -> None:
    assert len(find_hits(tone(440.0)[:, RATE // 2 :], RATE)) <= 1
    assert len(find_hits(white(4.0)[:, : 4 * RATE], RATE)) <= 1


def test_the_parts_add_up_to_the_sound() -> None:
    parts = separate(mix(), RATE)
    assert null_db(parts.harmonic + parts.percussive + parts.residual, mix()) < -120


def test_each_part_holds_what_it_should() -> None:
    sung, struck, noise = tone(660.0), np.zeros((1, 4 * RATE), np.float32), white(4.0, 0.1, channels=1)
    struck[:, RATE // 2 :: RATE // 2] = 0.9
    for sound, part in ((sung, 0), (struck, 1)):
        found = separate(sound, RATE)
        middle = [rms_db(piece[:, RATE : 3 * RATE]) for piece in found]
        assert all(middle[part] - other > 20 for index, other in enumerate(middle) if index != part)
    rustle = [rms_db(piece) for piece in separate(noise, RATE)]
    assert max(rustle) == rustle[2]


@pytest.mark.parametrize("ratio", [0.75, 1.5])
def test_hptsm_is_closer_to_the_band_played_anew_than_any_other_of_ours(ratio: float) -> None:
    played = mix(bpm=BPM / ratio)
    time = TimeMap(np.array([0.0, mix().shape[1]]), np.array([0.0, played.shape[1]]))
    distance = {
        name: log_mel_distance_db(method(mix(), time, RATE), played, RATE) for name, method in TIME_METHODS.items()
    }
    assert min(distance, key=lambda name: distance[name]) == "hptsm"


@pytest.mark.parametrize("method", ["wsola", "vocoder", "hptsm"])
def test_there_and_back_again_is_the_line_again(method: str) -> None:
    """A line stretched to one and a half and back is closer to itself than to the same line played anew."""
    line = sax_line()[:, : 10 * RATE]
    there = TIME_METHODS[method](line, _map(line, 1.5), RATE)
    back = TIME_METHODS[method](there, TimeMap(np.array([0.0, there.shape[1]]), np.array([0.0, line.shape[1]])), RATE)
    played = sax_line(15.0, BPM / 1.5)
    assert log_mel_distance_db(back, line, RATE) < 0.5 * log_mel_distance_db(there, played, RATE)
