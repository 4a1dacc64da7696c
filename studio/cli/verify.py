"""`studio verify`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import as_json, table


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("out"))
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(folder: Path, as_script: bool) -> None:
    """Check a rendered FOLDER against its manifest: hashes, lengths, levels, and that the stems add up.

    The sound is read back with another library than the one that wrote it.
    """
    from studio.rendering.verify import verify

    findings = verify(folder)
    if as_script:
        as_json([finding.__dict__ for finding in findings])
    else:
        table(("file", "", "found"), [(f.path, "ok" if f.sound else "WRONG", f.detail) for f in findings])
    if not all(finding.sound for finding in findings):
        raise SystemExit(1)
