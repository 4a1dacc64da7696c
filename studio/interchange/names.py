"""Names of strips, made to fit and to differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from studio.interchange.timeline import Loss, TimelineStrip


def unique(name: str, taken: set[str], alike: Callable[[str], str] = str.casefold) -> str:
    """The name, with a number behind it if it is among `taken`, to which it is added.

    Args:
        name: as it should be.
        taken: what others are called, as `alike` gives it.
        alike: gives the same for names that may not stand beside each other.
    """
    found, number = name, 2
    while alike(found) in taken:
        found, number = f"{name} {number}", number + 1
    taken.add(alike(found))
    return found


def renamed(
    strips: Iterable[TimelineStrip], fitting: Callable[[str], str], taken: set[str], why: str, losses: list[Loss]
) -> dict[str, str]:
    """For each strip the name that somebody else's rules leave it; where that is another one, `losses` say `why`."""
    names: dict[str, str] = {}
    for strip in strips:
        names[strip.name] = name = unique(fitting(strip.name), taken)
        if name != strip.name:
            losses.append(Loss(f"the name {strip.name[:80]!r}", name, why))
    return names
