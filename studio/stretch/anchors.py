"""Pairs of moments: one in a sound, one where it is to be heard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from studio.errors import Gather, KnobError, Told, shown, within
from studio.knobs import KnobKind
from studio.records import REQUIRED
from studio.tempo import Time

Anchor = tuple[Time, Time]
"""A moment of the sound, in seconds, and one of the result."""


@dataclass(frozen=True, kw_only=True)
class Anchors(KnobKind):
    """Anchors in the order of time: at least `fewest`, or none where that is the default."""

    default: Any = REQUIRED
    fewest: int = 2

    def parse(self, value: object) -> tuple[Anchor, ...]:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if not isinstance(value, (list, tuple)):
            raise KnobError(f"{shown(value)} is not a list of anchors.", _HINT)
        gather, anchors = Gather(), []
        for index, pair in enumerate(value):
            with gather, within(index):
                if not isinstance(pair, (list, tuple)) or len(pair) != 2:
                    raise KnobError(f"{shown(pair)} is not a pair of times.", _HINT)
                source, target = Time.parse(pair[0]), Time.parse(pair[1], position=True)
                if source.musical:
                    raise KnobError(f"{source} is no moment of a sound.", "Its own time is in seconds: 1.5 s or 80 ms.")
                if source.seconds < 0 or (min(target.bars, target.beats, target.seconds) < 0 and not target.mark):
                    raise KnobError(f"{shown(pair)} lies before the start.", "Write times of zero or more.")
                anchors.append((source, target))
        gather.done()
        if gather.caught:
            raise Told
        if len(anchors) < self.fewest and (anchors or self.required):
            raise KnobError(f"{len(anchors)} anchors.", f"Give {self.fewest} at least. {_HINT}")
        for index, ((before, _), (after, _)) in enumerate(pairwise(anchors)):
            if after.seconds <= before.seconds:
                raise KnobError(f"{after} does not come after {before}.", "Put them in order.", path=(index + 1,))
        return tuple(anchors)

    def data(self, value: Sequence[Anchor], full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return [[str(source), str(target)] for source, target in value]

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        time = {"type": ["string", "number"]}
        pair = {"type": "array", "items": time, "minItems": 2, "maxItems": 2}
        return {"description": self.describe(), "type": "array", "items": pair, "minItems": self.fewest}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "pairs of times"


_HINT = "Write pairs [time in the sound, time in the result], such as [[0.1 s, 0 bars], [2.2 s, 1 bar]]."
