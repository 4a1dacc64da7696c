"""What surrounds a step while it runs: the `RenderContext` of a whole render and the `BlockContext` of one block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.curves import Curve, moves
from studio.errors import MissingError, nearest
from studio.score import Score
from studio.tempo import Floats, TempoMap

GRID = 64
"""Automation is exact on every 64th frame from the start of the song, whatever the block size."""

SideReader = Callable[[str, int, int], Block]
"""Gives the signal of a track or bus: ``(name, first frame, frames)``."""


@dataclass(frozen=True)
class RenderContext:
    """The conditions of a render: rate in Hz, channels, tempo map, the folder that paths are relative to, the score."""

    rate: int = 44100
    channels: int = 2
    tempo: TempoMap = field(default_factory=TempoMap)
    folder: Path = Path()
    score: Score | None = field(default=None, repr=False)
    song_frame: Callable[[int], int] = field(default=int, repr=False, compare=False)
    """The frame of the song that a frame counted from the start of a chain belongs to: itself, but in a loop."""

    origin: Path | None = None
    """The file whose whole sound, unchanged, a transform is given; None where something came before it."""

    def find(self, path: str) -> Path:
        """The file a recipe means by `path`.

        Raises:
            MissingError: there is no such file; the nearest name beside it is offered.
        """
        found = self.folder / Path(path).expanduser()
        if found.is_file():
            return found
        beside = [entry.name for entry in found.parent.iterdir()] if found.parent.is_dir() else []
        where = f"There is no folder {found.parent}." if not found.parent.is_dir() else ""
        raise MissingError(f"there is no file {path!r} (looked for {found}).", where or nearest(found.name, beside))


class BlockContext:
    """Where the knobs of a step stand during one block that begins at frame `start` of the song.

    ``now["cutoff"]`` is a number, or for a moving knob an array with one value a frame: exact on the grid and
    straight between. `cells` is for processors that can only hold a value still: it cuts the block at the grid
    and holds the value of each cell's middle, so it strays from the curve by at most 32 frames of its slope.
    """

    __slots__ = ("_context", "_sides", "_step", "frames", "start")

    def __init__(
        self, step: object, context: RenderContext, start: int, frames: int, sides: SideReader | None = None
    ) -> None:
        self._step, self._context, self._sides = step, context, sides
        self.start, self.frames = start, frames

    def __getitem__(self, knob: str) -> Floats | float:
        value = getattr(self._step, knob)
        if not moves(value):
            return float(value)
        first = self.start // GRID
        marks = np.arange(first, (self.start + self.frames - 1) // GRID + 2, dtype=np.float64) * GRID
        return np.interp(self.positions, marks, self._values(value, marks))

    def cells(self, *knobs: str) -> Iterator[tuple[slice, dict[str, float]]]:
        """The block in pieces over which `knobs` are held, and their values there."""
        held = {knob: getattr(self._step, knob) for knob in knobs}
        moving = {knob: curve for knob, curve in held.items() if moves(curve)}
        if not moving:
            yield slice(0, self.frames), held
            return
        first, last = self.start // GRID, (self.start + self.frames - 1) // GRID
        middles = (np.arange(first, last + 1, dtype=np.float64) + 0.5) * GRID
        values = np.stack([self._values(curve, middles) for curve in moving.values()])
        changes = np.flatnonzero(np.any(np.diff(values, axis=1) != 0, axis=0)) + 1
        edges = [0, *((first + changes) * GRID - self.start).tolist(), self.frames]
        for index, (begin, end) in enumerate(pairwise(edges)):
            cell = values[:, changes[index - 1] if index else 0]
            yield slice(begin, end), held | dict(zip(moving, cell.tolist(), strict=True))

    @property
    def positions(self) -> Floats:
        """The number of each frame, counted from the start of the song."""
        return np.arange(self.start, self.start + self.frames, dtype=np.float64)

    @property
    def seconds(self) -> Floats:
        """The time of each frame."""
        return self.positions / self._context.rate

    def side(self, port: str) -> Block | None:
        """The signal behind a side input during this block, or None when nothing is plugged in."""
        name = getattr(self._step, port)
        if name is None or self._sides is None:
            return None
        return self._sides(name, self.start, self.frames)

    @property
    def sides(self) -> SideReader | None:
        """For steps that hold other steps: hand it on."""
        return self._sides

    def _values(self, curve: Curve, frames: NDArray[np.float64]) -> Floats:
        return curve.values(frames / self._context.rate, self._context.tempo)
