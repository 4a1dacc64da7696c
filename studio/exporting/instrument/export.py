"""From an instrument to samples on disk that any sampler, or any DAW, plays."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from studio.errors import OutputError
from studio.exporting.instrument.card import InstrumentCard
from studio.exporting.instrument.grid import Grid
from studio.exporting.instrument.sampling import sampled
from studio.exporting.instrument.sfz import CARD as SFZ_CARD
from studio.exporting.instrument.sfz import check_sfz_replaceable, standing_sfz
from studio.exporting.instrument.verify import Heard, verify
from studio.exporting.plugin.build import Say, build
from studio.exporting.plugin.bundle import card_files, check_replaceable, standing
from studio.exporting.plugin.compilers import compilers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.source import write_source
from studio.exporting.samples import Sampled
from studio.exporting.target import Target
from studio.typed import present

SFZ = "sfz"


def export_instrument(
    target: Target,
    path: Path,
    name: str,
    format: str,
    grid: Grid,
    system: str | None,
    allow_mismatch: bool,
    say: Say,
    presets: Mapping[str, Mapping[str, object]],
) -> tuple[Path, InstrumentCard, tuple[Path, ...]]:
    """Sample an instrument, write it, and compare it with its recipe; see `studio.export`.

    Returns:
        Where it lies, its card, and the files of the card.

    Raises:
        StudioError: the chain cannot be a plugin, nothing can compile it, or it does not sound as its recipe.
    """
    playing = present(target.playing)
    design = Design(name, target, presets=presets)
    if format == SFZ:
        check_sfz_replaceable(path)
    else:
        check_replaceable(path, design)
        compilers(system)
        write_source(design)  # what cannot be in a plugin is refused before a note is played
    begin = time.perf_counter()
    made = sampled(playing, grid, target.folder, say)
    design = replace(design, sampled=made)
    done = time.perf_counter()
    times = {"sampling": done - begin}
    if format == SFZ:
        return _sfz(design, made, path, grid, times, allow_mismatch, say)
    return _plugin(design, made, path, format, grid, system, times, allow_mismatch, say)


def _sfz(
    design: Design, made: Sampled, path: Path, grid: Grid, times: dict[str, float], lax: bool, say: Say
) -> tuple[Path, InstrumentCard, tuple[Path, ...]]:
    about = f"{design.name}, by {design.vendor}; recipe {design.hash}, studio {design.version}"
    chain = chain_text(design)
    with standing_sfz(made, path, path.name, chain, " ".join(about.split())) as room:
        begin = time.perf_counter()
        say("listening in other programs")
        heard = verify(design, room / f"{path.name}.sfz", SFZ, grid.seconds)
        _gate(heard, lax)
        times |= {"verify": time.perf_counter() - begin}
        size = sum(file.stat().st_size for file in room.rglob("*") if file.is_file())
        card = _card(design, made, SFZ, "any", "", size, times, heard)
        files = card.save(room / SFZ_CARD, room / "card.png")
    return path / f"{path.name}.sfz", card, tuple(path / file.name for file in files)


def _plugin(
    design: Design,
    made: Sampled,
    path: Path,
    format: str,
    grid: Grid,
    system: str | None,
    times: dict[str, float],
    lax: bool,
    say: Say,
) -> tuple[Path, InstrumentCard, tuple[Path, ...]]:
    form, chosen, begin = FORMATS[format], compilers(system), time.perf_counter()
    source = write_source(design)
    built = [(compiler, build(source, form.shell, compiler, say)) for compiler in chosen]
    files = form.lay(design, path.stem, built)
    done = time.perf_counter()
    with standing(path, files, design) as whole:
        heard = None
        if chosen[0].here:
            say("listening in other hosts")
            heard = verify(design, whole, format, grid.seconds)
            _gate(heard, lax)
        times |= {"build": done - begin, "verify": time.perf_counter() - done}
        size = sum(map(len, files.values()))
        by = ", ".join(map(str, chosen))
        card = _card(design, made, format, chosen[0].target, by, size, times, heard)
    kept = card.save(*card_files(path))
    return path, card, kept


def _gate(heard: Heard, lax: bool) -> None:
    if heard.failures and not lax:
        raise OutputError(
            f"the instrument is not what the recipe sounds like: {'; '.join(heard.failures[:3])}.",
            "Nothing was written. Sample more keys (--grid 'step: 2'), or give --allow-mismatch to have it all the same.",
        )


def _card(
    design: Design,
    made: Sampled,
    format: str,
    target: str,
    compiler: str,
    size: int,
    times: dict[str, float],
    heard: Heard | None,
) -> InstrumentCard:
    return InstrumentCard(
        name=design.name,
        vendor=design.vendor,
        format=format,
        id=str(design.id),
        recipe=design.hash,
        version=design.version,
        target=target,
        compiler=compiler,
        kilobytes=round(size / 1000, 1),
        seconds={name: round(seconds, 2) for name, seconds in times.items()},
        baked=design.baked,
        keys=tuple(sorted({zone.span.key for zone in made.zones})),
        velocities=made.velocities,
        zones=len(made.zones),
        looped=sum(zone.loop is not None for zone in made.zones),
        sample_seconds=round(made.seconds, 1),
        heard=heard,
    )


def chain_text(design: Design) -> str | None:
    """The chain as a preset that `studio apply` and `studio export` read; None when there is none."""
    from studio.recipe.document import write
    from studio.recipe.presets import ChainPreset

    if not design.rack.chain:
        return None
    preset = ChainPreset.parse(
        {"title": design.name, "author": design.vendor, "knobs": design.rack.knobs, "chain": design.rack.chain}
    )
    return write(preset.data())
