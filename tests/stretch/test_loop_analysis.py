"""Loops are read from their files, their lengths and their hits; what is unclear is asked, what is wrong is told."""

from __future__ import annotations

import logging
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

import studio
from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import AudioError, StudioError
from studio.recipe import Recipe
from studio.rendering.audio_writer import Tags
from studio.rendering.signal_writer import SignalWriter, blocks_of, write_signal
from studio.score import Score
from studio.steps import Instrument, Transform, parse_step
from studio.stretch.loop_analysis import analyse_loop
from studio.stretch.loop_hints import hints_in, hints_in_name
from studio.tempo import TempoMap

RATE = 22_050


def beaten(bpm: float, beats: float, parts: int = 2) -> Audio:
    """A kick and a snare in turn on the beats, and hats on so many parts of them, for so many beats."""
    noise = np.random.default_rng(3)
    frames = round(beats * 60 / bpm * RATE)
    out, time = np.zeros(frames + RATE), np.arange(round(0.12 * RATE)) / RATE
    for place in range(int(np.ceil(beats * parts))):
        at = round(place / parts * 60 / bpm * RATE)
        out[at : at + 1000] += noise.normal(size=1000) * 0.1 * np.exp(-np.arange(1000) / 200)
        if place % (2 * parts) == 0:
            out[at : at + len(time)] += 0.6 * np.sin(2 * np.pi * 55 * time) * np.exp(-time * 20)
        elif place % parts == 0:
            out[at : at + len(time)] += 0.3 * noise.normal(size=len(time)) * np.exp(-time * 30)
    return Audio.of(out[:frames].astype(np.float32) * 0.5, RATE)


def acid(beats: int, bpm: float, meter: int = 4, flags: int = 0) -> bytes:
    return b"acid" + struct.pack("<IIHHfIHHf", 24, flags, 60, 0x8000, 0.0, beats, 4, meter, bpm)


def saved(path: Path, audio: Audio, chunk: bytes = b"") -> Path:
    soundfile.write(path, audio.samples.T, audio.rate, "FLOAT")
    if chunk:
        data = path.read_bytes() + chunk
        path.write_bytes(data[:4] + struct.pack("<I", len(data) - 8) + data[8:])
    return path


@pytest.mark.parametrize(
    ("bpm", "beats", "parts"),
    [(97, 4, 2), (97, 16, 2), (120, 8, 2), (126, 4, 4), (140, 16, 2), (110, 8, 4), (120, 12, 2), (120, 5, 2)],
)
def test_the_beats_of_a_loop_are_whole_and_right(bpm: float, beats: int, parts: int) -> None:
    loop = analyse_loop(beaten(bpm, beats, parts))
    assert loop.sure and loop.best.beats == beats, loop
    assert loop.best.bpm == pytest.approx(bpm, rel=1e-3) and loop.meter == 4
    assert sum(each.share for each in loop.readings) <= 1 + 1e-9 and loop.readings[1].share < loop.best.share


@pytest.mark.parametrize(("bpm", "beats"), [(82, 8), (70, 16), (174, 8)])
def test_a_tempo_that_may_as_well_be_another_is_asked_for_unless_the_bars_or_the_file_decide(
    bpm: float, beats: int, tmp_path: Path
) -> None:
    audio = beaten(bpm, beats)
    loop = analyse_loop(audio)
    assert not loop.sure and beats in {loop.readings[0].beats, loop.readings[1].beats, loop.readings[2].beats}
    with pytest.raises(AudioError, match=r"(?s)beats at .* or .*from_bpm: [\d.]+` or `from_bpm: [\d.]+`"):
        loop.settled("from_bpm")
    file = saved(tmp_path / f"break_{bpm}bpm.wav", audio)
    assert analyse_loop(audio, file).settled("from_bpm").beats == beats


