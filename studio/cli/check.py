"""`studio check`."""

from __future__ import annotations

from collections.abc import Sized
from pathlib import Path

import click

from studio.cli.show import as_json


@click.command("check")
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--score", type=click.Path(path_type=Path), help="Check it with this MIDI file.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(recipe: Path, score: Path | None, as_script: bool) -> None:
    """Check RECIPE without rendering: words, values, files, parts and routes. All mistakes are told at once."""
    from studio.engine import plan
    from studio.recipe import Recipe

    planned = plan(Recipe.load(recipe), score)
    if as_script:
        as_json({"hash": planned.recipe.hash, "tracks": list(planned.tracks), "buses": list(planned.buses)})
    else:
        click.echo(
            f"{recipe} is sound: {_counted(planned.tracks, 'track', 'tracks')},"
            f" {_counted(planned.buses, 'bus', 'buses')}. Hash {planned.recipe.hash[:16]}."
        )


def _counted(things: Sized, one: str, many: str) -> str:
    return f"{len(things)} {one if len(things) == 1 else many}"
