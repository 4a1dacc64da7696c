"""What shapers do to sounds that people know: hits, hiss, a band that booms, a voice through a saw."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from studio.audio import Block
from studio.context import RenderContext
from tests.effects.test_oracles import made, through
from tests.listening import rms_db, white

RATE = 44_100
CONTEXT = RenderContext(RATE)


def hits(level: float = 0.5) -> Block:
    """Four hits a second that ring for a while."""
    time = np.arange(RATE) / RATE % 0.25
    return (white(1.0, 1.0, seed=4) * level * np.exp(-time / 0.05)).astype(np.float32)


def punch_db(sound: Block) -> float:
    """How much louder the first 8 ms of every hit are than what is there 60 to 120 ms later."""
    time = np.arange(sound.shape[1]) / RATE % 0.25
    return rms_db(sound[:, time < 0.008]) - rms_db(sound[:, (time > 0.06) & (time < 0.12)])


@pytest.mark.parametrize("level", [0.5, 0.02])
def test_hits_become_harder_or_softer_whatever_their_level(level: float) -> None:
    sound = hits(level)
    harder, softer = (through(made("transient", attack=db), sound, CONTEXT) for db in (12, -12))
    assert punch_db(harder) - punch_db(sound) > 5 and punch_db(sound) - punch_db(softer) > 5
    start, late = slice(0, 400), slice(9_000, 10_500)
    longer = through(made("transient", attack=0, sustain=12), sound, CONTEXT)
    assert rms_db(longer[:, late]) - rms_db(sound[:, late]) > 5
    assert abs(rms_db(longer[:, start]) - rms_db(sound[:, start])) < 0.5


def test_without_a_turn_nothing_changes() -> None:
    for name, knobs in (("transient", {"attack": 0}), ("de_esser", {"most": 0}), ("dynamic_eq", {"threshold": 0})):
        assert np.array_equal(through(made(name, **knobs), hits(0.2), CONTEXT), hits(0.2)), name


@pytest.mark.parametrize("level", [1.0, 0.03])
def test_hiss_is_turned_down_where_it_stands_out_and_vowels_stay(level: float) -> None:
    time = np.arange(RATE) / RATE
    vowel = sum(np.sin(2 * np.pi * 140 * harmonic * time) / harmonic**1.5 for harmonic in range(1, 40)) * 0.2
    hiss = sosfilt(butter(4, [6_500, 11_000], "bandpass", fs=RATE, output="sos"), white(1.0, 1.0, seed=3)[0]) * 0.4
    says_s = (time > 0.5) & (time < 0.65)
    sound = (np.stack([np.where(says_s, hiss, vowel)] * 2) * level).astype(np.float32)
    out = through(made("de_esser", threshold=-12, most=12), sound, CONTEXT)
    within, before = slice(round(0.53 * RATE), round(0.63 * RATE)), slice(2_000, round(0.48 * RATE))
    assert 6 < rms_db(sound[:, within]) - rms_db(out[:, within]) < 12
    assert rms_db(out[:, before] - sound[:, before]) - rms_db(sound[:, before]) < -60


def test_a_band_is_cut_by_its_ratio_only_while_it_is_loud() -> None:
    time = np.arange(2 * RATE) / RATE
    boom = np.sin(2 * np.pi * 250 * time) * np.where(time < 1, 0.01, 0.5)
    sound = np.stack([boom] * 2).astype(np.float32)
    out = through(made("dynamic_eq", cutoff=250, threshold=-26, ratio=2, most=36, release=300), sound, CONTEXT)
    quiet, loud = slice(RATE // 2, RATE - 100), slice(round(1.7 * RATE), None)
    assert np.array_equal(out[:, : quiet.stop], sound[:, : quiet.stop])
    assert rms_db(sound[:, loud]) - rms_db(out[:, loud]) == pytest.approx(10, abs=1)  # 20 dB over, at 2:1
    high = np.stack([np.sin(2 * np.pi * 4_000 * time) * 0.4] * 2).astype(np.float32)
    through_high = through(made("dynamic_eq", cutoff=250, threshold=-40, ratio=4), high, CONTEXT)
    assert abs(rms_db(through_high) - rms_db(high)) < 0.2


def test_a_voice_speaks_through_a_saw() -> None:
    time = np.arange(2 * RATE) / RATE
    saw = np.stack([2 * (110 * time % 1) - 1] * 2).astype(np.float32) * np.float32(0.3)
    low, high = (
        sosfilt(butter(4, band, "bandpass", fs=RATE, output="sos"), white(2.0, 0.8, seed=8)[0])
        for band in ([250, 500], [2_500, 5_000])
    )
    voice = np.stack([np.where(time < 1, low, high)] * 2).astype(np.float32)
    out = through(made("vocoder", bands=24), saw, CONTEXT, side=voice)

    def balance_db(part: Block) -> float:
        power = np.abs(np.fft.rfft(part[0] * np.hanning(part.shape[1]))) ** 2
        hz = np.fft.rfftfreq(part.shape[1], 1 / RATE)
        inside = [power[(hz > one) & (hz < other)].sum() for one, other in ((200, 600), (2_200, 5_500))]
        return float(10 * np.log10(inside[0] / inside[1]))

    assert balance_db(out[:, 8_000 : RATE - 2_000]) - balance_db(out[:, RATE + 8_000 :]) > 40


def test_a_vocoder_of_many_channels_speaks_through_them_all() -> None:
    many = np.repeat(white(0.5, 0.3, channels=1), 20, axis=0)
    out = through(made("vocoder"), many, RenderContext(RATE, channels=20), side=many)
    assert np.array_equal(out, np.repeat(out[:1], 20, axis=0)) and not np.array_equal(out, many)


def test_saturation_leaves_no_mirror_images_and_adds_the_harmonics_it_says() -> None:
    hz = 6_000 - 6_000 % (RATE / 32_768)  # a whole number of turns in what is looked at
    tone = (0.5 * np.sin(2 * np.pi * hz * np.arange(65_536) / RATE)).astype(np.float32)

    def lines(name: str, **knobs: float) -> np.ndarray:
        out = through(made(name, **knobs), np.stack([tone] * 2), CONTEXT)[0, 16_000 : 16_000 + 32_768]
        return np.asarray(20 * np.log10(np.abs(np.fft.rfft(out * np.blackman(32_768))) / 32_768 + 1e-12))

    at = round(hz / RATE * 32_768)
    folded = [abs(round(at * harmonic / 32_768) * 32_768 - at * harmonic) for harmonic in (5, 7, 9, 11)]
    ours, naive = lines("saturation", drive=12, bias=0, output=0), lines("distortion", drive=12)
    worst = [max(row[near - 3 : near + 4].max() for near in folded) - row[at] for row in (ours, naive)]
    assert worst[0] < -75 and worst[1] > -45
    even, odd = lines("saturation", bias=0.6)[2 * at], lines("saturation", bias=0)[2 * at]
    assert even > -60 and odd < -100