def test_the_bars_that_are_asked_for_decide_between_two_octaves() -> None:
    audio = beaten(174, 8)
    assert analyse_loop(audio, wanted=8).settled("from_bpm").beats == 8
    assert analyse_loop(audio, wanted=4).settled("from_bpm").beats == 4


@pytest.mark.parametrize("beats", [7.4, 8.3, 15.6])
def test_a_partial_bar_is_noticed_and_its_tempo_named(beats: float) -> None:
    loop = analyse_loop(beaten(120, beats))
    assert not loop.sure and loop.best.bpm == pytest.approx(120, rel=0.005)
    with pytest.raises(AudioError, match="does not last whole beats"):
        loop.settled("from_bpm")


def test_noise_a_hit_and_a_tone_have_no_beat_and_silence_no_reading() -> None:
    noise = np.random.default_rng(0).normal(size=8 * RATE).astype(np.float32) * 0.1
    hit = np.zeros(2 * RATE, np.float32)
    hit[:1500] = noise[:1500] * np.exp(-np.arange(1500) / 300)
    tone = np.sin(2 * np.pi * 220 * np.arange(4 * RATE) / RATE).astype(np.float32) * 0.5
    for sound in (noise, noise[: 2 * RATE], hit, np.roll(hit, 5000), tone):
        loop = analyse_loop(Audio.of(sound, RATE))
        assert not loop.sure and "No clear beat" in " ".join(loop.remarks)
    silent = analyse_loop(Audio.silence(2.0, RATE))
    assert not silent.readings and not silent.sure
    with pytest.raises(AudioError, match="silent"):
        silent.settled("from_bpm")
    for frames in (1, 7, 300):
        assert not analyse_loop(Audio.of(np.ones(frames, np.float32), RATE)).sure


@pytest.mark.parametrize(
    ("stem", "tempos"),
    [
        ("break_120bpm", [120]),
        ("Funky Break 97.5 BPM (2)", [97.5]),
        ("x_bpm120_dry", [120]),
        ("BPM=88 hats", [88]),
        ("loop_120_Am", [120]),
        ("loop_drone_g_97", [97]),
        ("909beat01", []),
        ("take 7", []),
        ("1200bpm", []),
        ("120bpmx", []),
        ("kick 24 96 140bpm", [140]),
    ],
)
def test_tempos_are_read_from_names(stem: str, tempos: list[float]) -> None:
    assert [hint.bpm for hint in hints_in_name(stem)] == tempos


def test_a_bare_number_counts_only_where_it_gives_whole_phrases(tmp_path: Path) -> None:
    audio = beaten(82, 8)
    assert analyse_loop(audio, saved(tmp_path / "loop_82_Am.wav", audio)).settled("bpm").beats == 8
    other = analyse_loop(audio, saved(tmp_path / "loop_91_Am.wav", audio))
    assert replace(other, remarks=()) == replace(analyse_loop(audio), remarks=()) and not other.remarks


def test_an_acid_chunk_is_read_and_believed_where_it_agrees_with_the_length(tmp_path: Path) -> None:
    audio = beaten(174, 12)
    file = saved(tmp_path / "a.wav", audio, acid(12, 174, meter=3))
    loop = analyse_loop(audio, file)
    assert loop.sure and loop.best.beats == 12 and loop.meter == 3 and not loop.remarks
    once = saved(tmp_path / "b.wav", audio, acid(12, 174, flags=1))
    assert not hints_in(once), "a one-shot has no tempo"


@pytest.mark.parametrize("chunk", [acid(8, 100), acid(7, 120), acid(4, 60.0 * 3)])
def test_an_acid_chunk_that_is_wrong_is_told_and_not_believed(tmp_path: Path, chunk: bytes) -> None:
    audio = beaten(120, 8)
    loop = analyse_loop(audio, saved(tmp_path / "a.wav", audio, chunk))
    assert loop.best.beats == 8 and loop.sure
    assert "its ACID chunk" in loop.remarks[0] and "not believed" in loop.remarks[0]


