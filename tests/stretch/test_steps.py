"""The steps of the room, in the words of a recipe: heard on the bars, in tune, and in the right places."""

from __future__ import annotations

import logging
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import studio
from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import AudioError, KnobError, MissingError, StudioError
from studio.midi import write_midi
from studio.recipe import Recipe
from studio.score import Note, Score
from studio.steps import Instrument, Transform, parse_step
from studio.stretch import find_hits, track_f0
from studio.stretch.scales import midi_of
from studio.tempo import Tempo, TempoMap
from tests.listening import cents, null_db, pitch_hz, rms_db
from tests.stretch.battery import RATE, hits, mix, render, tone, vowel

RAMP = TempoMap((Tempo(Fraction(0), Fraction(90), ramp=True), Tempo(Fraction(64), Fraction(140))))
"""From 90 to 140 bpm in 16 bars."""


def changed(step: Any, samples: np.ndarray, context: RenderContext | None = None) -> np.ndarray:
    transform = parse_step(step, "transform")
    assert isinstance(transform, Transform)
    return transform.apply(Audio(samples, RATE), context or RenderContext(RATE)).samples


def pitches(samples: np.ndarray) -> np.ndarray:
    """MIDI's numbers of what is sung, every 10 ms, away from the ends."""
    hz = track_f0(Audio(samples, RATE)).hz[10:-10]
    return midi_of(hz[np.isfinite(hz)])


def test_one_step_says_how_long_and_how_high() -> None:
    sound = tone(440.0, 2.0)
    assert changed({"stretch": 1.5}, sound).shape[1] == 3 * RATE
    higher = changed({"stretch": {"duration_ratio": "50 %", "semitones": 7, "method": "vocoder"}}, sound)
    assert higher.shape[1] == RATE and abs(cents(pitch_hz(higher, RATE), 440 * 2 ** (7 / 12))) < 3
    octave = changed({"pitch": {"semitones": "1 octave", "method": "hptsm"}}, sound)
    assert octave.shape == sound.shape and abs(cents(pitch_hz(octave, RATE), 880)) < 3
    assert changed({"stretch": {}}, sound) is not sound and null_db(changed({"stretch": {}}, sound), sound) == -400


def test_a_curve_bends_the_pitch_where_the_song_says() -> None:
    sound = vowel(4.0)
    bent = changed({"psola": {"semitones": [["0 s", 0], ["2 s", 0], ["2.1 s", 5], ["4 s", 5]]}}, sound)
    before, after = pitches(bent[:, : 2 * RATE]), pitches(bent[:, round(2.2 * RATE) :])
    assert np.median(after) - np.median(before) == pytest.approx(5, abs=0.05)


def test_anchors_put_hits_where_they_say_even_on_bars() -> None:
    """At 120 bpm a bar is two seconds: hits every half second go to every beat of 90 bpm, then to a wider place."""
    start, bar, end = find_hits(hits(), RATE)[[0, 3, 7]] / RATE
    anchors = [[float(start), "1 beat"], [float(bar), "1 bar"], [float(end), "3 bars"]]
    context = RenderContext(RATE, tempo=TempoMap.constant(90))
    out = changed({"stretch": {"anchors": anchors, "method": "hptsm"}}, hits()[:, : 5 * RATE], context)
    found = find_hits(out, RATE) / RATE
    for place in (60 / 90, 4 * 60 / 90, 12 * 60 / 90):
        assert np.abs(found - place).min() < 0.005, place


def test_auto_says_what_it_chose_and_why(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "studio"):
        changed({"stretch": 1.2}, vowel(2.0))
        changed({"stretch": 1.2}, mix(4.0))
    words = [record.getMessage() for record in caplog.records]
    assert "psola: one pitch at a time" in words[0] and "hptsm" in words[1] and "hits a second" in words[1]


