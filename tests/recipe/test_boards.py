"""Boards of pedalboard's and chains: the same sound both ways."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pedalboard
import pytest
import soundfile

import studio
from studio.context import RenderContext
from studio.errors import Problems, StudioError
from studio.floating_point import floating_point_kept
from studio.recipe.boards import board_of, read_board, steps_of
from studio.steps import Effect, Transform, parse_step
from tests.listening import null_db, through, white

RATE = 44_100
SOUND = np.concatenate([white(0.4), white(0.4, 0.05, seed=2)], axis=1)
STUDIO = Path(sys.executable).with_name("studio")


def chained(steps: Any, sound: np.ndarray, folder: Path = Path()) -> np.ndarray:
    context = RenderContext(RATE, folder=folder)
    for step in steps:
        sound = through(step, sound, context, cuts=(777, 20_000))
    return sound


def nested(tmp_path: Path) -> pedalboard.Pedalboard:
    hall = (white(0.1, seed=5) * np.exp(-np.arange(4410) / 900)).astype(np.float32)
    soundfile.write(tmp_path / "hall.wav", hall.T, RATE, "FLOAT")
    return pedalboard.Pedalboard(
        [
            pedalboard.Compressor(-30, 4, 3, 80),
            pedalboard.Mix([pedalboard.Chain([pedalboard.Chorus(0.7), pedalboard.Gain(-6)]), pedalboard.Phaser(), pedalboard.Chain([])]),
            pedalboard.Chain([pedalboard.LadderFilter(pedalboard.LadderFilter.Mode.BPF12, 900, 0.3, 2), pedalboard.Delay(0.05, 0.3, 0.4)]),
            pedalboard.Convolution(str(tmp_path / "hall.wav"), 0.3),
            pedalboard.Reverb(0.7, 0.2, 0.4, 0.3, 0.9, 0.0),
        ]
    )  # fmt: skip


def test_a_board_with_chains_in_mixes_sounds_the_same_as_its_chain(tmp_path: Path) -> None:
    board = nested(tmp_path)
    preset = studio.chain(board, title="Mine", folder=tmp_path)
    theirs = board(SOUND, RATE, buffer_size=8192)
    assert null_db(chained(preset.chain, SOUND, tmp_path), theirs) < -110
    again = type(preset).parse(studio.chain(preset.data()["chain"], title="Mine", folder=tmp_path).data())
    assert again == preset


def test_and_back_as_a_board(tmp_path: Path) -> None:
    board = nested(tmp_path)
    back = studio.chain(board, folder=tmp_path).pedalboard(folder=tmp_path)
    assert null_db(back(SOUND, RATE, buffer_size=8192), board(SOUND, RATE, buffer_size=8192)) < -130


@pytest.mark.parametrize("values", [{}, {"room_size": 0.9, "freeze_mode": 0.0}])
def test_a_class_of_pedalboards_is_read_as_the_step_that_sounds_so(values: dict[str, float]) -> None:
    step = parse_step({"pedalboard": {"Reverb": values, "name": "hall"}})
    assert step.step == "reverb" and step.label == "hall"
    theirs = pedalboard.Reverb(**values)(SOUND, RATE, buffer_size=8192)
    assert null_db(chained([step], SOUND), theirs) < -120


def test_every_class_with_its_defaults_is_its_step_and_comes_back() -> None:
    for name in ("Bitcrush", "Chorus", "Clipping", "Compressor", "Delay", "Distortion", "Gain", "HighShelfFilter", "HighpassFilter",
                 "Invert", "LadderFilter", "Limiter", "LowShelfFilter", "LowpassFilter", "NoiseGate", "PeakFilter", "Phaser"):  # fmt: skip
        step, plugin = parse_step({"pedalboard": name}), getattr(pedalboard, name)()
        assert isinstance(step, Effect) and step.step != "pedalboard", name
        assert null_db(chained([step], SOUND), plugin(SOUND, RATE, buffer_size=8192)) < -110, name
        [back] = board_of([step], RenderContext(RATE))
        assert type(back) is type(plugin) and repr(back).partition(" at ")[0] == repr(plugin).partition(" at ")[0]


def test_curves_move_it_by_pedalboards_names() -> None:
    step = parse_step({"pedalboard": {"LowpassFilter": {"cutoff_frequency_hz": [["0 s", 200], ["1 s", 5000]]}}})
    assert step == parse_step({"lowpass": {"cutoff": [["0 s", 200], ["1 s", 5000]]}})


def test_what_only_pedalboard_takes_it_plays_itself() -> None:
    step = parse_step({"pedalboard": {"Gain": {"gain_db": 40.0}}})
    assert step.step == "pedalboard" and parse_step(step.data()) == step
    quiet = SOUND * np.float32(0.001)
    assert null_db(chained([step], quiet), pedalboard.Gain(40.0)(quiet, RATE)) < -130
    sinc = parse_step({"pedalboard": {"Resample": {"quality": "WindowedSinc32"}}})
    assert sinc.step == "pedalboard" and np.isfinite(chained([sinc], SOUND)).all()


def test_what_needs_the_whole_sound_is_a_transform() -> None:
    assert isinstance(parse_step({"pedalboard": {"PitchShift": {"semitones": 3}}}), Transform)
    with pytest.raises(StudioError, match="transform"):
        studio.chain(pedalboard.Pedalboard([pedalboard.PitchShift(3)]))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"Chorsu": {}}, "Did you mean Chorus"),
        ({"Chorus": {"rate": 1}}, "has no 'rate'.*rate_hz"),
        ({"Reverb": {"room_size": 2}}, "refuses: Room Size value must be between"),
        ({"Reverb": {"room_size": "big"}}, "takes numbers"),
        ({"LadderFilter": {"mode": "LPF18"}}, "no mode 'LPF18'"),
        ({"Mix": {}}, "Write `layers`"),
        ({"VST3Plugin": {}}, "plugin: {file: NAME}"),
        ({"PitchShift": {"semitones": 100}}, "PitchShift|semitones"),
        ({"Delay": {"feedback": [["0 s", 0], ["1 s", 3]]}}, "feedback"),
        (7, "not a plugin of pedalboard's"),
        ({"Gain": 3}, "are no attributes"),
    ],
)
def test_mistakes_are_told_by_pedalboards_names(words: object, said: str) -> None:
    with pytest.raises(StudioError) as told:
        parse_step({"pedalboard": words})
    import re

    assert re.search(said, str(told.value), re.DOTALL), told.value


def test_all_that_no_board_has_is_told_at_once() -> None:
    preset = studio.chain(
        ["pan", {"chorus": {"depth": [["0 s", 0], ["1 s", 1]]}}, "reverb", "width", {"compressor": {"link": True}}]
    )
    with pytest.raises(Problems) as told:
        preset.pedalboard()
    assert len(told.value.errors) == 4 and "no automation" in str(told.value)


def test_a_response_in_memory_becomes_a_file(tmp_path: Path) -> None:
    board = pedalboard.Pedalboard([pedalboard.Convolution(white(0.05, seed=9) * np.float32(0.1), 0.5, RATE)])
    with pytest.raises(StudioError, match="folder"):
        steps_of(board)
    preset = studio.chain(board, folder=tmp_path)
    assert null_db(chained(preset.chain, SOUND, tmp_path), board(SOUND, RATE)) < -110


@pytest.mark.plugins
def test_a_hosted_plugin_comes_along(tmp_path: Path) -> None:
    with floating_point_kept():
        squeezing = pedalboard.load_plugin("/usr/lib/vst3/ZamCompX2.vst3")
        squeezing.threshold, squeezing.makeup = -30.0, 6.0  # type: ignore[attr-defined]
        board = pedalboard.Pedalboard([squeezing, pedalboard.Gain(-3)])
        theirs = board(SOUND, RATE)
    for folder in (None, tmp_path):
        preset = studio.chain(board, folder=folder)
        assert preset.chain[0].step == "plugin"
        assert null_db(chained(preset.chain, SOUND, tmp_path), theirs) < -80, preset.dumps()


def test_the_command_plays_the_board_of_a_script_and_nothing_else_of_it(tmp_path: Path) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from pathlib import Path\nfrom pedalboard import *\nimport helper\n"
        "board = Pedalboard([Gain(helper.LEVEL), PitchShift(0)])\n"
        "if __name__ == '__main__':\n    Path('ran.txt').write_text('as a program')\n"
    )
    (tmp_path / "helper.py").write_text("LEVEL = -6.0\n")
    soundfile.write(tmp_path / "in.wav", SOUND.T, RATE, "FLOAT")
    done = subprocess.run(
        [STUDIO, "apply", "mine.py:board", "in.wav", "-o", "out.wav", "--bits", "32"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    out, _ = soundfile.read(tmp_path / "out.wav", always_2d=True)
    assert np.sqrt(np.mean(out[4000:20_000] ** 2)) == pytest.approx(
        np.sqrt(np.mean(SOUND[:, 4000:20_000] ** 2)) * 0.5012, rel=0.1
    )
    assert not (tmp_path / "ran.txt").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [("board = 1 / 0\n", "mine.py:1"), ("def (:\n", "mine.py:1"), ("bord = __import__('pedalboard').Gain()\n", "Did you mean bord"),
     ("raise SystemExit\n", "ends the program")],
)  # fmt: skip
def test_a_script_that_fails_is_told_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "mine.py").write_text(text)
    with pytest.raises(StudioError) as told:
        read_board(tmp_path / "mine.py", "board")
    assert said in str(told.value)


def test_a_board_of_a_script_is_what_an_export_takes(tmp_path: Path) -> None:
    from contextlib import ExitStack

    from studio.cli.opening import target_of

    (tmp_path / "mine.py").write_text("from pedalboard import *\nhaze = Pedalboard([Chorus(0.7), Gain(-3)])\n")
    with ExitStack() as stack:
        target = target_of(f"{tmp_path}/mine.py:haze", stack)
    assert target.name == "haze" and [step.step for step in target.rack.chain] == ["chorus", "gain"]
