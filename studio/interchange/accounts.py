"""What a reader has not used: gathered, and told with its place.

A reader of somebody else's format accounts for every element: it is used, says the default, has no part in the sound,
or is listed. Readers tick off what they read; what is left becomes losses here, alike ones as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from studio.interchange.timeline import Loss

_NAMED = 3
"""So many places are named, the rest is counted."""


@dataclass(frozen=True)
class Leftover:
    """Something in a file that nobody has read: what it is called, whose it is, and what it says."""

    what: str
    where: str
    said: str


def losses_of(leftovers: Iterable[Leftover]) -> list[Loss]:
    """One loss for each kind of leftover, with the places where it stands."""
    kinds: dict[str, dict[str, str]] = {}
    for leftover in leftovers:
        kinds.setdefault(leftover.what, {}).setdefault(leftover.where, leftover.said)
    found = []
    for what, elements in kinds.items():
        named = ", ".join(list(elements)[:_NAMED])
        more = f" and {len(elements) - _NAMED} more" if len(elements) > _NAMED else ""
        said = next(iter(elements.values()))
        shown = f" {said[:60]}" if said else ""
        found.append(Loss(f"{what}{shown}", f"{named}{more}", "the studio does not know it"))
    return found