def test_a_loop_warped_onto_a_tempo_ramp_keeps_every_hit_within_5_ms() -> None:
    """Hits 0.5 s apart, the first at 0.5 s, onto the beats from bar 3 on of a ramp from 90 to 140 bpm."""
    markers = [["0.5 s", "2 bars"], ["7 s", "2 bars 13 beats"]]
    out = changed({"warp": {"markers": markers, "method": "hptsm"}}, hits(), RenderContext(RATE, tempo=RAMP))
    wanted = RAMP.seconds_at(8.0 + np.arange(14))
    found = find_hits(out, RATE) / RATE
    off = [float(np.abs(found - place).min()) for place in wanted]
    assert max(off) < 0.005, off


def test_warp_cuts_what_would_come_before_the_song() -> None:
    out = changed({"warp": {"markers": [["1.5 s", "0 bars"], ["3.5 s", "1 bar"]], "method": "wsola"}}, hits())
    assert out.shape[1] == pytest.approx(6.5 * RATE, abs=2)
    first, second = find_hits(out, RATE)[:2] / RATE
    assert first < 0.01 and second == pytest.approx(0.5, abs=0.015), "the hit at 1.5 s starts the file"


def drum_loop(bpm: float, bars: int) -> np.ndarray:
    """Kick, snare and hats, exactly so many bars long."""
    notes = []
    for beat in range(4 * bars):
        notes.append(Note(beat * 480, beat * 480 + 60, 36 if beat % 2 == 0 else 38, 112, 9))
        notes += [Note(beat * 480 + half, beat * 480 + half + 40, 42, 70, 9) for half in (0, 240)]
    return render(notes, {}, bpm=bpm, seconds=bars * 240 / bpm)


def test_one_bar_at_120_is_two_seconds_as_in_loop_collections(caplog: pytest.LogCaptureFixture) -> None:
    loop = drum_loop(97, 2)
    with caplog.at_level(logging.INFO, "studio"):
        out = changed({"fit": {"bars": 1, "bpm": 120}}, loop)
    assert out.shape[1] == 2 * RATE
    # Beats fall on 0.5 s: the tempo was found, and the second bar left out.
    found = find_hits(out, RATE) / RATE
    assert max(float(np.abs(found - place).min()) for place in (0.5, 1.0, 1.5)) < 0.008
    assert any("8 beats at 97 bpm" in record.getMessage() for record in caplog.records)


@pytest.mark.parametrize(("bpm", "bars"), [(97, 1), (140, 2), (74, 2), (172, 4)])
def test_a_loop_of_n_bars_fills_n_bars_whatever_octave_its_tempo_is_heard_in(bpm: int, bars: int) -> None:
    out = changed({"fit": {"bars": bars, "method": "hptsm"}}, drum_loop(bpm, bars))
    assert out.shape[1] == bars * 2 * RATE
    found = find_hits(out, RATE) / RATE
    assert max(float(np.abs(found - 0.5 * beat).min()) for beat in range(1, 4 * bars)) < 0.008


def test_a_loop_played_eight_times_follows_the_ramp_and_ends_on_the_bar() -> None:
    context = RenderContext(RATE, tempo=RAMP)
    out = changed(
        {"fit": {"bars": 2, "times": 7, "at": "1 bar", "from_bpm": 100, "method": "hptsm"}}, drum_loop(100, 2), context
    )
    assert out.shape[1] == round(float(RAMP.second_at(Fraction(60))) * RATE)
    found = find_hits(out, RATE) / RATE
    off = [float(np.abs(found - place).min()) for place in RAMP.seconds_at(np.arange(5.0, 60.0))]
    assert max(off) < 0.008 and float(np.median(off)) < 0.004
    assert not out[:, : round(float(RAMP.second_at(Fraction(4))) * RATE)].any()


def test_a_loop_that_is_too_short_is_repeated() -> None:
    out = changed({"fit": {"bars": 4, "from_bpm": 120, "method": "ola"}}, drum_loop(120, 1))
    assert out.shape[1] == 8 * RATE
    assert (
        null_db(out[:, : 2 * RATE], drum_loop(120, 1)) < -100 and null_db(out[:, : 2 * RATE], out[:, 6 * RATE :]) < -100
    )


