"""Finding SoundFonts: by alias, by path, or by name where the system keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from studio.context import RenderContext
from studio.errors import MissingError, nearest
from studio.folders import shipped_presets, soundfont_folders


@dataclass(frozen=True)
class Alias:
    """A short name for a SoundFont, and how to get it."""

    name: str
    about: str
    files: tuple[str, ...]
    install: str

    def find(self) -> Path | None:
        """The first of its files that is on this machine."""
        return next((path for file in self.files for path in _candidates(file) if path.is_file()), None)


@cache
def aliases() -> Mapping[str, Alias]:
    """The known aliases, by name."""
    from ruamel.yaml import YAML

    listed = YAML(typ="safe", pure=True).load(shipped_presets() / "soundfonts.yaml")
    return {
        name: Alias(name, entry["about"], tuple(entry["files"]), entry["install"]) for name, entry in listed.items()
    }


def find_font(name: str, context: RenderContext) -> Path:
    """The SoundFont that a recipe means by `name`.

    Raises:
        MissingError: it is not on this machine; for an alias, with the line that installs it.
    """
    if name in aliases():
        found = aliases()[name].find()
        if found is None:
            raise MissingError(
                f"the SoundFont {name!r} ({aliases()[name].about}) is not installed.", aliases()[name].install
            )
        return found
    if (context.folder / Path(name).expanduser()).is_file():
        return context.folder / Path(name).expanduser()
    for folder in soundfont_folders():
        if (folder / name).is_file():
            return folder / name
    there = [path.name for folder in soundfont_folders() if folder.is_dir() for path in folder.iterdir()]
    raise MissingError(f"there is no SoundFont {name!r}.", nearest(name, [*aliases(), *there]))


def _candidates(file: str) -> Iterator[Path]:
    if file.startswith("{pretty_midi}"):
        spec = find_spec("pretty_midi")
        for package in (spec.submodule_search_locations or []) if spec else []:
            yield Path(file.format(pretty_midi=package))
        return
    for folder in soundfont_folders():
        yield folder / file
