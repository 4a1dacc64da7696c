"""What an export refuses, how it says so, and that it leaves nothing behind."""

from __future__ import annotations

import ctypes
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from studio.effects.mixing import Gain
from studio.errors import MissingError, OutputError, RecipeError, StudioError
from studio.exporting.export import export
from studio.exporting.plugin import compilers as toolchains
from studio.exporting.plugin import verify as verifying
from studio.exporting.plugin.build import first_error
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.source import native_half
from studio.native import compilers as native_compilers
from studio.steps import registry
from tests.exporting.plugin.wrong import Broken, Crashing, Hanging, Liar


def test_a_plugin_that_sounds_different_is_not_handed_over(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="not what the recipe sounds like: noise in pedalboard") as refused:
        export([Liar()], tmp_path / "Liar.vst3")
    assert "--allow-mismatch" in refused.value.mend
    assert list(tmp_path.iterdir()) == []
    made = export([Liar()], tmp_path / "Liar.vst3", allow_mismatch=True)
    assert made.card and made.card.state.startswith("differs from the render")
    assert made.path.is_dir()


def test_a_crashing_plugin_costs_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="could not play it"):
        export([Crashing()], tmp_path / "Crash.vst3")
    assert list(tmp_path.iterdir()) == []


def test_a_hanging_plugin_costs_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verifying, "PROCESSOR_SECONDS", 2)
    with pytest.raises(OutputError, match="ran for 2 s of processor time without end"):
        export([Hanging()], tmp_path / "Hang.clap")
    assert list(tmp_path.iterdir()) == []


def test_the_compilers_first_error_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="this half was never finished") as refused:
        export([Broken()], tmp_path / "Broken.vst3")
    assert "wrong.hpp:" in refused.value.cause
    assert list(tmp_path.iterdir()) == []


def test_first_errors_are_found() -> None:
    text = "In file included from a.cpp:1:\n/x/y/half.hpp:3:1: warning: unused\n/x/y/half.hpp:9:2: error: no such\nerror: 2"
    assert first_error(text) == "half.hpp:9:2: error: no such"
    assert first_error("") == "it said nothing"


def test_without_a_compiler_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(native_compilers, "find_spec", lambda name: None)
    with pytest.raises(MissingError, match="no C\\+\\+ compiler") as refused:
        export([Gain()], tmp_path / "out" / "Gain.vst3")
    assert "pip install ziglang" in refused.value.mend
    assert not (tmp_path / "out").exists()


def test_ziglang_is_taken_when_there_is_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    [compiler] = toolchains.compilers()
    assert "ziglang" in compiler.command[0]
    assert compiler.here


def test_compilers_for_other_systems() -> None:
    assert [compiler.machine for compiler in toolchains.compilers("macos")] == ["x86_64", "aarch64"]
    [windows] = toolchains.compilers("windows")
    assert not windows.here
    with pytest.raises(MissingError, match="beos"):
        toolchains.compilers("beos")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError) as refused:
        export([Gain()], tmp_path / "file" / "Gain.vst3")
    assert "cannot be written" in refused.value.cause
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_a_place_that_is_read_only_even_for_the_mighty() -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        export([Gain()], Path("/proc/studio") / "Gain.clap")


@pytest.mark.parametrize("name", [name for name in ("mp3", "resample", "plugin") if name in registry()])
def test_what_cannot_be_rebuilt_is_refused_with_a_way_out(name: str) -> None:
    with pytest.raises(RecipeError, match=f"'{name}' has no native half") as refused:
        native_half(object.__new__(registry()[name]))  # type: ignore[arg-type]
    assert refused.value.mend and not refused.value.mend.startswith("Leave it out")


def test_a_name_full_of_code_is_only_a_name(tmp_path: Path) -> None:
    name = '../x"; } int main() { /* 😀 \\ %s'
    made = export([Gain()], tmp_path / "out", name=name, format="clap")
    assert made.path.parent == tmp_path / "out"
    assert made.card and made.card.name == name
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out"]
    assert "<" not in made._repr_html_().split("</h4>")[0].removeprefix("<h4>")


def test_something_else_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "Gain.vst3").mkdir()
    (tmp_path / "Gain.vst3" / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="something else already"):
        export([Gain()], tmp_path / "Gain.vst3")
    assert (tmp_path / "Gain.vst3" / "mine.txt").read_text() == "mine"
    assert len(list(tmp_path.iterdir())) == 1


def test_plugins_of_one_id_do_not_lie_side_by_side(tmp_path: Path) -> None:
    export([Gain()], tmp_path / "One.clap", name="Same")
    with pytest.raises(OutputError, match=r"One\.clap has the same name and maker"):
        export([Gain()], tmp_path / "Two.clap", name="Same")
    with pytest.raises(OutputError, match="a plugin of another name"):
        export([Gain()], tmp_path / "One.clap", name="Other")
    assert len(list(tmp_path.iterdir())) == 3


