"""What is exported: a chain of effects, and in front of it, perhaps, an instrument; read once, whatever it was given as."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from studio.context import RenderContext
from studio.effects.blocks import Chain, RackBlock
from studio.errors import RecipeError, nearest, within
from studio.folders import reading
from studio.midi.files import read_midi
from studio.recipe.document import Document
from studio.recipe.model import Recipe
from studio.recipe.presets import ChainPreset, Preset
from studio.recipe.saving import chain_preset
from studio.rendering.apply import chain_of
from studio.score import DRUM_CHANNEL
from studio.steps import Effect, Instrument, Step, StepKind, registry
from studio.tempo import TempoMap
from studio.typed import expect

VENDOR = "Mirepoix"
LONGEST_NAME = 60

_STRIP = re.compile(r"(?P<path>[^\n]+\.ya?ml)(?P<mark>[:#])(?P<strip>[^:#\n]*)")
_GESTURES = (1, 11, 64, 66, 67)
"""Controllers that a player moves: modulation, expression, and pedals."""

_PLAY = StepKind(kinds=("instrument",))


@dataclass(frozen=True)
class PlayedBy:
    """The instrument that stands in front of a chain, and what the score says of how it is played.

    Attributes:
        instrument: what plays.
        keys: the keys that the score plays, rising; none when there is no score.
        channel: MIDI channel, from 0.
        before: messages in front of the first note: programs, controllers, pitch bend.
        setting: those of them that set the instrument, rather than play it.
    """

    instrument: Instrument
    keys: tuple[int, ...] = ()
    channel: int = 0
    before: tuple[bytes, ...] = ()

    @property
    def setting(self) -> tuple[bytes, ...]:
        """Of the messages before, those that set the instrument: not its pedals, wheels, expression and pressure."""
        return tuple(message for message in self.before if not _played(message))

    @property
    def drums(self) -> bool:
        """Whether it plays on the channel of drums."""
        return self.channel == DRUM_CHANNEL


def _played(message: bytes) -> bool:
    """Whether a message is a movement of a player."""
    kind = message[0] >> 4
    return kind in (10, 13, 14) or (kind == 11 and message[1] in _GESTURES)


@dataclass(frozen=True)
class Target:
    """What somebody means to export.

    Attributes:
        name: what it is called when nobody says otherwise.
        rack: the chain, with the knobs that reach into it.
        vendor: who made it.
        folder: what relative paths in the chain mean.
        tempo: the tempo and meter that the song begins with, held.
        rate: the sample rate of the song in Hz.
        playing: the instrument in front of the chain.
        story: what it does, in a line.
    """

    name: str
    rack: RackBlock
    vendor: str = VENDOR
    folder: Path = Path()
    tempo: TempoMap = field(default_factory=TempoMap)
    rate: int = 44_100
    playing: PlayedBy | None = None
    story: str = ""

    @classmethod
    def parse(cls, given: object, strip: str = "", folder: Path = Path()) -> Target:
        """Read whatever stands for a chain or an instrument.

        Args:
            given: a `Target`; a chain preset, a rack, an effect or several, an instrument, a `Recipe` (with `strip`);
                or text as on the command line: a preset's name, the path of its file, steps in YAML, ``song.yaml:strip``
                for the chain of a track, a bus or `master`, ``song.yaml#track`` for a track's instrument with its chain,
                and in YAML an instrument or ``{play: …, chain: […]}``.
            strip: the track, bus or `master`, when `given` is a recipe; ``#track`` for the track's instrument.
            folder: what relative paths in text mean.

        Raises:
            StudioError: there is no such thing, or it holds what a plugin cannot.
        """
        if isinstance(given, Target):
            return given
        if isinstance(given, str):
            return _of_text(given, folder)
        if isinstance(given, Recipe):
            mark, name = ("#", strip[1:]) if strip.startswith("#") else (":", strip)
            return _of_recipe(given, mark, name.strip(), name.strip() or given.title)
        if isinstance(given, ChainPreset):
            return cls(
                given.title, RackBlock(chain=given.chain, knobs=given.knobs), given.author or VENDOR, folder,
                story=given.story,
            )  # fmt: skip
        if isinstance(given, Instrument):
            return cls(given.label, _no_chain(), folder=folder, playing=PlayedBy(given))
        steps = (given,) if isinstance(given, Step) else tuple(given) if isinstance(given, Sequence) else None
        if steps is None or not all(isinstance(step, Step) for step in steps):
            raise RecipeError(f"a {type(given).__name__} is no chain.", "Give effects, a preset's name or a recipe.")
        return _of_steps(_labels(steps), steps, folder)

    @property
    def bpm(self) -> float:
        """The tempo in quarter notes a minute."""
        return float(self.tempo.tempos[0].bpm)

    @property
    def bar(self) -> float:
        """The length of a bar in quarter notes."""
        return float(self.tempo.meters[0].bar)

    def context(self, rate: int | None = None, channels: int = 2) -> RenderContext:
        """What steps know when they run at `rate` Hz, the song's if not given."""
        return RenderContext(rate or self.rate, channels, self.tempo, self.folder)


