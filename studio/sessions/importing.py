"""`studio new --from` and `studio render` of a DAW's session."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from studio.disk import part_of, writing
from studio.errors import OutputError, Place, RecipeError, StudioError, nearest
from studio.interchange.ardour.read import read_ardour
from studio.interchange.dawproject.read import read_dawproject
from studio.interchange.reaper.read import read_reaper
from studio.interchange.timeline import Timeline
from studio.sessions.recipes import Imported, recipe_of

READERS: dict[str, Callable[[Path, Path], Timeline]] = {
    ".dawproject": read_dawproject,
    ".rpp": read_reaper,
    ".ardour": read_ardour,
}
"""Readers of sessions, by the ending of their files."""


def is_session(path: Path) -> bool:
    """Whether a file is called like a session that can be read."""
    return path.suffix.lower() in READERS


def _read(source: Path, media: Path) -> Timeline:
    """The timeline of a session; errors in it name its file."""
    try:
        return READERS[source.suffix.lower()](source, media)
    except StudioError as error:
        if error.place is None:
            error.place = Place(str(source))
        raise


def import_session(source: Path | str, target: Path | str, *, replace: bool = False) -> Imported:
    """Make a recipe of a DAW's session, with its audio and notes in a folder of the recipe's name beside it.

    Args:
        source: a session file.
        target: the recipe to write.
        replace: whether a recipe and folder of that name that are there may be replaced.

    Raises:
        OutputError: something is there already, or the disk refuses; nothing is changed then.
        StudioError: nothing can be made of the session.
    """
    source, target = Path(source), Path(target)
    if not is_session(source):
        raise RecipeError(f"{source.name!r} is no session that can be read.", nearest(source.suffix, READERS))
    media = target.parent / f"{target.stem} media"
    for path in (target, media):
        if path.exists() and not replace:
            raise OutputError(f"{path} is there already.", "Choose another name, or give --force to write over it.")
    work = part_of(target)
    with writing(target, "the folder"):
        try:
            inside = work / media.name
            inside.mkdir(parents=True)
            imported = recipe_of(_read(source, inside), work, inside)
            imported.recipe.save(work / target.name)
            if media.exists():
                shutil.rmtree(media)
            if any(inside.iterdir()):
                inside.rename(media)
            (work / target.name).replace(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return imported
