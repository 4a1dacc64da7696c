"""From a chain or an instrument to a verified plugin on disk, in one call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from studio.errors import OutputError, nearest
from studio.exporting.instrument.card import InstrumentCard
from studio.exporting.instrument.export import SFZ, export_instrument
from studio.exporting.instrument.grid import Grid
from studio.exporting.plugin.build import Say
from studio.exporting.plugin.bundle import file_name
from studio.exporting.plugin.card import Card
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.export import export_plugin
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.project import write_project
from studio.exporting.target import Target
from studio.visible import markup

SOURCE = "source"


@dataclass(frozen=True)
class Exported:
    """What was written: the plugin, its card, and the files they lie in."""

    path: Path
    card: Card | InstrumentCard | None = None
    files: tuple[Path, ...] = ()

    def _repr_html_(self) -> str:
        """As a notebook shows it: the card as tables and spectrograms."""
        return self.card._repr_html_() if self.card else f"<p>{markup(str(self.path))}</p>"


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
    presets: Mapping[str, Mapping[str, object]] | None = None,
    say: Say = lambda phrase: None,
) -> Exported:
    """Make a plugin of a chain of effects, or samples or a plugin of an instrument with its chain, and verify it.

    >>> studio.export("tape", "plugins/Tape.vst3")
    >>> studio.export(song, "keys.vst3", strip="keys")
    >>> studio.export("song.yaml#keys", "Keys.vst3", grid={"step": 3})

    Args:
        chain: a preset's name, effects, a chain preset, a recipe (with `strip`), or text as on the command line; for
            an instrument the step that plays, ``song.yaml#track``, or ``{play: …, chain: […]}``; see `Target.parse`.
        out: the plugin to write; its ending says in which format: .vst3, .lv2 or .clap. Without one, and for the
            format `source`, a folder.
        name: what hosts show; the name of the file if not given. Name and maker decide the plugin's id.
        strip: the track, bus or `master` of a recipe whose chain is meant; ``#track`` for the track's instrument.
        format: vst3, lv2, clap, sfz or source, when `out` does not say.
        target: linux, macos or windows; another system than this one is built but cannot be verified.
        allow_mismatch: keep a plugin that hosts hear differently from the render.
        grid: which keys and velocities of an instrument are sampled, and for how long.
        presets: other settings of a plugin's knobs, by name, which it offers beside the recipe's own.
        say: is told what is going on.

    Returns:
        Where it lies, and its card.

    Raises:
        StudioError: the chain cannot be a plugin, nothing can compile it, or it does not sound as its recipe.
    """
    out = Path(out)
    kind = format or out.suffix.removeprefix(".")
    if kind not in (*FORMATS, SFZ, SOURCE):
        raise OutputError(f"there is no plugin format {kind!r}.", nearest(kind, [*FORMATS, SFZ, SOURCE]))
    ending = "" if kind == SOURCE else f".{kind}"
    called = name or (out.name.removesuffix(ending) if ending else out.name)
    meant = Target.parse(chain, strip)
    whole = kind == SOURCE or out.suffix == ending
    path = out if whole else out / f"{file_name(called)}{ending}"
    if meant.playing and kind == SOURCE:
        raise OutputError(
            "an instrument cannot be written as a project.", "Write it as sfz, or export its chain alone as source."
        )
    if meant.playing:
        path = path.with_suffix("") if kind == SFZ else path
        chosen = Grid.parse(grid or {})
        return Exported(
            *export_instrument(meant, path, called, kind, chosen, target, allow_mismatch, say, presets or {})
        )
    if kind == SFZ:
        raise OutputError(
            "SFZ holds an instrument, and this is a chain of effects.",
            "Name a track with a hash, song.yaml#keys, or an instrument.",
        )
    design = Design(called, meant, presets=presets or {})
    if kind == SOURCE:
        return Exported(write_project(design, path))
    return Exported(*export_plugin(design, path, kind, target, allow_mismatch, say))
