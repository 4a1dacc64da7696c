"""A first recipe: a commented one, or one for the song in a MIDI file or a DAW's session."""

from __future__ import annotations

from pathlib import Path

from studio.disk import write_whole
from studio.errors import OutputError
from studio.folders import shipped_presets
from studio.interchange.timeline import Loss
from studio.midi.files import is_midi
from studio.recipe.starter import blank, from_midi
from studio.sessions.importing import check_readable, import_session, is_session


def new_recipe(
    target: Path | str,
    source: Path | str | None = None,
    *,
    bare: bool = False,
    replace: bool = False,
    media: Path | str | None = None,
    anywhere: bool = False,
) -> tuple[Loss, ...]:
    """Write a recipe to start from.

    Args:
        target: the recipe to write.
        source: a MIDI file or a session of a DAW; nothing for a commented recipe, which plays the MIDI file that lies
            beside it, and if there is none, the demo's, which is laid there.
        bare: whether chains, buses and master are left out for a MIDI file.
        replace: whether a recipe that is there may be replaced.
        media: of a session, a folder to look in for audio files that are not where it says.
        anywhere: whether a session may take audio from outside its own folder.

    Returns:
        What of a session the recipe does not carry.

    Raises:
        OutputError: something is there already, or the disk refuses; nothing is changed then.
        StudioError: the source cannot be read.
    """
    target, given = Path(target), None if source is None else Path(source)
    if target.exists() and not replace:
        raise OutputError(f"{target} is there already.", "Choose another name, or give --force to write over it.")
    if given is not None and is_session(given):
        return import_session(given, target, replace=replace, media=media, anywhere=anywhere).losses
    if given is not None:
        check_readable(given)
        write_whole(target, from_midi(given, target, bare=bare))
        return ()
    score = score_beside(target)
    if not score.exists():
        write_whole(score, (shipped_presets() / "recipes" / "demo.mid").read_bytes())
    write_whole(target, blank(target.name, score.name))
    return ()


def score_beside(target: Path) -> Path:
    """The MIDI file that a new recipe plays: one beside it, best of its own name, else one that is to be laid there."""
    beside = sorted(file for file in target.parent.glob("*") if is_midi(file)) if target.parent.is_dir() else []
    named = [file for file in beside if file.stem == target.stem]
    return (named or beside or [target.with_suffix(".mid")])[0]
