"""`studio new --from` and `studio render` of a DAW's session."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Callable
from pathlib import Path

from studio.disk import part_of, writing
from studio.errors import MissingError, OutputError, Place, RecipeError, StudioError, nearest
from studio.interchange.ardour.read import read_ardour
from studio.interchange.dawproject.read import read_dawproject
from studio.interchange.live.read import read_live
from studio.interchange.lmms.read import read_lmms
from studio.interchange.reaper.read import read_reaper
from studio.interchange.relink import Where
from studio.interchange.timeline import Timeline
from studio.recipe import Recipe
from studio.rendering.checking import check
from studio.sessions.recipes import Imported, recipe_of

READERS: dict[str, Callable[[Path, Path, Where], Timeline]] = {
    ".dawproject": read_dawproject,
    ".rpp": read_reaper,
    ".rpp-bak": read_reaper,
    ".ardour": read_ardour,
    ".als": read_live,
    ".mmpz": read_lmms,
    ".mmp": read_lmms,
}
"""Readers of sessions, by the ending of their files."""


def is_session(path: Path) -> bool:
    """Whether a file is called like a session that can be read."""
    return path.suffix.lower() in READERS


OTHERS = {
    ".alp": ("an Ableton Live pack", "Open it in Live, and export tracks and a MIDI file."),
    ".flp": ("an FL Studio project", "Export a MIDI file and its mixer tracks as WAV files in FL Studio."),
    ".aaf": ("an AAF composition", "Open it in a DAW, and save it as a DAWproject or a REAPER project."),
    ".omf": ("an OMF composition", "Open it in a DAW, and save it as a DAWproject or a REAPER project."),
    ".otio": ("an OpenTimelineIO timeline", "Open it in an editor, and export its audio."),
    ".bwproject": ("a Bitwig project", "Export it as a DAWproject in Bitwig."),
    ".song": ("a Studio One song", "Export it as a DAWproject in Studio One."),
    ".cpr": ("a Cubase project", "Export it as a DAWproject in Cubase 14 or later."),
    ".npr": ("a Nuendo project", "Export it as a DAWproject."),
    ".ptx": ("a Pro Tools session", "Export tracks and a MIDI file in Pro Tools."),
    ".ptf": ("a Pro Tools session", "Export tracks and a MIDI file in Pro Tools."),
    ".logicx": ("a Logic project", "Export tracks and a MIDI file in Logic."),
    ".band": ("a GarageBand song", "Export its tracks in GarageBand."),
    ".reason": ("a Reason song", "Export stems and a MIDI file in Reason."),
    ".xrns": ("a Renoise song", "Render its patterns to samples, and export a MIDI file in Renoise."),
    ".musicxml": ("a MusicXML score", "Export a MIDI file in a notation program, such as MuseScore."),
    ".mxl": ("a MusicXML score", "Export a MIDI file in a notation program, such as MuseScore."),
    ".mscz": ("a MuseScore score", "Export a MIDI file in MuseScore."),
    ".qtr": ("a Qtractor session", "Export tracks and a MIDI file in Qtractor."),
    ".tracktionedit": ("a Waveform edit", "Export it as a DAWproject or as tracks."),
    ".aup3": ("an Audacity project", "Export its tracks in Audacity."),
    ".cwp": ("a Cakewalk project", "Export tracks and a MIDI file in Cakewalk."),
}  # fmt: skip
"""Formats of others that cannot be read: what they are, and what to do, by the endings of their files."""


def check_readable(source: Path) -> None:
    """Nothing, unless a file is known to be of a format that cannot be read.

    Raises:
        RecipeError: it is; the format is named, with what to do.
    """
    if source.suffix.lower() in OTHERS:
        what, mend = OTHERS[source.suffix.lower()]
        raise RecipeError(f"{source.name} is {what}, which the studio does not read.", mend, place=Place(str(source)))


def _read(source: Path, media: Path, where: Where) -> Timeline:
    """The timeline of a session; errors in it name its file."""
    try:
        return READERS[source.suffix.lower()](source, media, where)
    except StudioError as error:
        if error.place is None:
            error.place = Place(str(source))
        raise


def import_session(
    source: Path | str,
    target: Path | str,
    *,
    replace: bool = False,
    media: Path | str | None = None,
    anywhere: bool = False,
) -> Imported:
    """Make a recipe of a DAW's session, with its audio and notes in a folder of the recipe's name beside it.

    Args:
        source: a session file.
        target: the recipe to write.
        replace: whether a recipe and folder of that name that are there may be replaced.
        media: a folder in which, or below which, audio files of the names that the session gives are looked for.
        anywhere: whether audio may be taken from where the session says, outside its own folder.

    Raises:
        OutputError: something is there already, or the disk refuses; nothing is changed then.
        StudioError: nothing can be made of the session.
    """
    source, target = Path(source), Path(target)
    check_readable(source)
    if not is_session(source):
        raise RecipeError(f"{source.name!r} is no session that can be read.", nearest(source.suffix, READERS))
    beside = target.parent / f"{target.stem} media"
    for path in (target, beside):
        if path.exists() and not replace:
            raise OutputError(f"{path} is there already.", "Choose another name, or give --force to write over it.")
    if media is not None and not Path(media).is_dir():
        raise MissingError(f"there is no folder {str(media)!r}.")
    where = Where(Path(media) if media is not None else None, anywhere)
    work = part_of(target)
    with writing(target, "the folder"):
        try:
            inside = work / beside.name
            inside.mkdir(parents=True)
            imported = recipe_of(_read(source, inside, where), work, inside)
            imported.recipe.save(work / target.name)
            _check(work / target.name, source)
            if beside.exists():
                shutil.rmtree(beside)
            if any(inside.iterdir()):
                inside.rename(beside)
            (work / target.name).replace(target)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return dataclasses.replace(imported, recipe=Recipe.load(target))


def _check(recipe: Path, source: Path) -> None:
    """What `studio check` does, before anybody is told that a recipe is written.

    Raises:
        StudioError: the recipe would not render.
    """
    found = check(recipe).errors
    if found:
        first, more = found[0], f" ({len(found) - 1} more.)" if len(found) > 1 else ""
        way = " › ".join(map(str, first.path))
        raise RecipeError(
            f"what it says does not render: {way + ': ' if way else ''}{first.cause}{more}",
            "Please report it, with the session.",
            place=Place(str(source)),
        )
