"""`studio train`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import table
from studio.errors import KnobError


@click.group("train")
def command() -> None:
    """Learn a model from sound."""


@command.command("voice")
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option("--soundfont", help="Learn from a SoundFont's program instead: gm:40.")
@click.option("--low", type=click.IntRange(0, 127), default=55, show_default=True, help="Its lowest note.")
@click.option("--high", type=click.IntRange(0, 127), default=84, show_default=True, help="Its highest note.")
@click.option("--minutes", type=click.FloatRange(0.05, 600), default=4.0, show_default=True, help="How long to learn.")
@click.option("--rate", type=click.IntRange(16_000, 48_000), default=44_100, show_default=True, help="In Hz.")
@click.option("--license", "licence", default="", help="The licence of the sound, as an SPDX identifier.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another start.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: violin.voice.")
def voice(
    folder: Path | None, soundfont: str | None, low: int, high: int, minutes: float, rate: int, licence: str, seed: int,
    out: Path,
) -> None:  # fmt: skip
    """Learn a voice from the recordings in FOLDER, all of one instrument, or from a SoundFont.

    It takes as long as it is told and can be stopped with Ctrl-C: the same command then goes on where it was.
    """
    from studio.bridge.voices import Plan, learn

    if (folder is None) == (soundfont is None):
        raise KnobError("a voice is learned from a folder, or from a SoundFont.", "Give FOLDER or --soundfont gm:40.")
    if high - low < 5:
        raise KnobError(f"a range from {low} to {high}.", "Give half an octave at least.")
    plan = Plan(folder, soundfont, low, high, minutes * 60, rate, licence, seed)
    card = learn(plan, out)
    table(("", ""), [(name, str(card[name])) for name in ("spectral_loss", "data_seconds", "steps", "parameters")])
    click.echo(f"{out} is written ({out.stat().st_size / 1000:.0f} kB).")
