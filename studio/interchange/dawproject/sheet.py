"""What all parts of a project.xml are written with: ids, where strips and files are, what moves, and what is lost."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import count
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement

from studio.interchange.lane import Lane, Value
from studio.interchange.timeline import Loss, Timeline
from studio.rendering.manifest import slug

LOUDEST = 4.0
"""What volumes say they go up to: +12 dB, as in a recipe."""


class DawprojectSheet:
    """A timeline that is written.

    Attributes:
        steady: whether the tempo stands still, so that audio can be placed in beats.
        files: what audio files are called in the archive.
        states: states of plugins, by what they are called there.
        taken: names in the archive.
        tracks, channels: their ids, by the names of strips.
        moving: for each strip the parameters that move, each with its unit.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline, self.tempo, self.rate = timeline, timeline.tempo, timeline.rate
        self.steady = len(self.tempo.tempos) == 1
        self.losses: list[Loss] = []
        self.files: dict[Path, str] = {}
        self.states: dict[str, bytes] = {}
        self.taken: set[str] = set()
        self.tracks: dict[str, str] = {}
        self.channels: dict[str, str] = {}
        self.moving: dict[str, list[tuple[str, str, Lane]]] = {strip.name: [] for strip in timeline.strips}
        self._numbers = count()

    def id(self) -> str:
        """An id that nothing else has."""
        return f"id{next(self._numbers)}"

    def file(self, path: Path) -> str:
        """What an audio file is called in the archive."""
        if path not in self.files:
            self.files[path] = f"audio/{slug(path.stem, self.taken)}{path.suffix.lower()}"
        return self.files[path]

    def move(self, strip: str, parameter: str, unit: str, value: Value, change: Callable[[float], float]) -> None:
        """Remember that a parameter of a strip moves, if it does."""
        if isinstance(value, Lane):
            self.moving[strip].append((parameter, unit, value.mapped(change)))


def parameter(
    sheet: DawprojectSheet, parent: Element, tag: str, value: float, unit: str, low: float, high: float
) -> str:
    """Add a number between two others; its id."""
    name, value = sheet.id(), min(high, max(low, value))
    SubElement(parent, tag, id=name, name=tag, max=number(high), min=number(low), unit=unit, value=number(value))
    return name


def number(value: Fraction | float) -> str:
    """As the format writes it."""
    return repr(float(value))


def yes(value: bool) -> str:
    """As the format says it."""
    return "true" if value else "false"
