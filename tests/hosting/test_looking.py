"""A plugin step is a value: making, hashing, comparing and copying it starts no process and searches at most once."""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import studio
from studio.engine import plan
from studio.errors import MissingError, StudioError
from studio.hosting import catalogue
from studio.hosting.plugin import Plugin
from studio.recipe import Recipe
from studio.rendering.checking import check

THREE = """
recipe: 1
length: 1 s
tracks:
  hiss:
    play: {noise: {length: 1 s}}
    chain:
      - plugin: {file: ZamComp, threshold: -30 dB}
      - plugin: {file: ZamGate, threshold: -40 dB}
      - parallel: {chain: [{plugin: {file: ZamComp, ratio: 4}}]}
"""


class Counts:
    """Searches through the folders for plugins, and processes started, since the last `taken`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.searches = self.processes = 0
        candidates, start = catalogue.candidates, subprocess.Popen.__init__

        def searched() -> Iterator[Path]:
            self.searches += 1
            return candidates()

        def started(process: Any, *given: Any, **named: Any) -> None:
            self.processes += 1
            start(process, *given, **named)

        monkeypatch.setattr(catalogue, "candidates", searched)
        monkeypatch.setattr(subprocess.Popen, "__init__", started)

    def taken(self) -> tuple[int, int]:
        """(searches, processes), which begin anew."""
        counted = self.searches, self.processes
        self.searches = self.processes = 0
        return counted


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    return Counts(monkeypatch)


@pytest.mark.parametrize("file", ["ZamComp", "Gone"])
def test_a_step_is_made_compared_and_copied_without_a_process(counts: Counts, file: str) -> None:
    step = Plugin.parse({"file": file, "threshold": "-30 dB"})
    assert counts.taken() == (1, 0)
    assert step == Plugin(file=file, settings={"threshold": "-30 dB"})
    assert step != Plugin(file=file, settings={"threshold": "-31 dB"})
    assert counts.taken() == (2, 0), "one for each step that was made"
    assert step.data() == {"plugin": {"file": file, "threshold": "-30 dB"}}
    assert copy.deepcopy(copy.copy(step)) == step
    assert step.replace(bypass=True).settings == step.settings
    assert counts.taken()[1] == 0


def test_a_recipe_of_three_plugins_is_searched_for_once_an_operation(counts: Counts, tmp_path: Path) -> None:
    recipe = Recipe.loads(THREE, tmp_path)
    assert counts.taken() == (1, 0)
    assert len(recipe.hash) == 64
    assert counts.taken() == (1, 0)
    assert recipe == Recipe.loads(recipe.dumps(), tmp_path)
    assert counts.taken()[1] == 0
    plan(recipe)
    searches, looks = counts.taken()
    assert searches == 1 and looks > 0, "planning needs the parameters"
    plan(Recipe.loads(THREE, tmp_path))
    assert counts.taken() == (2, 0), "from the kept catalogue, also in the next process"
    softer = recipe.set("hiss.ZamGate.threshold", "-50 dB")
    assert counts.taken() == (1, 0)
    assert softer.get("hiss.ZamGate.threshold") == -50
    louder = Recipe.loads(THREE.replace("-30 dB", "-30"), tmp_path)
    assert louder == recipe and louder.hash == Recipe.loads(THREE, tmp_path).hash, "the same, however it is written"


def test_setting_a_knob_of_another_step_needs_no_plugin(counts: Counts, tmp_path: Path) -> None:
    recipe = Recipe.loads(THREE, tmp_path)
    counts.taken()
    assert recipe.set("hiss.volume", "-6 dB").tracks["hiss"].volume == -6
    searches, looks = counts.taken()
    assert searches <= 1 and looks == 0


def test_what_is_read_before_and_after_a_look_is_equal(tmp_path: Path) -> None:
    before = Recipe.loads(THREE, tmp_path)
    again = Recipe.loads(THREE.replace("-30 dB", "-30"), tmp_path)
    plan(before)
    assert before == again and again == before
    assert before.tracks["hiss"].chain[0].settings == {"threshold": -30.0}  # type: ignore[attr-defined]


def test_a_plugin_installed_meanwhile_is_found_by_the_next_operation(tmp_path: Path) -> None:
    recipe = Recipe.loads(THREE.replace("file: ZamGate", "file: Later"), tmp_path)
    with pytest.raises(MissingError, match="there is no plugin 'Later'"):
        plan(recipe)
    shutil.copy("/usr/lib/vst/ZamGate-vst.so", tmp_path / "Later.so")
    assert "Later" in {component.name.partition(".")[0] for component in plan(recipe).provenance.components}


def test_every_wrong_setting_of_a_plugin_never_seen_is_told_with_its_line(tmp_path: Path) -> None:
    text = THREE.replace("{file: ZamComp, ratio: 4}", "{file: ZamComp, ratoi: 4}").replace("-40 dB", "-400 dB")
    (tmp_path / "song.yaml").write_text(text)
    found = check(tmp_path / "song.yaml").errors
    assert [error.place.line for error in found if error.place] == [9, 10]
    assert [error.path for error in found] == [
        ("tracks", "hiss", "chain", 1, "plugin", "threshold"),
        ("tracks", "hiss", "chain", 2, "parallel", "chain", 0, "plugin", "ratoi"),
    ]
    assert "out of range" in found[0].cause
    assert "no such parameter" in found[1].cause and found[1].mend == "Did you mean ratio?"
    # Nor does it matter whether the plugins are known by now, or who asks.
    assert [str(error) for error in check(tmp_path / "song.yaml").errors] == [str(error) for error in found]
    with pytest.raises(StudioError) as caught:
        Recipe.load(tmp_path / "song.yaml")
    assert str(caught.value) == "\n".join(map(str, found))
    catalogue.forget_plugins()
    with pytest.raises(StudioError) as caught:
        studio.render(Recipe.load(tmp_path / "song.yaml"))
    assert str(caught.value) == "\n".join(map(str, found))
