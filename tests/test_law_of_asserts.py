"""No `assert` decides anything in what ships: `python -O` takes them all out."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from studio.typed import expect, present

ROOT = Path(__file__).parent.parent


def test_nothing_that_ships_says_assert_or_waits_for_its_error() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ("studio", "widgets")
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert) or (isinstance(node, ast.Name) and node.id == "AssertionError")
    ]
    assert not found


def test_what_stands_in_their_place_raises() -> None:
    assert expect(int, 3) == 3 and present("") == ""
    with pytest.raises(TypeError, match="a int was due, and a str came"):
        expect(int, "3")
    with pytest.raises(TypeError, match="nothing came"):
        present(None)
