"""Loops are read from their files, their lengths and their hits; what is unclear is asked, what is wrong is told."""

from __future__ import annotations

import json
import logging
import struct
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

import studio
from studio.audio import Audio
from studio.cli.main import main
from studio.context import RenderContext
from studio.errors import AudioError, StudioError
from studio.recipe import Recipe
from studio.rendering.audio_writer import Tags
from studio.rendering.signal_writer import SignalWriter, blocks_of, write_signal
from studio.score import Note, Score
from studio.steps import Instrument, Transform, parse_step
from studio.stretch.loop_analysis import analyse_loop
from studio.stretch.loop_hints import hints_in, hints_in_name, key_told
from studio.stretch.loop_key import find_key
from studio.stretch.onsets import find_hits
from studio.tempo import TempoMap
from tests.stretch.battery import RATE as FULL
from tests.stretch.battery import render

RATE = 22_050
NAMES = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")


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


BACKBEAT, FUNK = {38: "....x.......x...", 36: "x.......x.x....."}, {38: "....x..x.x..x...", 36: "x..x..x...x..x.."}


def pattern(bpm: float, hats: str, drums: dict[int, str], bars: int = 2) -> Audio:
    """A drum pattern of sixteenths by the demo's SoundFont, bent to a circle."""
    step = 60 / bpm / 4
    played = [
        Note(round(at), round(at) + 60, key, 100 if place % 4 == 0 else 75, 9)
        for bar in range(bars)
        for key, row in {**drums, 42: hats}.items()
        for place, hit in enumerate(row)
        if hit == "x"
        for at in [(bar * 16 + place) * step * 960]
    ]
    frames = round(bars * 16 * step * FULL)
    made = render(sorted(played, key=lambda note: note.start), {}, seconds=frames / FULL + 1)
    made[:, :FULL] += made[:, frames : frames + FULL]
    return Audio(made[:, :frames].copy(), FULL)


@pytest.mark.parametrize("bpm", [67, 76, 86])
@pytest.mark.parametrize(("hats", "drums"), [("x" * 16, BACKBEAT), ("x.x." * 4, BACKBEAT), ("x" * 16, FUNK)])
def test_slow_sixteenths_are_never_doubled_without_a_question(bpm: float, hats: str, drums: dict[int, str]) -> None:
    loop = analyse_loop(pattern(bpm, hats, drums))
    assert (loop.sure and loop.best.beats == 8) or 8 in [each.beats for each in loop.readings[:2]]
    assert not loop.sure or loop.best.beats == 8


@pytest.mark.parametrize(("hats", "drums"), [("x" * 16, BACKBEAT), ("x.x." * 4, BACKBEAT), ("x" * 16, FUNK)])
def test_the_same_at_140_is_sure_by_its_snare_or_its_sixteenths(hats: str, drums: dict[int, str]) -> None:
    loop = analyse_loop(pattern(140, hats, drums))
    assert loop.sure and loop.best.beats == 8 and loop.best.bpm == pytest.approx(140, rel=0.001)


def with_comment(path: Path, *words: str) -> Path:
    """A FLAC file with Vorbis comments put in front of its other blocks."""
    data = path.read_bytes()
    told = b"".join(struct.pack("<I", len(word.encode())) + word.encode() for word in words)
    block = struct.pack("<I", 0) + struct.pack("<I", len(words)) + told
    first = 8 + int.from_bytes(data[5:8], "big")
    kept = bytes([data[4] & 0x7F]) + data[5:first] + bytes([4]) + len(block).to_bytes(3, "big") + block
    path.write_bytes(b"fLaC" + kept + data[first:])
    return path


def id3(**frames: str) -> bytes:
    body = b"".join(
        name.encode() + struct.pack(">IH", len(text) + 1, 0) + b"\0" + text.encode() for name, text in frames.items()
    )
    size = len(body)
    tag = b"ID3\x03\0\0" + bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127]) + body
    return b"id3 " + struct.pack("<I", len(tag)) + tag + b"\0" * (len(tag) % 2)


def test_the_tempo_and_the_key_are_read_from_tags(tmp_path: Path) -> None:
    audio = beaten(82, 8)
    soundfile.write(tmp_path / "a.flac", audio.samples.T, RATE)
    flac = with_comment(tmp_path / "a.flac", "BPM=82", "initialkey=F#m")
    wav = saved(tmp_path / "a.wav", audio, id3(TBPM="82", TKEY="Bbm"))
    for file, key in ((flac, "F# minor"), (wav, "Bb minor")):
        assert [(hint.where, hint.bpm) for hint in hints_in(file)] == [("its tag for the tempo", 82.0)]
        assert analyse_loop(audio, file).settled("bpm").beats == 8 and key_told(file) == key
    for damaged in (b"id3 \x08\0\0\0ID3\x03\0\0\x7f\x7f", b"id3 \x04\0\0\0ID3\xff"):
        assert hints_in(saved(tmp_path / "b.wav", audio, damaged)) == ()
    assert [key_told(tmp_path / name) for name in ("a.wav",)] == ["Bb minor"]


def smpl(first: int, last: int) -> bytes:
    head = struct.pack("<9I", 0, 0, 0, 60, 0, 0, 0, 1, 0) + struct.pack("<6I", 0, 0, first, last, 0, 0)
    return b"smpl" + struct.pack("<I", len(head)) + head


