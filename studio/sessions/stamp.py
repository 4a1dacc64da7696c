"""The recipe that a session was made of, kept in it: what comes home is compared with that."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from studio.context import RenderContext
from studio.disk import write_whole
from studio.errors import Place, RecipeError
from studio.interchange.archive import Archive, bytes_of
from studio.recipe import Recipe

BASE, SCORE = "studio-recipe.yaml", "studio-score.mid"
LARGEST_BYTES = 16 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Base:
    """What a session was made of: the text of a recipe, and the content of its MIDI file if it has one."""

    text: str
    score: bytes | None


def stamp(session: Path, recipe: Recipe) -> None:
    """Keep a recipe with its MIDI file, as they are, in the folder of a session or in its archive."""
    kept = {BASE: recipe.dumps().encode()}
    if recipe.score is not None:
        kept[SCORE] = RenderContext(folder=recipe.folder).find(recipe.score).read_bytes()
    if session.is_dir():
        for name, content in kept.items():
            write_whole(session / name, content)
        return
    with zipfile.ZipFile(session, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in kept.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)


def base_of(session: Path) -> Base:
    """What a session was made of.

    Raises:
        RecipeError: it does not hold it.
    """
    if session.suffix.lower() == ".dawproject":
        with Archive(session) as archive:
            kept = {name: archive.read(name, LARGEST_BYTES) for name in (BASE, SCORE) if archive.holds(name)}
    else:
        paths = [session.parent / name for name in (BASE, SCORE)]
        kept = {path.name: bytes_of(path, LARGEST_BYTES, "a file of it") for path in paths if path.is_file()}
    if BASE not in kept:
        raise RecipeError(
            f"{session.name} holds no recipe that it was made of.",
            "Export it from the recipe again, or read it as a new one: studio new song.yaml --from SESSION.",
            place=Place(str(session)),
        )
    return Base(kept[BASE].decode("utf-8", "replace"), kept.get(SCORE))
