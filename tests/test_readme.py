"""The README is a promise: its recipe, its commands and its Python are run as they stand there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from studio.engine import plan
from studio.recipe import Recipe
from studio.recipe.document import Document
from studio.steps import registry
from tests.songs import band_file

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with the files that the README's user has."""
    band_file(tmp_path / "dusty.mid", seconds=4, parts=2)
    band_file(tmp_path / "song.mid", seconds=4, parts=2)
    [recipe] = blocks("yaml")
    (tmp_path / "song.yaml").write_text(recipe, encoding="utf-8")
    return tmp_path


def test_the_recipe_on_the_front_page_is_sound_and_uses_what_it_shows(desk: Path) -> None:
    planned = plan(Recipe.load(desk / "song.yaml"))
    assert list(planned.tracks) == ["keys", "drums"]
    assert planned.settled.get("keys.chorus.depth") == pytest.approx(0.18)


def test_the_python_examples_run_as_they_stand_and_save_what_they_say(desk: Path) -> None:
    program = "\n".join(blocks("python"))
    done = subprocess.run([sys.executable, "-c", program], cwd=desk, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Audio(2 channels, ")
    assert Recipe.load(desk / "dustier.yaml").get("dust") == 0.8
    assert "# what you turn" in (desk / "dustier.yaml").read_text(encoding="utf-8")
    assert Recipe.load(desk / "keys.yaml").get("keys.volume") == -3.0
    assert Recipe.load(desk / "wetter.yaml").get("keys.reverb.wet") == 0.5


@pytest.mark.usefixtures("compiled_pieces")
def test_the_commands_for_your_own_song_work_in_the_order_given(desk: Path) -> None:
    (desk / "song.yaml").unlink()
    commands, sessions = [block for block in blocks("sh") if "studio new" in block]
    studio = Path(sys.executable).parent / "studio"
    for line in [*commands.strip().splitlines(), *sessions.strip().splitlines()]:
        words = shlex.split(line, comments=True)
        if words[1] == "live":
            # It plays until it is stopped, on a JACK server: tests/live has both.
            continue
        if "--set" in words:
            # The starter names its tracks after the parts of the song at hand.
            words[-1] = "part-1.volume=-3 dB"
        if words[1] == "apply":
            (desk / "loop.wav").write_bytes((desk / "out" / "mix.wav").read_bytes())
        done = subprocess.run(
            [studio, *words[1:]], cwd=desk, capture_output=True, text=True, check=False, env=os.environ
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"
    assert (desk / "dub.wav").stat().st_size > (desk / "loop.wav").stat().st_size / 2


def test_every_step_and_command_the_readme_names_is_there() -> None:
    from studio.cli import main

    commands = set(re.findall(r"^\| `studio (\w+)` \|", README, flags=re.MULTILINE))
    assert commands == set(main.commands)
    notations = re.search(r"- \*\*Steps\*\* are written(.*?)\n- ", README, flags=re.DOTALL)
    assert notations is not None
    for text in re.findall(r"`([^`]+)`", notations[1])[:3]:
        step = Document(text.replace("\n", " ")).data
        assert (step if isinstance(step, str) else next(iter(step))) in registry()


def test_the_step_in_the_contributing_guide_is_a_step_that_works(tmp_path: Path) -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", guide, flags=re.DOTALL)
    program = f"""import numpy as np
{code}
from tests.listening import pitch_hz, sine
from tests.listening import through
out = through(RingModulator(carrier=100.0), sine(1000.0), RenderContext(), cuts=(777,))
print(round(pitch_hz(out, 44100)))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() in ("900", "1100"), done.stderr
