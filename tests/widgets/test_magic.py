"""Cells that hold a recipe or a chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from IPython.core.error import UsageError
from IPython.core.interactiveshell import ExecutionResult, InteractiveShell

from studio.recipe import Recipe
from studio.rendering import render
from tests.listening import sine
from widgets import Rack

SONG = "# two hisses\nlength: 1 s\ntracks:\n  hiss: {play: noise, volume: -6 dB}  # soft\n"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.chdir(tmp_path)
    shell = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "widgets")
    yield shell
    shell.reset()
    InteractiveShell.clear_instance()


def ran(shell: InteractiveShell, text: str) -> ExecutionResult:
    return shell.run_cell(text, store_history=False)


def test_a_cell_holds_a_recipe_and_shows_its_rack(shell: InteractiveShell) -> None:
    done = ran(shell, f"%%recipe\n{SONG}")
    assert isinstance(done.result, Rack) and done.result.wait()
    song = shell.user_ns["song"]
    assert song == Recipe.loads(SONG) and done.result.recipe == song
    assert np.array_equal(done.result.mix.samples, render(song, cache=False).mix.samples)


def test_a_cell_is_the_same_as_its_file(shell: InteractiveShell, tmp_path: Path) -> None:
    (tmp_path / "songs").mkdir()
    soundfile.write(tmp_path / "songs" / "tone.wav", sine(440.0, 0.2).T, 44_100)
    text = SONG + "  tone: {play: {audio: tone.wav}}\n"
    assert ran(shell, f"%%recipe mine --file songs/mine.yaml\n{text}").success
    path = tmp_path / "songs" / "mine.yaml"
    assert path.read_text() == text and shell.user_ns["mine"] == Recipe.load(path)
    softer = text.replace("-6 dB", "-9 dB")
    assert ran(shell, f"%%recipe mine --file songs/mine.yaml\n{softer}").success
    assert path.read_text() == softer and shell.user_ns["mine"].tracks["hiss"].volume == -9
    path.write_text(text + "# by hand\n")
    done = ran(shell, f"%%recipe mine --file songs/mine.yaml\n{softer}")
    assert isinstance(done.error_in_exec, UsageError) and "not what this cell has written" in str(done.error_in_exec)
    assert path.read_text() == text + "# by hand\n"
    assert ran(shell, f"%%recipe mine --file songs/mine.yaml --force\n{softer}").success and path.read_text() == softer


@pytest.mark.parametrize(
    "text", ["- chorus\n- lowpass: 2 kHz\n", "preset: 1\ntitle: Soft\nchain: [chorus, {lowpass: 2 kHz}]\n"]
)
def test_a_cell_holds_a_chain_that_is_heard_on_a_sound(shell: InteractiveShell, tmp_path: Path, text: str) -> None:
    soundfile.write(tmp_path / "tone.wav", sine(440.0, 0.2).T, 44_100)
    done = ran(shell, f"%%recipe wear --on tone.wav\n{text}")
    assert done.success, done.error_in_exec
    steps = shell.user_ns["wear"]
    assert [step.step for step in getattr(steps, "chain", steps)] == ["chorus", "lowpass"]
    assert done.result.recipe.tracks["sound"].play.step == "audio"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "%%recipe\ntracks:\n  hiss: {play: noise, volume: loud}\n  b: {play: noize}\n",
            ["the cell:3:", "the cell:4:", "^"],
        ),
        ("%%recipe\ntracks:\n  hiss: {play: {audio: gone.wav}}\n", ["the cell:3:", "gone.wav"]),
        ("%%recipe\n- chorus\n- chorsu\n", ["the cell:3:", "chorsu", "chorus"]),
        ("%%recipe\ntracks: {\n", ["the cell:", "YAML"]),
        ("%%recipe\nchain: [{lowpass: 4 potatoes}]\n", ["the cell:2:", "potatoes"]),
        ("%%recipe a b --what\ntracks: {}\n", ["--what", "%%recipe [NAME]"]),
        ("%%recipe --on x.wav\n" + SONG, ["--on is for chains"]),
        ("%%recipe\n", ["the cell"]),
    ],
)
def test_mistakes_in_a_cell_are_told_at_their_lines_and_change_nothing(
    shell: InteractiveShell, tmp_path: Path, text: str, said: list[str]
) -> None:
    shell.user_ns["song"] = "before"
    done = ran(shell, text)
    assert isinstance(done.error_in_exec, UsageError), done.error_in_exec
    for words in said:
        assert words in str(done.error_in_exec), str(done.error_in_exec)
    assert shell.user_ns["song"] == "before" and not list(tmp_path.iterdir())
