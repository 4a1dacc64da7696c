"""The wheel is complete: presets and SoundFont aliases are found where no checkout is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.wheels import check

ROOT = Path(__file__).parent.parent


def test_an_installed_wheel_has_its_presets_and_renders_outside_the_checkout(tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run(
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(tmp_path / "dist"), str(ROOT)],
        check=True,
    )
    [wheel] = (tmp_path / "dist").glob("mirepoix-*.whl")
    subprocess.run([*pip, "install", "--no-deps", "--target", str(tmp_path / "site"), str(wheel)], check=True)
    environment = os.environ | {"PYTHONPATH": str(tmp_path / "site")}

    def run(program: str, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-c", program, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    check(wheel)
    core = run("from studio.native_library import core; print(core()._name)").strip()
    assert core.startswith(str(tmp_path / "site")), "the core that came with it is taken"
    assert run("import studio; print(studio.__file__)").startswith(str(tmp_path / "site"))
    cli = "from studio.cli import main; main()"
    listed = json.loads(run(cli, "preset", "list", "--json"))
    shipped = {path.stem for path in (ROOT / "presets").glob("*/*.yaml")}
    assert {preset["name"] for preset in listed} == shipped
    assert all(preset["path"].startswith(str(tmp_path / "site")) for preset in listed)
    (tmp_path / "tone.yaml").write_text(
        "tracks: {wind: {play: {noise: {length: 1 s}}, chain: [{preset: telephone}]}}", encoding="utf-8"
    )
    files = json.loads(run(cli, "render", "tone.yaml", "--json"))["files"]
    assert [file["path"] for file in files] == ["mix.wav", "stems/wind.wav"]
