"""Colours, by which DAWs tell tracks apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from studio.errors import KnobError, shown
from studio.knobs import KnobKind

_COLOUR = re.compile(r"#?[0-9a-fA-F]{6}")


@dataclass(frozen=True, kw_only=True)
class Colour(KnobKind):
    """Red, green and blue as six hexadecimal digits, or none."""

    default: Any = None

    def parse(self, value: object) -> str | None:
        """The value that plain data means; a value that is parsed already comes through.

        Raises a StudioError if it does not fit.
        """
        if value is None:
            return None
        if not isinstance(value, str) or not _COLOUR.fullmatch(value):
            raise KnobError(f"{shown(value)} is not a colour.", "Write it in quotes, as '#ff8800'.")
        return f"#{value.removeprefix('#').lower()}"

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        return {"description": self.describe(), "type": "string", "pattern": "^#?[0-9a-fA-F]{6}$"}

    @property
    def range(self) -> str:
        """What it accepts, in words for people."""
        return "#rrggbb"
