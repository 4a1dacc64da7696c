"""What a plugin is made to play when it is verified, and how its parameters are turned meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np

from studio.audio import Block
from studio.context import GRID, SideReader
from studio.curves import Point, Points
from studio.effect_chain import EffectChain
from studio.exporting.plugin.design import Design, Parameter
from studio.knobs import Live
from studio.tempo import Time

RATE = 44_100
Moves = tuple[tuple[int, tuple[float, ...]], ...]
"""From which frame on the parameters stand where, from 0 to 1 on their sliders."""


@dataclass(frozen=True)
class Take:
    """A sound played through a plugin, `block` frames at a time.

    With `times` each block is timed; with `plain` the host keeps parameters as 32-bit numbers in their unit instead of
    places on a slider. `beside` is the sound its side-chain hears, if the host can give it one.
    """

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

    @property
    def frames(self) -> int:
        return round(self.seconds * self.rate)

    def value(self, parameter: Parameter, place: float) -> float:
        """What a place on a slider means in a parameter's unit, as the host keeps it."""
        value = parameter.number.at(place)
        return float(np.float32(value)) if self.plain else value

    @property
    def block_moves(self) -> Moves:
        """Where a host that turns parameters between blocks turns them."""
        return tuple((frame // self.block * self.block, places) for frame, places in self.moves)


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


def takes(design: Design, *, moving: bool) -> Iterator[Take]:
    """Everything that is played: sounds, rates, blocks, each parameter at its ends, and (`moving`) all of them turned."""
    still: Moves = ((0, places(design.parameters, {})),)
    for name in _SOUNDS:
        yield Take(f"{name}", name, moves=still)
    for rate in (48_000, 96_000):
        yield Take(f"noise at {rate / 1000:g} kHz", rate=rate, seconds=0.5, moves=still)
    for block in (1, 64, 333, 4096):
        yield Take(
            f"drums in blocks of {block}", "drums", block=block, seconds=0.25 if block == 1 else 0.5, moves=still
        )
    for parameter in design.parameters:
        for end, place in (("lowest", 0.0), ("highest", 1.0)):
            turned = ((0, places(design.parameters, {parameter.name: place})),)
            yield Take(f"{parameter.name} at its {end}", seconds=0.4, moves=turned)
    if design.mono:
        yield Take("noise, mono", channels=1, seconds=0.5, moves=still)
    if moving and design.parameters:
        yield Take("all knobs turned while it plays", block=333, seconds=2.0, moves=_turning(design, 2.0, 333))


def places(parameters: Sequence[Parameter], turned: Mapping[str, float]) -> tuple[float, ...]:
    """Where sliders stand, as a host keeps it: 32-bit numbers from 0 to 1."""
    asked = (turned.get(p.name, p.number.position(p.initial)) for p in parameters)
    return tuple(float(np.float32(place)) for place in asked)


def _turning(design: Design, seconds: float, block: int) -> Moves:
    """All sliders turned at once about six times a second, each to a place of its own."""
    random = np.random.default_rng(11)
    frames = range(0, round(seconds * RATE), block * 22)
    return tuple((frame, tuple(random.random(len(design.parameters), np.float32).tolist())) for frame in frames)


def reference(design: Design, take: Take) -> Block:
    """What a render of the recipe gives for a take."""
    chain = design.chain(_values(design, take))
    context = design.target.context(take.rate, take.channels)
    line = EffectChain(chain, context)
    given = sound(take.sound, take.rate, take.frames, take.channels)
    # Whole cells, so that the last frames come out as well.
    whole = np.pad(given, ((0, 0), (0, -take.frames % GRID + GRID)))
    side = _side(take)
    out = [line.push(whole, side)]
    while sum(block.shape[1] for block in out) < take.frames:
        out.append(line.push(np.zeros((take.channels, 4096), np.float32), side))
    return np.concatenate(out, axis=1)[:, : take.frames]


def _side(take: Take) -> SideReader | None:
    if not take.beside:
        return None
    heard = sound(take.beside, take.rate, take.frames, take.channels)

    def read(name: str, start: int, frames: int) -> Block:
        piece = heard[:, start : start + frames]
        return np.pad(piece, ((0, 0), (0, frames - piece.shape[1])))

    return read


def _values(design: Design, take: Take) -> dict[str, Live]:
    """Each parameter as a number, or as the curve along which the plugin moves it.

    A plugin looks at its parameters at the first frame of each cell of the grid, and glides there until the first
    frame of the next cell. At the very first frame it is where it is told at once.
    """
    moves = take.block_moves
    values: dict[str, Live] = {}
    for parameter in design.parameters:
        told = [(frame, take.value(parameter, where[parameter.index])) for frame, where in moves]
        if len(told) == 1:
            values[parameter.name] = told[0][1]
            continue
        points = [Point(Time(), told[0][1])]
        for (_, before), (frame, value) in pairwise(told):
            cell = -(-frame // GRID)
            points.append(Point(Time(seconds=Fraction(cell * GRID, take.rate)), before))
            points.append(Point(Time(seconds=Fraction((cell + 1) * GRID, take.rate)), value))
        values[parameter.name] = Points(tuple(points))
    return values