def _of_text(text: str, folder: Path) -> Target:
    named = _STRIP.fullmatch(text)
    if named:
        recipe = Recipe.load(folder / named["path"])
        strip = named["strip"].strip()
        return _of_recipe(recipe, named["mark"], strip, f"{Path(named['path']).stem} {strip}")
    data = Document(text, "CHAIN").data
    first = next(iter(data), None) if isinstance(data, Mapping) else data
    with reading(folder):
        if first == "play" and isinstance(data, Mapping):
            return _of_play(data, folder)
        if isinstance(first, str) and first in registry() and registry()[first].kind == "instrument":
            return Target.parse(_PLAY.parse(data), folder=folder)
    named_alone = isinstance(data, str) and data not in registry()
    steps = chain_of(data, folder)
    return _of_steps(Path(data).stem if named_alone else _labels(steps), steps, folder)


def _of_play(data: Mapping[str, object], folder: Path) -> Target:
    play = expect(Instrument, _PLAY.parse(data["play"]))
    steps = chain_of(data["chain"], folder) if data.get("chain") else ()
    rack = RackBlock(chain=effects(steps), knobs={})
    return Target(_labels((play, *steps)), rack, folder=folder, playing=PlayedBy(play))


def _of_steps(name: str, steps: Sequence[Step], folder: Path) -> Target:
    """Steps as they were given; of a single rack or preset the knobs are those of the plugin."""
    chain = effects(steps)
    rack = chain[0] if len(chain) == 1 else None
    if not isinstance(rack, RackBlock) or rack.bypass:
        return Target(name, RackBlock(chain=chain, knobs={}), folder=folder)
    opened = Target(name, RackBlock(chain=rack.chain, knobs=rack.knobs), folder=folder)
    if not isinstance(rack, Preset):
        return opened
    saved = rack.saved(folder)
    return replace(opened, vendor=saved.author or VENDOR, story=saved.story)


def _of_recipe(recipe: Recipe, mark: str, strip: str, name: str) -> Target:
    if mark == "#":
        return _of_track(recipe, strip, name)
    strips = {other: held for _, other, held in recipe.strips()}
    if strip not in strips:
        raise RecipeError(
            f"there is no track or bus {strip!r}." if strip else "a recipe has several chains.",
            nearest(strip, strips) or f"Name one behind a colon: {', '.join(strips)}.",
        )
    if not strips[strip].chain:
        raise RecipeError(f"{strip!r} has no chain to export.", "Export a track or bus that has effects.")
    score = read_midi(recipe.folder / recipe.score) if recipe.score else None
    return _of_strip(recipe, strip, name, recipe.tempo_map(score))


def _of_strip(recipe: Recipe, strip: str, name: str, tempo: TempoMap) -> Target:
    [chain] = [held.chain for _, other, held in recipe.strips() if other == strip]
    rack = _no_chain()
    if chain:
        with recipe.placing(), within(strip):
            effects(chain)
            preset = chain_preset(recipe, strip)
        rack = RackBlock(chain=preset.chain, knobs=preset.knobs)
    first, meter = tempo.tempos[0], tempo.meters[0]
    held = TempoMap.constant(first.bpm, meter.count, meter.unit)
    return Target(name, rack, recipe.author or VENDOR, recipe.folder, held, recipe.rate, story=recipe.story)


def _of_track(recipe: Recipe, track: str, name: str) -> Target:
    from studio.engine.nodes import Play
    from studio.engine.plan import plan

    if track not in recipe.tracks:
        raise RecipeError(f"there is no track {track!r}.", nearest(track, recipe.tracks))
    planned = plan(recipe)
    play = planned.tracks[track].dry if track in planned.tracks else None
    if not isinstance(play, Play):
        raise RecipeError(f"the track {track!r} plays no instrument.", "Export a track that plays notes.")
    notes = play.score.notes
    first = min((note.start for note in notes), default=0)
    channel = notes[0].channel if notes else 0
    before = tuple(
        event.data
        for event in play.score.events
        if event.tick <= first and event.status in (11, 12, 14) and event.channel == channel
    )
    keys = tuple(sorted({note.pitch for note in notes}))
    found = _of_strip(recipe, track, name, planned.context.tempo)
    return replace(found, playing=PlayedBy(play.instrument, keys, channel, before))


def _no_chain() -> RackBlock:
    return RackBlock(chain=(), knobs={})


def _labels(steps: Sequence[Step]) -> str:
    return " ".join(step.label for step in steps)[:LONGEST_NAME].strip()


def effects(steps: Sequence[Step]) -> Chain:
    """The steps, all of which must be effects.

    Raises:
        RecipeError: one of them needs the whole sound.
    """
    for index, step in enumerate(steps):
        if not isinstance(step, Effect):
            raise RecipeError(
                f"{step.label!r} is a {step.kind}: it needs the whole sound, which a plugin never has.",
                "Leave it out, or render the track with it and export the rest of the chain.",
                path=("chain", index),
            )
    return tuple(step for step in steps if isinstance(step, Effect))
