"""`studio transfer`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from studio.cli.completing import methods, sounds
from studio.cli.opening import STDIN, sound_of
from studio.cli.show import as_json, say, table


@click.command("transfer")
@click.argument("source", shell_complete=sounds)
@click.argument("target", shell_complete=sounds)
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
    source: str, target: str, out: Path, method: str, amount: float, model: str, compare: bool, as_script: bool
) -> None:
    """Give the SOURCE file the timbre of the TARGET file, and say what was kept; one of them may be - for standard input."""
    from studio.rendering.transfers import HEADS, PAGE, compare_methods, shown, transfer_file

    if source == target == STDIN:
        raise click.UsageError("Standard input can be one of the two sounds, not both.")
    with ExitStack() as stack:
        sound, other = sound_of(source, stack), sound_of(target, stack)
        if compare:
            found = compare_methods(sound, other, out, amount=amount, model=model)
        else:
            found = {method: transfer_file(sound, other, out, method, amount, model=model)}
    if as_script:
        as_json({name: figures.data() for name, figures in found.items()})
        return
    table(("method", *HEADS.values()), [(name, *shown(figures)) for name, figures in found.items()])
    say(f"{out / PAGE} shows and plays them all." if compare else f"{out} is written.")
