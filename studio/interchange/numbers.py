"""Numbers in the attributes of a session's elements: read with care, since anything may stand there."""

from __future__ import annotations

import math
import zlib
from xml.etree.ElementTree import Element

from studio.budgets import size_text
from studio.errors import RecipeError
from studio.interchange.safe_xml import LARGEST_BYTES

GZIP, ZLIB = 31, 15


def number(element: Element | None, name: str, default: float) -> float:
    """An attribute as a finite number; the default where it is none."""
    try:
        value = float(element.get(name, "")) if element is not None else default
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def at(element: Element | None, path: str, default: str = "") -> str:
    """The attribute ``Value`` of the element at a path, where Live keeps everything."""
    found = element.find(path) if element is not None else None
    return default if found is None else found.get("Value", default)


def number_at(element: Element | None, path: str, default: float) -> float:
    """The same as a finite number."""
    try:
        value = float(at(element, path, str(default)))
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def inflated(content: bytes, what: str, kind: int) -> bytes:
    """What was packed, by gzip or zlib, up to the size of a session.

    Raises:
        RecipeError: it is damaged, or larger than any session.
    """
    unpacking = zlib.decompressobj(kind)
    try:
        plain = unpacking.decompress(content, LARGEST_BYTES)
    except zlib.error as error:
        raise RecipeError(f"{what} is damaged ({error}).", "Save it again.") from None
    if unpacking.unconsumed_tail:
        raise RecipeError(f"{what} would unpack to more than {size_text(LARGEST_BYTES)}.", "That is no session.")
    if not unpacking.eof:
        raise RecipeError(f"{what} is cut short.", "Save it again, or get another copy.")
    return plain
