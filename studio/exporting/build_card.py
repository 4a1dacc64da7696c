"""What is known of everything the bridge builds, whether an effect or an instrument."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class BuildCard:
    """What was built, from what, by what, and for what.

    Attributes:
        id: by which hosts know it.
        recipe: the hash of what it was made from.
        seconds: spent on each part of the work.
        baked: what is fixed in it that was a knob in the recipe.
    """

    name: str
    vendor: str
    format: str
    id: str
    recipe: str
    version: str
    target: str
    compiler: str
    kilobytes: float
    seconds: Mapping[str, float]
    baked: tuple[str, ...] = ()
