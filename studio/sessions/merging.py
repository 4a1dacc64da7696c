"""`studio merge`: what was changed in a session comes home into the recipe that it was made of.

Three things are compared: the recipe when the session was written, which lies in it; the session now; and the recipe
now. What the session changed is written into the recipe, whose comments and order stay; where both changed the same
thing, nothing is, and both are shown.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from typing import Any

from studio.address import get
from studio.context import RenderContext
from studio.disk import writing
from studio.errors import OutputError, Place, RecipeError, StudioError
from studio.interchange.relink import Where
from studio.interchange.timeline import Loss, Timeline
from studio.midi import read_midi
from studio.recipe import Recipe
from studio.sessions.comparing import MergeChange, SessionComparison, Way
from studio.sessions.exporting import export_session
from studio.sessions.importing import READERS, is_session
from studio.sessions.note_edits import MarkerEdits, NoteEdits, came_home, edited, write_edits
from studio.sessions.stamp import base_of

_FORMATS = {".dawproject": "dawproject", ".rpp": "reaper", ".ardour": "ardour"}


@dataclass(frozen=True)
class MergeConflict:
    """A change of something that the recipe changed too: what it says there, and what the session does."""

    where: str
    recipe: str
    session: str


@dataclass(frozen=True)
class Merged:
    """What came home, notes and markers among it, what did not since both changed it, and what cannot."""

    recipe: Recipe
    notes: tuple[NoteEdits, ...]
    markers: MarkerEdits | None
    changes: tuple[MergeChange, ...]
    conflicts: tuple[MergeConflict, ...]
    losses: tuple[Loss, ...]


def merge_session(
    song: Path | str,
    session: Path | str,
    *,
    dry_run: bool = False,
    media: Path | str | None = None,
    anywhere: bool = False,
) -> Merged:
    """Write what was changed in a session into the recipe that it was made of; a copy of what was there stays beside.

    Args:
        song: the recipe; where the session changed nothing, its file stays as it is, to the byte.
        session: a DAWproject file, a REAPER project or an Ardour session that the studio wrote.
        dry_run: whether nothing is written.
        media: a folder in which audio files are looked for that are not where the session says.
        anywhere: whether audio may be taken from where the session says, outside its own folder.

    Raises:
        StudioError: the session was not made of a recipe, or one of the two cannot be read.
    """
    song, session = Path(song), Path(session)
    form = _FORMATS.get(session.suffix.lower())
    if form is None or not is_session(session):
        raise RecipeError(
            f"{session.name} is no session that can come home.",
            "Give a .dawproject, .rpp or .ardour file that the studio wrote.",
            place=Place(str(session)),
        )
    made_of = base_of(session)
    base = Recipe.loads(made_of.text, song.parent)
    ours = Recipe.load(song)
    if base.arrangement:
        raise RecipeError(
            f"{session.name} is the session of an arrangement: what was changed in it has no one place in the recipe.",
            "Change the recipe, or read the session as a new one: studio new song.yaml --from SESSION.",
            place=Place(str(session)),
        )
    where = Where(Path(media) if media is not None else None, anywhere)
    with tempfile.TemporaryDirectory(prefix="studio-merge-") as work:
        midi = Path(work, "score.mid")
        if made_of.score is not None:
            midi.write_bytes(made_of.score)
        heard_then = base if made_of.score is None else base.replace(score=str(midi))
        before = _written(heard_then, form, session, Path(work))
        after = READERS[session.suffix.lower()](session, Path(work, "after"), where)
        comparison = SessionComparison(base, before, after, Path(work, _media_name(song)))
        changes = tuple(comparison.changes())
        merged, taken, conflicts = _applied(base, ours, changes)
        added = Path(work, _media_name(song))
        if taken and added.is_dir() and not dry_run:
            with writing(song.parent / added.name):
                shutil.copytree(added, song.parent / added.name)
    notes, markers = tuple(comparison.notes), comparison.markers
    if notes or markers is not None:
        score = read_midi(_midi_of(ours))
        missing = edited(score, notes, markers)[1]
        if came_home(score, notes, markers):
            notes, markers = (), None
        elif missing:
            what = "notes" if notes else "markers"
            said = f"{len(missing)} of them are not in it"
            conflicts = (*conflicts, MergeConflict(what, "another MIDI file", said))
            notes, markers = (), None
    if (notes or markers is not None) and not dry_run:
        write_edits(_midi_of(ours), notes, markers)
    if taken and not dry_run:
        _save(merged, song)
    return Merged(merged, notes, markers, taken, conflicts, tuple(comparison.losses))


def _media_name(song: Path) -> str:
    """A folder for the audio of new tracks that is not there yet, so that nothing is written over."""
    name = f"{song.stem} media"
    names = chain([name], (f"{name} {again}" for again in count(2)))
    return next(each for each in names if not (song.parent / each).exists())


def _midi_of(recipe: Recipe) -> Path:
    return RenderContext(folder=recipe.folder).find(str(recipe.score))


def _written(base: Recipe, form: str, session: Path, work: Path) -> Timeline:
    """The session as it was written, read back: what its format loses is lost on both sides."""
    made = export_session(base, work / "before", form, name=session.stem)
    path = made.path if made.path.is_file() else made.path / f"{made.path.name}{session.suffix.lower()}"
    return READERS[session.suffix.lower()](path, work / "read", Where())


def _applied(
    base: Recipe, ours: Recipe, changes: tuple[MergeChange, ...]
) -> tuple[Recipe, tuple[MergeChange, ...], tuple[MergeConflict, ...]]:
    merged = ours
    taken: list[MergeChange] = []
    conflicts: list[MergeConflict] = []
    for change in changes:
        way = _found(base, ours, change.way)
        was, now = _value(base, change.way), _value(ours, way)
        try:
            put = _put(merged, way, change.value)
        except StudioError:
            if now == was:
                raise
            put = None  # the place that it belongs to is gone
        if put == merged:
            continue  # it has come home before, or somebody has had the same idea
        if now != was or put is None:
            conflicts.append(MergeConflict(change.where, _shown(ours, way), str(change.value)))
            continue
        merged = put
        taken.append(change)
    return merged, tuple(taken), tuple(conflicts)


def _put(recipe: Recipe, way: Way, value: Any) -> Recipe:
    """A recipe with a value at the end of a way, which may be a strip that it has not."""
    if len(way) == 2 and way[0] in ("tracks", "buses"):
        kind, name = way
        return recipe.put((kind,), {**getattr(recipe, str(kind)), name: value})
    return recipe.put(way, value)


def _found(base: Recipe, ours: Recipe, way: Way) -> Way:
    """The same way in a recipe whose chain has other steps by now: a step goes by its name."""
    if "chain" not in way:
        return way
    at = way.index("chain") + 1
    label = get(base, way[: at + 1]).label
    steps = _value(ours, way[:at]) or ()
    places = [index for index, step in enumerate(steps) if step.label == label]
    return (*way[:at], places[0], *way[at + 1 :]) if len(places) == 1 else way


def _value(recipe: Recipe, way: Way) -> Any:
    try:
        return get(recipe, way)
    except (AttributeError, KeyError, IndexError, TypeError):
        return None


def _shown(recipe: Recipe, way: Way) -> str:
    """What a recipe says at the end of a way."""
    value = _value(recipe, way)
    try:
        return str(get(recipe, way[:-1]).kind_of(str(way[-1])).data(value))
    except (AttributeError, KeyError, IndexError, TypeError):
        return "nothing" if value is None else str(value)


def _save(merged: Recipe, song: Path) -> None:
    copy = song.with_suffix(f"{song.suffix}.bak")
    try:
        shutil.copyfile(song, copy)
    except OSError as error:
        raise OutputError(f"{copy} cannot be written: {error.strerror}.", place=Place(str(song))) from None
    merged.save(song)


__all__ = ["MergeChange", "MergeConflict", "Merged", "merge_session"]
