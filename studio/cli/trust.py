"""`studio trust`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from studio.cli.show import as_json, say, table


@click.command("trust")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--list", "listing", is_flag=True, help="List what you trust.")
@click.option("--revoke", "revoked", multiple=True, metavar="FILE|HASH", help="Take it off the list.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(files: tuple[Path, ...], listing: bool, revoked: tuple[str, ...], as_script: bool) -> None:
    """Let models that are programs (TorchScript, .ts) run: FILES, by their content.

    No recipe and no pack can say this for you. A file that changes by one byte is no longer trusted.
    """
    from studio.sandbox import protection
    from studio.trust import revoke_trust, trust_model, trusted_files

    if not (files or listing or revoked):
        raise click.UsageError("Give FILES, --list or --revoke.")
    gone = [revoke_trust(what) for what in revoked]
    new = [trust_model(path) for path in files]
    if as_script:
        as_json([asdict(each) for each in trusted_files()])
        return
    for each in gone:
        say(f"{each.name} ({each.sha256[:16]}…) is not trusted any more.")
    for each in new:
        say(f"{each.name} ({each.sha256[:16]}…) may run.")
    if new:
        held = protection()
        say(
            f"It runs in a sandbox, without network and without writing to your files ({held})."
            if held
            else "This system has no sandbox for it: it runs with all your rights."
        )
    if listing:
        table(("SHA-256", "name", "since"), [(each.sha256[:16], each.name, each.since) for each in trusted_files()])
