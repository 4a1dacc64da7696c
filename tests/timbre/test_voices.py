"""The shipped voices: melodies sung anew, and notes sung from a score."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest

from studio.audio import Audio
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.errors import AudioError, KnobError, MissingError
from studio.nets.features import loudness
from studio.score import Note, Score
from studio.steps import Effect, Instrument, Transform, parse_step, registry
from studio.stretch import track_f0
from studio.tempo import TempoMap
from studio.timbre.figures import compare
from studio.timbre.voices import VOICES
from tests.listening import cents, log_mel_distance_db, pitch_hz, through, white
from tests.stretch.battery import RATE, render, sax_line


def sung(step: object, samples: np.ndarray, context: RenderContext | None = None) -> np.ndarray:
    transform = parse_step(step, "transform")
    assert isinstance(transform, Transform)
    return transform.apply(Audio(samples, RATE), context or RenderContext(RATE)).samples


@pytest.mark.parametrize("name", VOICES.shipped())
def test_every_shipped_voice_is_small_and_says_where_it_comes_from(name: str) -> None:
    path = VOICES.shipped()[name]
    card = VOICES.load(path).card
    sources = card["source"] if isinstance(card["source"], list) else [card["source"]]
    assert path.stat().st_size < 2_000_000 and card["license"] == "MIT" and all("fluid:" in each for each in sources)
    assert card["spectral_loss"] < 0.8 and card["data_seconds"] > 60


def test_a_voice_goes_from_one_of_its_instruments_towards_another() -> None:
    source = sax_line(4.0)
    sounds = {
        words: sung({"sing": {"voice": "orchestra:flute", "towards": "trumpet", "blend": words, "octave": "0"}}, source)
        for words in (0, 0.5, 1)
    }
    flute, trumpet = (
        sung({"sing": {"voice": f"orchestra:{name}", "octave": "0"}}, source) for name in ("flute", "trumpet")
    )
    assert np.array_equal(sounds[0], flute)
    near = [log_mel_distance_db(sounds[words], trumpet, RATE) for words in (0, 0.5, 1)]
    assert near[0] > near[1] > near[2] and near[2] < 0.5 * near[0]
    moving = [[0, 0], ["2 s", 0], ["2.5 s", 1]]
    turned = sung({"sing": {"voice": "orchestra:flute", "towards": "trumpet", "blend": moving, "octave": "0"}}, source)
    for part, still in ((slice(0, round(1.5 * RATE)), flute), (slice(round(3 * RATE), None), sounds[1])):
        alike = np.corrcoef(turned[0, part], still[0, part])[0, 1]
        assert alike > 0.99, "but for the level of the whole"


def test_it_does_so_live_and_as_notes() -> None:
    source = sax_line(4.0)
    moving = [[0, 0], ["2 s", 0], ["2.5 s", 1]]
    flute, turned = (
        through(
            parse_step({"sing_live": {"voice": "orchestra:flute", "towards": "trumpet", "blend": blend}}),
            source,
            RenderContext(RATE, 1),
        )  # type: ignore[arg-type]
        for blend in (0, moving)
    )
    begin, end = slice(0, round(1.9 * RATE)), slice(round(3 * RATE), None)
    assert np.array_equal(turned[:, begin], flute[:, begin])
    assert log_mel_distance_db(turned[:, end], flute[:, end], RATE) > 1
    notes = Score((), 480, TempoMap.constant(120)).with_notes([Note(0, 1900, 69, 100), Note(1920, 3840, 69, 100)])
    step = parse_step({"voice": {"voice": "orchestra:flute", "towards": "trumpet", "blend": moving, "vibrato": 0}})
    assert isinstance(step, Instrument)
    out = np.concatenate(list(step.play(notes, RenderContext(RATE))), axis=1)
    one, other = out[:, round(0.5 * RATE) : round(1.5 * RATE)], out[:, round(2.6 * RATE) : round(3.6 * RATE)]
    assert log_mel_distance_db(one, other, RATE) > 1


def test_an_instrument_that_a_voice_does_not_know_is_named() -> None:
    for step, words in (
        ({"sing": "orchestra"}, "several instruments"),
        ({"sing": "orchestra:trompet"}, "trumpet"),
        ({"sing": {"voice": "orchestra:flute", "towards": "trompet"}}, "trumpet"),
        ({"sing": {"voice": "flute", "towards": "trumpet"}}, "knows no 'trumpet'"),
    ):
        with pytest.raises(KnobError, match=words):
            sung(step, sax_line(2.0))


def test_a_saxophone_sung_by_a_trumpet_keeps_its_melody_and_loudness() -> None:
    source = sax_line(8.0)
    out = sung({"sing": "trumpet"}, source)
    figures = compare(Audio(out, RATE), Audio(source, RATE), Audio(source, RATE))
    assert out.shape == source.shape and figures.pitch_kept > 0.9 and figures.pitch_cents < 5
    one, other = (loudness(Audio(each, RATE)) for each in (out, source))
    heard = other > other.max() - 30
    assert np.median(np.abs((one - other)[heard] - np.median((one - other)[heard]))) < 2
    assert np.array_equal(out, sung({"sing": "trumpet"}, source)), "the same bits every time"


def test_a_melody_out_of_range_is_moved_by_octaves_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    low = render([Note(480 * beat, 480 * beat + 450, 36 + beat % 5, 100) for beat in range(8)], {0: 42}, seconds=4.0)
    with caplog.at_level(logging.INFO, "studio"):
        out = sung({"sing": "flute"}, low)
    assert "octaves" in caplog.text
    before, after = (float(np.nanmedian(track_f0(Audio(each, RATE), 40, 1500).hz)) for each in (low, out))
    octaves = np.log2(after / before)
    assert round(octaves) >= 1 and abs(octaves - round(octaves)) < 0.05


def test_a_voice_sings_along_in_tune_and_is_late_by_less_than_the_vst() -> None:
    source = sax_line(6.0)
    effect = parse_step({"sing_live": {"voice": "trumpet", "semitones": 12}})
    assert isinstance(effect, Effect)
    line = EffectChain([effect], RenderContext(RATE, 1))
    begun = line.push(source)
    assert 0 < source.shape[1] - begun.shape[1] < 0.064 * RATE, "DDSP-VST says 64 ms"
    out = through(effect, source, RenderContext(RATE, 1))
    one, other = (track_f0(Audio(each, RATE), 60.0, 1500.0).hz for each in (out, source))
    sung = np.isfinite(other)
    assert (np.abs(1200 * np.log2(one[sung] / other[sung] / 2)) < 50).mean() > 0.9
    levels = [loudness(Audio(each, RATE)) for each in (out, source)]
    heard = levels[1] > levels[1].max() - 30
    assert np.median(np.abs(np.subtract(*levels)[heard])) < 4
    dry = through(parse_step({"sing_live": {"mix": 0}}), source, RenderContext(RATE, 1))  # type: ignore[arg-type]
    assert np.array_equal(dry, source)


def test_notes_are_sung_in_tune_and_on_time_as_many_as_there_are() -> None:
    step = parse_step({"voice": {"voice": "violin", "vibrato": 0, "attack": 10}})
    assert isinstance(step, Instrument)
    notes = [Note(480, 1440, 69, 100), Note(1920, 2880, 72, 100), Note(1920, 2880, 76, 60)]
    score = Score((), 480, TempoMap.constant(120)).with_notes(notes)
    out = np.concatenate(list(step.play(score, RenderContext(RATE))), axis=1)
    first = track_f0(Audio(out[:, round(0.6 * RATE) : round(1.4 * RATE)], RATE)).hz
    assert abs(cents(float(np.nanmedian(first)), 440.0)) < 5
    assert np.abs(out[:, : round(0.45 * RATE)]).max() < 0.05 * np.abs(out).max()
    chord = out[0, round(2.2 * RATE) : round(2.9 * RATE)]
    power = np.abs(np.fft.rfft(chord * np.hanning(len(chord)))) ** 2
    near = lambda hz: power[int(hz * len(chord) / RATE) - 3 : int(hz * len(chord) / RATE) + 4].sum()  # noqa: E731
    assert near(523.25) > 100 * near(590.0) and near(659.26) > 10 * near(590.0)


def test_what_is_no_melody_is_refused() -> None:
    with pytest.raises(AudioError, match="one line"):
        sung({"sing": "violin"}, white(2.0, channels=1))
    with pytest.raises(MissingError, match="violin"):
        sung({"sing": "violine"}, sax_line(2.0))
    silent = np.zeros((2, RATE), np.float32)
    assert np.array_equal(sung({"sing": "violin"}, silent), silent)


def test_of_chords_one_line_is_sung() -> None:
    chord = render([Note(0, 1900, pitch, 90) for pitch in (60, 64, 67)], {0: 48}, seconds=2.0)
    out = sung({"sing": "violin"}, chord)
    assert out.shape == chord.shape and "chords" in registry()["sing"].help()
    middle = out[0, RATE // 2 : RATE // 2 * 3]
    power = np.abs(np.fft.rfft(middle * np.hanning(len(middle)))) ** 2
    # One of its notes, in some octave, with its overtones and nothing else: the rest of a chord would stand out by 40 dB.
    hz = pitch_hz(middle, RATE)
    away = {pitch: abs(cents(hz, 440 * 2 ** ((pitch - 69) / 12)) + 600) % 1200 - 600 for pitch in (60, 64, 67)}
    [line] = [pitch for pitch, distance in away.items() if abs(distance) < 20]
    places = [round(440 * 2 ** ((pitch - 69) / 12) * len(middle) / RATE) for pitch in (60, 64, 67, 72, 76, 79)]
    heard = [float(power[place - 4 : place + 5].sum() / power.sum()) for place in places]
    others = [share for share, pitch in zip(heard, (60, 64, 67, 60, 64, 67), strict=True) if pitch != line]
    # Its third harmonic is a fifth above an octave.
    assert sum(share < 1e-4 for share in others) >= 3 and sum(heard) > 0.7


def test_a_tenth_of_a_second_is_sung_and_less_is_named() -> None:
    short = sax_line(2.0)[:, 6000:10_410]
    assert sung({"sing": "oboe"}, short).shape == short.shape
    with pytest.raises(AudioError, match="one pitch"):
        sung({"sing": "oboe"}, short[:, :1])
    for frames in (1, 400, 4410):
        live = parse_step({"sing_live": "oboe"})
        assert isinstance(live, Effect)
        out = through(live, short[:, :frames], RenderContext(RATE, 1))
        assert out.shape == (1, frames) and np.isfinite(out).all()


def test_notes_far_out_of_range_are_sung_where_they_are() -> None:
    step = parse_step({"voice": {"voice": "violin", "vibrato": 0}})
    assert isinstance(step, Instrument)
    for pitch in (0, 21, 127):
        score = Score((), 480, TempoMap.constant(120)).with_notes([Note(0, 1920, pitch, 100)])
        out = np.concatenate(list(step.play(score, RenderContext(RATE))), axis=1)[0]
        held, hz = out[RATE // 4 : RATE // 4 * 7], 440 * 2 ** ((pitch - 69) / 12)
        assert 0.001 < np.abs(out).max() < 4
        if pitch == 127:
            peak = int(np.argmax(np.abs(np.fft.rfft(held * np.hanning(len(held))))))
            assert abs(cents(peak * RATE / len(held), hz)) < 2
        else:
            # So low that its fundamental is hardly there: it repeats after its period, and after none shorter.
            alike = np.fft.irfft(np.abs(np.fft.rfft(held, 2 * len(held))) ** 2)[: len(held)]
            lag = RATE / hz
            found = round(lag * 0.6) + int(np.argmax(alike[round(lag * 0.6) : round(lag * 1.5)]))
            assert abs(cents(RATE / found, hz)) < 5 and alike[found] > 0.8 * alike[0]


def test_a_voice_of_ones_own_is_a_file_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "mine.voice").write_bytes(VOICES.shipped()["oboe"].read_bytes())
    out = sung({"sing": "mine.voice"}, sax_line(2.0), RenderContext(RATE, folder=tmp_path))
    assert np.array_equal(out, sung({"sing": "oboe"}, sax_line(2.0)))