def test_a_damaged_acid_chunk_is_none(tmp_path: Path) -> None:
    audio = beaten(120, 4)
    for index, chunk in enumerate(
        (b"acid\x04\0\0\0abcd", b"acid\xff\xff\xff\x7f", acid(4, float("nan")), acid(0, 120))
    ):
        assert hints_in(saved(tmp_path / f"{index}.wav", audio, chunk)) == ()


def test_what_we_write_ourselves_is_read_back(tmp_path: Path) -> None:
    audio = beaten(82, 8)
    writer = SignalWriter(tmp_path / "out.wav", RATE, 1, tags=Tags(title="x", tempo=TempoMap.constant(82)))
    write_signal(writer, blocks_of(audio))
    hints = hints_in(tmp_path / "out.wav")
    assert hints[0].where == "its ACID chunk" and (hints[0].beats, hints[0].bpm) == (8, 82)
    assert analyse_loop(audio, tmp_path / "out.wav").settled("bpm").beats == 8


@pytest.mark.parametrize(
    "play", ["{audio: FILE}", "{clips: [{file: FILE, chain: [{fit: {method: ola}}]}]}"], ids=["audio", "clip"]
)
def test_the_name_of_the_file_reaches_fit_only_with_its_unchanged_sound(tmp_path: Path, play: str) -> None:
    saved(tmp_path / "loop_80bpm.wav", beaten(80, 8))
    saved(tmp_path / "loop.wav", beaten(80, 8))
    chain = "[]" if "clips" in play else "[{fit: {method: ola}}]"
    head = f"{{rate: {RATE}, tempo: 120, tracks: {{a: {{play: {play}, chain: {chain}}}}}}}"

    def rendered(text: str, name: str) -> np.ndarray:
        return studio.render(Recipe.loads(text.replace("FILE", name), tmp_path)).mix.samples

    told = rendered(head.replace("method: ola", "method: ola, from_bpm: 80"), "loop.wav")
    assert np.array_equal(rendered(head, "loop_80bpm.wav"), told)
    with pytest.raises(StudioError, match="from_bpm: 80"):
        rendered(head, "loop.wav")
    with pytest.raises(StudioError, match="from_bpm"):
        rendered(head.replace("{fit", "{gain: -3 dB}, {fit"), "loop_80bpm.wav")


def test_fit_refuses_what_is_unclear_and_says_how_to_say_it(tmp_path: Path) -> None:
    step = parse_step({"fit": {"bars": 1}}, "transform")
    assert isinstance(step, Transform)
    audio, context = beaten(80, 8), RenderContext(RATE, 1)
    with pytest.raises(StudioError, match=r"(?s)8 beats at 80 bpm.*`from_bpm: 80`"):
        step.apply(audio, context)
    named = replace(context, origin=saved(tmp_path / "loop 80 bpm.wav", audio))
    told = parse_step({"fit": {"bars": 1, "from_bpm": 80}}, "transform")
    assert isinstance(told, Transform)
    assert np.array_equal(step.apply(audio, named).samples, told.apply(audio, context).samples)


def test_fit_tells_of_a_name_that_is_wrong(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    audio = beaten(120, 8)
    step = parse_step({"fit": {"bars": 2, "method": "ola"}}, "transform")
    assert isinstance(step, Transform)
    with caplog.at_level(logging.WARNING, "studio"):
        out = step.apply(audio, RenderContext(RATE, 1, origin=saved(tmp_path / "loop_93bpm.wav", audio)))
    assert out.frames == 4 * RATE and "93 bpm" in caplog.text


def test_slice_asks_as_well(tmp_path: Path) -> None:
    saved(tmp_path / "a.wav", beaten(82, 8))
    step = parse_step({"slice": {"file": "a.wav", "every": "1 beat"}}, "instrument")
    assert isinstance(step, Instrument)
    with pytest.raises(AudioError, match="`bpm: 82`"):
        list(step.play(Score((), 480), RenderContext(RATE, 1, folder=tmp_path)))
