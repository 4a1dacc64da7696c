"""Pieces of audio files on the timeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.context import RenderContext
from studio.errors import StudioError
from studio.levels import decibels
from studio.recipe import Recipe
from studio.steps import Source, parse_step
from studio.tempo import TempoMap

RATE = 44_100


def read(data: object, folder: Path, **options: object) -> np.ndarray:
    step = parse_step(data, "source")
    assert isinstance(step, Source)
    return np.concatenate(list(step.read(RenderContext(RATE, folder=folder, **options))), axis=1)  # type: ignore[arg-type]


@pytest.fixture
def tone(tmp_path: Path) -> np.ndarray:
    samples = np.random.default_rng(1).uniform(-0.4, 0.4, (2, RATE)).astype(np.float32)
    soundfile.write(tmp_path / "tone.wav", samples.T, RATE, subtype="FLOAT")
    return samples


def test_clips_lie_where_they_are_put_to_the_frame(tmp_path: Path, tone: np.ndarray) -> None:
    clips = [
        {"file": "tone.wav", "at": "3 beats", "offset": "0.25 s", "length": "1 beat", "gain": "-6 dB"},
        {"file": "tone.wav", "at": "10/44100 s", "length": "20/44100 s"},
        {"file": "tone.wav", "at": "2 bars", "mute": True},
    ]
    sound = read({"clips": clips}, tmp_path, tempo=TempoMap.constant(90))
    assert sound.shape[1] == 4 * RATE * 2 // 3
    assert not np.any(sound[:, :10]) and not np.any(sound[:, 30 : 2 * RATE])
    assert np.array_equal(sound[:, 10:30], tone[:, :20])
    late = tone[:, RATE // 4 : RATE // 4 + RATE * 2 // 3] * 10 ** (-6 / 20)
    assert decibels(float(np.max(np.abs(sound[:, 2 * RATE :] - late)))) < -130


def test_overlapping_clips_add_up_and_fades_are_straight(tmp_path: Path, tone: np.ndarray) -> None:
    sound = read(
        {"clips": [{"file": "tone.wav"}, {"file": "tone.wav", "fade_in": "0.5 s", "fade_out": "0.1 s"}]}, tmp_path
    )
    half = RATE // 2
    ramp = np.ones(RATE)
    ramp[:half] = np.arange(half) / half
    ramp[-4410:] = np.arange(4410, 0, -1) / 4410
    assert decibels(float(np.max(np.abs(sound - tone * (1 + ramp))))) < -120


def test_a_clip_of_a_file_that_is_missing_names_its_place(tmp_path: Path) -> None:
    recipe = Recipe.loads("tracks: {a: {play: {clips: [{file: gone.wav}]}}}", tmp_path)
    from studio.rendering import render

    with pytest.raises(StudioError, match="clips") as caught:
        render(recipe)
    assert "gone.wav" in str(caught.value)
    with pytest.raises(StudioError, match="seconds"):
        parse_step({"clips": [{"file": "a.wav", "offset": "1 beat"}]}, "source")


def test_colours_of_strips_are_checked() -> None:
    recipe = Recipe.loads("tracks: {a: {play: noise, colour: FF8800}}")
    assert recipe.tracks["a"].colour == "#ff8800"
    with pytest.raises(StudioError, match="colour"):
        Recipe.loads("tracks: {a: {play: noise, colour: orange}}")