def test_a_voice_comes_in_tune_and_keeps_its_vibrato() -> None:
    flat = vowel(3.0, hz=220 * 2 ** (-0.35 / 12))
    tuned = changed({"tune": {"key": "A", "scale": "major", "speed": 0}}, flat)
    line = pitches(tuned)
    assert abs(np.median(line) - 57) < 0.05 and tuned.shape == flat.shape
    assert np.std(line) == pytest.approx(np.std(pitches(flat)), rel=0.15)
    robot = pitches(changed({"tune": {"speed": 0, "vibrato": 0}}, flat))
    assert np.std(robot) < 0.3 * np.std(line) and abs(np.median(robot) - 57) < 0.05
    half = pitches(changed({"tune": {"amount": "50 %", "speed": 0}}, flat))
    assert np.median(half) == pytest.approx(57 - 0.175, abs=0.05)


def test_a_slow_tune_takes_its_time() -> None:
    flat = vowel(3.0, hz=220 * 2 ** (-0.4 / 12))
    line = track_f0(Audio(changed({"tune": {"speed": "300 ms", "vibrato": 0}}, flat), RATE))
    early, late = (float(np.nanmedian(midi_of(line.hz[span]))) for span in (slice(5, 20), slice(200, 290)))
    assert early < 56.85 and abs(late - 57) < 0.06


def score(*chords: tuple[int, ...], beats: int = 4) -> Score:
    notes = [
        Note(480 * beats * index, 480 * beats * (index + 1), pitch, 90)
        for index, chord in enumerate(chords)
        for pitch in chord
    ]
    return Score((), 480, TempoMap.constant(120), tracks=("Lead",)).with_notes(notes)


def test_a_voice_follows_a_part_of_the_score_in_its_own_octave() -> None:
    context = RenderContext(RATE, score=score((62 + 12,), (60 + 12,), beats=2))
    line = track_f0(Audio(changed({"tune": {"part": "all", "speed": 10}}, vowel(2.0, hz=138.6), context), RATE))
    first, second = (float(np.nanmedian(midi_of(line.hz[span]))) for span in (slice(20, 90), slice(120, 190)))
    assert abs(first - 50) < 0.1 and abs(second - 48) < 0.1


def strength_db(samples: np.ndarray, hz: float) -> float:
    """The level of the first partial of a voice, with room for vibrato, against the whole."""
    mono = samples.mean(axis=0)
    power = np.abs(np.fft.rfft(mono * np.hanning(len(mono)))) ** 2
    bins = np.fft.rfftfreq(len(mono), 1 / RATE)
    near = np.abs(1200 * np.log2(np.maximum(bins, 1) / hz)) < 60
    return 10 * float(np.log10(power[near].sum() / power.sum()))


def test_voices_in_a_scale_sing_thirds_as_the_key_has_them() -> None:
    """Over D in C major a third is minor (F) and the fifth is A; nothing sings F sharp."""
    sung = np.repeat(vowel(3.0, hz=146.83), 2, axis=0)
    out = changed({"harmonise": {"voices": [3, 5], "key": "C", "scale": "major", "detune": 0}}, sung)
    assert out.shape == sung.shape
    for hz in (174.61, 220.0):
        assert strength_db(out, hz) > strength_db(sung, hz) + 15
    assert strength_db(out, 174.61) > strength_db(out, 185.0) + 8
    left, right = rms_db(out[0] - sung[0]), rms_db(out[1] - sung[1])
    assert abs(left - right) < 3, "the two voices stand on both sides"


