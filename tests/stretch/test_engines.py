"""Stretchers that others wrote, with their traps fenced off."""

from __future__ import annotations

import os

import numpy as np
import pytest

from studio.audio import Audio
from studio.errors import MissingError
from studio.stretch import TimeMap, stretch
from studio.stretch.engines import praat, rubberband, rubberband_cli, signalsmith
from tests.listening import peak_db, rms_db, white
from tests.stretch.battery import HIT_SECONDS, RATE, hit_report, hits, strongest_hz, tone, vowel


def _map(sound: np.ndarray, ratio: float) -> TimeMap:
    return TimeMap.constant(sound.shape[1], ratio)


@pytest.mark.parametrize("level_db", [-100.0, 12.0])
def test_the_command_line_neither_clips_nor_drowns(level_db: float) -> None:
    """Through 16 bits as they come, +12 dB would lose its peaks and -100 dB would be all steps."""
    sound = tone(440.0) * np.float32(2 * 10 ** (level_db / 20))
    made = rubberband_cli(sound, _map(sound, 1.5), RATE)
    middle = slice(RATE, -RATE)
    assert rms_db(made[:, middle]) == pytest.approx(rms_db(sound[:, middle]), abs=0.2)
    assert peak_db(made[:, middle]) == pytest.approx(level_db, abs=0.5)


def test_the_command_line_takes_each_call_by_itself() -> None:
    sound = tone(440.0)[:, :RATE]
    lengths = [rubberband_cli(sound, _map(sound, ratio), RATE) for ratio in (0.5, 2.0)]
    heard = [np.flatnonzero(np.abs(made[0]) > 0.05)[-1] / RATE for made in lengths]
    assert heard == pytest.approx([0.5, 2.0], abs=0.03)


def test_without_its_program_the_command_line_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", os.devnull)
    with pytest.raises(MissingError, match="rubberband-cli"):
        rubberband_cli(tone(440.0), _map(tone(440.0), 1.5), RATE)


def test_a_bent_map_keeps_hits_in_time_through_rubber_band() -> None:
    time = TimeMap.curve(hits().shape[1], RATE, lambda seconds: 1 + seconds / 10)
    places = time.target_of(np.array(HIT_SECONDS) * RATE) / RATE
    report = hit_report(rubberband(hits(), time, RATE), places)
    assert abs(report.offset_ms) < 5
    assert report.worst_ms < 5


def test_signalsmith_is_fed_contiguous_arrays() -> None:
    """A transposed array, as soundfile gives it, comes out with both its pitches."""
    pair = np.ascontiguousarray(np.concatenate([tone(300.0), tone(500.0)]).T).T
    assert not pair.flags.c_contiguous
    made = signalsmith(pair, _map(pair, 1.5), RATE)
    assert strongest_hz(made[:1]) == pytest.approx(300, abs=0.5)
    assert strongest_hz(made[1:]) == pytest.approx(500, abs=0.5)


def test_praat_repeats_itself() -> None:
    breathy = vowel() + white(4.0, 0.02, channels=1)
    first = praat(breathy, _map(breathy, 1.4), RATE)
    assert np.array_equal(first, praat(breathy, _map(breathy, 1.4), RATE))


def test_praat_follows_a_bent_map() -> None:
    silence = np.zeros((1, RATE), np.float32)
    sound = np.concatenate([vowel()[:, :RATE], silence, vowel()[:, :RATE]], axis=1)
    time = TimeMap.through(3 * RATE, RATE, [(1.0, 2.0), (2.0, 2.5), (3.0, 3.5)])
    made = stretch(Audio(sound, RATE), time, method="praat").samples[0]
    power = np.sqrt(np.convolve(made**2, np.ones(441) / 441, mode="same"))
    edges = np.flatnonzero(np.diff((power > 0.02).astype(int)))
    assert edges[-2:] / RATE == pytest.approx([2.0, 2.5], abs=0.03)
