"""The figures of a transfer on what is no textbook: moved by octaves, slurred, high, and sung low."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from studio.audio import Audio
from studio.context import RenderContext
from studio.score import Note
from studio.steps import Transform, parse_step
from studio.timbre import compare, transfer
from studio.timbre.transferring import by_model
from tests.stretch.battery import RATE, render, sax_line, vowel

VIOLIN, TRUMPET, FLUTE = 40, 56, 73


@cache
def line(program: int, low: int, gap: int = 0) -> Audio:
    """Twelve notes, touching unless there is a gap of so many ticks."""
    random = np.random.default_rng(1)
    notes, pitch = [], low + 5
    for place in range(12):
        notes.append(Note(480 * place, 480 * (place + 1) - gap, pitch, 100))
        pitch = int(np.clip(pitch + random.choice([-4, -3, -2, 2, 3, 5]), low, low + 14))
    return Audio(render(notes, {0: program}, seconds=6.0), RATE)


def sung(sound: Audio, octave: str, voice: str = "trumpet") -> Audio:
    step = parse_step({"sing": {"voice": voice, "octave": octave}})
    assert isinstance(step, Transform)
    return step.apply(sound, RenderContext(RATE, 1))


@pytest.mark.parametrize("octave", ["-1", "0", "1"])
def test_a_move_by_octaves_is_no_mistake(octave: str) -> None:
    source = line(VIOLIN, 66)
    figures = compare(sung(source, octave), source, source)
    assert figures.octaves == int(octave) and figures.pitch_kept > 0.95 and figures.pitch_cents < 5


def test_a_melody_that_is_another_is_still_one() -> None:
    other = Audio(sax_line(6.0), RATE)
    assert compare(line(VIOLIN, 66), other, other).pitch_kept < 0.5


@pytest.mark.parametrize("source", [line(VIOLIN, 66), line(FLUTE, 70)], ids=["violin", "flute"])
def test_slurred_notes_are_begun_where_they_were(source: Audio) -> None:
    assert compare(sung(source, "0"), source, source).onsets_kept > 0.8
    late = Audio(np.pad(source.samples, ((0, 0), (round(0.2 * RATE), 0)))[:, : source.frames], RATE)
    assert compare(late, source, source).onsets_kept < 0.3


def test_pitch_above_a_kilohertz_is_heard() -> None:
    high = line(FLUTE, 82)
    for octave in ("-1", "0", "1"):
        figures = compare(sung(high, octave, "flute"), high, high)
        assert figures.octaves == int(octave) and figures.pitch_kept > 0.9


@pytest.mark.parametrize("target", [line(VIOLIN, 60, 20), line(TRUMPET, 62, 20)], ids=["violin", "trumpet"])
def test_harmonic_brings_a_low_voice_nearer_to_a_high_instrument(target: Audio) -> None:
    voice = Audio(vowel(3.0, hz=120.0), RATE)
    before, after = (compare(each, voice, target) for each in (voice, transfer(voice, target, "harmonic")))
    assert after.log_mel_target < before.log_mel_target - 1 and after.frechet_target < 0.85 * before.frechet_target
    assert after.pitch_kept > 0.95


@pytest.mark.parametrize("instrument", ["violin", "trumpet"])
def test_spectral_keeps_the_pitch_of_a_voice(instrument: str) -> None:
    voice = Audio(vowel(3.0, hz=150.0), RATE)
    made = by_model(voice, instrument, "spectral", 1.0, RenderContext(RATE, 1))
    assert compare(made, voice, voice).pitch_kept > 0.95
