"""From a chain to a verified plugin on disk, in one call."""

from __future__ import annotations

import html
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import OutputError, nearest
from studio.exporting.plugin.build import Say, build
from studio.exporting.plugin.bundle import check_place, file_name, standing
from studio.exporting.plugin.card import Card
from studio.exporting.plugin.compilers import compilers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.project import write_project
from studio.exporting.plugin.source import write_source
from studio.exporting.plugin.verify import verify

if TYPE_CHECKING:
    from studio.exporting.instrument.card import InstrumentCard
    from studio.exporting.instrument.grid import Grid
    from studio.exporting.instrument.part import Part

SOURCE, SFZ = "source", "sfz"


@dataclass(frozen=True)
class Exported:
    """What was written: the plugin, its card, and the files they lie in."""

    path: Path
    card: Card | InstrumentCard | None = None
    files: tuple[Path, ...] = ()

    def _repr_html_(self) -> str:
        """As a notebook shows it: the card as tables and spectrograms."""
        return self.card._repr_html_() if self.card else f"<p>{html.escape(str(self.path))}</p>"


def export(
    chain: object,
    out: Path | str,
    *,
    name: str | None = None,
    strip: str = "",
    format: str | None = None,
    target: str | None = None,
    allow_mismatch: bool = False,
    grid: Grid | Mapping[str, object] | None = None,
    say: Say = lambda phrase: None,
) -> Exported:
    """Make a plugin of a chain of effects, or samples or a plugin of an instrument with its chain, and verify it.

    >>> studio.export("tape", "plugins/Tape.vst3")
    >>> studio.export(song, "keys.vst3", strip="keys")
    >>> studio.export("song.yaml#keys", "Keys.vst3", grid={"step": 3})

    Args:
        chain: a preset's name, effects, a chain preset, a recipe (with `strip`), or text as on the command line; for
            an instrument the step that plays, ``song.yaml#track``, or ``{play: …, chain: […]}``.
        out: the plugin to write; its ending says in which format: .vst3, .lv2 or .clap. Without one, and for the
            format `source`, a folder.
        name: what hosts show; the name of the file if not given. Name and maker decide the plugin's id.
        strip: the track, bus or `master` of a recipe whose chain is meant; ``#track`` for the track's instrument.
        format: vst3, lv2, clap, sfz or source, when `out` does not say.
        target: linux, macos or windows; another system than this one is built but cannot be verified.
        allow_mismatch: keep a plugin that hosts hear differently from the render.
        grid: which keys and velocities of an instrument are sampled, and for how long.
        say: is told what is going on.

    Returns:
        Where it lies, and its card.

    Raises:
        StudioError: the chain cannot be a plugin, nothing can compile it, or it does not sound as its recipe.
    """
    # The room of instruments stands on this one.
    from studio.exporting.instrument.part import find_part

    out = Path(out)
    kind = format or out.suffix.removeprefix(".")
    if kind not in (*FORMATS, SFZ, SOURCE):
        raise OutputError(f"there is no plugin format {kind!r}.", nearest(kind, [*FORMATS, SFZ, SOURCE]))
    ending = FORMATS[kind].ending if kind in FORMATS else ""
    part = find_part(chain, strip)
    if part:
        return _instrument(part, out, name, kind, grid, target, allow_mismatch, say)
    if kind == SFZ:
        raise OutputError(
            "SFZ holds an instrument, and this is a chain of effects.",
            "Name a track with a hash, song.yaml#keys, or an instrument.",
        )
    design = Design.of(chain, name or (out.name.removesuffix(ending) if ending else out.name), strip=strip)
    if kind == SOURCE:
        return Exported(write_project(design, out))
    path = out if out.suffix == ending else out / f"{file_name(design.name)}{ending}"
    return _plugin(design, path, kind, target, allow_mismatch, say)


def _instrument(
    part: Part,
    out: Path,
    name: str | None,
    format: str,
    grid: Grid | Mapping[str, object] | None,
    target: str | None,
    lax: bool,
    say: Say,
) -> Exported:
    from studio.exporting.instrument.export import export_instrument
    from studio.exporting.instrument.grid import Grid

    if format == SOURCE:
        raise OutputError(
            "an instrument cannot be written as a project.", "Write it as sfz, or export its chain alone as source."
        )
    ending = f".{format}"
    called = name or out.name.removesuffix(ending)
    inside = out.suffix == ending
    if format == SFZ:
        path = out.with_suffix("") if inside else out / file_name(called)
    else:
        path = out if inside else out / f"{file_name(called)}{ending}"
    return Exported(*export_instrument(part, path, called, format, Grid.parse(grid or {}), target, lax, say))


def _plugin(design: Design, path: Path, format: str, target: str | None, allow_mismatch: bool, say: Say) -> Exported:
    check_place(path, design)
    form, begin = FORMATS[format], time.perf_counter()
    chosen = compilers(target)
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
        )
        if verdict and verdict.failures and not allow_mismatch:
            raise OutputError(
                f"the plugin is not what the recipe sounds like: {'; '.join(verdict.failures[:3])}.",
                "Nothing was written. Give --allow-mismatch to have it all the same.",
            )
    return Exported(path, card, tuple(file for file in card.save(path) if file))
