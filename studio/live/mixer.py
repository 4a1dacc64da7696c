"""A whole song in real time: what plays is read from where it was rendered, all chains and faders behind it run."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path as FilePath

from studio.address import Path, get
from studio.effects.mixing import Gain, Pan
from studio.engine import Engine, Plan
from studio.engine.mastering import Mastered
from studio.engine.nodes import Change, Cut, Fader, Fitted, Hold, Node, Process, Sum, held
from studio.errors import StudioError
from studio.live.clock import LiveClock
from studio.live.live_parameters import ParameterMap, labels
from studio.live.muting import MuteGate
from studio.live.units import Deck, Effects, Level, LiveUnit, Memory, Mix
from studio.live.voice import LiveVoice
from studio.recipe.model import Send
from studio.recipe.presets import Preset, find_preset
from studio.records import Record
from studio.steps import Effect

_FADERS = {Gain: "volume", Pan: "pan"}
"""The knobs of a strip that the effects of its fader stand for."""


def rendered(planned: Plan, strips: Collection[str] = ()) -> list[Node]:
    """The signals of a plan that are played as they were rendered: sources, what needs a whole sound, and the chains of `strips`."""
    found: dict[str, Node] = {}

    def look(node: Node) -> None:
        if _runs(node, strips):
            for source in node.inputs[:1] if isinstance(node, Fitted) else node.inputs:
                look(source)
        else:
            found[node.key] = held(node)

    look(planned.mix)
    return list(found.values())


def _runs(node: Node, strips: Collection[str]) -> bool:
    """Whether a node is one that works in real time."""
    chain = isinstance(node, Process) and not isinstance(node, Fader)
    return isinstance(node, (Process, Sum, Hold, Cut, Fitted, Mastered)) and not (chain and _strip(node.path) in strips)


def files_of(planned: Plan) -> Iterator[FilePath]:
    """The files that a plan was made of: sounds, models, scores and presets."""
    yield from map(FilePath, planned.files)
    for _, _, strip in planned.recipe.strips():
        for step in strip.chain:
            for each in (step, *step.inner()):
                if isinstance(each, Preset):
                    with suppress(StudioError):
                        yield find_preset(each.use, planned.context.folder, "chain").path


class LiveMixer:
    """Turns a plan into units.

    Args:
        planned: with its faders, see `plan`.
        engine: holds what is `rendered`.
        frames: how long the song is, which is played in a loop.
        lift: the gain in dB by which the mix is brought to its loudness, when the recipe asks for one.
        strips: those whose chains do not run, but are played as rendered.
    """

    def __init__(
        self, planned: Plan, engine: Engine, frames: int, lift: float = 0.0, strips: Collection[str] = ()
    ) -> None:
        self._plan, self._engine, self._frames, self._lift = planned, engine, frames, lift
        self._strips, self._clock = strips, LiveClock(frames)
        self._context = replace(planned.context, song_frame=self._clock)
        self._board = ParameterMap()
        self._units: list[LiveUnit] = []
        self._gates: dict[str, MuteGate] = {}
        self._made: dict[str, LiveUnit] = {}
        self._memories: dict[str, Memory] = {}
        self._remarks: list[str] = []

    def voice(self) -> LiveVoice:
        """The song."""
        self._unit(self._plan.mix)
        self._board.macros(self._plan.recipe, self._plan.recipe.knobs)
        return LiveVoice(
            self._units,
            self._board.dials,
            self._context,
            self._clock,
            self._remarks,
            tuple(files_of(self._plan)),
            self._gates,
        )

    def _unit(self, node: Node) -> LiveUnit:
        if node.key not in self._made:
            self._made[node.key] = self._new(node)
        return self._made[node.key]

    def _new(self, node: Node) -> LiveUnit:
        if not _runs(node, self._strips):
            return self._deck(node)
        match node:
            case Hold(inputs=(below, *_)) | Cut(inputs=(below, *_)) | Fitted(inputs=(below, *_)):
                return self._unit(below)
            case Mastered(inputs=(below,)):
                self._remarks.append(f"the loudness is held by the {self._lift:+.1f} dB that the render needed.")
                return self._add(Effects(self._unit(below), node.limited(self._lift), self._context))
            case Fader(inputs=(below,)):
                return self._add(Level(self._unit(below), self._faders(node), self._context, self._gate(node)))
            case Process():
                sides = {name: self._memory(side) for name, side in node.sides.items()}
                signal = self._unit(node.inputs[0])
                return self._add(Effects(signal, self._equipped(node), self._context, sides))
        return self._add(Mix([self._unit(below) for below in node.inputs], self._context))

    def _deck(self, node: Node) -> LiveUnit:
        if isinstance(node, Change):
            self._remarks.append(f"{node.name} needs the whole sound: it is heard as rendered, with all before it.")
        elif isinstance(node, Process):
            self._remarks.append(f"{node.name} is heard as rendered.")
        return self._add(Deck(self._engine.whole(held(node)), self._frames))

    def _add(self, unit: LiveUnit) -> LiveUnit:
        self._units.append(unit)
        return unit

    def _gate(self, node: Fader) -> MuteGate:
        """What mutes a strip: one for its fader and its sends. Side-chains hear it before, as in a render."""
        return self._gates.setdefault(_strip(node.path), MuteGate(node.path[0] == "tracks"))

    def _memory(self, node: Node) -> Memory:
        if node.key not in self._memories:
            self._memories[node.key] = memory = Memory(self._unit(node), self._context, self._clock)
            self._units.append(memory)
        return self._memories[node.key]

    def _equipped(self, node: Process) -> list[Effect]:
        """The effects of a chain with dials for knobs; the path says whose they are."""
        chain, strip = get(self._plan.settled, node.path), _strip(node.path)
        called = labels(chain)
        indices = [next(index for index, step in enumerate(chain) if step is effect) for effect in node.effects]
        return [self._board.equipped(chain[at], f"{strip}.{called[at]}", (*node.path, at)) for at in indices]

    def _faders(self, node: Fader) -> list[Effect]:
        """The effects of a fader, pan or send, each with the strip's knob that it stands for as a dial."""
        owner = get(self._plan.settled, node.path)
        names = ["level"] if isinstance(owner, Send) else [_FADERS[type(effect)] for effect in node.effects]
        return [self._fader(*each, owner, node.path) for each in zip(node.effects, names, strict=True)]

    def _fader(self, effect: Effect, name: str, owner: Record, path: Path) -> Effect:
        address = f"{_strip(path)}.{name}" if name != "level" else f"{_strip(path)}.send.{path[-1]}"
        mine = copy.copy(effect)
        self._board.knob(mine, next(iter(mine.parameters())), owner.kind_of(name), address, (*path, name))
        return mine


def _strip(path: Path) -> str:
    return str(path[0] if path[0] == "master" else path[1])
