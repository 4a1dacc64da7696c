"""XML from strangers: no document types, no entities, bounded in size and depth."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element
from xml.parsers import expat

from studio.errors import RecipeError, StudioError

LARGEST_BYTES = 256 * 1024 * 1024
MOST_ELEMENTS, DEEPEST = 1_000_000, 200


class Accounted(Element):
    """An element that knows which of it has been read: its attributes by `get`, itself by `find` and the like."""

    seen: set[str] | None = None
    """The attributes that were asked for; None while nobody has looked at it."""

    def get(self, key: str, default: Any = None) -> Any:
        """An attribute, which counts as read."""
        self.use().add(key)
        return super().get(key, default)

    def use(self) -> set[str]:
        """Count it as seen; its attributes that are read."""
        if self.seen is None:
            self.seen = set()
        return self.seen

    def find(self, path: str, namespaces: Any = None) -> Any:
        """The first element at a path without conditions, which counts as seen."""
        found = super().find(path, namespaces)
        if isinstance(found, Accounted):
            found.use()
        return found

    def findall(self, path: str, namespaces: Any = None) -> Any:
        """All elements at a path without conditions, which count as seen."""
        return list(self.iterfind(path, namespaces))

    def iterfind(self, path: str, namespaces: Any = None) -> Generator[Any, None, None]:  # type: ignore[override]
        """The same, one by one."""
        for found in super().iterfind(path, namespaces):
            if isinstance(found, Accounted):
                found.use()
            yield found

    def findtext(self, path: str, default: Any = None, namespaces: Any = None) -> Any:
        """The text of the first element at a path, which counts as seen."""
        found = self.find(path, namespaces)
        return default if found is None else found.text or ""


def quiet(element: Element, key: str) -> str | None:
    """An attribute that is only looked at, and does not count as read."""
    return Element.get(element, key)


def having(parent: Element | None, tag: str, **attributes: str) -> Element | None:
    """The first child of a tag with some attributes, dashes for underscores, which count as read."""
    if parent is None:
        return None
    wanted = {key.replace("_", "-"): value for key, value in attributes.items()}
    for child in parent:
        if child.tag == tag and all(quiet(child, key) == value for key, value in wanted.items()):
            for key in wanted:
                child.get(key)
            return child
    return None


def used(element: Element) -> Element:
    """An element, which counts as seen."""
    if isinstance(element, Accounted):
        element.use()
    return element


def every(element: Element) -> dict[str, str]:
    """All attributes of an element, which count as read."""
    if isinstance(element, Accounted):
        element.use().update(element.attrib)
    return dict(element.attrib)


def consume(element: Element) -> None:
    """Tick off all of an element that has been told of as a whole."""
    for each in element.iter():
        every(each)


def parse_xml(content: bytes, what: str) -> Element:
    """The root of a document.

    Raises:
        RecipeError: it is not XML, declares a document type or entities, or is larger than any song.
    """
    if len(content) > LARGEST_BYTES:
        raise RecipeError(f"{what} is larger than {LARGEST_BYTES // 1024**2} MB.", "That is no session.")
    builder = ElementTree.TreeBuilder(element_factory=Accounted)
    parser = expat.ParserCreate(namespace_separator="}")
    count = depth = 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count, depth
        count, depth = count + 1, depth + 1
        if count > MOST_ELEMENTS or depth > DEEPEST:
            raise RecipeError(
                f"{what} has more than {MOST_ELEMENTS} elements, or more than {DEEPEST} inside each other.",
                "That is no session.",
            )
        builder.start(tag.rpartition("}")[2], attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag.rpartition("}")[2])

    def refuse(*_: object) -> None:
        raise RecipeError(
            f"{what} declares a document type, with which files and memory of others can be reached.",
            "Export it again without; no DAW needs one.",
        )

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    # A handler of what only a document type can hold would come too late for entities that swell.
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(content, True)
        return builder.close()
    except StudioError:
        raise
    except (expat.ExpatError, LookupError, ValueError) as error:  # the latter two of encodings that there are not
        raise RecipeError(f"{what} is not XML: {error}.", "Export it again.") from None
