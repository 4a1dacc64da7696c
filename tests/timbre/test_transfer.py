"""Sounds in the timbre of others: what each method keeps, and what it takes."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from studio.audio import Audio
from studio.cli import main
from studio.context import RenderContext
from studio.errors import AudioError, KnobError, MissingError
from studio.score import Note
from studio.steps import Transform, parse_step
from studio.stretch import track_f0
from studio.timbre import METHODS, Figures, compare, transfer
from studio.timbre.likeness import frechet
from studio.timbre.mosaic import bees
from studio.timbre.spectra import analysed, as_long_as
from studio.timbre.transferring import MODELS
from tests.listening import cents, null_db, pitch_hz, rms_db, sine, white
from tests.stretch.battery import RATE, mix, render, sax_line, tone, vowel

VIOLIN, CLARINET = 40, 71


@cache
def saxophone() -> Audio:
    return Audio(sax_line(6.0), RATE)


@cache
def violin() -> Audio:
    random = np.random.default_rng(1)
    notes = [Note(480 * beat, 480 * beat + 460, int(60 + random.choice([0, 2, 4, 5, 7, 9])), 100) for beat in range(12)]
    return Audio(render(notes, {0: VIOLIN}, seconds=6.0), RATE)


@cache
def made(method: str) -> tuple[Audio, Figures]:
    out = transfer(saxophone(), violin(), method)
    return out, compare(out, saxophone(), violin())


@pytest.mark.parametrize("method", METHODS)
def test_every_method_keeps_the_length_and_moves_towards_the_target(method: str) -> None:
    out, figures = made(method)
    apart = compare(saxophone(), saxophone(), violin())
    assert out.samples.shape == saxophone().samples.shape and np.isfinite(out.samples).all()
    assert figures.log_mel_target < apart.log_mel_target - 0.5
    assert abs(rms_db(out.samples) - rms_db(saxophone().samples)) < 7
    again = transfer(saxophone(), violin(), method)
    assert np.array_equal(again.samples, out.samples), "the same bits every time"


@pytest.mark.parametrize(
    ("method", "kept", "off"), [("envelope", 0.85, 2.0), ("harmonic", 0.85, 2.0), ("mosaic", 0.7, 10.0)]
)
def test_hybrids_and_mosaics_keep_the_melody(method: str, kept: float, off: float) -> None:
    _, figures = made(method)
    assert figures.pitch_kept > kept and figures.pitch_cents < off


@pytest.mark.parametrize("method", ["envelope", "harmonic", "stft", "transport"])
def test_hybrids_and_morphs_keep_the_loudness(method: str) -> None:
    assert made(method)[1].loudness_db < 1.5


@pytest.mark.parametrize("method", METHODS)
def test_no_amount_is_the_source(method: str) -> None:
    assert np.array_equal(transfer(saxophone(), violin(), method, 0.0).samples, saxophone().samples)


def test_half_the_way_lies_between() -> None:
    for method in ("envelope", "stft", "mosaic"):
        half = compare(transfer(saxophone(), violin(), method, 0.5), saxophone(), violin())
        whole = made(method)[1]
        assert half.log_mel_source < whole.log_mel_source and half.log_mel_target > whole.log_mel_target - 0.3


def test_spectra_come_back_as_the_sound() -> None:
    for sound in (white(0.7, channels=2), sine(440.0, 0.31), np.ones((1, 1), np.float32)):
        audio = Audio(sound, RATE)
        assert null_db(analysed(audio).sound().samples, sound) < -120


def test_a_vowel_takes_the_resonances_of_another() -> None:
    """The same singer through formants a fifth higher: the envelope of one is put on the other."""
    low, high = Audio(vowel(2.0), RATE), Audio(vowel(2.0, hz=190.0, formants=7.0), RATE)
    out = transfer(low, high, "envelope")
    before, after = (compare(each, low, high).log_mel_target for each in (low, out))
    assert after < 0.6 * before
    assert abs(cents(pitch_hz(out.samples, RATE), pitch_hz(out.samples, RATE))) < 1
    hz = track_f0(out).hz
    assert (
        np.nanmedian(np.abs(1200 * np.log2(hz / np.interp(np.arange(len(hz)), np.arange(len(hz)), track_f0(low).hz))))
        < 5
    )


def test_harmonics_that_are_missing_in_the_target_go_missing_at_any_pitch() -> None:
    frames = np.arange(2 * RATE) / RATE
    full = sum(np.sin(2 * np.pi * 220 * number * frames) / number for number in range(1, 16))
    odd = sum(np.sin(2 * np.pi * 330 * number * frames) / number for number in range(1, 12, 2))
    source, target = (Audio((0.2 * each)[None].astype(np.float32), RATE) for each in (full, odd))
    out = transfer(source, target, "harmonic").samples[0]
    power = np.abs(np.fft.rfft(out[RATE // 2 : RATE // 2 + RATE] * np.hanning(RATE))) ** 2
    for even in (2, 4, 6):
        assert 10 * np.log10(power[220 * even] / power[220 * (even - 1)]) < -25, even


def test_transport_slides_a_partial_from_one_pitch_to_the_other() -> None:
    low, high = Audio(tone(400.0, 2.0), RATE), Audio(tone(600.0, 2.0), RATE)
    for amount, hz in ((0.25, 450.0), (0.5, 500.0), (1.0, 600.0)):
        out = transfer(low, high, "transport", amount)
        assert abs(cents(pitch_hz(out.samples[:, RATE // 2 : -RATE // 2], RATE), hz)) < 10, amount


def test_bees_hum_only_with_what_the_target_has() -> None:
    """A target of two tones cannot make a third."""
    target = Audio(np.concatenate([tone(330.0, 1.0), tone(440.0, 1.0)], axis=1), RATE)
    out = bees(Audio(tone(392.0, 1.0), RATE), target, 1.0).samples[0]
    power = np.abs(np.fft.rfft(out * np.hanning(len(out)))) ** 2
    near = [power[int(hz * len(out) / RATE) - 12 : int(hz * len(out) / RATE) + 13].sum() for hz in (330, 440, 392)]
    assert max(near[:2]) > 20 * near[2]


def test_a_mosaic_of_itself_is_itself() -> None:
    out, figures = (
        transfer(violin(), violin(), "mosaic"),
        compare(transfer(violin(), violin(), "mosaic"), violin(), violin()),
    )
    assert figures.pitch_kept > 0.95 and figures.pitch_cents < 1 and figures.onsets_kept > 0.8
    assert rms_db(out.samples - violin().samples) < rms_db(violin().samples) - 6


def test_stereo_keeps_its_image() -> None:
    source = Audio(mix(4.0), RATE)
    out = transfer(source, violin(), "envelope").samples
    before, after = (rms_db(each[0]) - rms_db(each[1]) for each in (source.samples, out))
    assert abs(before - after) < 1


def test_the_amount_may_move() -> None:
    step = parse_step({"transfer": {"target": "x.wav", "amount": [["0 s", 0], ["3 s", 0], ["3.1 s", 1]]}})
    assert isinstance(step, Transform)


def test_figures_are_what_they_say() -> None:
    same = compare(saxophone(), saxophone(), violin())
    assert same.pitch_cents == 0 and same.pitch_kept == 1 and same.onsets_kept == 1 and same.loudness_db == 0
    assert same.log_mel_source == 0 and same.frechet_source < 1e-3 and same.frechet_target > 10
    random = np.random.default_rng(0)
    one, other = random.standard_normal((20_000, 3)), random.standard_normal((20_000, 3)) * 2 + 5
    assert frechet(one, other) == pytest.approx(3 * 25 + 3 * 1, rel=0.03)
    noise = compare(Audio(white(2.0), RATE), Audio(white(2.0, seed=2), RATE), Audio(white(2.0, seed=3), RATE))
    assert noise.data()["pitch_cents"] is None


def test_a_short_target_is_repeated_without_a_click() -> None:
    out = as_long_as(Audio(sine(440.0, 0.33), RATE), 3 * RATE).samples
    assert out.shape == (2, 3 * RATE) and np.abs(np.diff(out[0])).max() < 1.6 * 2 * np.pi * 440 / RATE * 0.5


@pytest.mark.parametrize(
    ("source", "target", "method", "error", "words"),
    [
        (sine(440.0), sine(220.0, 0.05), "envelope", AudioError, "tenth of a second"),
        (sine(440.0), np.zeros((2, RATE), np.float32), "bees", AudioError, "silent"),
        (sine(440.0), sine(220.0), "mosiac", KnobError, "mosaic"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_reason(
    source: np.ndarray, target: np.ndarray, method: str, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        transfer(Audio(source, RATE), Audio(target, RATE), method)


@pytest.mark.parametrize("method", METHODS)
def test_silence_noise_and_a_tenth_of_a_second_come_through(method: str) -> None:
    for source in (np.zeros((2, RATE), np.float32), white(0.5), sine(440.0, 0.1), np.ones((1, 1), np.float32)):
        out = transfer(Audio(source, RATE), violin(), method).samples
        assert out.shape == source.shape and np.isfinite(out).all()
    assert np.isfinite(transfer(saxophone(), Audio(white(0.2, channels=1), RATE), method).samples).all()


def test_the_command_writes_the_sound_and_its_figures(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", saxophone().samples[:, : 2 * RATE].T, RATE)
    soundfile.write(tmp_path / "b <i>.wav", violin().samples[:, : 2 * RATE].T, RATE)

    def run(*arguments: Any) -> str:
        given = ["transfer", str(tmp_path / "a.wav"), str(tmp_path / "b <i>.wav"), *map(str, arguments)]
        result = CliRunner().invoke(main, given)
        assert result.exit_code == 0, result.output
        return result.output

    answer = json.loads(run("-o", tmp_path / "out.wav", "--method", "harmonic", "--json"))
    assert answer["harmonic"]["pitch_kept"] > 0.5
    assert soundfile.info(tmp_path / "out.wav").frames == 2 * RATE
    sung = json.loads(run("-o", tmp_path / "sung.wav", "--method", "sing", "--model", "violin", "--json"))
    assert sung["sing"]["pitch_kept"] > 0.8
    alone = CliRunner().invoke(
        main, ["transfer", str(tmp_path / "a.wav"), str(tmp_path / "a.wav"), "-o", "x.wav", "--method", "spectral"]
    )
    assert alone.exit_code == 1 and "--model" in alone.output
    run("-o", tmp_path / "all", "--compare", "--model", "violin")
    page = (tmp_path / "all" / "compare.html").read_text()
    assert "<i>" not in page and all((tmp_path / "all" / f"{method}.wav").is_file() for method in (*METHODS, *MODELS))


def test_the_step_reads_its_target_from_the_recipes_folder(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "violin.wav", violin().samples.T, RATE, "FLOAT")
    step = parse_step({"transfer": {"target": "violin.wav", "method": "stft"}})
    assert isinstance(step, Transform)
    out = step.apply(saxophone(), RenderContext(RATE, folder=tmp_path))
    assert null_db(out.samples, made("stft")[0].samples) < -60
    assert list(step.assets(RenderContext(RATE, folder=tmp_path))) == [tmp_path / "violin.wav"]
    with pytest.raises(MissingError, match=r"violin\.wav"):
        parse_step({"transfer": "violn.wav"}).apply(saxophone(), RenderContext(RATE, folder=tmp_path))  # type: ignore[attr-defined]
