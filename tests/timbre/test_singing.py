"""`sing` and `sing_live` on sounds that are no textbook: without silence, wide, cut, too low, too noisy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from studio.audio import Audio
from studio.context import RenderContext
from studio.nets.features import QUIETEST, loudness
from studio.rendering.apply import apply_file, parse_chain
from studio.steps import Effect, Transform, parse_step
from studio.timbre.singing import octaves_home
from studio.timbre.voices import VOICES
from tests.listening import null_db, rms_db, through, white
from tests.stretch.battery import RATE, sax_line


def steady(hz: float = 330.0, seconds: float = 2.0, tremolo_db: float = 0.0, faded: bool = True) -> np.ndarray:
    """A tone of fifteen harmonics, mono, that swells five times a second; without `faded` it is cut at its end."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * hz * number * time + number) / number**1.3 for number in range(1, 16))
    wave = 0.1 * wave * 10 ** (-tremolo_db / 40 * (1 - np.cos(2 * np.pi * 5 * time)))
    fade = np.minimum(time, seconds - time) if faded else time
    return (wave * np.clip(fade / 0.01, 0, 1))[None].astype(np.float32)


def sung(samples: np.ndarray, **knobs: object) -> np.ndarray:
    step = parse_step({"sing": {"voice": "violin", **knobs}})
    assert isinstance(step, Transform)
    return step.apply(Audio(samples, RATE), RenderContext(RATE, len(samples))).samples


def true_peak_db(samples: np.ndarray) -> float:
    import soxr

    return 20 * float(np.log10(np.abs(soxr.resample(samples.T.astype(np.float64), RATE, 4 * RATE)).max()))


@pytest.mark.parametrize("voice", ["violin", "trumpet"])
@pytest.mark.parametrize(
    "sound",
    [steady(), steady(tremolo_db=6), steady(tremolo_db=20), steady(faded=False), sax_line(4.0)[:, : round(1.1 * RATE)]],
    ids=["steady", "tremolo", "deep tremolo", "cut", "phrase cut short"],
)
def test_dynamics_and_true_peak_follow_the_source_where_there_is_no_silence(sound: np.ndarray, voice: str) -> None:
    out = sung(sound, voice=voice, octave="0")
    one, other = (loudness(Audio(each, RATE)) for each in (out, sound))
    heard = other > max(other.max() - 40, QUIETEST + 20)
    assert np.abs((one - other)[heard]).max() < 3 and np.abs((one - other)[heard]).mean() < 1
    assert true_peak_db(out) < true_peak_db(sound) + 4
    assert rms_db(out[:, -441:]) < rms_db(sound[:, -441:]) + 2, "the last 10 ms"


def test_an_octave_is_moved_only_if_that_brings_much_home() -> None:
    low, high = np.log2(196 / 220), np.log2(2093 / 220)
    tenor = np.log2(np.linspace(185, 440, 1000) / 220)
    assert octaves_home(tenor, low, high) == 0, "a few notes a little too low"
    outliers = np.append(np.full(945, 0.5), np.full(55, low - 1.5))
    assert octaves_home(outliers, low, high) == 0, "5.5 % of frames far out"
    for octaves in (-2, -1, 1, 2, 3):
        middle = (low + high) / 2
        melody = np.linspace(middle - 0.6, middle + 0.6, 100) + octaves + np.sign(octaves) * 0.9
        moved = octaves_home(melody, low, high)
        home = melody + moved
        assert np.sign(moved) == -np.sign(octaves) and ((home >= low - 0.2) & (home <= high + 0.2)).mean() > 0.95
    assert octaves_home(np.zeros(0), low, high) == 0


def test_the_stereo_image_stays() -> None:
    mono = steady(seconds=4.0)[0]
    share = np.linspace(0, 1, len(mono))
    one_side, moving = np.stack([mono, 0 * mono]), np.stack([mono * np.sqrt(1 - share), mono * np.sqrt(share)])
    out = sung(np.stack([mono, mono]), octave="0")
    assert np.array_equal(out[0], out[1])
    turned = sung(np.stack([mono, -mono]), octave="0")
    assert null_db(turned[0], -turned[1]) < -100 and abs(rms_db(turned[0]) - rms_db(out[0])) < 0.1
    alone = sung(one_side.astype(np.float32), octave="0")
    assert not alone[1].any() and abs(rms_db(alone[0]) - rms_db(out[0])) < 0.1
    panned = sung(moving.astype(np.float32), octave="0")
    for second in range(4):
        part = slice(second * RATE, (second + 1) * RATE)
        balance = [rms_db(each[0, part]) - rms_db(each[1, part]) for each in (panned, moving)]
        assert abs(balance[0] - balance[1]) < 0.5


def live(samples: np.ndarray) -> np.ndarray:
    step = parse_step({"sing_live": "violin"})
    assert isinstance(step, Effect)
    return through(step, samples, RenderContext(RATE, 1))


@pytest.mark.parametrize("sound", [white(2.0, channels=1), steady(50.0), steady(72.0)], ids=["noise", "50 Hz", "72 Hz"])
def test_nothing_is_sung_along_with_noise_or_below_the_lowest_pitch(sound: np.ndarray) -> None:
    assert rms_db(live(sound)) < rms_db(sound) - 60


def test_it_sings_along_again_once_there_is_a_pitch() -> None:
    tone = steady(220.0)
    out = live(np.concatenate([white(1.0, channels=1), tone, white(1.0, channels=1)], axis=1))
    middle = out[:, round(1.2 * RATE) : round(2.8 * RATE)]
    assert abs(rms_db(middle) - rms_db(tone)) < 6
    assert rms_db(out[:, round(3.5 * RATE) :]) < rms_db(tone) - 60


def test_apply_finds_models_beside_the_recipe_or_on_the_shelf_wherever_the_sound_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, sounds = tmp_path / "desk", tmp_path / "sounds"
    for folder in (desk, sounds):
        folder.mkdir()
    soundfile.write(sounds / "in.wav", steady()[0], RATE, subtype="FLOAT")
    (desk / "mine.voice").write_bytes(VOICES.shipped()["oboe"].read_bytes())
    monkeypatch.chdir(desk)
    for name in ("mine.voice", "oboe", "oboe.voice"):
        apply_file(parse_chain(f"{{sing: {name}}}"), sounds / "in.wav", sounds / "out.wav", bits="32")
        out, _ = soundfile.read(sounds / "out.wav")
        assert null_db(out, sung(steady(), voice="oboe")[0]) < -100
