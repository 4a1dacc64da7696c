"""The recipe that a session was made of, kept in it: what comes home is compared with that."""

from __future__ import annotations

import zipfile
from pathlib import Path

from studio.disk import write_whole
from studio.errors import Place, RecipeError
from studio.interchange.archive import Archive, bytes_of
from studio.recipe import Recipe

BASE = "studio-recipe.yaml"
LARGEST_BYTES = 16 * 1024 * 1024
_EPOCH = (1980, 1, 1, 0, 0, 0)


def stamp(place: Path, recipe: Recipe) -> None:
    """Keep a recipe, as it is written, in the folder of a session or in its archive."""
    text = recipe.dumps()
    if place.is_dir():
        write_whole(place / BASE, text)
        return
    with zipfile.ZipFile(place, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(BASE, _EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        archive.writestr(info, text)


def base_of(session: Path) -> str:
    """The text of the recipe that a session was made of.

    Raises:
        RecipeError: it holds none.
    """
    if session.suffix.lower() == ".dawproject":
        with Archive(session) as archive:
            if archive.holds(BASE):
                return archive.read(BASE, LARGEST_BYTES).decode("utf-8", "replace")
    elif (session.parent / BASE).is_file():
        return bytes_of(session.parent / BASE, LARGEST_BYTES, "a recipe").decode("utf-8", "replace")
    raise RecipeError(
        f"{session.name} holds no recipe that it was made of.",
        "Export it from the recipe again, or read it as a new one: studio new song.yaml --from SESSION.",
        place=Place(str(session)),
    )
