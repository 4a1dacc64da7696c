"""A hundred chains that nobody wrote, as plugins: how many export, load and null, and what went wrong with the others."""

from __future__ import annotations

import statistics
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

import studio
from studio.errors import StudioError
from tests.benchmarks.table import Row, show
from tests.exporting.plugin.random_chains import chains, rack_of

COUNT = 100


def drawn(count: int) -> list[list[Any]]:
    """That many chains of different steps, the same ones every time."""
    found: dict[str, list[Any]] = {}

    @seed(5)
    @settings(
        max_examples=20 * count, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(chain=chains())
    def draw(chain: list[Any]) -> None:
        if len(chain) > 1:
            found.setdefault(words(chain), chain)

    draw()
    return list(found.values())[:count]


def words(chain: list[Any]) -> str:
    """What stands in a chain, without its knobs."""
    named = []
    for step in chain:
        [(name, knobs)] = step.items()
        inner = knobs.get("chain") or [each for part in knobs.get("chains", ()) for each in part]
        named.append(f"{name} [{words(inner)}]" if inner else name)
    return ", ".join(named)


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mirepoix-random-"))
    nulls, failures = [], []
    print("\n| chain | kB | worst null in pedalboard and DawDreamer, dB |", "| --- | --- | --- |", sep="\n")
    for index, chain in enumerate(drawn(COUNT)):
        try:
            made = studio.export(rack_of(chain), folder / f"Chain {index}.vst3", allow_mismatch=True)
        except StudioError as error:
            failures.append(f"{chain}: {error}")
            continue
        assert made.card is not None and made.card.verdict is not None
        verdict = made.card.verdict
        nulls.append(verdict.worst_db)
        print(f"| {words(chain)} | {made.card.kilobytes:.0f} | {verdict.worst_db:.0f} |", flush=True)
        if verdict.failures:
            failures.append(f"{chain}: {'; '.join(verdict.failures)}")
    passed = COUNT - len(failures)
    show(
        "Chains that nobody wrote, as VST3",
        [
            Row("exported, loaded and nulled below -90 dB", f"{passed} of {COUNT}", "all", not failures),
            Row("worst null", f"{max(nulls):.0f} dB", "< -90 dB", max(nulls) < -90),
            Row("median null", f"{statistics.median(nulls):.0f} dB"),
        ],
    )
    for failure in failures:
        print(f"- {failure}")
