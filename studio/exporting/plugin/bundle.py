"""A bundle on disk: whole or not at all, and never over something that is not the same plugin."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studio.disk import part_of, writing
from studio.errors import OutputError, Place, StudioError
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import Files
from studio.exporting.plugin.install import plugin_folder
from studio.stored import Members, Words, read_json

CARD = ".card.json"
PICTURE = ".card.png"

_FORBIDDEN = '/\\:*?"<>|'


def file_name(name: str) -> str:
    """The name of a plugin as the name of a file on every system."""
    plain = "".join("-" if mark in _FORBIDDEN or not mark.isprintable() else mark for mark in name).strip(" .")
    while len(plain.encode()) > 120:
        plain = plain[:-1]
    return plain or "plugin"


def card_files(plugin: Path) -> tuple[Path, Path]:
    """Where a plugin's card and its picture lie: beside it.

    Among installed LV2 bundles they lie inside it, since hosts take everything in that folder for a bundle.
    """
    if plugin.suffix == ".lv2" and plugin.resolve().parent == plugin_folder("lv2").resolve():
        return plugin / CARD.removeprefix("."), plugin / PICTURE.removeprefix(".")
    return plugin.with_name(plugin.name + CARD), plugin.with_name(plugin.name + PICTURE)


@contextmanager
def standing(path: Path, files: Files, design: Design) -> Iterator[Path]:
    """The bundle under its own name in a folder beside `path`; it takes its place when the block ends well.

    Raises:
        OutputError: the folder cannot be written, or another plugin is there.
    """
    check_replaceable(path, design)
    room = part_of(path)
    try:
        with writing(path, "the plugin"):
            path.parent.mkdir(parents=True, exist_ok=True)
            room.mkdir()
            whole = room / path.name
            for inside, content in files.items():
                file = whole / inside if inside else whole
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
        yield whole
        with writing(path, "the plugin"):
            if path.exists():
                path.replace(room / "before") if path.is_file() else path.rename(room / "before")
            whole.rename(path)
    finally:
        shutil.rmtree(room, ignore_errors=True)


def check_replaceable(path: Path, design: Design) -> None:
    """Refuse to replace what is not an earlier export of this plugin, or to have the same plugin twice.

    Raises:
        OutputError: so it would be.
    """
    there = _id_at(path)
    if path.exists() and there != str(design.id):
        what = "something else" if there is None else "a plugin of another name or maker"
        raise OutputError(
            f"there is {what} already.", "Give another name or folder, or take it away.", place=Place(str(path))
        )
    for other in sorted(path.parent.glob(f"*{path.suffix}")):
        if other.name != path.name and _id_at(other) == str(design.id):
            raise OutputError(
                f"{other.name} has the same name and maker, and so the same id; a DAW would see only one of them.",
                "Give this one another name (--name).",
                place=Place(str(path)),
            )


def _id_at(path: Path) -> str | None:
    try:
        card = read_json(card_files(path)[0])
        return str(Members(of={"id": Words()}, more=True).parse(card)["id"])
    except StudioError:
        return None
