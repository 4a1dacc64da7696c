"""Checking a recipe to its end: every mistake that can be known before any sound is made, found in one reading."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np

from studio.address import check_values, steps_in
from studio.audiofile import probe
from studio.context import RenderContext
from studio.curves import Points
from studio.engine import Plan, plan
from studio.engine.plan import check_length, contexts, frames_of, placed
from studio.errors import (
    Collector,
    MissingError,
    Problems,
    RecipeError,
    StudioError,
    attempt,
    collecting,
    nearest,
)  # fmt: skip
from studio.folders import reading
from studio.midi import Part, read_midi, split, together
from studio.midi.picks import chosen
from studio.recipe import Bus, Master, Recipe, Track
from studio.recipe.arranging import check_extents, written_tempo
from studio.recipe.document import Document
from studio.recipe.model import Origin
from studio.recipe.presets import RECIPE_FILE
from studio.recipe.sections import MARKERS
from studio.recipe.yaml_tree import uncollected
from studio.rendering.audio_writer import check_format
from studio.score import Score
from studio.sources.audio_file import AudioSource
from studio.sources.soundfont import SoundFont
from studio.steps import ScoreStep, Step, Unread
from studio.tempo import TempoMap


@dataclass(frozen=True)
class Checked:
    """What was found.

    Attributes:
        errors: every mistake, with its place, in the order of the file.
        plan: the plan of a recipe without any, else None.
    """

    errors: tuple[StudioError, ...]
    plan: Plan | None


def check(path: Path | str, score: Path | None = None) -> Checked:
    """Read a recipe to its end, whatever is wrong with it: words, values, routes, files, parts, and all that is static.

    Args:
        path: the file of the recipe.
        score: a MIDI file to take instead of its own.
    """
    taking = Collector()
    try:
        with collecting(taking):
            document = Document.open(path)
    except StudioError as error:
        taking.take(error)
        return Checked(tuple(taking.errors), None)
    return check_document(document, Path(path).parent, score, taking)


def check_document(
    document: Document, folder: Path, score: Path | None = None, taking: Collector | None = None
) -> Checked:
    """The same of a document, whose paths are relative to `folder`; `taking` has the errors of its reading."""
    taking = taking or Collector()
    unread = [way for error in taking.errors if (way := document.placed(error).path)]
    with collecting(taking), reading(folder):
        recipe = _read(document, Path(folder, Path(document.file).name or RECIPE_FILE))
        if recipe is not None:
            _Checker(recipe, score, taking).check()
    errors = [error for error in taking.errors if not _behind(error, unread)]
    planned = None
    if recipe is not None and not errors:
        try:
            planned = plan(recipe, score)
        except StudioError as error:
            taking.take(error)
            errors = list(taking.errors)
    file = document.file
    placed = [document.placed(error) for error in errors]
    return Checked(tuple(sorted(placed, key=lambda error: _order(error, file))), planned)


def checked_plan(recipe: Recipe, score: Score | Path | str | None = None) -> Plan:
    """The plan of a recipe.

    Raises:
        StudioError: it cannot be made; every mistake in it is told, as `check` tells them.
    """
    try:
        return plan(recipe, score)
    except StudioError:
        taking = Collector()
        with recipe.placing(), collecting(taking), reading(recipe.folder):
            _Checker(recipe, score, taking).check()
        if not taking.errors:
            raise
        found = taking.errors[0] if len(taking.errors) == 1 else Problems(taking.errors)
    with recipe.placing():
        raise found


def _read(document: Document, path: Path) -> Recipe | None:
    recipe: Recipe | None = None
    with attempt():
        with uncollected():
            recipe = Recipe.parse(document.data)
        object.__setattr__(recipe, "origin", Origin(path, document.text))
    return recipe


def _behind(error: StudioError, unread: list[tuple[Any, ...]]) -> bool:
    """Whether it only follows from words that could not be read at all."""
    return any(error.path[: len(way)] == way and error.place is None for way in unread)


def _order(error: StudioError, file: str) -> tuple[int, int]:
    place = error.place
    return (place.line, place.column) if place is not None and place.file == file else (1 << 30, 0)


class _Checker:
    """Walks through a recipe; the collector takes what it meets."""

    def __init__(self, recipe: Recipe, score: Score | Path | str | None, taking: Collector) -> None:
        self.taking = taking
        self.recipe = recipe
        with self._guarded():
            check_values(recipe)
        with self._guarded():
            self.recipe = recipe.settled()
        self.files = RenderContext(folder=recipe.folder)
        self.score: Score | None = None
        self.unscored = "score" in {str(way[0]) for way in taking.lost}
        with attempt("score"):
            self.score = self._score(score)
        self.tempo = TempoMap()
        with self._guarded():
            # What cannot be arranged has been told; the rest is checked as it is written.
            self.tempo = written_tempo(self.recipe, self.score)
            arrangeable = not any(error.path[:1] in (("sections",), ("arrangement",)) for error in taking.errors)
            if not self.unscored or self.recipe.sections != MARKERS:
                check_extents(self.recipe, self.score, self.tempo)
                self.tempo = self.recipe.tempo_map(self.score) if arrangeable else self.tempo
        self.written, self.context = contexts(self.recipe, self.score, self.tempo)
        self.parts = self._parts()
        self.fine: set[tuple[Step, float | None, bool]] = set()

    @contextmanager
    def _guarded(self, *path: str | int) -> Iterator[None]:
        """Go on behind errors; where others were found already, what a half-read value stumbles over is none of its own."""
        with attempt(*path):
            try:
                yield
            except StudioError:
                raise
            except Exception:
                if not self.taking.errors:
                    raise

    def check(self) -> None:
        with attempt():
            self._whole()
        for where, name, strip in self.recipe.strips():
            if self._left_out(name):
                continue
            with attempt(*((where,) if isinstance(strip, Master) else (where, name))):
                self._strip(name, strip)
        for name, macro in self.recipe.knobs.items():
            with attempt("knobs", name):
                self._curve(macro.value, "value")

    def _whole(self) -> None:
        recipe = self.recipe
        if self.score is not None:
            with attempt():
                check_length(self.score, self.written.tempo)
        with self._guarded():
            frames_of(recipe, self.tempo)
        with attempt("output", "format"):
            check_format(
                recipe.output.format, recipe.output.bits, recipe.rate, self.context.channels, recipe.output.bitrate
            )
        if not recipe.tracks:
            if not any(get_close_matches(str(way[0]), ("tracks",)) for way in self.taking.lost):
                raise RecipeError(
                    "the recipe has no tracks.", "Add one: `tracks: {keys: {part: all}}`, or run `studio new`."
                )
            return
        for name, bus in recipe.buses.items():
            with attempt("buses", name):
                if not recipe.feeds(name, bus) and not self._meant(name):
                    raise RecipeError("nothing is sent to the bus.", f"Add `send: {{{name}: -12 dB}}` to a track.")
        solo = any(track.solo for track in recipe.tracks.values())
        heard = [
            *(name for name, track in recipe.tracks.items() if not track.mute and (track.solo or not solo)),
            *(name for name, bus in recipe.buses.items() if not bus.mute),
        ]
        strips = {name: strip for _, name, strip in recipe.strips() if not isinstance(strip, Master)}
        if not any(strips[name].to not in recipe.buses for name in heard) and not self.taking.lost:
            raise RecipeError("nothing reaches the master.", "Every track is muted, missing or routed elsewhere.")

    def _meant(self, bus: str) -> bool:
        """Whether something that could not be read may well have been meant to go to a bus."""
        words = [
            word
            for _, _, strip in self.recipe.strips()
            if not isinstance(strip, Master)
            for word in (strip.to, *strip.send)
            if word not in self.recipe.buses
        ]
        strips = [way for way in self.taking.lost if way[0] in ("tracks", "buses")]
        lost = any(
            len(way) <= 2
            or (len(way) == 3 and get_close_matches(str(way[2]), ("send", "to")))
            or way[2:] == ("send", bus)
            for way in strips
        )
        return lost or any(f"mean {bus}?" in nearest(word, self.recipe.buses) for word in words)

    def _score(self, given: Score | Path | str | None) -> Score | None:
        if isinstance(given, Score):
            return given
        if given is None and self.recipe.score is None:
            return None
        self.unscored = True
        path = Path(given) if given is not None else self.files.find(str(self.recipe.score))
        score = read_midi(path)
        self.unscored = False
        return score

    def _parts(self) -> dict[str, tuple[Part, ...]]:
        half = {way[1] for way in self.taking.half_read if len(way) > 2 and way[0] == "tracks" and way[2] == "part"}
        picks = {name: track.part for name, track in self.recipe.tracks.items() if track.part and name not in half}
        if self.score is not None:
            with self._guarded():
                return chosen(picks, split(self.score))
        if picks and not self.unscored:
            with attempt("score"):
                raise MissingError(
                    "the recipe plays parts of a score, but there is none.",
                    "Write `score: song.mid` in it, or give `--score song.mid`.",
                )
        return {}

    def _strip(self, name: str, strip: Track | Bus | Master) -> None:
        seconds = self._played(name, strip) if isinstance(strip, Track) else None
        plays = isinstance(strip, Track) and strip.play is not None and strip.play.fits("source")
        written = placed(strip.chain) if plays else 0
        for index, step in enumerate(strip.chain):
            if step.bypass:
                continue
            with attempt("chain", index):
                self._step(step, seconds, self.written if index < written else self.context)
            seconds = None
        self._curve(strip.volume, "volume")
        if not isinstance(strip, Master):
            self._curve(strip.pan, "pan")
            for bus, send in strip.send.items():
                self._curve(send.level, "send", bus, "level")

    def _played(self, name: str, track: Track) -> float | None:
        """Check what a track plays; how long the sound of it is, in seconds, where that is known."""
        play = track.play or SoundFont()
        with attempt("play"):
            self._step(play, None, self.written if play.fits("source") else self.context)
        parts = self.parts.get(name, ())
        if track.notes and (parts or track.written):
            tempo = self.written.tempo
            score = replace(together(parts), tempo=tempo) if parts else Score(tempo=tempo)
            for index, step in enumerate(track.notes):
                if isinstance(step, ScoreStep) and not step.bypass:
                    with self._guarded("notes", index, step.step):
                        list(step.assets(self.written))
                        score = replace(step.edit(score, self.written), tempo=self.written.tempo)
        if isinstance(play, AudioSource):
            with collecting(None):
                try:
                    rate, _, frames = probe(self.files.find(play.file))
                except StudioError:
                    return None
                return frames / rate
        return None

    def _step(self, step: Step, seconds: float | None, context: RenderContext) -> None:
        """A step with all it holds: its files, its curves, and whether it will run."""
        if isinstance(step, Unread):
            return
        for way, inner in steps_in(step, bypassed=False):
            if not isinstance(inner, Unread):
                with self._guarded(step.step, *way, *((inner.step,) if way else ())):
                    self._one(inner, seconds, context)

    def _one(self, step: Step, seconds: float | None, context: RenderContext) -> None:
        found = len(self.taking.errors)
        with attempt():
            list(step.assets(context))
        for name, other in step.ports():
            if self._left_out(other):
                with attempt(name):
                    raise MissingError(f"the side-chain listens to {other!r}, which this score leaves out.")
        for name in step.now():
            self._curve(getattr(step, name, None), name)
        holds = any(isinstance(inner, Step) for inner in step.inner()) and not step.fits("source")
        if len(self.taking.errors) > found or holds:
            return
        known = (step, seconds, context is self.written) if _hashable(step) else None
        if known not in self.fine:
            step.follows(context)
            list(step.remarks(context))
            step.ready(context, seconds)
            if known is not None:
                self.fine.add(known)

    def _left_out(self, name: str) -> bool:
        track = self.recipe.tracks.get(name)
        if track is None or not track.part or self.score is None:
            return False
        return all(pick.optional for pick in track.part) and not self.parts.get(name)

    def _curve(self, value: object, *path: str) -> None:
        """Whether the points of a curve come in order on this tempo map, on which bars and seconds may pass each other."""
        curve = getattr(value, "source", value)
        # Where sections are the markers of a score that cannot be read, their places are not known.
        unknown = self.unscored and self.recipe.sections == MARKERS
        if isinstance(curve, Points) and not unknown:
            with self._guarded(*path):
                curve.values(np.zeros(1), self.written.tempo)


def _hashable(step: Step) -> bool:
    try:
        hash(step)
    except TypeError:
        return False
    return True


__all__ = ["Checked", "check", "check_document", "checked_plan"]
