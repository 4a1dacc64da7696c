"""`studio merge`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.completing import recipes
from studio.cli.opening import recipe_file_of
from studio.cli.show import say


@click.command("merge")
@click.argument("song", shell_complete=recipes)
@click.option(
    "--from", "session", type=click.Path(path_type=Path), required=True, help="A session that the studio wrote."
)
@click.option("--dry-run", is_flag=True, help="Show what would come home; write nothing.")
@click.option("--media", type=click.Path(path_type=Path), help="A folder to look in for audio files that are missing.")
@click.option("--anywhere", is_flag=True, help="Take audio from outside the session's folder, where it says.")
def command(song: str, session: Path, dry_run: bool, media: Path | None, anywhere: bool) -> None:
    """Bring what was changed in a DAW home into SONG, the recipe that the session was made of.

    Comments and order stay; a copy of the recipe is left beside it. Where the recipe was changed too, nothing is
    written, and both are shown.
    """
    from studio.cli.show import losses, table
    from studio.sessions.merging import merge_session

    path = recipe_file_of(song)
    merged = merge_session(path, session, dry_run=dry_run, media=media, anywhere=anywhere)
    losses(merged.losses)
    if merged.changes:
        table(("changed", "is now"), [(change.where, _short(change.value)) for change in merged.changes])
    if merged.notes:
        rows = [(each.track, str(len(each.gone)), str(len(each.new))) for each in merged.notes]
        table(("notes of", "went", "came"), rows)
    if merged.markers is not None:
        marks = [(each.name, "went") for each in merged.markers.gone]
        marks += [(each.name, f"came, at beat {float(each.beat):g}") for each in merged.markers.new]
        table(("marker", ""), marks)
    if merged.conflicts:
        rows = [(each.where, _short(each.recipe), _short(each.session)) for each in merged.conflicts]
        table(("changed on both sides", "the recipe says", "the session says"), rows)
    score = bool(merged.notes) or merged.markers is not None
    if score and not dry_run:
        say(f"The MIDI file {merged.recipe.score} is written; what it was is in {merged.recipe.score}.bak.")
    if not merged.changes and score and not merged.conflicts:
        return
    if not merged.changes:
        say(f"Nothing came home; {path} is as it was.")
    elif dry_run:
        say(f"{path} is as it was: this was a dry run.")
    else:
        say(f"{path} is written; what it was is in {path.name}.bak.")
    if merged.conflicts:
        raise SystemExit(1)


def _short(value: object) -> str:
    said = str(value)
    return said if len(said) < 80 else f"{said[:77]}…"
