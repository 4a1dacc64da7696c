"""Modules lying in the working folder are never imported, whatever the studio starts there."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

import studio
from studio.effects.blocks import RackBlock
from studio.exporting.export import export
from studio.hosting.pool import POOL
from studio.processes import forget_working_folder, python_command

ROOT = Path(__file__).parents[1]
STUDIO = Path(sys.executable).parent / "studio"
OTHERS = (
    "studio", "widgets", "numpy", "scipy", "pedalboard", "dawdreamer", "ziglang", "click", "mido", "soundfile", "soxr",
    "xxhash", "platformdirs", "ruamel", "rich", "torch", "sitecustomize", "usercustomize",
)  # fmt: skip

SONG = """
recipe: 1
length: 0.3 s
tracks:
  hiss:
    play: {noise: {length: 0.3 s}}
    chain: [{plugin: {file: ZamTube.vst3}}]
"""


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A song's folder, in which we stand, with a module for every name that anything imports: each leaves a mark."""
    folder = tmp_path / "song"
    folder.mkdir()
    mark = f"import _io\nwith _io.open({str(tmp_path / 'marks')!r}, 'a') as marks: marks.write(__name__ + '\\n')\n"
    for name in (*sys.stdlib_module_names, *OTHERS):
        (folder / f"{name}.py").write_text(mark)
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(mark)
    (folder / "song.yaml").write_text(SONG)
    monkeypatch.chdir(folder)
    return folder


def marks(planted: Path) -> str:
    found = planted.parent / "marks"
    return found.read_text() if found.exists() else ""


def test_the_marks_would_be_seen(planted: Path) -> None:
    subprocess.run([sys.executable, "-c", "import base64"], check=False, capture_output=True)
    assert "base64" in marks(planted)


@pytest.mark.parametrize("path", ["", os.pathsep, ".", f"/nowhere{os.pathsep}", "{here}"])
def test_an_interpreter_of_ours_imports_nothing_from_the_working_folder(
    planted: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", path.replace("{here}", str(planted)))
    program = "import base64, json, numpy, studio, ziglang, sys; print(studio.__file__, *sys.argv[1:])"
    done = subprocess.run(python_command(program, "a", "b c"), capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (f"{studio.__file__} a b c\n", "")
    assert not marks(planted)


def test_folders_named_in_full_are_still_looked_into(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = planted.parent / "lib ü"
    elsewhere.mkdir()
    (elsewhere / "bells.py").write_text("rings = True")
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}{elsewhere}")
    done = subprocess.run(
        python_command("import bells; print(bells.rings)"), capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
    assert not marks(planted)


def test_the_command_line_takes_the_working_folder_off_its_list(planted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", "/usr/lib", str(planted)])
    forget_working_folder()
    assert sys.path == ["/usr/lib"]


@pytest.mark.parametrize(
    "words", [("render", "song.yaml", "-o", "out", "--no-cache"), ("plugins", "show", "ZamTube.vst3"), ("doctor",)]
)
def test_commands_run_nothing_that_lies_beside_the_song(planted: Path, words: tuple[str, ...]) -> None:
    done = subprocess.run([STUDIO, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not marks(planted)


def test_workers_and_the_hosts_of_an_export_run_nothing_from_the_working_folder(planted: Path) -> None:
    POOL.close()
    studio.render("song.yaml", cache=False)
    made = export(RackBlock.parse({"chain": ["gain"]}), Path("Gain.vst3"))
    assert (
        made.card
        and made.card.verdict
        and {"pedalboard", "dawdreamer"} <= {played.host.split()[0] for played in made.card.verdict.played}
    )
    zig = python_command("import ziglang.__main__", "version")
    assert subprocess.run(zig, capture_output=True, text=True, check=True).stdout.startswith("0.")
    assert not marks(planted)


def test_interpreters_are_started_in_one_place_only() -> None:
    found = []
    for file in (*(ROOT / "studio").rglob("*.py"), *(ROOT / "widgets").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            wrong = isinstance(node, ast.Attribute) and node.attr in ("executable", "ProcessPoolExecutor", "execv")
            names = [each.name for each in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            wrong |= any(name in ("multiprocessing", "ProcessPoolExecutor") for name in names)
            wrong |= isinstance(node, ast.Constant) and node.value in ("python3", "-m")
            if wrong:
                found.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert [place.partition(":")[0] for place in found] == ["studio/processes.py"], found
