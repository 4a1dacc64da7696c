"""The house is as its map says: no crowded room, no circles, one name for one thing, and a word on everything public."""

from __future__ import annotations

import ast
from collections import defaultdict

from tests.rooms import BEGIN, END, MAP, ORDER, arrows, circles, modules, picture, public, sizes


def test_the_map_shows_the_rooms_as_they_are() -> None:
    drawn = MAP.read_text(encoding="utf-8").split(BEGIN)[1].split(END)[0].strip()
    assert _shape(drawn) == _shape(picture()), "python -m tests.rooms draws them anew"


def _shape(table: str) -> list[list[str]]:
    """The table without the shares, which change with every line that is written."""
    return [[cell.strip() for cell in row.split("|")[1:-1]][::2] for row in table.splitlines()]


def test_no_room_is_crowded() -> None:
    lines = sizes()
    total = sum(lines.values())
    assert {room: share for room, count in lines.items() if (share := round(100 * count / total, 1)) > 15} == {}


def test_nothing_runs_back_up_and_nothing_goes_in_a_circle() -> None:
    assert circles() == []
    back = {
        (room, other) for room, wanted in arrows().items() for other in wanted if ORDER.index(other) > ORDER.index(room)
    }
    assert back == set()


def test_no_two_public_classes_share_a_name() -> None:
    places = defaultdict(list)
    for module, path in modules().items():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module)
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_everything_public_says_what_it_is_for() -> None:
    silent = [
        f"{module}.{name}"
        for module, path in modules().items()
        for name, node in public(ast.parse(path.read_text(encoding="utf-8")))
        if not ast.get_docstring(node)  # type: ignore[arg-type]
    ]
    assert silent == []
