"""`studio transfer`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.completing import methods
from studio.cli.show import as_json, say, table


@click.command("transfer")
@click.argument("source", type=click.Path(path_type=Path))
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The file, or for --compare the folder."
)
@click.option(
    "--method",
    shell_complete=methods,
    default="envelope",
    show_default=True,
    help="How; an unknown one lists them all.",
)
@click.option("--amount", type=click.FloatRange(0, 1), default=1.0, show_default=True, help="From source to result.")
@click.option("--model", default="", help="For sing and spectral: the voice or instrument that stands for the target.")
@click.option("--compare", is_flag=True, help="All methods, with sound and pictures on one page.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(
    source: Path, target: Path, out: Path, method: str, amount: float, model: str, compare: bool, as_script: bool
) -> None:
    """Give the SOURCE file the timbre of the TARGET file, and say what was kept."""
    from studio.rendering.transfers import HEADS, PAGE, compare_methods, shown, transfer_file

    if compare:
        found = compare_methods(source, target, out, amount=amount, model=model)
    else:
        found = {method: transfer_file(source, target, out, method, amount, model=model)}
    if as_script:
        as_json({name: figures.data() for name, figures in found.items()})
        return
    table(("method", *HEADS.values()), [(name, *shown(figures)) for name, figures in found.items()])
    say(f"{out / PAGE} shows and plays them all." if compare else f"{out} is written.")
