"""Hundreds of hostile files: nothing is written or read where it should not, no code runs, nothing breaks, nothing acts."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner

from studio.cli import main
from studio.folders import user_presets
from tests.attacks.corpus import attacks

SECRET = "the canary's own words"

FAMILIES = ("recipes", "presets", "packs", "models", "manifests", "dawprojects", "reapers", "ardours", "scores")


def test_the_corpus_is_large() -> None:
    assert len(list(attacks(Path("/home/user")))) >= 400


@pytest.mark.parametrize("family", FAMILIES)
def test_no_attack_succeeds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, family: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "canary.wav").write_text(SECRET)
    monkeypatch.setenv("HOME", str(home))
    tried = 0
    for attack in attacks(home):
        if not attack.name.startswith(family):
            continue
        tried += 1
        desk = tmp_path / f"{tried}" / "desk"
        desk.mkdir(parents=True)
        files = attack.content if isinstance(attack.content, dict) else {attack.file: attack.content}
        for name, content in files.items():
            (desk / name).write_bytes(content)
        soundfile.write(desk / "a.wav", np.zeros(100), 44_100)
        monkeypatch.chdir(desk)
        for words in attack.words:
            told = CliRunner().invoke(main, [attack.file if word == "FILE" else word for word in words])
            where = f"{attack.name} {words}: {told.output[-600:]}"
            assert told.exit_code in (0, 1, 2), where
            assert not hidden(told.output), where
            assert SECRET not in told.output, where
        assert sorted(path.name for path in home.iterdir()) == ["canary.wav"], attack.name
        assert (home / "canary.wav").read_text() == SECRET, attack.name
        assert [path.name for path in desk.parent.iterdir()] == ["desk"], attack.name
        for path in desk.rglob("*"):
            assert path.is_dir() or path.name in files or SECRET.encode() not in path.read_bytes(), attack.name
    assert tried >= 10
    told = CliRunner().invoke(main, ["preset", "list"])
    assert told.exit_code == 0 and not hidden(told.output), told.output[-600:]
    taken_in = {path.name for path in user_presets().iterdir()} if user_presets().exists() else set()
    assert taken_in <= {"packs"}
    assert not any(path.is_symlink() for path in user_presets().rglob("*"))


def hidden(text: str) -> list[str]:
    """The characters in it that act instead of being seen."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [mark for mark in text if mark not in "\n\t" and unicodedata.category(mark) in kinds]
