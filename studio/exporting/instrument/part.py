"""What is sampled: an instrument as a track of a recipe plays it, and the chain it goes through."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studio.effects.blocks import Rack
from studio.errors import RecipeError, nearest
from studio.exporting.plugin.design import VENDOR, Design
from studio.folders import reading
from studio.recipe.document import Document
from studio.recipe.model import Recipe
from studio.records import ListOf
from studio.score import DRUM_CHANNEL
from studio.stage import Stage
from studio.steps import Effect, Instrument, Step, StepKind, registry

_CHAIN = ListOf(each=StepKind(kinds=("effect",)))
_PLAY = StepKind(kinds=("instrument",))


@dataclass(frozen=True)
class Part:
    """An instrument, what of the score says how it is played, and its chain.

    Attributes:
        instrument: what plays.
        rack: its chain, with the knobs that reach into it.
        stage: folder and tempo that it knows.
        keys: the keys that are played; none when there is no score.
        channel: MIDI channel, from 0.
        before: messages in front of the first note: programs, controllers.
    """

    instrument: Instrument
    rack: Rack
    stage: Stage = field(default_factory=Stage)
    keys: tuple[int, ...] = ()
    channel: int = 0
    before: tuple[bytes, ...] = ()
    vendor: str = VENDOR
    bpm: float = 120.0

    @property
    def drums(self) -> bool:
        return self.channel == DRUM_CHANNEL

    def design(self, name: str) -> Design:
        """Its chain as the design of a plugin, which has no samples yet."""
        return Design(name, self.rack, self.vendor, self.stage.folder, self.bpm, self.stage.rate, instrument=True)


def find_part(given: object, strip: str = "", folder: Path = Path()) -> Part | None:
    """The instrument that somebody means; None when it is something else, as a chain of effects.

    Args:
        given: an instrument step; text as on the command line: ``song.yaml#track``, or in YAML an instrument, or
            ``{play: …, chain: […]}``.
        strip: the track, when `given` is a `Recipe`.
        folder: what relative paths mean.

    Raises:
        StudioError: there is no such track, or it plays no notes.
    """
    if isinstance(given, Instrument):
        return Part(given, Rack(chain=(), knobs={}), Stage(folder=folder))
    if isinstance(given, Recipe):
        return _of_track(given, strip) if strip.startswith("#") else None
    if not isinstance(given, str):
        return None
    path, mark, track = given.rpartition("#")
    if mark and path.endswith((".yaml", ".yml")) and "\n" not in path:
        return _of_track(Recipe.load(folder / path), track)
    data = Document(given, "CHAIN").data
    first = next(iter(data), None) if isinstance(data, Mapping) else data
    if not isinstance(first, str):
        return None
    if first == "play" and isinstance(data, Mapping):
        with reading(folder):
            play, chain = _PLAY.parse(data["play"]), _CHAIN.parse(data.get("chain", []))
        assert isinstance(play, Instrument)
        return Part(play, Rack(chain=_effects(chain), knobs={}), Stage(folder=folder))
    if first in registry() and registry()[first].kind == "instrument":
        with reading(folder):
            play = _PLAY.parse(data)
        assert isinstance(play, Instrument)
        return Part(play, Rack(chain=(), knobs={}), Stage(folder=folder))
    return None


def _effects(chain: tuple[Step, ...]) -> tuple[Effect, ...]:
    return tuple(step for step in chain if isinstance(step, Effect))


def _of_track(recipe: Recipe, track: str) -> Part:
    from studio.engine.nodes import Play
    from studio.engine.plan import plan

    track = track.removeprefix("#").strip()
    if track not in recipe.tracks:
        raise RecipeError(f"there is no track {track!r}.", nearest(track, recipe.tracks))
    planned = plan(recipe)
    if track not in planned.tracks or not isinstance(planned.tracks[track].dry, Play):
        raise RecipeError(f"the track {track!r} plays no instrument.", "Export a track that plays notes.")
    play = planned.tracks[track].dry
    assert isinstance(play, Play)
    notes = play.score.notes
    first = min((note.start for note in notes), default=0)
    channel = notes[0].channel if notes else 0
    before = tuple(
        event.data
        for event in play.score.events
        if event.tick <= first and event.status in (11, 12, 14) and event.channel == channel
    )
    chain = recipe.tracks[track].chain
    rack, bpm = Rack(chain=(), knobs={}), float(recipe.tempo_map(planned.score).tempos[0].bpm)
    if chain:
        rack = Design.of(recipe, track, strip=track).rack
    keys = tuple(sorted({note.pitch for note in notes}))
    stage = Stage(recipe.rate, 2, planned.stage.tempo, recipe.folder)
    return Part(play.instrument, rack, stage, keys, channel, before, recipe.author or VENDOR, bpm)
