"""Numbers among the attributes of Ardour's XML."""

from __future__ import annotations

import math
from xml.etree.ElementTree import Element


def number(element: Element | None, name: str, default: float) -> float:
    """A number of an element, or the default where there is none."""
    return parsed(element.get(name, ""), default) if element is not None else default


def parsed(text: str, default: float = 0.0) -> float:
    """A finite number, or the default."""
    try:
        value = float(text)
    except ValueError:
        return default
    return value if math.isfinite(value) else default


def switched(element: Element | None, name: str) -> bool:
    """Whether an attribute says yes."""
    return element is not None and element.get(name) in ("1", "yes")
