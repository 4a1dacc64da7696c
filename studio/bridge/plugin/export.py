"""From a chain to a verified plugin on disk, in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from studio.bridge.plugin.build import Say, build
from studio.bridge.plugin.bundle import check_place, file_name, standing
from studio.bridge.plugin.card import Card
from studio.bridge.plugin.compilers import compilers
from studio.bridge.plugin.design import Design
from studio.bridge.plugin.formats import FORMATS
from studio.bridge.plugin.project import write_project
from studio.bridge.plugin.source import write_source
from studio.bridge.plugin.verify import verify
from studio.errors import OutputError, nearest

SOURCE = "source"


@dataclass(frozen=True)
class Exported:
    """What was written: the plugin, its card, and the files they lie in."""

    path: Path
    card: Card | None = None
    files: tuple[Path, ...] = ()

    def _repr_html_(self) -> str:
        return self.card._repr_html_() if self.card else f"<p>{self.path}</p>"


def export(
    chain: object,
    out: Path | str,
    *,
    name: str | None = None,
    strip: str = "",
    format: str | None = None,
    target: str | None = None,
    allow_mismatch: bool = False,
    say: Say = lambda phrase: None,
) -> Exported:
    """Make a plugin of a chain of effects, and verify it.

    >>> studio.export("tape", "plugins/Tape.vst3")
    >>> studio.export(song, "keys.vst3", strip="keys")

    Args:
        chain: a preset's name, effects, a chain preset, a recipe (with `strip`), or text as on the command line.
        out: the plugin to write; its ending says in which format: .vst3, .lv2 or .clap. Without one, and for the
            format `source`, a folder.
        name: what hosts show; the name of the file if not given. Name and maker decide the plugin's id.
        strip: the track, bus or `master` of a recipe.
        format: vst3, lv2, clap or source, when `out` does not say.
        target: linux, macos or windows; another system than this one is built but cannot be verified.
        allow_mismatch: keep a plugin that hosts hear differently from the render.
        say: is told what is going on.

    Returns:
        Where it lies, and its card.

    Raises:
        StudioError: the chain cannot be a plugin, nothing can compile it, or it does not sound as its recipe.
    """
    out = Path(out)
    kind = format or out.suffix.removeprefix(".")
    if kind != SOURCE and kind not in FORMATS:
        raise OutputError(f"there is no plugin format {kind!r}.", nearest(kind, [*FORMATS, SOURCE]))
    ending = FORMATS[kind].ending if kind in FORMATS else ""
    design = Design.of(chain, name or (out.name.removesuffix(ending) if ending else out.name), strip=strip)
    if kind == SOURCE:
        return Exported(write_project(design, out))
    path = out if out.suffix == ending else out / f"{file_name(design.name)}{ending}"
    return _plugin(design, path, kind, target, allow_mismatch, say)


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
            design.name, design.vendor, format, str(design.id), design.hash, design.version, chosen[0].target,
            ", ".join(map(str, chosen)), round(sum(map(len, files.values())) / 1000, 1),
            {"build": round(done - begin, 2), "verify": round(time.perf_counter() - done, 2)}, design.baked, verdict,
        )  # fmt: skip
        if verdict and verdict.failures and not allow_mismatch:
            raise OutputError(
                f"the plugin is not what the recipe sounds like: {'; '.join(verdict.failures[:3])}.",
                "Nothing was written. Give --allow-mismatch to have it all the same.",
            )
    return Exported(path, card, tuple(file for file in card.save(path) if file))