def test_formats_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="'vst2'") as refused:
        export([Gain()], tmp_path / "Gain.vst2")
    assert "vst3" in refused.value.mend


def test_a_file_that_is_no_plugin_is_a_failure(tmp_path: Path) -> None:
    junk = tmp_path / "Junk.vst3"
    junk.write_bytes(b"not a plugin")
    verdict = verifying.verify(Design.of([Gain()], "Junk"), junk, "vst3")
    assert len(verdict.failures) == 3
    assert verdict.played == ()


@pytest.mark.parametrize("name", ["../../up", "CON:?", ".hidden", "a" * 60, "\U0001f600 drum"])
def test_names_become_files_inside_the_folder(tmp_path: Path, name: str) -> None:
    from studio.exporting.plugin.bundle import file_name

    path = tmp_path / f"{file_name(name)}.vst3"
    assert path.parent == tmp_path
    assert not set('/\\:*?"<>|') & set(file_name(name))
    assert not file_name(name).startswith(".")


def test_a_project_is_whole_or_not_there(tmp_path: Path) -> None:
    made = export([Gain(-6.0)], tmp_path / "project", format="source", name="Soft `gain`")
    assert (made.path / "CMakeLists.txt").is_file()
    assert (made.path / "studio/effects/mixing.hpp").is_file()
    with pytest.raises(OutputError, match="something already"):
        export([Gain()], tmp_path / "project", format="source")
    with pytest.raises(StudioError):
        export([Gain([[0, -6], ["1 s", 0]])], tmp_path / "other", format="source")
    assert [entry.name for entry in tmp_path.iterdir()] == ["project"]


def test_a_project_builds_with_nothing_but_a_compiler(tmp_path: Path) -> None:
    import subprocess

    from pedalboard import VST3Plugin

    made = export("gain: -6", tmp_path / "project", format="source", name="Soft")
    library = tmp_path / "Soft.vst3" / "Contents" / "x86_64-linux" / "Soft.so"
    library.parent.mkdir(parents=True)
    sources = ["plugin.cpp", "studio/native/shell/vst3.cpp"]
    command = ["g++", "-std=c++17", "-O1", "-fPIC", "-shared", "-I.", *sources, "-o", str(library)]
    subprocess.run(command, cwd=made.path, check=True)
    assert VST3Plugin(str(tmp_path / "Soft.vst3")).name == "Soft"


def test_a_project_builds_into_plugins_of_every_format(tmp_path: Path) -> None:
    import subprocess

    from studio.exporting.plugin.clap_probe import _Loaded
    from studio.hosting.clap_abi import ClapEntry
    from studio.hosting.lv2_host import Lv2
    from studio.hosting.vst3_host import Vst3

    made = export("gain: -6", tmp_path / "project", format="source", name="Soft; `gain`")
    built = tmp_path / "built"
    subprocess.run(["cmake", "-S", str(made.path), "-B", str(built)], check=True, capture_output=True)
    subprocess.run(["cmake", "--build", str(built)], check=True, capture_output=True)
    [vst3], [lv2], [clap] = (list(built.glob(f"*.{form}")) for form in ("vst3", "lv2", "clap"))
    sound = np.full((2, 512), 0.5, np.float32)
    effect = Vst3(vst3)
    effect.prepare(44_100)
    entry = ClapEntry.in_dll(ctypes.CDLL(str(clap)), "clap_entry")
    entry.init(str(clap).encode())
    other = _Loaded(entry)
    other.calls.activate(other.address, 44_100.0, 1, 512)
    turtle = Lv2(lv2, Design.of("gain: -6", "Soft; `gain`").uri)
    turtle.prepare(44_100)
    for out in (effect.process(sound, None), other.process(sound, {}), turtle.process(sound, None)):
        assert np.allclose(out, 0.5 * 10 ** (-6 / 20), atol=1e-6)
    assert effect.about.name == other.name == turtle.about.name == "Soft; `gain`"


def test_the_command_exports_and_installs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from click.testing import CliRunner

    from studio.cli import main

    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    result = CliRunner().invoke(main, ["export", "gain: -6", "--name", "Soft", "--install", "--json"])
    assert result.exit_code == 0, result.output
    card = json.loads(result.output)
    assert Path(card["path"]) == tmp_path / ".vst3" / "Soft.vst3"
    assert Path(card["path"]).is_dir()
    shutil.rmtree(tmp_path / ".vst3")
    refused = CliRunner().invoke(main, ["export", "fade_in: 1 s", "-o", str(tmp_path)])
    assert refused.exit_code == 1
    assert "fade_in" in refused.output
    assert list(tmp_path.iterdir()) == []
