"""A command that is stopped from outside tidies up as with Ctrl-C; odd files and odd variables cost a word, not an hour."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from studio.cli import main
from studio.folders import VARIABLES
from tests.waiting import PATIENCE, wait_until

ROOT = Path(__file__).parents[2]
STUDIO = Path(sys.executable).parent / "studio"

LONG = """
recipe: 1
length: 40 min
tracks:
  hiss: {play: {noise: {length: 40 min}}, chain: [{plugin: {file: ZamTube.vst3}}, reverb]}
  more: {play: {noise: {length: 40 min}}, chain: [chorus, reverb, phaser]}
"""


@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_render_that_is_stopped_leaves_nothing_behind(tmp_path: Path, name: str, code: int) -> None:
    (tmp_path / "song.yaml").write_text(LONG)
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    process = subprocess.Popen(
        [STUDIO, "render", "song.yaml", "-o", "out", "--no-cache"], cwd=tmp_path, stderr=subprocess.PIPE, text=True,
        env=os.environ | {"TMPDIR": str(scratch)},
    )  # fmt: skip

    def works() -> bool:
        """The plugin's process has its scratch folder, and sound is being written."""
        assert process.poll() is None, process.stderr and process.stderr.read()
        with contextlib.suppress(FileNotFoundError):
            return any(path.stat().st_size > 1 << 20 for path in scratch.rglob("*"))
        return False

    wait_until(works, "it is at work")
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, said
    assert "stopped" in said and "Traceback" not in said
    assert [path for path in (tmp_path / "out").rglob("*") if path.is_file()] == []
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("ending", ["yaml", "mid", "dawproject", "rpp", "ardour", "studio", "wav", "voice", "als"])
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path, ending: str) -> None:
    pipe = tmp_path / f"odd.{ending}"
    os.mkfifo(pipe)
    (tmp_path / "song.yaml").write_text("recipe: 1\nlength: 1 s\ntracks: {a: {play: noise}}\n")
    zero = tmp_path / f"zero.{ending}"
    zero.symlink_to("/dev/zero")
    for odd in (pipe, zero, tmp_path):
        (tmp_path / "odd.yaml").unlink(missing_ok=True) if ending != "yaml" else None
        for words in (
            ["check", str(odd)], ["render", str(odd), "-o", str(tmp_path / "out")], ["preset", "install", str(odd)],
            ["check", str(tmp_path / "song.yaml"), "--score", str(odd)], ["preset", "pack", str(odd)],
            ["new", str(tmp_path / "new.yaml"), "--from", str(odd)], ["apply", "gain", str(odd), str(tmp_path / "o.wav")],
            ["trust", str(odd)], ["transfer", str(odd), str(odd), "-o", str(tmp_path / "t.wav")],
        ):  # fmt: skip
            told = CliRunner().invoke(main, words)
            assert told.exit_code in (1, 2), (words, told.output)
    assert not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize(
    ("name", "meant"),
    [("studio_cache", "STUDIO_CACHE"), ("STUDIO_CACH", "STUDIO_CACHE"), ("STUDIO_SOUND_FONTS", "STUDIO_SOUNDFONTS")],
)
def test_a_misspelt_variable_is_told(monkeypatch: pytest.MonkeyPatch, name: str, meant: str) -> None:
    monkeypatch.setenv(name, "/tmp/x")
    told = CliRunner().invoke(main, ["steps", "gain"])
    assert told.exit_code == 0 and f"{name}, which nothing reads. Did you mean {meant}?" in told.output


@pytest.mark.parametrize("name", ["STUDIO_JDK", "STUDIO_VM_OPTIONS", "STUDIO_GRADLE_JDK", "STUDIO_HOST"])
def test_variables_of_others_are_none_of_our_business(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "/tmp/x")
    assert "which nothing reads" not in CliRunner().invoke(main, ["steps", "gain"]).output


def test_every_variable_that_is_read_is_known() -> None:
    text = "".join(path.read_text() for room in ("studio", "widgets") for path in (ROOT / room).rglob("*.py"))
    assert set(re.findall(r"[\"'`](STUDIO_[A-Z_]+)[\"'`]", text)) == set(VARIABLES)


def test_no_memory_is_an_error_with_a_mend_and_not_our_mistake() -> None:
    @click.command("greedy")
    def greedy() -> None:
        import numpy as np

        np.zeros((1 << 45,), np.float64)

    main.add_command(greedy)
    try:
        told = CliRunner().invoke(main, ["greedy"])
    finally:
        main.commands.pop("greedy")
    assert told.exit_code == 1 and "not enough memory" in told.output and "256" in told.output


def test_too_little_address_space_is_refused_in_numbers_before_work_starts(tmp_path: Path) -> None:
    (tmp_path / "song.yaml").write_text("tracks: {a: {play: {noise: {length: 1 s}}, chain: [reverb]}}\n")
    words = f"ulimit -v 700000; exec {STUDIO} render song.yaml -o out --no-cache"
    done = subprocess.run(
        ["sh", "-c", words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 1 and "717" in done.stderr and "ulimit -v unlimited" in done.stderr
    assert not list((tmp_path / "out").rglob("*.wav"))
