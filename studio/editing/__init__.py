"""Edits of a whole signal: fades, placement, level, direction."""

from studio.editing import fades, level, placement

__all__ = ["fades", "level", "placement"]
