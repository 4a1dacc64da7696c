"""A project.xml that is read: its elements by id, what each lies in, and what of it is lost."""

from __future__ import annotations

import math
from fractions import Fraction
from xml.etree.ElementTree import Element

from studio.errors import RecipeError, StudioError
from studio.interchange.archive import Archive
from studio.interchange.dawproject.lint import METADATA, PROJECT
from studio.interchange.safe_xml import LARGEST_BYTES, every, parse_xml, quiet
from studio.interchange.timeline import Loss


class ProjectDocument:
    """The project in an archive.

    Raises:
        RecipeError: there is none.
    """

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.root = parse_xml(archive.read(PROJECT, LARGEST_BYTES), PROJECT)
        if self.root.tag != "Project":
            raise RecipeError(f"{PROJECT} begins with {self.root.tag}, not Project.", "That is no DAWproject.")
        self.losses: list[Loss] = []
        self.ids = {name: element for element in self.root.iter() if (name := quiet(element, "id"))}
        self.parents = {child: element for element in self.root.iter() for child in element}
        self.arrangement = self.root.find("Arrangement")

    def lose(self, what: str, where: str, why: str) -> None:
        """Remember what could not be carried."""
        self.losses.append(Loss(what, where, why))

    def unit(self, element: Element, default: str) -> str:
        """The time unit that holds in an element."""
        step: Element | None = element
        while step is not None:
            if unit := step.get("timeUnit"):
                return unit
            step = self.parents.get(step)
            if step is not None and step.tag == "Clip" and step.get("contentTimeUnit"):
                return step.get("contentTimeUnit", default)
        return default

    def words(self) -> dict[str, str]:
        """Title, author and the like, by their tags in metadata.xml."""
        if not self.archive.holds(METADATA):
            return {}
        try:
            root = parse_xml(self.archive.read(METADATA, LARGEST_BYTES), METADATA)
        except StudioError as error:
            self.lose("title and author", METADATA, error.cause)
            return {}
        return {element.tag: " ".join((element.text or "").split())[:1000] for element in root}


def number(element: Element | None, name: str) -> float | None:
    """A number among the attributes of an element, or None if there is none."""
    if element is None:
        return None
    try:
        value = float(element.get(name, ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def exact(number: float) -> Fraction:
    """The number as it was most likely meant: of few digits, else the double itself."""
    short = Fraction(number).limit_denominator(1_000_000)
    return short if float(short) == number else Fraction(number)


def target(points: Element) -> dict[str, str]:
    """What points move."""
    found = points.find("Target")
    return every(found) if found is not None else {}
