"""Songs that are arrangements of sections: what is written follows, and what rings rings on; all of it measured."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pyloudnorm
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

import studio
from studio.arrangement import Arrangement, SectionSpan
from studio.errors import StudioError
from studio.recipe import Recipe
from studio.rendering import Result
from studio.tempo import Meter, Tempo, TempoMap
from tests.listening import cents, null_db, pitch_hz, rms_db, sine, white
from tests.songs import band_file

RATE = 24_000
BAR = 2 * RATE
"""Frames of a bar at 120 bpm: a whole number of the 64 frames in which FluidSynth works."""

JOIN = 200
"""Frames beside the edge of a section in which recordings cross over."""

SECTIONS = {"intro": "1 bar", "verse": "2 bars", "chorus": "1 bar"}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    band_file(folder / "song.mid", seconds=8, parts=3)
    soundfile.write(folder / "long.wav", white(9, 0.1, RATE).T, RATE, subtype="FLOAT")
    soundfile.write(folder / "tone.wav", sine(440, 8, 0.1, RATE).T, RATE, subtype="FLOAT")
    clicks = np.zeros((2, 8 * RATE), np.float32)
    clicks[:, :: RATE // 2] = 0.5
    soundfile.write(folder / "clicks.wav", clicks.T, RATE, subtype="FLOAT")
    return folder


def song(desk: Path, tracks: dict[str, Any], **recipe: Any) -> Recipe:
    plain = {"rate": RATE, "tail": "2 s", "score": "song.mid", "sections": SECTIONS, "tracks": tracks, **recipe}
    return Recipe.loads(json.dumps(plain), desk)


def rendered(desk: Path, tracks: dict[str, Any], **recipe: Any) -> Result:
    return studio.render(song(desk, tracks, **recipe), cache=False)


BAND = {
    "notes": {"part": "all", "volume": [["0 s", "-3 dB"], ["3 s", "0 dB"]]},
    "noise": {"play": {"audio": "long.wav"}, "chain": [{"lowpass": [["intro", "500 Hz"], ["chorus", "5 kHz"]]}]},
}


def test_sections_in_the_order_in_which_they_are_written_are_the_song_itself(desk: Path) -> None:
    plain, arranged = rendered(desk, BAND), rendered(desk, BAND, arrangement=["intro", "verse", "chorus"])
    end = 4 * BAR
    assert null_db(plain.stems["notes"].samples, arranged.stems["notes"].samples[:, : plain.frames]) == -400
    one, other = (each.stems["noise"].samples[:, : end - JOIN] for each in (plain, arranged))
    assert null_db(one, other) < -140


@settings(max_examples=8, deadline=None, derandomize=True)
@given(order=st.lists(st.sampled_from(list(SECTIONS)), min_size=1, max_size=5))
def test_every_section_sounds_as_it_is_written_wherever_it_stands(desk: Path, order: list[str]) -> None:
    begins = {"intro": 0, "verse": BAR, "chorus": 3 * BAR}
    tracks = {"noise": {"play": {"audio": "long.wav"}, "volume": [["0 s", "-12 dB"], ["chorus", "0 dB"]]}}
    plain = rendered(desk, tracks, score=None).stems["noise"].samples
    arranged = rendered(desk, tracks, score=None, arrangement=order)
    assert [section.name for section in arranged.plan.sections] == order
    assert arranged.plan.sections[-1].end == sum(BAR * (2 if name == "verse" else 1) for name in order)
    samples = arranged.stems["noise"].samples
    for section in arranged.plan.sections:
        begin, length = begins[section.name], section.end - section.start - JOIN
        heard = samples[:, section.start + 64 : section.start + length]
        assert null_db(plain[:, begin + 64 : begin + length], heard) < -90
    assert np.abs(np.diff(samples)).max() < 1, "no click where sections meet"


def test_tempo_pitch_and_tracks_of_a_section_can_be_others(desk: Path) -> None:
    tracks = {
        "tone": {"play": {"audio": "tone.wav"}},
        "fixed": {"play": {"audio": "tone.wav"}},
        "clicks": {"play": {"audio": "clicks.wav"}},
    }
    changed = {"section": "verse", "transpose": 2, "tempo": 100, "without": ["clicks"], "untransposed": ["fixed"]}
    result = rendered(desk, tracks, score=None, arrangement=["intro", changed, "chorus"])
    [_, verse, chorus] = result.plan.sections
    assert verse.end - verse.start == round(8 * 60 / 100 * RATE) and chorus.end - chorus.start == BAR
    inside = slice(verse.start + RATE // 4, verse.end - RATE // 4)
    tone, fixed = (result.stems[name].samples[0] for name in ("tone", "fixed"))
    assert abs(cents(pitch_hz(tone[inside], RATE), 440 * 2 ** (2 / 12))) < 5
    assert abs(cents(pitch_hz(fixed[inside], RATE), 440)) < 5
    assert abs(cents(pitch_hz(tone[chorus.start + JOIN : chorus.end - JOIN], RATE), 440)) < 2
    clicks = result.stems["clicks"].samples[0]
    assert not clicks[verse.start : verse.end].any()
    assert list(np.flatnonzero(clicks > 0.3) - chorus.start)[-4:] == [0, RATE // 2, RATE, 3 * RATE // 2]


def test_notes_are_transposed_and_drums_are_not(desk: Path) -> None:
    tracks = {
        "drums": {"part": {"drums": True}},
        "notes": {"part": {"channel": 2}, "play": {"soundfont": {"program": "Flute"}}},
    }
    plain = rendered(desk, tracks, arrangement=["chorus"])
    high = rendered(desk, tracks, arrangement=[{"section": "chorus", "transpose": 12}])
    assert null_db(plain.stems["drums"].samples, high.stems["drums"].samples) == -400
    first = slice(0, RATE // 3)
    low_hz, high_hz = (pitch_hz(each.stems["notes"].samples[0][first], RATE) for each in (plain, high))
    assert abs(cents(high_hz, 2 * low_hz)) < 15


def test_what_rings_on_sounds_in_the_next_section(desk: Path) -> None:
    tracks = {
        "clicks": {"play": {"audio": "clicks.wav"}, "chain": [{"delay": {"time": "1/4", "feedback": 0, "mix": 1}}]}
    }
    result = rendered(desk, tracks, score=None, arrangement=["intro", {"section": "verse", "without": ["clicks"]}])
    [_, verse] = result.plan.sections
    heard = np.flatnonzero(np.abs(result.stems["clicks"].samples[0][verse.start :]) > 0.2)
    assert list(heard) == [0], "the echo of the last beat, and no other"


def test_a_loop_goes_round_without_a_seam(desk: Path) -> None:
    tracks = {
        "keys": {"part": "all", "chain": [{"reverb": {"wet": 0.4, "room_size": 0.6}}], "send": {"hall": "-6 dB"}},
        "noise": {"play": {"audio": "long.wav"}, "chain": [{"delay": {"time": "1/4", "feedback": 0.5}}], "volume": -20},
    }
    loop = {"buses": {"hall": {"chain": [{"reverb": {"wet": 1, "dry": 0}}]}}, "arrangement": ["verse"]}
    once = rendered(desk, tracks, **loop, seamless=True)
    often = rendered(desk, tracks, **{**loop, "arrangement": ["verse × 4"]})
    frames = 2 * BAR
    assert once.frames == frames == once.mix.frames
    assert null_db(once.mix.samples, often.mix.samples[:, 2 * frames : 3 * frames]) < -80, "the tail has come round"
    assert null_db(once.stems["keys"].samples, often.stems["keys"].samples[:, 2 * frames : 3 * frames]) < -80
    first = rendered(desk, tracks, **loop).mix.samples[:, :frames]
    assert rms_db(once.mix.samples[:, :2000] - first[:, :2000]) > -60, (
        "and it was missing at the start of the section alone"
    )
    total = sum(each.samples for each in (*once.stems.values(), *once.buses.values()))
    assert null_db(total, once.premaster.samples) < -90


@pytest.mark.parametrize("chain", [[], [{"reverb": {"wet": 0.3}}]])
def test_the_seam_of_a_mastered_loop_is_as_smooth_as_the_rest(desk: Path, chain: list[Any]) -> None:
    tracks = {"tone": {"play": {"audio": "tone.wav"}, "chain": chain}, "keys": {"part": {"channel": 1}}}
    result = rendered(
        desk, tracks, arrangement=["verse"], seamless=True, master={"loudness": -14, "ceiling": -1}, tail="1 s"
    )
    samples = result.mix.samples
    assert result.frames == 2 * BAR and not result.remarks
    loudness = pyloudnorm.Meter(RATE).integrated_loudness(samples.T)
    assert loudness == pytest.approx(-14, abs=0.05)
    round_twice = np.concatenate([samples, samples], axis=1).astype(np.float64)
    # A click is loud where the rest is quiet: in the differences of differences, and so in the highest frequencies.
    rough = np.abs(np.diff(round_twice, 3)).max(axis=0)
    seam = rough[samples.shape[1] - 8 : samples.shape[1] + 8].max()
    assert seam <= np.quantile(rough, 0.999) * 1.5


def test_a_song_without_sections_goes_round_too(desk: Path) -> None:
    tracks = {"keys": {"part": "all", "chain": [{"reverb": {"wet": 0.3}}]}}
    result = rendered(desk, tracks, sections={}, seamless=True)
    assert result.frames == 4 * BAR, "whole bars of its score"
    assert rendered(desk, tracks, sections={}, seamless=True, length="1 bar").frames == BAR
    with pytest.raises(StudioError, match="without a length"):
        rendered(desk, {"tone": {"play": {"audio": "tone.wav"}}}, score=None, sections={}, seamless=True)


def test_steps_that_move_time_belong_to_what_is_written_and_effects_to_the_song(desk: Path) -> None:
    soundfile.write(desk / "bar.wav", sine(440, 2, 0.1, RATE).T, RATE, subtype="FLOAT")
    tracks = {
        "loop": {"play": {"audio": "bar.wav"}, "chain": [{"repeat": {"times": 4}}, {"gain": [["intro", 0], ["verse", "-20 dB", "step"]]}]}
    }  # fmt: skip
    result = rendered(desk, tracks, score=None, arrangement=["verse", "intro"])
    samples = result.stems["loop"].samples
    assert rms_db(samples[:, RATE : 3 * RATE]) == pytest.approx(
        rms_db(samples[:, 5 * RATE : 5 * RATE + 9000]) - 20, abs=0.1
    )
    with pytest.raises(StudioError, match="side-chain in front of a step that moves time"):
        rendered(
            desk, {"a": {"play": {"audio": "bar.wav"}, "chain": [{"ducker": {"sidechain": "b"}}, "reverse"]}, "b": {"part": "all"}},
            arrangement=["verse"],
        )  # fmt: skip


def test_ramps_and_meters_are_kept_inside_sections_and_bars_are_exact() -> None:
    written = TempoMap(
        (Tempo(Fraction(0), Fraction(120)), Tempo(Fraction(8), Fraction(120), True), Tempo(Fraction(16), Fraction(60))),
        (Meter(Fraction(0)), Meter(Fraction(8), 3, 4)),
    )
    spans = [(0, 8, 0), (8, 14, 8), (0, 8, 14), (8, 14, 22)]
    spans = tuple(SectionSpan(f"{start}", Fraction(start), Fraction(end), Fraction(at)) for start, end, at in spans)
    arrangement = Arrangement(spans, written)
    tempo = arrangement.tempo_map()
    assert tempo.second_at(Fraction(8)) == 4
    lengths = [float(tempo.second_at(span.until) - tempo.second_at(span.at)) for span in spans]
    ramp = float(written.second_at(Fraction(14)) - written.second_at(Fraction(8)))
    assert lengths == pytest.approx([4, ramp, 4, ramp], abs=2e-5)
    assert [meter.count for meter in tempo.meters] == [4, 3, 4, 3]
    assert tempo.bar_of_beat(Fraction(22)) == 6
    seconds = np.linspace(0, float(tempo.second_at(Fraction(28))) - 1e-6, 1000)
    there = arrangement.written_seconds(seconds, tempo)
    assert there.max() < float(written.second_at(Fraction(14))) and there.min() == 0
