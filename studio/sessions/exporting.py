"""`studio export SONG --format …` for sessions: one timeline, one writer a format, written whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from studio.disk import whole_folder, writing
from studio.engine import Cache
from studio.errors import OutputError, nearest
from studio.interchange.ardour.write import write_timeline as write_ardour
from studio.interchange.dawproject.write import write_timeline as write_dawproject
from studio.interchange.reaper.write import MEDIA
from studio.interchange.reaper.write import write_timeline as write_reaper
from studio.interchange.timeline import Loss
from studio.recipe import Recipe
from studio.rendering.manifest import slug
from studio.sessions.building import SongSession, session_of
from studio.sessions.stamp import stamp
from studio.sessions.stems import write_stems


@dataclass(frozen=True)
class Form:
    """A format of sessions.

    Attributes:
        name: what it is called on the command line.
        about: what it is, in a phrase.
        write: writes a session to a path and gives what the format could not carry.
        media: the folder inside it in which audio lies, with the session's {name}; empty when it prints its own.
        ending: of the one file it is; empty when it is a folder.
    """

    name: str
    about: str
    write: Callable[[SongSession, Path, str], tuple[Loss, ...]]
    media: str = ""
    ending: str = ""


def _as_dawproject(session: SongSession, folder: Path, name: str) -> tuple[Loss, ...]:
    return write_dawproject(session.timeline, folder / f"{name}.dawproject")


def _as_reaper(session: SongSession, folder: Path, name: str) -> tuple[Loss, ...]:
    return write_reaper(session.timeline, folder, name)


def _as_ardour(session: SongSession, folder: Path, name: str) -> tuple[Loss, ...]:
    return write_ardour(session.timeline, folder, name)


_ALL = (
    Form("stems", "24-bit WAV files from bar 1 and a MIDI file, for any DAW", write_stems),
    Form("dawproject", "one file for Bitwig, Studio One, Cubase and others", _as_dawproject, "audio", "dawproject"),
    Form("reaper", "a REAPER project", _as_reaper, MEDIA),
    Form("ardour", "a session of Ardour 7", _as_ardour, "interchange/{name}/audiofiles"),
)
FORMS = {form.name: form for form in _ALL}
"""The formats of sessions, by name."""


@dataclass(frozen=True)
class ExportedSession:
    """A written session: where it is and what it does not carry."""

    path: Path
    format: str
    losses: tuple[Loss, ...]


def export_session(
    song: Recipe | Path | str,
    out: Path | str = Path(),
    format: str = "dawproject",
    *,
    name: str | None = None,
    replace: bool = False,
    cache: Cache | bool = True,
    workers: int | None = None,
) -> ExportedSession:
    """Write a song as a session for a DAW into the folder `out`.

    Args:
        song: a recipe, or the path of one.
        out: the folder in which the session will lie; made if it is not there.
        format: one of `FORMS`.
        name: what the session is called; the song's title if not given.
        replace: whether a session of that name that is there may be replaced.
        cache: True for the user's cache, False for none, or one of your own.
        workers: threads; all cores when None.

    Raises:
        OutputError: no such format, something is there already, or the disk refuses; nothing is changed then.
        StudioError: something in the recipe or its files.
    """
    if format not in FORMS:
        raise OutputError(f"there is no session format {format!r}.", nearest(format, FORMS))
    form = FORMS[format]
    recipe = song if isinstance(song, Recipe) else Recipe.load(song)
    origin = recipe.origin.path.stem if recipe.origin else "song"
    target = Path(out) / (slug(name or recipe.title or origin, set()) + (f".{form.ending}" if form.ending else ""))
    if target.exists() and not replace:
        raise OutputError(f"{target} is there already.", "Choose another name or folder, or give --force.")
    called = target.name.removesuffix(f".{form.ending}")
    with ExitStack() as stack:
        folder = stack.enter_context(_session_folder(target, form, replace))
        session = session_of(recipe, folder / form.media.format(name=called), cache=cache, workers=workers)
        if form.media:
            session.print_media()
        losses = form.write(session, folder, called)
        if form.media:
            stamp(folder / target.name if form.ending else folder, recipe)
    return ExportedSession(target, format, (*session.timeline.losses, *losses))


@contextmanager
def _session_folder(target: Path, form: Form, replace: bool) -> Iterator[Path]:
    """A folder to write a session into; of a format that is one file, that file in it then takes its place."""
    if not form.ending:
        with whole_folder(target, replace=replace) as folder:
            yield folder
        return
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".studio-", dir=target.parent) as folder:
            yield Path(folder)
            Path(folder, target.name).replace(target)
