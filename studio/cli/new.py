"""`studio new`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import say


@click.command("new")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--from",
    "source",
    type=click.Path(path_type=Path),
    help="A MIDI file, or a session of a DAW: song.dawproject, song.rpp or song.ardour.",
)
@click.option(
    "--media",
    type=click.Path(path_type=Path),
    help="Of a session: a folder to look in for audio files that are not where it says.",
)
@click.option("--anywhere", is_flag=True, help="Of a session: take audio from outside its own folder, where it says.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The recipe to write (as the argument).")
@click.option("--bare", is_flag=True, help="From a MIDI file: leave chains, buses and master out.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(
    target: Path | None,
    source: Path | None,
    media: Path | None,
    anywhere: bool,
    out: Path | None,
    bare: bool,
    force: bool,
) -> None:
    """Write a recipe to start from: a commented one, or one for the song in a MIDI file or a DAW's session."""
    from studio.disk import write_whole
    from studio.errors import OutputError
    from studio.recipe.starter import blank, from_midi
    from studio.sessions.importing import check_readable, is_session

    path = out or target or (source.with_suffix(".yaml") if source else None)
    if path is None:
        raise click.UsageError("Say which file to write: studio new song.yaml")
    if path.exists() and not force:
        raise OutputError(f"{path} is there already.", "Choose another name, or give --force to write over it.")
    if source and is_session(source):
        _import(source, path, force, media, anywhere)
        return
    if source:
        check_readable(source)
    text = from_midi(source, path, bare=bare) if source else blank(path.name)
    write_whole(path, text)
    say(f"{path} is written. Next: studio render {path} -o out/")


def _import(source: Path, target: Path, force: bool, media: Path | None, anywhere: bool) -> None:
    from studio.cli.show import losses
    from studio.sessions.importing import import_session

    losses(import_session(source, target, replace=force, media=media, anywhere=anywhere).losses)
    say(f"{target} is written. Next: studio render {target} -o out/")
