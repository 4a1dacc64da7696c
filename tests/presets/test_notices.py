"""Whose work ships with the studio is told, file by file."""

from __future__ import annotations

import json
import struct
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTICE = (ROOT / "presets" / "NOTICE.md").read_text(encoding="utf-8")
MODELS = sorted(path for room in ("voices", "models") for path in (ROOT / "presets" / room).iterdir())


@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.name)
def test_every_shipped_model_has_its_line(path: Path) -> None:
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    card = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["card"])
    [line] = [line for line in NOTICE.splitlines() if f"`{path.parent.name}/{path.name}`" in line]
    cells = [cell.strip(" `") for cell in line.split("|")[1:-1]]
    assert (cells[1], cells[4], cells[5]) == (card["kind"], card["license"], card["sha256"][:16])
    sources = card["source"] if isinstance(card["source"], list) else [card["source"]]
    assert all("fluid" in source for source in sources), "a model of other sound needs a notice of its own"


def test_the_notice_goes_with_every_wheel() -> None:
    for words in ("Frank Wen", "Permission is hereby granted, free of charge", "shall be\nincluded in all copies"):
        assert words in NOTICE
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "presets/NOTICE.md" in project["project"]["license-files"]
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]["presets"] == "studio/_presets"
