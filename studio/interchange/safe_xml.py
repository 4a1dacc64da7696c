"""XML from strangers: no document types, no entities, bounded in size and depth."""

from __future__ import annotations

from xml.etree import ElementTree
from xml.parsers import expat

from studio.errors import RecipeError

LARGEST_BYTES = 256 * 1024 * 1024
MOST_ELEMENTS, DEEPEST = 1_000_000, 200


def parse_xml(content: bytes, what: str) -> ElementTree.Element:
    """The root of a document.

    Raises:
        RecipeError: it is not XML, declares a document type or entities, or is larger than any song.
    """
    if len(content) > LARGEST_BYTES:
        raise RecipeError(f"{what} is larger than {LARGEST_BYTES // 1024**2} MB.", "That is no session.")
    builder = ElementTree.TreeBuilder()
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
    except expat.ExpatError as error:
        raise RecipeError(f"{what} is not XML: {error}.", "Export it again.") from None
