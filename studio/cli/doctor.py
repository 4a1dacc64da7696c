"""`studio doctor`."""

from __future__ import annotations

import click

from studio.cli.show import as_json, table


@click.command("doctor")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(as_script: bool) -> None:
    """Say what is installed, what is missing, and the line that installs it.

    Ends with an error only when something is missing that every recipe needs.
    """
    from studio.doctor import examine

    findings = examine()
    if as_script:
        as_json([finding.__dict__ for finding in findings])
    else:
        rows = [(f.name, _state(f.there, f.needed), f.detail, "" if f.there else f.install) for f in findings]
        table(("", "", "", "to install"), rows)
    if any(finding.needed and not finding.there for finding in findings):
        raise SystemExit(1)


def _state(there: bool, needed: bool) -> str:
    return "ok" if there else "MISSING" if needed else "not there"
