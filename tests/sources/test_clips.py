"""Pieces of audio files on the timeline."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from studio.cli.main import main
from studio.context import RenderContext
from studio.errors import StudioError
from studio.levels import decibels
from studio.recipe import Recipe
from studio.steps import Source, parse_step
from studio.tempo import Tempo, TempoMap
from tests.listening import cents, pitch_hz, sine

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


def test_a_clip_has_a_chain_of_its_own_whose_time_begins_with_it(tmp_path: Path, tone: np.ndarray) -> None:
    chain = [{"trim": {"length": "0.5 s"}}, "reverse", "invert", {"gain": [["0 s", "0 dB"], ["0.5 s", "-20 dB"]]}]
    clips = [{"file": "tone.wav", "at": "1 s", "offset": "0.25 s", "length": "0.4 s", "chain": chain}]
    sound = read({"clips": clips}, tmp_path)
    frames = round(0.4 * RATE)
    assert sound.shape[1] == RATE + frames and not sound[:, :RATE].any()
    bare = -tone[:, RATE // 4 : RATE // 4 + RATE // 2][:, ::-1][:, :frames]
    faded = bare * 10 ** (-np.arange(frames) / RATE * 40 / 20)
    assert decibels(float(np.max(np.abs(sound[:, RATE:] - faded)))) < -60
    half = read({"clips": [{"file": "tone.wav", "chain": [{"stretch": 0.5}]}]}, tmp_path)
    assert half.shape[1] == RATE // 2


def test_effects_in_a_clip_come_without_their_latency_and_end_with_it(tmp_path: Path, tone: np.ndarray) -> None:
    sound = read({"clips": [{"file": "tone.wav", "chain": [{"brickwall": {"ceiling": 0}}]}]}, tmp_path)
    assert sound.shape == tone.shape and decibels(float(np.max(np.abs(sound - tone)))) < -100


def test_what_a_clip_cannot_do_is_named_with_its_place(tmp_path: Path, tone: np.ndarray) -> None:
    text = "tracks: {{b: {{play: {{audio: tone.wav}}}}, a: {{play: {{clips: [{{file: tone.wav, chain: [{}]}}]}}}}}}"
    with pytest.raises(StudioError, match="hears no other track"):
        Recipe.loads(text.format("{ducker: b}"), tmp_path)
    with pytest.raises(StudioError, match=r"chain.*trim|trim.*begins"):
        read({"clips": [{"file": "tone.wav", "chain": [{"trim": {"start": "9 s"}}]}]}, tmp_path)


def test_the_files_in_a_chain_of_a_clip_belong_to_what_the_sound_depends_on(tmp_path: Path, tone: np.ndarray) -> None:
    from studio.engine import plan

    soundfile.write(tmp_path / "room.wav", tone.T[:100], RATE)
    text = "tracks: {a: {play: {clips: [{file: tone.wav, chain: [{convolution: room.wav}]}]}}}"
    before = plan(Recipe.loads(text, tmp_path)).mix.key
    assert str(tmp_path / "room.wav") in plan(Recipe.loads(text, tmp_path)).files
    soundfile.write(tmp_path / "room.wav", tone.T[:200], RATE)
    assert plan(Recipe.loads(text, tmp_path)).mix.key != before


def test_fades_have_shapes(tmp_path: Path, tone: np.ndarray) -> None:
    fades = {"fade_in": "0.5 s", "fade_in_shape": "slow", "fade_out": "0.25 s", "fade_out_shape": "fast"}
    sound = read({"clips": [{"file": "tone.wav", **fades}]}, tmp_path)
    level = np.ones(RATE)
    level[: RATE // 2] = (np.arange(RATE // 2) / (RATE // 2)) ** 2
    out = np.arange(RATE // 4, 0, -1) / (RATE // 4)
    level[-(RATE // 4) :] = 1 - (1 - out) ** 2
    assert decibels(float(np.max(np.abs(sound - tone * level)))) < -120


def test_a_clip_is_warped_fitted_and_pitched_from_its_own_beginning(tmp_path: Path) -> None:
    clicks = np.zeros((2, RATE), np.float32)
    clicks[:, [0, RATE // 4, RATE // 2]] = 0.5
    soundfile.write(tmp_path / "clicks.wav", clicks.T, RATE, subtype="FLOAT")
    tempo = TempoMap((Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(4), Fraction(60))))
    warp = {"markers": [["0 s", "0 beats"], ["0.25 s", "1 beat"], ["0.5 s", "2 beats"]], "method": "wsola"}
    sound = read({"clips": [{"file": "clicks.wav", "at": "bar 2", "warp": warp}]}, tmp_path, tempo=tempo)[0]
    near = [float(np.abs(sound[2 * RATE + at - 300 : 2 * RATE + at + 300]).max()) for at in (300, RATE)]
    assert min(near) > 0.1 and np.abs(sound[2 * RATE + 3000 : 3 * RATE - 3000]).max() < 0.1, "at the tempo of its place"
    soundfile.write(tmp_path / "tone.wav", sine(440, 1).T, RATE)
    high = read({"clips": [{"file": "tone.wav", "pitch": "7 st", "length": "0.8 s"}]}, tmp_path)
    assert abs(cents(pitch_hz(high[0, 4000:], RATE), 440 * 2 ** (7 / 12))) < 3 and high.shape[1] == round(0.8 * RATE)


def test_a_clip_is_looped_and_turned_round_in_its_length(tmp_path: Path, tone: np.ndarray) -> None:
    looped = read({"clips": [{"file": "tone.wav", "offset": "0.75 s", "loop": True, "length": "0.6 s"}]}, tmp_path)
    piece = tone[:, 3 * RATE // 4 :]
    assert np.array_equal(looped, np.tile(piece, 3)[:, : round(0.6 * RATE)])
    back = read({"clips": [{"file": "tone.wav", "length": "0.5 s", "reverse": True, "fade_in": "0.1 s"}]}, tmp_path)
    assert np.array_equal(back[:, 4410:], tone[:, : RATE // 2][:, ::-1][:, 4410:])
    assert np.abs(back[:, :100]).max() < 0.01, "fades come last"


def test_what_clips_can_do_is_listed_and_what_does_not_go_together_refused(tmp_path: Path, tone: np.ndarray) -> None:
    listed = CliRunner().invoke(main, ["steps", "clips"]).stdout
    for word in ("warp", "fit", "pitch", "reverse", "loop", "gain", "fade_in", "chain", "each of clips"):
        assert word in listed
    text = "tracks: {{a: {{play: {{clips: [{{file: tone.wav, {}}}]}}}}}}"
    for wrong, said in (
        ("loop: true", "without end"), ("fit: 1, warp: [[0 s, 0 bars], [1 s, 1 bar]]", "warped and fitted"),
        ("pitch: 99 st", "out of range"), ("warp: [[1 s, 1 bar], [0 s, 2 bars]]", "does not come after"),
    ):  # fmt: skip
        with pytest.raises(StudioError, match=said):
            Recipe.loads(text.format(wrong), tmp_path)
    recipe = Recipe.loads(text.format("pitch: 3 st, fit: {bars: 1, from_bpm: 120}, reverse: true"), tmp_path)
    assert Recipe.loads(recipe.dumps(), tmp_path) == recipe
