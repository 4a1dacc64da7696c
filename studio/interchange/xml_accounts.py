"""What of a document in XML nobody has read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from studio.interchange.accounts import Leftover
from studio.interchange.safe_xml import Accounted, quiet

_SHOWN = 3


@dataclass(frozen=True)
class Silent:
    """What of a format has no part in the sound.

    Attributes:
        elements: tags of elements that are silent with all that is in them.
        hollow: tags of elements that are silent while nothing but such is in them.
        attributes: names of attributes that are so wherever they stand, or ``Tag name``.
        usual: values of attributes, by ``Tag name``, that change nothing.
        owners: tags of elements whose names say where something stands.
        called: tags, or ``Tag name``, in the words of people.
    """

    elements: Collection[str]
    hollow: Collection[str]
    attributes: Collection[str]
    usual: Mapping[str, Collection[str]]
    owners: Collection[str]
    called: Mapping[str, str]


def leftovers(root: Element, silent: Silent) -> Iterator[Leftover]:
    """What nobody has read, and what is not known to be silent."""
    touched: set[Element] = set()
    _touch(root, touched)
    yield from _inside(root, root.tag, silent, touched)


def _touch(element: Element, touched: set[Element]) -> bool:
    """Find the elements that have been read themselves, or in which something has."""
    inside = [_touch(child, touched) for child in element]
    found = any(inside) or (isinstance(element, Accounted) and element.seen is not None)
    if found:
        touched.add(element)
    return found


def _inside(element: Element, where: str, silent: Silent, touched: set[Element]) -> Iterator[Leftover]:
    for child in element:
        if child.tag in silent.elements or _hollow(child, silent):
            continue
        if child not in touched:
            attributes = [f"{key}={value!r}" for key, value in child.attrib.items() if key not in silent.attributes]
            yield Leftover(silent.called.get(child.tag, child.tag), where, " ".join(attributes[:_SHOWN]))
            continue
        named = quiet(child, "name") if child.tag in silent.owners else None
        inner = named or where
        if isinstance(child, Accounted):
            yield from _attributes(child, inner, silent)
        yield from _inside(child, inner, silent, touched)


def _hollow(element: Element, silent: Silent) -> bool:
    return element.tag in silent.hollow and all(_hollow(child, silent) for child in element)


def _attributes(element: Accounted, where: str, silent: Silent) -> Iterator[Leftover]:
    for name, value in element.attrib.items():
        called = f"{element.tag} {name}"
        if element.seen is not None and name in element.seen:
            continue
        if name in silent.attributes or called in silent.attributes or value in silent.usual.get(called, ()):
            continue
        if element.seen is None:
            continue
        yield Leftover(silent.called.get(called, called), where, value)
