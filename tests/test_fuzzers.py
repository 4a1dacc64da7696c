"""The short form of `python -m tests.fuzz`: a few bad files of what tests/test_fuzz.py leaves to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fuzz import fuzz


@pytest.mark.parametrize(
    "name", ["preset", "dawproject", "reaper", "ardour", "live", "lmms", "pack", "manifest", "sysex"]
)
def test_bad_files_are_read_or_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for variable in ("STUDIO_PRESETS", "STUDIO_CACHE", "HOME"):
        monkeypatch.setenv(variable, os.environ.get(variable, ""))
    tried, read, found = fuzz(name, 60, 14, tmp_path / "finds", most=15)
    told = "\n".join(path.read_text() for path in (tmp_path / "finds").glob("*.txt"))
    assert found == 0, told
    assert read >= 1 and tried >= 1
