"""`studio train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.cli.show import table
from studio.errors import KnobError

if TYPE_CHECKING:
    from studio.bridge.voices import Plan


@click.group("train")
def command() -> None:
    """Learn a model from sound."""


def _of_one_sound(body: Callable[..., None]) -> Callable[..., None]:
    """The options of a training on one folder, or one program of a SoundFont."""
    for option in reversed(
        (
            click.argument("folder", type=click.Path(path_type=Path), required=False),
            click.option("--soundfont", help="Learn from a SoundFont's program instead: gm:40."),
            click.option("--low", type=click.IntRange(0, 127), default=55, show_default=True, help="Its lowest note."),
            click.option("--high", type=click.IntRange(0, 127), default=84, show_default=True, help="Its highest note."),
            click.option("--minutes", type=click.FloatRange(0.05, 600), default=4.0, show_default=True,
                         help="How long to learn."),
            click.option("--rate", type=click.IntRange(16_000, 48_000), default=44_100, show_default=True, help="In Hz."),
            click.option("--license", "licence", default="", help="The licence of the sound, as an SPDX identifier."),
            click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another start."),
            click.option("--report", type=click.Path(path_type=Path), help="A folder for a page with losses and previews."),
        )
    ):  # fmt: skip
        body = option(body)
    return body


@command.command("voice")
@_of_one_sound
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: violin.voice.")
def voice(
    folder: Path | None, soundfont: str | None, low: int, high: int, minutes: float, rate: int, licence: str, seed: int,
    report: Path | None, out: Path,
) -> None:  # fmt: skip
    """Learn a voice from the recordings in FOLDER, all of one instrument, or from a SoundFont.

    It says what it will take, takes as long as it is told, and can be stopped: the same command then goes on where it
    was.
    """
    from studio.bridge.voices import learn

    plan = _plan("a voice", folder, soundfont, low, high, minutes, rate, licence, seed)
    card = learn(plan, out, report, click.echo)
    _done(card, ("spectral_loss", "data_seconds", "steps", "parameters"), out, report)


@command.command("vae")
@_of_one_sound
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: mine.vae.")
def vae(
    folder: Path | None, soundfont: str | None, low: int, high: int, minutes: float, rate: int, licence: str, seed: int,
    report: Path | None, out: Path,
) -> None:  # fmt: skip
    """Learn a waveform autoencoder from the recordings in FOLDER, of anything, or from a SoundFont.

    Its latents can be edited with `latent`. It takes hours to sound well, and can be stopped: the same command then goes
    on where it was.
    """
    from studio.bridge.waves import learn_waves

    plan = _plan("a waveform autoencoder", folder, soundfont, low, high, minutes, rate, licence, seed)
    card = learn_waves(plan, out, report, click.echo)
    _done(card, ("spectral_loss", "data_seconds", "steps", "parameters"), out, report)


def _plan(
    what: str, folder: Path | None, soundfont: str | None, low: int, high: int, minutes: float, rate: int, licence: str,
    seed: int,
) -> Plan:  # fmt: skip
    from studio.bridge.voices import Plan

    if (folder is None) == (soundfont is None):
        raise KnobError(f"{what} is learned from a folder, or from a SoundFont.", "Give FOLDER or --soundfont gm:40.")
    if high - low < 5:
        raise KnobError(f"a range from {low} to {high}.", "Give half an octave at least.")
    return Plan(folder, soundfont, low, high, minutes * 60, rate, licence, seed)


@command.command("spectral")
@click.argument("instruments", nargs=-1, required=True)
@click.option("--minutes", type=click.FloatRange(0.05, 600), default=10.0, show_default=True, help="How long to learn.")
@click.option("--license", "licence", default="", help="The licence of the sound, as an SPDX identifier.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another start.")
@click.option("--report", type=click.Path(path_type=Path), help="A folder for a page with losses and previews.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: mine.spectral.")
def spectral(
    instruments: tuple[str, ...], minutes: float, licence: str, seed: int, report: Path | None, out: Path
) -> None:
    """Learn a spectral autoencoder of several INSTRUMENTS, each name=folder or name=gm:program:lowest:highest."""
    from studio.bridge.colours import Instrument, learn_colours

    parsed = [Instrument.parse(each) for each in instruments]
    card = learn_colours(parsed, out, minutes * 60, licence=licence, seed=seed, report=report, say=click.echo)
    _done(card, ("log_spectral_distance", "data_seconds", "steps", "parameters"), out, report)


@command.command("ears")
@click.option("--minutes", type=click.FloatRange(0.05, 600), default=4.0, show_default=True, help="How long to learn.")
@click.option("--font", default="gm", show_default=True, help="The SoundFont that plays.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another start.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: mine.ears.")
def ears(minutes: float, font: str, seed: int, out: Path) -> None:
    """Learn to tell 42 instruments of a SoundFont apart, for the figures of transfers."""
    from studio.bridge.ears import learn_ears

    _done(learn_ears(out, minutes * 60, font, seed), ("right", "steps", "parameters"), out, None)


def _done(card: dict[str, Any], facts: tuple[str, ...], out: Path, report: Path | None) -> None:
    table(("", ""), [(name, str(card[name])) for name in facts])
    click.echo(f"{out} is written ({out.stat().st_size / 1000:.0f} kB).")
    if report is not None:
        click.echo(f"{report / 'training.html'} shows and plays how it went.")
