"""Envelopes of a REAPER project as lanes."""

from __future__ import annotations

from studio.interchange.lane import MOST_POINTS, Lane, Value
from studio.interchange.reaper.text import Chunk, number
from studio.interchange.timeline import Loss


class Envelopes:
    """Reads what moves; `losses` hear what is bent or too much."""

    def __init__(self, losses: list[Loss]) -> None:
        self._losses = losses

    def fader(self, chunk: Chunk, tag: str, factor: float, where: str) -> Value:
        """A level whose envelope is a factor of it."""
        lane = self._active(chunk, tag, where)
        return factor if lane is None else lane.mapped(lambda point: max(0.0, factor * point))

    def pan(self, chunk: Chunk, tag: str, place: float, where: str) -> Value:
        """A place whose envelope is taken from it: its top is left."""
        lane = self._active(chunk, tag, where)
        return place if lane is None else lane.mapped(lambda point: max(-1.0, min(1.0, place - point)))

    def _active(self, chunk: Chunk, tag: str, where: str) -> Lane | None:
        envelope = next(chunk.chunks(tag), None)
        return self.lane(envelope, where) if envelope is not None and envelope.number("ACT", 0, 1) else None

    def lane(self, envelope: Chunk, where: str) -> Lane | None:
        """The points of an envelope, if it has any."""
        points = [words for words in envelope.lines("PT") if len(words) > 1]
        if not points:
            return None
        if len(points) > MOST_POINTS:
            self._losses.append(Loss("automation", where, f"it has {len(points)} points"))
            return None
        if any(number(words, 2) not in (0, 1) for words in points):
            self._losses.append(Loss("bent automation", where, "it is taken as straight lines"))
        found = sorted((number(words, 0), number(words, 1), number(words, 2) == 1) for words in points)
        return Lane(*(tuple(column) for column in zip(*found, strict=True)))
