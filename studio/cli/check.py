"""`studio check`."""

from __future__ import annotations

from collections.abc import Sized
from contextlib import ExitStack
from pathlib import Path

import click

from studio.cli.completing import recipes
from studio.cli.opening import document_of, session_options
from studio.cli.show import as_json, say, table


@click.command("check")
@click.argument("recipe", shell_complete=recipes)
@session_options
@click.option("--score", type=click.Path(path_type=Path), help="Check it with this MIDI file.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(recipe: str, score: Path | None, as_script: bool) -> None:
    """Check RECIPE without rendering: words, values, files, parts and routes. All mistakes are told at once.

    RECIPE is what `studio render` takes. Of a DAWproject file is told what other programs would trip over.
    """
    from studio.errors import Collector, Problems, collecting
    from studio.rendering.checking import check_document

    if Path(recipe).suffix.lower() == ".dawproject":
        _session(Path(recipe), as_script)
        return
    taking = Collector()
    with ExitStack() as stack:
        with collecting(taking):
            document, folder = document_of(recipe, stack)
        checked = check_document(document, folder, score, taking)
    if checked.plan is None:
        raise Problems(checked.errors)
    planned = checked.plan
    if as_script:
        as_json(
            {
                "hash": planned.recipe.hash,
                "tracks": list(planned.tracks),
                "buses": list(planned.buses),
                "remarks": list(planned.remarks),
            }
        )
    else:
        for remark in planned.remarks:
            say(remark)
        say(
            f"{recipe} is sound: {_counted(planned.tracks, 'track', 'tracks')},"
            f" {_counted(planned.buses, 'bus', 'buses')}. Hash {planned.recipe.hash[:16]}."
        )


def _session(path: Path, as_script: bool) -> None:
    from dataclasses import asdict

    from studio.interchange.archive import Archive
    from studio.interchange.dawproject.lint import lint

    with Archive(path) as archive:
        defects = lint(archive)
    if as_script:
        as_json([asdict(defect) for defect in defects])
    elif defects:
        table(("where", "what", ""), [(defect.where, defect.what, defect.code) for defect in defects])
    else:
        say(f"{path} is sound.")
    if defects:
        raise SystemExit(1)


def _counted(things: Sized, one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"
