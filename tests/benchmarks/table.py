"""Tables of numbers with their targets, and clocks that do not lie about noise."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One number: what it is, its value as text, and the target with whether it was met (None: no target)."""

    what: str
    value: str
    target: str = ""
    met: bool | None = None


def show(title: str, rows: Sequence[Row]) -> None:
    """Print a table that can be pasted into the documentation."""
    print(f"\n{title}\n")
    print("| what | measured | target | |")
    print("| --- | --- | --- | --- |")
    for row in rows:
        mark = "" if row.met is None else "met" if row.met else "**missed**"
        print(f"| {row.what} | {row.value} | {row.target} | {mark} |")


def seconds(work: Callable[[], object]) -> float:
    """How long it takes, once."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def alternating(
    rounds: int, before: Callable[[], object] = lambda: None, **works: Callable[[], object]
) -> dict[str, list[float]]:
    """Every work in turn, so that a busy machine is busy for all of them; what comes `before` each is not counted."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            before()
            taken[name].append(seconds(work))
    return taken


def spread(times: Sequence[float], unit: str = "s") -> str:
    """The median, and the range in brackets."""
    return f"{statistics.median(times):.2f} {unit} ({min(times):.2f}–{max(times):.2f})"
