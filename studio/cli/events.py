"""`studio events`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import say


@click.command("events")
@click.argument("source", type=click.Path(path_type=Path), metavar="SOUND")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), help="The file of events to write; beside the sound if left out."
)
@click.option("--bpm", type=click.FloatRange(20, 400), help="The tempo for the notes; found if left out.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
def command(source: Path, out: Path | None, bpm: float | None, force: bool) -> None:
    """Take a sound apart into events, so that its notes can be edited: SOUND.events, SOUND.mid and SOUND.yaml.

    The recipe plays the sound as it was. Take a note out of the MIDI file, move it, give it another key, or put steps under
    `notes:`, and the sound is edited.
    """
    from studio.sessions.events_of import make_events

    made = make_events(source, out, bpm=bpm, replace=force)
    say(f"{made.count} events are in {made.events}, their notes in {made.midi}, at {made.bpm:.4g} bpm.")
    say(f"{made.recipe} plays them. Next: studio render {made.recipe} -o out/")
