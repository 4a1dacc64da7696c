"""`studio train`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.cli.show import say, table
from studio.errors import KnobError

if TYPE_CHECKING:
    from studio.training.instruments import TrainingSource


@click.group("train")
def command() -> None:
    """Learn a model from sound."""


def _sounds(body: Callable[..., None]) -> Callable[..., None]:
    """The options of a training on folders, or programs of a SoundFont."""
    for option in reversed(
        (
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
@click.argument("sources", metavar="[FOLDER | NAME=SOURCE...]", nargs=-1)
@_sounds
@click.option("--from", "start", default="", metavar="VOICE", help="A voice to start from: orchestra.")
@click.option("--room", type=click.FloatRange(0, 2000), default=0.0, help="Milliseconds of echoes to learn apart.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: violin.voice.")
def voice(
    sources: tuple[str, ...], soundfont: str | None, low: int, high: int, minutes: float, rate: int, licence: str,
    seed: int, report: Path | None, start: str, room: float, out: Path,
) -> None:  # fmt: skip
    """Learn a voice from the recordings in FOLDER, all of one instrument, or from a SoundFont.

    Several instruments, each name=folder or name=gm:program:lowest:highest, make one voice that sings as any of them and
    in between. It says what it will take, takes as long as it is told, and can be stopped: the same command then goes on
    where it was, and with more --minutes a finished one goes on too.
    """
    from studio.training.instruments import TrainingSource
    from studio.training.protocol import learn
    from studio.training.voices import VoiceTraining

    if len(sources) > 1 or "=" in "".join(sources):
        instruments = tuple(TrainingSource.parse(each) for each in sources)
    else:
        instruments = (_one("a voice", "".join(sources), soundfont, low, high, out),)
    training = VoiceTraining(instruments, minutes * 60, rate, licence, seed, start, room)
    card = learn(training, out, report, say)
    _done(card, ("spectral_loss", "data_seconds", "steps", "parameters"), out, report)


@command.command("vae")
@click.argument("folder", default="")
@_sounds
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: mine.vae.")
def vae(
    folder: str, soundfont: str | None, low: int, high: int, minutes: float, rate: int, licence: str, seed: int,
    report: Path | None, out: Path,
) -> None:  # fmt: skip
    """Learn a waveform autoencoder from the recordings in FOLDER, of anything, or from a SoundFont.

    Its latents can be edited with `latent`. It takes hours to sound well, and can be stopped: the same command then goes
    on where it was.
    """
    from studio.training.protocol import learn
    from studio.training.waves import WaveformTraining

    source = _one("a waveform autoencoder", folder, soundfont, low, high, out)
    card = learn(WaveformTraining(source, minutes * 60, rate, licence, seed), out, report, say)
    _done(card, ("spectral_loss", "data_seconds", "steps", "parameters"), out, report)


def _one(what: str, folder: str, soundfont: str | None, low: int, high: int, out: Path) -> TrainingSource:
    """The one instrument that a folder, or a program of a SoundFont, is."""
    from studio.training.instruments import TrainingSource

    if bool(folder) == (soundfont is not None):
        raise KnobError(f"{what} is learned from a folder, or from a SoundFont.", "Give FOLDER or --soundfont gm:40.")
    if soundfont is not None:
        return TrainingSource(out.stem, f"{soundfont}:{low}:{high}")
    if not Path(folder).is_dir():
        raise KnobError(f"there is no folder {folder!r}.", "Give a folder with recordings.")
    return TrainingSource(out.stem, folder)


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
    from studio.training.instruments import TrainingSource
    from studio.training.protocol import learn
    from studio.training.spectral import SpectralTraining

    parsed = tuple(TrainingSource.parse(each) for each in instruments)
    card = learn(SpectralTraining(parsed, minutes * 60, licence, seed), out, report, say)
    _done(card, ("log_spectral_distance", "data_seconds", "steps", "parameters"), out, report)


@command.command("ears")
@click.option("--minutes", type=click.FloatRange(0.05, 600), default=4.0, show_default=True, help="How long to learn.")
@click.option("--font", default="gm", show_default=True, help="The SoundFont that plays.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Another seed, another start.")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write: mine.ears.")
def ears(minutes: float, font: str, seed: int, out: Path) -> None:
    """Learn to tell 42 instruments of a SoundFont apart, for the figures of transfers."""
    from studio.training.ears import EarsTraining
    from studio.training.protocol import learn

    card = learn(EarsTraining(minutes * 60, font, seed), out, None, say)
    _done(card, ("right", "steps", "parameters"), out, None)


def _done(card: dict[str, Any], facts: tuple[str, ...], out: Path, report: Path | None) -> None:
    table(("", ""), [(name, str(card[name])) for name in facts])
    say(f"{out} is written ({out.stat().st_size / 1000:.0f} kB).")
    if report is not None:
        say(f"{report / 'training.html'} shows and plays how it went.")
