"""A piano roll: the notes of one track over its sound, to be edited and sent back to the recipe."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import traitlets

from studio.context import RenderContext
from studio.engine import plan
from studio.errors import RecipeError, ScoreError, StudioError, nearest
from studio.midi import split, write_midi
from studio.midi.picks import chosen
from studio.midi.timing import Quantise
from studio.recipe import Recipe
from studio.rendering.player.modules import script
from studio.score import Note, Score
from widgets.pictures import roll_picture
from widgets.player import HERE, STYLE, Playing
from widgets.session import Ear, PlaybackSession

MOST = 20_000
"""Notes that a roll shows."""

GRIDS = ("1/4", "1/8", "1/8t", "1/16", "1/16t", "1/32")


class PianoRoll(Playing):
    """Edit the notes of a track and hear them; `score` and `recipe` are always the current truth.

    Drag notes in time and pitch, their right edge for their length, with alt for their velocity; double-click puts
    a note or takes it away; arrow keys, + and - and Delete work on what is selected.

    >>> roll = PianoRoll(song, "keys")
    >>> roll.quantise("1/16", strength=0.8)
    >>> song = roll.save("edited.mid")

    Attributes:
        notes: what is shown, as [start in beats, length in beats, pitch, velocity].

    Raises:
        StudioError: the recipe has no such track, or the track plays no notes.
    """

    _esm = script(HERE / "roll.js")
    _css = STYLE

    notes: traitlets.List[Any] = traitlets.List().tag(sync=True)
    beats: traitlets.List[Any] = traitlets.List().tag(sync=True)
    grids: traitlets.List[str] = traitlets.List().tag(sync=True)
    past = traitlets.Int(0).tag(sync=True)
    track = traitlets.Int(0).tag(sync=True)

    def __init__(self, recipe: Recipe, track: str) -> None:
        if track not in recipe.tracks:
            raise RecipeError(f"there is no track {track!r}.", nearest(track, recipe.tracks))
        planned = plan(recipe)
        picks = {name: each.part for name, each in recipe.tracks.items() if each.part}
        if planned.score is None or track not in picks:
            raise RecipeError(f"{track!r} plays no notes.", "Take a track with a `part`.")
        parts = chosen(picks, split(planned.score))[track]
        if not parts:
            raise RecipeError(f"{track!r} plays no notes of this score.")
        own = frozenset[int]().union(*(part.own for part in parts))
        self._whole = planned.score.finer(960)
        grown = self._whole.pairs
        self._others = [note for note, first, _ in grown if first not in own]
        self._own = [note for note, first, _ in grown if first in own]
        if len(self._own) > MOST:
            raise ScoreError(f"{track!r} has {len(self._own)} notes.", f"A roll shows {MOST} at most.")
        self._like, self._recipe, self._tempo = parts[0], recipe, planned.written
        self._past: list[list[Note]] = []
        end = int(self._whole.beat(self._whole.end)) + 9
        seconds = [[beat, float(self._tempo.second_at(Fraction(beat)))] for beat in range(end)]
        names = list(planned.tracks)
        index = names.index(track) + 1 if track in names else 0
        super().__init__(rate=recipe.rate, title=f"{track}: notes", beats=seconds, grids=list(GRIDS), track=index)
        self._session = PlaybackSession(self._tell, failed=self._failed, stems=True)
        self._show()
        self._session.wish(recipe)

    @property
    def score(self) -> Score:
        """The whole score with the notes as they are now."""
        return self._whole.with_notes([*self._others, *self._own])

    def edit(self, notes: object) -> None:
        """Put other notes in place of all: [start in beats, length in beats, pitch, velocity] each.

        Raises:
            ScoreError: one of them is no note.
        """
        self._change([self._note(plain) for plain in _listed(notes)])

    def quantise(self, grid: str = "1/16", strength: float = 1.0) -> None:
        """Pull all notes of the track onto a grid; see `studio steps quantise`.

        Raises:
            KnobError: no note value, or a strength outside 0 to 1.
        """
        step = Quantise(grid=grid, strength=strength)  # type: ignore[arg-type]
        alone = self._whole.with_notes(self._own)
        edited = step.edit(alone, RenderContext(tempo=self._tempo))
        factor = edited.resolution // self._whole.resolution
        self._change([note._replace(start=note.start // factor, end=note.end // factor) for note in edited.notes])

    def undo(self) -> None:
        """Take the last edit back."""
        if self._past:
            self._own = self._past.pop()
            self._arrived()

    def save(self, path: Path | str) -> Recipe:
        """Write the score as a MIDI file, and give the recipe that plays it.

        Raises:
            OutputError: the file cannot be written.
        """
        write_midi(self.score, Path(path))
        folder = self._recipe.folder.resolve()
        whole = Path(path).resolve()
        named = whole.relative_to(folder).as_posix() if whole.is_relative_to(folder) else str(whole)
        self._recipe = self._recipe.put(("score",), named)
        return self._recipe

    @property
    def recipe(self) -> Recipe:
        """The recipe; it plays the edited notes once they are saved."""
        return self._recipe

    def _note(self, plain: object) -> Note:
        try:
            start, long, pitch, velocity = (float(number) for number in plain)  # type: ignore[attr-defined]
            if not np.isfinite([start, long, pitch, velocity]).all():
                raise ValueError
        except (TypeError, ValueError):
            raise ScoreError("a note is [start in beats, length in beats, pitch, velocity].") from None
        if not (0 <= start <= 100_000 and 0 < long <= 10_000 and 0 <= pitch <= 127 and 1 <= velocity <= 127):
            raise ScoreError(f"{plain} is no note.", "Pitches go from 0 to 127, velocities from 1 to 127.")
        begin = self._whole.tick(start)
        end = max(begin + 1, self._whole.tick(start + long))
        like = self._like
        return Note(begin, end, round(pitch), round(velocity), like.channel, like.track, like.port)

    def _change(self, notes: list[Note], ear: Ear | None = None) -> None:
        if notes == self._own:
            return
        self._past.append(self._own)
        self._own = notes
        self._arrived(ear)

    def _arrived(self, ear: Ear | None = None) -> None:
        self._show()
        self._session.wish(self._recipe, ear, score=self.score)

    def _still(self) -> str:
        return roll_picture(self.title, self.notes) + super()._still()

    def _show(self) -> None:
        beat = self._whole.resolution
        self.notes = [
            [round(note.start / beat, 4), round((note.end - note.start) / beat, 4), note.pitch, note.velocity]
            for note in self._own
        ]
        self.past = len(self._past)

    def _failed(self, error: StudioError | None) -> None:
        self._say("" if error is None else f"{error.cause} {error.mend}".strip(), bad=error is not None)

    def _told(self, widget: object, content: dict[str, Any], buffers: object) -> None:
        kind = content.get("kind")
        try:
            if kind == "hello":
                self._session.greet()
            elif kind == "want":
                self._session.want(content)
            elif kind == "notes":
                notes = [self._note(plain) for plain in _listed(content.get("notes"))]
                self._change(notes, Ear.parse(content.get("ear")))
            elif kind == "quantise":
                self.quantise(str(content.get("grid")))
            elif kind == "undo":
                self.undo()
        except StudioError as error:
            self._failed(error)
            self.send_state("notes")


def _listed(notes: object) -> list[object]:
    if not isinstance(notes, (list, tuple)) or len(notes) > MOST:
        raise ScoreError(f"a list of at most {MOST} notes is needed.")
    return list(notes)
