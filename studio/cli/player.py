"""`studio player`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import as_json, say


@click.command("player")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("out"))
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The page; player.html in FOLDER if not given.")
@click.option("--codec", type=click.Choice(["flac", "opus"]), help="flac is exact, opus small; by length if not given.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(folder: Path, out: Path | None, codec: str | None, as_script: bool) -> None:
    """Write one page that plays a rendered FOLDER, with mute and solo for every stem, anywhere.

    The page holds all its sound. Opus needs Safari 18.4 where the browser is Safari; flac plays in every one.
    """
    from studio.rendering.player.page import write_player

    page = write_player(folder, out, codec=codec)
    megabytes = page.stat().st_size / 1e6
    if as_script:
        as_json({"path": str(page), "megabytes": round(megabytes, 2)})
    else:
        say(f"{page} is written: {megabytes:.1f} MB. Open it in any browser.")
