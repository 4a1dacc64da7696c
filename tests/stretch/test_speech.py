"""Speech goes to the method for voices, and keeps its pitch there; what only looks like it does not."""

from __future__ import annotations

import io
import subprocess
from functools import cache

import numpy as np
import pytest
import soundfile
import soxr

from studio.audio import Audio
from studio.score import Note
from studio.stretch import F0Track, stretch, track_f0
from studio.stretch.content import choose
from studio.stretch.psola import _bridged
from tests.stretch.battery import RATE, mix, render, sax_line, vowel

WORDS = "The quick brown fox jumps over the lazy dog, while seven silver swans sing softly beside the shining sea."


@cache
def spoken(voice: str) -> Audio:
    """A sentence by espeak-ng, mono."""
    command = ["espeak-ng", "-v", voice, "--stdout", WORDS]
    made = subprocess.run(command, capture_output=True, check=True).stdout
    samples, rate = soundfile.read(io.BytesIO(made), dtype="float32")
    return Audio(np.asarray(soxr.resample(samples, rate, RATE), np.float32)[None], RATE)


VOICES = ("en", "en+f3", "de")


@pytest.mark.parametrize("voice", VOICES)
def test_speech_is_a_voice_alone(voice: str) -> None:
    assert choose(spoken(voice)).method == "psola"


def noisy(voice: str, below_db: float = 22.0) -> Audio:
    """The same in a hiss, as recordings of readers have it."""
    clean = spoken(voice).samples
    level = float(np.sqrt(np.mean(np.square(clean, dtype=np.float64)))) * 10 ** (-below_db / 20)
    hiss = np.random.default_rng(2).normal(size=clean.shape) * level
    return Audio((clean + hiss).astype(np.float32), RATE)


@pytest.mark.parametrize("voice", VOICES)
def test_speech_in_a_hiss_is_one_too_and_keeps_its_pitch(voice: str) -> None:
    sound = noisy(voice)
    assert choose(sound).method == "psola"
    assert all(strayed <= 0.015 * heard for strayed, heard in (off(sound, 0.8), off(sound, 1.5)))


def test_a_moment_without_a_pitch_of_its_own_is_bridged_in_a_creak_and_not_in_a_consonant() -> None:
    """Where 50 ms between two pitches repeat, they are laid in periods; where they are noise, they are not."""
    sung = vowel(1.0, hz=90.0)
    hissed = sung.copy()
    hissed[:, round(0.5 * RATE) : round(0.56 * RATE)] = np.random.default_rng(3).normal(size=round(0.06 * RATE)) * 0.1
    track = track_f0(Audio(sung, RATE))
    hz = track.hz.copy()
    hz[51:56] = np.nan
    gapped = F0Track(track.times, hz, track.confidence)
    found = _bridged(gapped, sung, RATE).hz[51:56]
    assert np.abs(1200 * np.log2(found / track.hz[51:56])).max() < 20
    assert not np.isfinite(_bridged(gapped, hissed, RATE).hz[51:56]).any()


def notes(program: int, *keys: int, held: int = 460, drums: bool = False) -> Audio:
    played = [Note(480 * place, 480 * place + held, key + 5 * place % 7, 90) for place in range(8) for key in keys]
    if drums:
        played += [Note(240 * place, 240 * place + 100, (36, 42, 38, 42)[place % 4], 100, 9) for place in range(16)]
    return Audio(render(played, {0: program}, seconds=4.0), RATE)


@pytest.mark.parametrize(
    ("sound", "method"),
    [
        (Audio(mix(6.0), RATE), "hptsm"),
        (notes(0, 50, 58, 63, 65), "hptsm"),
        (notes(25, 45, 52, 57, held=1400), "hptsm"),
        (notes(33, 36, 43, drums=True), "hptsm"),
        (notes(73, 62, drums=True), "hptsm"),
        (notes(4, 50, 57, 62, drums=True), "hptsm"),
        (Audio(sax_line(6.0), RATE), "psola"),
    ],
    ids=[
        "band",
        "piano chords",
        "guitar",
        "bass and drums",
        "flute and drums",
        "electric piano and drums",
        "saxophone",
    ],
)
def test_other_sounds_go_where_they_went(sound: Audio, method: str) -> None:
    assert choose(sound).method == method


def off(source: Audio, ratio: float) -> tuple[int, int]:
    """The moments of the source inside its voiced stretches whose pitch is off by more than 100 cents, and all of them."""
    before, after = (track_f0(each, 60.0, 600.0) for each in (source, stretch(source, ratio)))
    inside = np.convolve(before.voiced, np.ones(3), "same") == 3
    found = after.at(before.times * ratio)
    both = inside & np.isfinite(found)
    cents = np.abs(1200 * np.log2(found[both] / before.hz[both]))
    assert both.sum() > 0.8 * inside.sum()
    return int((cents > 100).sum()), int(both.sum())


def test_speech_keeps_its_pitch_at_any_tempo() -> None:
    counts = np.array([off(spoken(voice), ratio) for voice in VOICES for ratio in (0.6, 0.8, 1.25, 2.0)])
    assert counts[:, 0].sum() <= 0.004 * counts[:, 1].sum(), counts
    assert (counts[:, 0] / counts[:, 1]).max() < 0.02, counts
