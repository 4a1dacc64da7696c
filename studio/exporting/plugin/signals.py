"""What a plugin is made to play when it is verified, and how its parameters are turned meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

import numpy as np

from studio.audio import Block
from studio.context import GRID, SideReader
from studio.curves import Point, Points
from studio.effect_chain import EffectChain
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.parameters import PluginParameter
from studio.knobs import Live
from studio.levels import decibels
from studio.tempo import Meter, Tempo, TempoMap, Time

RATE = 44_100
GATE_DB = -90.0
"""A plugin that differs from its recipe by more is not handed over."""

MOVING_GATE_DB = -75.0
"""The same while knobs move, or stand anywhere: what swings keeps the last digit of every position it passed, and what
amplifies makes it louder."""

_SILENT = 1e-12
_FEW = 8
"""So many knobs are tried one by one; more are tried all at once."""
Moves = tuple[tuple[int, tuple[float, ...]], ...]
"""From which frame on the parameters stand where, from 0 to 1 on their sliders."""


@dataclass(frozen=True)
class TestSignal:
    """A sound played through a plugin, `block` frames at a time.

    With `times` each block is timed; with `plain` the host keeps parameters as 32-bit numbers in their unit instead of
    positions on a slider. `beside` is the sound its side-chain hears, if the host can give it one. `tempo` says from which
    frame on the song has which tempo in bpm, `meter` how many notes of which kind make a bar. `gate_db` is how deep it must null.
    """

    __test__ = False

    name: str
    sound: str = "noise"
    rate: int = RATE
    block: int = 512
    seconds: float = 1.0
    channels: int = 2
    moves: Moves = ((0, ()),)
    times: bool = False
    plain: bool = False
    beside: str = ""
    tempo: tuple[tuple[int, float], ...] = ((0, 120.0),)
    meter: tuple[int, int] = (4, 4)
    gate_db: float = GATE_DB

    @property
    def frames(self) -> int:
        """How long it is, in frames."""
        return round(self.seconds * self.rate)

    def value(self, parameter: PluginParameter, position: float) -> float:
        """What a position on a slider means in a parameter's unit, as the host keeps it."""
        value = parameter.number.at(position)
        return float(np.float32(value)) if self.plain else value

    @property
    def map(self) -> TempoMap:
        """The tempo and meter that the plugin is told of."""
        tempos, beat = [], Fraction(0)
        for (frame, bpm), (then, _) in pairwise([*self.tempo, (self.frames, 0.0)]):
            tempos.append(Tempo(beat, Fraction(bpm)))
            beat += Fraction(then - frame, self.rate) * Fraction(bpm) / 60
        return TempoMap(tuple(tempos), (Meter(Fraction(0), *self.meter),))

    @property
    def block_moves(self) -> Moves:
        """Where a host that turns parameters between blocks turns them."""
        return tuple((frame // self.block * self.block, positions) for frame, positions in self.moves)


def sound(name: str, rate: int, frames: int, channels: int) -> Block:
    """A sound by its name: noise, sweep, drums or silence; `channels` x `frames`, at most 0.9."""
    return _SOUNDS[name](rate, frames, channels)


def _noise(rate: int, frames: int, channels: int, seed: int = 5) -> Block:
    noise = np.random.default_rng(seed).standard_normal((channels, frames)) * 0.15
    return np.clip(noise, -0.9, 0.9).astype(np.float32)


def _sweep(rate: int, frames: int, channels: int) -> Block:
    """A sine from 20 Hz to 20 kHz or what the rate allows, equal times for equal ratios."""
    top = min(20_000.0, 0.45 * rate)
    time = np.arange(frames) / rate
    length = max(frames / rate, 1e-3)
    phase = 2 * np.pi * 20.0 * length / np.log(top / 20.0) * ((top / 20.0) ** (time / length) - 1)
    return np.stack([0.5 * np.sin(phase + 0.3 * channel) for channel in range(channels)]).astype(np.float32)


def _drums(rate: int, frames: int, channels: int) -> Block:
    """A kick on every quarter and a snare between, at 120 bpm."""
    time = np.arange(frames) / rate
    since_kick, since_snare = time % 0.5, (time + 0.25) % 0.5
    kick = 0.8 * np.exp(-since_kick * 18) * np.sin(2 * np.pi * (50 * since_kick + 4 * (1 - np.exp(-since_kick * 40))))
    noise = np.random.default_rng(9).standard_normal((channels, frames))
    snare = 0.12 * np.exp(-since_snare * 30) * noise
    drums: Block = np.clip(kick + snare, -0.9, 0.9).astype(np.float32)
    return drums


def _silence(rate: int, frames: int, channels: int) -> Block:
    return np.zeros((channels, frames), np.float32)


_SOUNDS = {"noise": _noise, "sweep": _sweep, "drums": _drums, "silence": _silence}


def signals(design: Design, *, moving: bool) -> Iterator[TestSignal]:
    """Everything that is played: sounds, rates, blocks, each parameter at its ends, and (`moving`) all of them turned."""
    still: Moves = ((0, knob_positions(design.parameters, {})),)
    for name in _SOUNDS:
        yield TestSignal(f"{name}", name, moves=still)
    for rate in (48_000, 96_000):
        yield TestSignal(f"noise at {rate / 1000:g} kHz", rate=rate, seconds=0.5, moves=still)
    for block in (1, 64, 333, 4096):
        yield TestSignal(
            f"drums in blocks of {block}", "drums", block=block, seconds=0.25 if block == 1 else 0.5, moves=still
        )
    for parameter in design.parameters if len(design.parameters) <= _FEW else ():
        for end, position in (("lowest", 0.0), ("highest", 1.0)):
            turned = ((0, knob_positions(design.parameters, {parameter.name: position})),)
            yield TestSignal(f"{parameter.name} at its {end}", seconds=0.4, moves=turned)
    if len(design.parameters) > _FEW:
        for index, random in enumerate(_scattered(design, 4)):
            yield TestSignal(
                f"all knobs elsewhere, {index + 1}", seconds=0.5, moves=((0, random),), gate_db=MOVING_GATE_DB
            )
    if design.mono:
        yield TestSignal("noise, mono", channels=1, seconds=0.5, moves=still)
    if moving and design.parameters:
        yield TestSignal(
            "all knobs turned while it plays",
            block=333,
            seconds=2.0,
            moves=_turning(design, 2.0, 333),
            gate_db=MOVING_GATE_DB,
        )


def timed_signals(design: Design) -> Iterator[TestSignal]:
    """What a chain that follows the tempo is played besides, where the host can be told: other tempos, meters, a change."""
    still, bpm = ((0, knob_positions(design.parameters, {})),), design.target.bpm
    yield TestSignal("drums, faster", "drums", moves=still, tempo=((0, round(bpm * 1.37, 1)),), meter=(3, 4))
    yield TestSignal("drums, slower", "drums", moves=still, tempo=((0, round(bpm * 0.61, 1)),), meter=(7, 8))
    change = ((0, bpm), (512 * 40, round(bpm * 1.2, 1)))
    yield TestSignal("drums, tempo turned while it plays", "drums", moves=still, tempo=change)


def moves_by_itself(design: Design) -> bool:
    """Whether the chain sounds otherwise when it has run for a while: an LFO, noise, or chance in it."""
    signal = TestSignal("noise", seconds=0.5, moves=((0, knob_positions(design.parameters, {})),))
    first = reference(design, signal)
    late = reference(design, signal, before=37 * GRID)
    return null_db(late, first) > GATE_DB


def null_db(out: Block, render: Block) -> float:
    """The level of the difference against that of the render, or of full scale when the render is silent."""
    if out.shape != render.shape or not np.isfinite(out).all():
        return float("inf")
    difference = float(np.std(out.astype(np.float64) - render))
    level = float(np.std(render.astype(np.float64)))
    return max(decibels(difference / level if level > _SILENT else difference), -400.0)


def knob_positions(parameters: Sequence[PluginParameter], turned: Mapping[str, float]) -> tuple[float, ...]:
    """Where sliders stand, as a host keeps it: 32-bit numbers from 0 to 1."""
    asked = (turned.get(p.name, p.number.position(p.initial)) for p in parameters)
    return tuple(float(np.float32(position)) for position in asked)


def _scattered(design: Design, count: int) -> Iterator[tuple[float, ...]]:
    """Places where all knobs stand anywhere."""
    random = np.random.default_rng(17)
    for _ in range(count):
        yield tuple(random.random(len(design.parameters), np.float32).tolist())


def _turning(design: Design, seconds: float, block: int) -> Moves:
    """All sliders turned at once about six times a second, each to a position of its own."""
    random = np.random.default_rng(11)
    frames = range(0, round(seconds * RATE), block * 22)
    return tuple((frame, tuple(random.random(len(design.parameters), np.float32).tolist())) for frame in frames)


def reference(design: Design, signal: TestSignal, before: int = 0) -> Block:
    """What a render of the recipe gives for a signal, that comes behind `before` frames of silence."""
    chain = design.chain(_values(design, signal))
    context = replace(design.target.context(signal.rate, signal.channels), tempo=signal.map)
    line = EffectChain(chain, context)
    given = sound(signal.sound, signal.rate, signal.frames, signal.channels)
    # Whole cells, so that the last frames come out as well.
    whole = np.pad(given, ((0, 0), (before, -signal.frames % GRID + GRID)))
    side = _side(signal)
    out = [line.push(whole, side)]
    while sum(block.shape[1] for block in out) < before + signal.frames:
        out.append(line.push(np.zeros((signal.channels, 4096), np.float32), side))
    return np.concatenate(out, axis=1)[:, before : before + signal.frames]


def _side(signal: TestSignal) -> SideReader | None:
    if not signal.beside:
        return None
    heard = sound(signal.beside, signal.rate, signal.frames, signal.channels)

    def read(name: str, start: int, frames: int) -> Block:
        piece = heard[:, start : start + frames]
        return np.pad(piece, ((0, 0), (0, frames - piece.shape[1])))

    return read


def _values(design: Design, signal: TestSignal) -> dict[str, Live]:
    """Each parameter as a number, or as the curve along which the plugin moves it.

    A plugin looks at its parameters at the first frame of each cell of the grid, and glides there until the first
    frame of the next cell. At the very first frame it is where it is told at once.
    """
    moves = signal.block_moves
    values: dict[str, Live] = {}
    for parameter in design.parameters:
        told = [(frame, signal.value(parameter, where[parameter.index])) for frame, where in moves]
        if len(told) == 1:
            values[parameter.name] = told[0][1]
            continue
        points = [Point(Time(), told[0][1])]
        for (_, before), (frame, value) in pairwise(told):
            cell = -(-frame // GRID)
            points.append(Point(Time(seconds=Fraction(cell * GRID, signal.rate)), before))
            points.append(Point(Time(seconds=Fraction((cell + 1) * GRID, signal.rate)), value))
        values[parameter.name] = Points(tuple(points))
    return values
