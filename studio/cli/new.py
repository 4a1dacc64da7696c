"""`studio new`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import click

from studio.cli.completing import recipes
from studio.cli.opening import STDIN, recipe_of
from studio.cli.show import losses, say


@click.command("new")
@click.argument("target", type=click.Path(path_type=Path), required=False)
@click.option(
    "--from",
    "source",
    shell_complete=recipes,
    help="A MIDI file; a recording of one voice or of drums; a session of a DAW: song.dawproject, song.rpp, song.ardour, song.als or song.mmpz; a recipe, or a preset by its name.",
)
@click.option(
    "--media",
    type=click.Path(path_type=Path),
    help="Of a session: a folder to look in for audio files that are not where it says.",
)
@click.option("--anywhere", is_flag=True, help="Of a session: take audio from outside its own folder, where it says.")
@click.option(
    "--as",
    "heard_as",
    type=click.Choice(("auto", "voice", "drums")),
    default="auto",
    help="Of a recording: what it is to be heard as.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The recipe to write (as the argument).")
@click.option("--bare", is_flag=True, help="From a MIDI file: leave chains, buses and master out.")
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def command(
    target: Path | None,
    source: str | None,
    media: Path | None,
    anywhere: bool,
    heard_as: str,
    out: Path | None,
    bare: bool,
    force: bool,
) -> None:
    """Write a recipe to start from: a commented one, or one for the song in a MIDI file or a DAW's session.

    From a recording (`--from vocal.wav`) come its notes as a MIDI file, with bends and velocities, and a recipe in which
    `tune` follows them: what you change in the notes is heard in the voice.

    The commented one plays the MIDI file that lies beside it; if there is none, the demo's is laid there.
    """
    from studio.errors import OutputError
    from studio.midi.files import is_midi
    from studio.sessions.hearing import is_sound, recipe_from_sound
    from studio.sessions.importing import is_session
    from studio.sessions.starting import new_recipe, score_beside

    path = out or target or (Path(source).with_suffix(".yaml") if source and source != STDIN else None)
    if path is None:
        raise click.UsageError("Say which file to write: studio new song.yaml")
    if source is None or is_midi(source) or is_session(Path(source)):
        laid = score_beside(path) if source is None else None
        if laid is not None and not laid.exists():
            say(f"{laid} is the demo's: put yours in its place.")
        losses(new_recipe(path, source, bare=bare, replace=force, media=media, anywhere=anywhere))
    elif is_sound(Path(source)):
        if path.exists() and not force:
            raise OutputError(f"{path} is there already.", "Choose another name, or give --force to write over it.")
        found = recipe_from_sound(path, Path(source), heard_as=heard_as, replace=force)
        say(f"{source} is heard as {found.kind}: {found.notes} notes, in {found.midi}.")
        for sentence in found.remarks:
            say(sentence)
    elif path.exists() and not force:
        raise OutputError(f"{path} is there already.", "Choose another name, or give --force to write over it.")
    else:
        _copy(source, path)
    say(f"{path} is written. Next: studio render {path} -o out/")


def _copy(source: str, path: Path) -> None:
    """A recipe or preset under another name, its files laid beside it where they came with a preset."""
    from studio.disk import write_whole
    from studio.errors import OutputError
    from studio.folders import shipped_presets, user_presets
    from studio.recipe.assets import map_files

    with ExitStack() as stack:
        song = recipe_of(source, stack)
        home = song.folder.resolve()
        own = any(home.is_relative_to(root.resolve()) for root in (shipped_presets(), user_presets()))

        def beside(file: str) -> str:
            kept = song.folder / file
            if not own or Path(file).is_absolute() or not kept.is_file():
                return file
            there = path.parent / file
            if there.exists() and there.read_bytes() != kept.read_bytes():
                raise OutputError(f"{there} is there already, and another one.", "Write into another folder.")
            write_whole(there, kept.read_bytes())
            return file

        if own:
            map_files(song, beside)
            write_whole(path, song.dumps())
        else:
            song.save(path)
