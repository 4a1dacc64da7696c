"""From a design to a verified plugin on disk."""

from __future__ import annotations

import time
from pathlib import Path

from studio.errors import OutputError
from studio.exporting.plugin.build import Say, build
from studio.exporting.plugin.bundle import check_replaceable, standing
from studio.exporting.plugin.card import Card
from studio.exporting.plugin.compilers import compilers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.source import write_source
from studio.exporting.plugin.verify import knobs, verify


def export_plugin(
    design: Design, path: Path, format: str, system: str | None, allow_mismatch: bool, say: Say
) -> tuple[Path, Card, tuple[Path, ...]]:
    """Build a plugin, have hosts play it, and put it in its place; see `studio.export`.

    Returns:
        Where it lies, its card, and the files of the card.

    Raises:
        StudioError: the chain cannot be a plugin, nothing can compile it, or it does not sound as its recipe.
    """
    check_replaceable(path, design)
    form, begin = FORMATS[format], time.perf_counter()
    chosen = compilers(system)
    source = write_source(design)
    built = [(compiler, build(source, form.shell, compiler, say)) for compiler in chosen]
    files = form.lay(design, path.stem, built)
    done = time.perf_counter()
    with standing(path, files, design) as whole:
        verdict = None
        if chosen[0].here:
            say("listening in other hosts")
            verdict = verify(design, whole, format)
        card = Card(
            name=design.name,
            vendor=design.vendor,
            format=format,
            id=str(design.id),
            recipe=design.hash,
            version=design.version,
            target=chosen[0].target,
            compiler=", ".join(map(str, chosen)),
            kilobytes=round(sum(map(len, files.values())) / 1000, 1),
            seconds={"build": round(done - begin, 2), "verify": round(time.perf_counter() - done, 2)},
            baked=design.baked,
            verdict=verdict,
            knobs=knobs(design),
        )
        if verdict and verdict.failures and not allow_mismatch:
            raise OutputError(
                f"the plugin is not what the recipe sounds like: {'; '.join(verdict.failures[:3])}.",
                "Nothing was written. Give --allow-mismatch to have it all the same.",
            )
    return path, card, tuple(file for file in card.save(path) if file)
