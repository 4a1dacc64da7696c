"""`studio verify`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import as_json, table


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("out"))
@click.option("--reproduce", is_flag=True, help="Render it again in fresh processes, and name what is not the same.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    help="For --reproduce: where the files of its recipe lie, if it was rendered elsewhere.",
)
@click.option(
    "--score",
    type=click.Path(path_type=Path),
    help="For --reproduce: the MIDI file it was rendered with, if it was another one than the recipe's.",
)
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(folder: Path, reproduce: bool, home: Path | None, score: Path | None, as_script: bool) -> None:
    """Check a rendered FOLDER against its manifest: hashes, lengths, levels, and that the stems add up.

    The sound is read back with another library than the one that wrote it.
    """
    from studio.rendering.verify import verify

    findings = verify(folder)
    if reproduce:
        from studio.rendering.reproduce import reproduce as rendered_again

        findings += rendered_again(folder, home, score)
    if as_script:
        as_json([finding.__dict__ for finding in findings])
    else:
        table(("file", "", "found"), [(f.path, "ok" if f.sound else "WRONG", f.detail) for f in findings])
    if not all(finding.sound for finding in findings):
        raise SystemExit(1)
