"""Envelopes of a REAPER project as lanes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from studio.interchange.lane import MOST_POINTS, Lane, Value, product
from studio.interchange.reaper.accounts import consume
from studio.interchange.reaper.text import Chunk
from studio.interchange.timeline import Loss
from studio.tempo import Floats

_LINEAR, _SQUARE = 0, 1
_PIECES = 16
"""Straight lines for a bend."""

BENDS: dict[int, Callable[[Floats], Floats]] = {
    2: lambda x: (1 - np.cos(np.pi * x)) / 2,
    3: lambda x: 1 - (1 - x) ** 2,
    4: lambda x: x**2,
}
"""How far along it is, by the numbers of shapes: slow at both ends, fast at the start, fast at the end."""

_FLAT = {"VOLENV": 1.0, "VOLENV2": 1.0, "MUTEENV": 1.0, "AUXVOLENV": 1.0, "AUXMUTEENV": 1.0, "MASTERVOLENV2": 1.0}
"""Values at which an envelope of a tag changes nothing; zero for all others."""


class Envelopes:
    """Reads what moves; `losses` hear what is bent, too much or switched off."""

    def __init__(self, losses: list[Loss]) -> None:
        self._losses = losses

    def fader(self, chunk: Chunk, tags: tuple[str, ...], factor: float, where: str) -> Value:
        """A level, and envelopes that are factors of it: of volume, and of mute, where zero is silence.

        In all automation modes but the first, trim, the volume envelope stands for the fader.
        """
        trim = not chunk.number("AUTOMODE")
        value: Value = factor
        for tag in tags:
            lane = self.active(chunk, tag, where)
            if lane is None:
                continue
            if "MUTE" in tag:
                value = product(value, lane.mapped(lambda point: 1.0 if point >= 0.5 else 0.0))
            else:
                value = product(value if trim or value != factor else 1.0, lane.mapped(lambda point: max(0.0, point)))
        return value

    def pan(self, chunk: Chunk, tag: str, position: float, where: str) -> Value:
        """A pan whose envelope is taken from it: its top is left."""
        lane = self.active(chunk, tag, where)
        return position if lane is None else lane.mapped(lambda point: max(-1.0, min(1.0, position - point)))

    def active(self, chunk: Chunk, tag: str, where: str) -> Lane | None:
        """The lane of an envelope in a chunk, if it is there, on, and not level where it changes nothing."""
        envelope = next(chunk.chunks(tag), None)
        if envelope is None:
            return None
        if not envelope.number("ACT", 0, 1):
            if {line.number(1) for line in envelope.lines("PT")} - {_FLAT.get(tag, 0.0)}:
                self._losses.append(Loss(f"the envelope {tag}", where, "it is switched off"))
            consume(envelope)
            return None
        lane = self.lane(envelope, where)
        return lane if lane is not None and set(lane.values) != {_FLAT.get(tag, 0.0)} else None

    def lane(self, envelope: Chunk, where: str) -> Lane | None:
        """The points of an envelope, if it has any."""
        points = [(line.number(0), line.number(1), round(line.number(2))) for line in envelope.lines("PT")]
        if not points:
            return None
        if len(points) > MOST_POINTS:
            self._losses.append(Loss("automation", where, f"it has {len(points)} points"))
            return None
        if any(shape not in (_LINEAR, _SQUARE) for _, _, shape in points):
            self._losses.append(Loss("bent automation", where, "its bends are near to REAPER's, not the same"))
        seconds: list[float] = []
        values: list[float] = []
        held: list[bool] = []
        points.sort(key=lambda point: point[0])
        for (second, value, shape), after in zip(points, [*points[1:], None], strict=True):
            bend = BENDS.get(shape)
            at = np.arange(_PIECES if bend is not None and after is not None else 1) / _PIECES
            there = after or (second, value, shape)
            seconds += (second + (there[0] - second) * at).tolist()
            values += (value + (there[1] - value) * (bend(at) if bend is not None else at)).tolist()
            held += [shape == _SQUARE] * len(at)
        return Lane(tuple(seconds), tuple(values), tuple(held))
