"""The public contract: one list of names, types for who uses them, and a package of steps by somebody else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from platformdirs import user_cache_path

import studio
from studio.deprecation import deprecated

HERE = Path(__file__).parent
ROOT = HERE.parent


def run(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [str(word) for word in words]
    return subprocess.run(
        command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=300
    )


def mypy(*files: Path, cwd: Path, python: Path) -> list[tuple[str, int]]:
    """The places that `mypy --strict` complains of."""
    kept = user_cache_path("mirepoix-tests") / "mypy"
    words = ("--strict", "--cache-dir", kept, "--python-executable", python)
    done = run(sys.executable, "-m", "mypy", *words, *files, cwd=cwd)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return [(Path(file).name, int(line)) for file, line in re.findall(r"^(.+?):(\d+): error", done.stdout, re.M)]


def test_every_public_name_is_there_and_importing_them_is_cheap() -> None:
    assert sorted(studio.__all__) == sorted(set(studio.__all__))
    for name in studio.__all__:
        assert getattr(studio, name) is not None
    heavy = "import sys, studio; print([m for m in ('numpy', 'torch', 'scipy', 'librosa') if m in sys.modules])"
    assert run(sys.executable, "-c", heavy, cwd=ROOT).stdout == "[]\n"
    with pytest.raises(AttributeError, match="rendr"):
        studio.rendr  # noqa: B018


@pytest.fixture(scope="module")
def bells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment of its own into which the studio and the example package are installed."""
    place = tmp_path_factory.mktemp("bells")
    python = place / "env" / ("Scripts" if os.name == "nt" else "bin") / "python"
    run(sys.executable, "-m", "venv", "--without-pip", place / "env", cwd=place)
    [packages] = {Path(path) for path in sys.path if path.endswith("site-packages") and Path(path, "numpy").is_dir()}
    [site] = (place / "env").rglob("site-packages")
    # What both depend on comes from the environment of the tests; the two themselves are installed as wheels.
    (site / "dependencies.pth").write_text(f"{packages}\n")
    pip = (sys.executable, "-m", "pip", "--python", python, "--quiet", "--disable-pip-version-check")
    done = run(*pip, "install", "--no-deps", "--no-build-isolation", ROOT, HERE / "package", cwd=place)
    assert done.returncode == 0, done.stderr
    return python


def test_a_package_by_somebody_else_adds_steps_that_sound(bells: Path, tmp_path: Path) -> None:
    from tests.songs import band_file

    text = """
tracks:
  bell:
    part: all
    notes: [fifths]
    play: {bell: 0.5 s}
    chain: [{ring_modulator: {carrier: 100 Hz, mix: [[0, 0], [1 s, 1]]}}]
"""
    band_file(tmp_path / "song.mid", seconds=2, parts=1)
    (tmp_path / "song.yaml").write_text(f"score: song.mid\n{text}")
    listed = run(bells, "-P", "-m", "studio", "steps", "ring_modulator", cwd=tmp_path)
    assert "frequency of the sine" in listed.stdout, listed.stderr
    done = run(bells, "-P", "-m", "studio", "render", "song.yaml", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["files"]


def test_types_reach_whoever_uses_the_studio_and_whoever_writes_steps(bells: Path, tmp_path: Path) -> None:
    """Checked from outside, as an installed package is: without `py.typed` every name would be `Any`."""
    wrong = HERE / "typed" / "wrong.py"
    marked = [
        ("wrong.py", number)
        for number, line in enumerate(wrong.read_text().splitlines(), 1)
        if line.endswith("# wrong")
    ]
    package = HERE / "package" / "src" / "mirepoix_bells"
    assert mypy(HERE / "typed" / "right.py", wrong, package, cwd=tmp_path, python=bells) == marked


def test_what_is_deprecated_says_what_to_use_and_until_when() -> None:
    @deprecated(since="0.4", removed_in="0.6", instead="studio.render(song)")
    def mixdown(song: str) -> str:
        """Render it."""
        return song.upper()

    with pytest.warns(DeprecationWarning, match=r"mixdown is deprecated since 0.4 and goes in 0.6: use studio.render"):
        assert mixdown("a") == "A"
    assert mixdown.__doc__ and "goes in 0.6" in mixdown.__doc__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        studio.load  # noqa: B018