def test_voices_sing_the_chords_of_a_part() -> None:
    context = RenderContext(RATE, score=score((52, 55), (53, 57), beats=2))
    out = changed(
        {"harmonise": {"part": {"track": "Lead"}, "dry": "-inf dB", "detune": 0, "delay": 0}}, vowel(2.0), context
    )
    for span, chord in ((slice(0, RATE), (52, 55)), (slice(RATE, 2 * RATE), (53, 57))):
        heard = [strength_db(out[:, span], 440 * 2 ** ((pitch - 69) / 12)) for pitch in chord]
        others = strength_db(out[:, span], 440 * 2 ** ((50 - 69) / 12))
        assert min(heard) > others + 10, (chord, heard, others)


def test_slices_played_in_their_order_and_places_are_the_loop(tmp_path: Path) -> None:
    loop = hits()[:, : 4 * RATE]
    soundfile.write(tmp_path / "loop.wav", loop.T, RATE, "FLOAT")
    context = RenderContext(RATE, channels=1, folder=tmp_path)
    step = parse_step({"slice": {"file": "loop.wav"}}, "instrument")
    assert isinstance(step, Instrument)
    # The hits lie on 0.5 s, 1 s … 3.5 s: eight pieces, the first before them.
    starts = [0, *(find_hits(loop, RATE) - round(0.002 * RATE)).astype(int).tolist()]
    notes = [Note(start, start + 100, 36 + index, 127) for index, start in enumerate(starts)]
    by_frames = Score((), RATE // 2, TempoMap.constant(120))  # a tick is a frame
    played = np.concatenate(list(step.play(by_frames.with_notes(notes), context)), axis=1)
    assert len(starts) == 8 and rms_db(played - loop[:, : played.shape[1]]) < rms_db(loop) - 20
    again = [Note(0, 470, 38, 64)]
    [one] = [np.concatenate(list(step.play(Score((), 480, TempoMap.constant(120)).with_notes(again), context)), axis=1)]
    assert rms_db(one[:, : RATE // 4]) == pytest.approx(
        rms_db(played[:, starts[2] : starts[2] + RATE // 4]) + 40 * np.log10(64 / 127), abs=0.5
    )


def test_a_grid_cuts_where_there_are_no_hits(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "tone.wav", tone(440.0, 2.0).T, RATE, "FLOAT")
    step = parse_step({"slice": {"file": "tone.wav", "every": "1 beat", "length": "note"}}, "instrument")
    assert isinstance(step, Instrument)
    notes = [Note(0, 240, 39, 127), Note(480, 720, 99, 127)]
    context = RenderContext(RATE, channels=1, folder=tmp_path)
    out = np.concatenate(list(step.play(Score((), 480, TempoMap.constant(120)).with_notes(notes), context)), axis=1)
    assert abs(cents(pitch_hz(out[:, : RATE // 4], RATE), 440)) < 3
    assert not out[:, RATE // 4 + 10 :].any(), "held for an eighth, and there is no piece 63"


def test_a_change_of_the_part_is_heard_and_nothing_else_is_done_again(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.wav", vowel(2.0, hz=138.6).T, RATE, "FLOAT")
    mixes = []
    for pitch in (62, 62, 60):
        write_midi(score((pitch,)), tmp_path / "song.mid")
        song = Recipe.loads(
            "score: song.mid\ntracks: {voice: {play: {audio: voice.wav}, chain: [{tune: {part: all, speed: 0}}]}}",
            tmp_path,
        )
        mixes.append(studio.render(song).mix.samples)
    assert np.array_equal(mixes[0], mixes[1])
    first, last = (float(np.median(pitches(sound))) for sound in (mixes[0], mixes[2]))
    assert first == pytest.approx(50, abs=0.06) and last == pytest.approx(48, abs=0.06)


@pytest.mark.parametrize(
    ("step", "error", "words"),
    [
        ({"stretch": 0}, KnobError, "out of range"),
        ({"stretch": 17}, KnobError, "out of range"),
        ({"stretch": {"anchors": [["1 s", "1 s"], ["0.5 s", "2 s"]]}}, KnobError, "does not come after"),
        ({"stretch": {"anchors": [["1 s", "1 s"], ["1.5 s", "1 s"]]}}, KnobError, "stand still"),
        ({"stretch": {"anchors": [["1 bar", "1 s"]]}}, KnobError, "no moment of a sound"),
        ({"stretch": {"method": "hptms"}}, KnobError, "hptsm"),
        ({"warp": {}}, StudioError, "not clear how many beats"),
        ({"warp": {"markers": [["0 s", "1 bar"]]}}, KnobError, "at least"),
        ({"warp": {"markers": [["0 s", "2 bars"], ["1 s", "1 bar"]]}}, KnobError, "does not come after"),
        ({"warp": {"markers": [["0 s", "0 bars"], ["90 s", "40 bars"]]}}, KnobError, "Stay inside"),
        ({"fit": {"bars": 0}}, KnobError, "out of range"),
        ({"fit": {"bars": 1024, "times": 9999}}, StudioError, "hours"),
        ({"fit": {"bars": 64, "from_bpm": 20, "bpm": 400}}, StudioError, "duration ratio"),
        ({"tune": {"part": "Lead"}}, MissingError, "no score to follow"),
        ({"tune": {"key": "H"}}, KnobError, "H"),
        ({"harmonise": {"voices": [0, 3]}}, KnobError, "no interval"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_reason(step: Any, error: type[StudioError], words: str) -> None:
    with pytest.raises(error) as caught:
        changed(step, vowel(2.0))
    assert words in str(caught.value)


@pytest.mark.parametrize("step", ["tune", "harmonise"])
def test_a_band_is_not_a_voice(step: str) -> None:
    with pytest.raises(AudioError, match="one voice or instrument alone"):
        changed(step, mix(4.0))


def test_a_part_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(MissingError, match="Lead"):
        changed({"tune": {"part": "Bass line"}}, vowel(2.0), RenderContext(RATE, score=score((60,))))


@pytest.mark.parametrize("step", ["stretch", "pitch", "psola", {"fit": {"bars": 1}}, {"stretch": 2}, {"pitch": 3}])
def test_silence_and_a_single_sample_come_through(step: Any) -> None:
    single = [] if "fit" in step else [np.ones((1, 1), np.float32)]
    for sound in (np.zeros((2, RATE), np.float32), *single):
        out = changed(step, sound)
        assert np.isfinite(out).all() and out.shape[0] == sound.shape[0]


@pytest.mark.parametrize(
    "cut", [{"pieces": 16}, {"every": "1/8", "bpm": 90}, {"every": "1/8"}], ids=["equal pieces", "its tempo", "found"]
)
def test_a_loop_is_cut_on_its_own_beats_whatever_the_tempo_of_the_song(tmp_path: Path, cut: dict[str, object]) -> None:
    """Eight beats at 90 bpm with a higher tone every eighth, in a song at 140."""
    rate, eighth = RATE, 60 / 90 / 2
    frames = round(16 * eighth * rate)
    second = np.arange(frames) / rate
    index = np.minimum((second / eighth).astype(int), 15)
    hz = 200.0 * 1.1**index
    loop = np.sin(2 * np.pi * np.cumsum(hz) / rate) * np.exp(-(second % eighth) / 0.08)
    soundfile.write(tmp_path / "loop.wav", np.stack([loop, loop]).T * 0.5, rate, "FLOAT")
    step = parse_step({"slice": {"file": "loop.wav", "root": 36, **cut}}, "instrument")
    tempo = TempoMap.constant(140)
    score = Score((), 480, tempo).with_notes(Note(480 * at, 480 * at + 400, 36 + at, 127) for at in range(16))
    context = RenderContext(rate, 2, tempo=tempo, folder=tmp_path)
    sound = np.concatenate(list(step.play(score, context)), axis=1)  # type: ignore[attr-defined]
    for place in range(16):
        begin = round(place * 60 / 140 * rate)
        heard = pitch_hz(sound[0, begin : begin + round(0.15 * rate)], rate)
        assert heard == pytest.approx(200.0 * 1.1**place, rel=0.03), place