def test_of_a_sound_with_a_tail_the_part_is_read_that_its_file_loops(tmp_path: Path) -> None:
    loop = beaten(120, 8)
    tail = Audio.of(np.concatenate([loop.samples[0], loop.samples[0, : RATE // 3] * 0.1]), RATE)
    assert analyse_loop(tail).best.beats != 8
    file = saved(tmp_path / "a.wav", tail, smpl(0, loop.frames - 1))
    found = analyse_loop(tail, file)
    assert found.sure and found.best.beats == 8 and found.of(tail).frames == loop.frames
    step = parse_step({"fit": {"method": "ola"}}, "transform")
    assert isinstance(step, Transform)
    fitted = step.apply(tail, RenderContext(RATE, 1, tempo=TempoMap.constant(120), origin=file))
    assert np.array_equal(fitted.samples, loop.samples)
    sustain = saved(tmp_path / "b.wav", tail, smpl(tail.frames // 2, tail.frames - 1))
    assert analyse_loop(tail, sustain).start == 0.0, "the loop of a sustained note is none of a rhythm"


def test_without_bars_a_loop_plays_as_many_beats_as_it_has() -> None:
    step = parse_step({"fit": {"times": 2, "at": "1 bar", "method": "ola"}}, "transform")
    assert isinstance(step, Transform)
    out = step.apply(beaten(97, 4), RenderContext(RATE, 1, tempo=TempoMap.constant(120)))
    assert out.frames == (4 + 2 * 4) * RATE // 2


def test_warp_without_markers_moves_each_hit_onto_its_beat() -> None:
    loop = beaten(100, 8, 1)
    late = loop.samples.copy()
    beat = round(0.6 * RATE)
    late[:, 3 * beat : 4 * beat] = np.roll(late[:, 3 * beat : 4 * beat], round(0.035 * RATE), axis=1)
    step = parse_step({"warp": {"method": "wsola"}}, "transform")
    assert isinstance(step, Transform)
    out = step.apply(Audio(late, RATE), RenderContext(RATE, 1, tempo=TempoMap.constant(100)))
    hits = find_hits(out.samples, RATE) / RATE
    assert np.abs(hits - 3 * 0.6).min() < 0.006 < np.abs(find_hits(late, RATE) / RATE - 3 * 0.6).min()


def test_slice_cuts_at_cue_points(tmp_path: Path) -> None:
    audio = beaten(120, 4)
    points = (0, 5000, 12_000)
    entries = b"".join(struct.pack("<II4sIII", at, at, b"data", 0, 0, at) for at in points)
    chunk = b"cue " + struct.pack("<II", 4 + len(entries), len(points)) + entries
    saved(tmp_path / "a.wav", audio, chunk)
    step = parse_step({"slice": {"file": "a.wav", "cues": True}}, "instrument")
    assert isinstance(step, Instrument)
    context = RenderContext(RATE, 1, folder=tmp_path)
    score = Score().with_notes([Note(0, 10, 37, 127)])
    out = np.concatenate(list(step.play(score, context)), axis=1)
    assert np.array_equal(out[:, :6000], audio.samples[:, 5000:11_000])
    saved(tmp_path / "b.wav", audio)
    other = parse_step({"slice": {"file": "b.wav", "cues": True}}, "instrument")
    assert isinstance(other, Instrument)
    with pytest.raises(AudioError, match=r"b\.wav has no cue points"):
        other.ready(context)


@pytest.mark.parametrize(("place", "swing"), [(0.5, 0.5), (2 / 3, 0.667), (0.6, 0.6)])
def test_swing_is_where_the_second_eighth_lies(place: float, swing: float) -> None:
    out, beat = np.zeros(8 * RATE // 2), RATE / 2
    noise = np.random.default_rng(1).normal(size=900) * np.exp(-np.arange(900) / 200)
    for at in range(8):
        for part, level in ((0.0, 0.5), (place, 0.25)):
            first = round((at + part) * beat)
            out[first : first + 900] += level * noise[: len(out) - first]
    loop = analyse_loop(Audio.of(out.astype(np.float32), RATE))
    assert loop.best.beats == 8 and loop.swing == pytest.approx(swing, abs=0.02)


@pytest.mark.parametrize(("program", "tonic", "minor"), [(0, 9, True), (48, 2, False), (33, 5, True), (24, 7, False)])
def test_the_key_of_a_song_is_found(program: int, tonic: int, minor: bool) -> None:
    chords = (
        ((0, 3, 7), (8, 12, 15), (3, 7, 10), (7, 10, 14)) if minor else ((0, 4, 7), (5, 9, 12), (7, 11, 14), (0, 4, 7))
    )
    played = [Note(480 * at, 480 * at + 460, 48 + tonic + key, 90) for at, chord in enumerate(chords) for key in chord]
    found = find_key(Audio(render(played, {0: program}, seconds=2.2), FULL))
    assert found is not None and found.name == f"{NAMES[tonic]} {'minor' if minor else 'major'}"


def test_drums_noise_and_silence_have_no_key() -> None:
    noise = np.random.default_rng(0).normal(size=2 * RATE).astype(np.float32) * 0.1
    for audio in (Audio.of(noise, RATE), Audio.silence(1.0, RATE), Audio.of(noise[:1], RATE)):
        assert find_key(audio) is None


def test_show_says_what_a_loop_is(tmp_path: Path) -> None:
    saved(tmp_path / "a_120bpm.wav", beaten(120, 8))
    shown = CliRunner().invoke(main, ["show", str(tmp_path / "a_120bpm.wav"), "--json"])
    card = next(iter(json.loads(shown.output).values()))
    assert card["sure"] and card["readings"][0]["beats"] == 8 and card["told"] == ["120 bpm (its name)"]
    words = CliRunner().invoke(main, ["show", str(tmp_path / "a_120bpm.wav")]).output
    assert "8 beats at 120 bpm, confidence" in words and "4 beats a bar" in words
    (tmp_path / "no.wav").write_bytes(b"nothing")
    assert CliRunner().invoke(main, ["show", str(tmp_path / "no.wav")]).exit_code == 1
