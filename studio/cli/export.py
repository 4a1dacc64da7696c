"""`studio export`."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from studio.cli.completing import PLUGINS, chains_and_recipes, formats
from studio.cli.opening import recipe_of, session_options, target_of
from studio.cli.show import as_json, losses, say, table


@click.command("export")
@click.argument("song", shell_complete=chains_and_recipes)
@session_options
@click.option(
    "--format",
    "form",
    default="vst3",
    show_default=True,
    metavar="FORMAT",
    shell_complete=formats,
    help="Of a chain: vst3, lv2, clap, or source: a project; of an instrument sfz too. Of a song: stems, dawproject,"
    " reaper or ardour.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The folder to write into; this one if not given.")
@click.option("--name", help="What it is called; the preset's, track's or song's name if not given.")
@click.option("--target", metavar="SYSTEM", help="linux, macos or windows, to build a plugin for another system.")
@click.option("--install", is_flag=True, help="Put a plugin where DAWs look, instead of --out.")
@click.option("--allow-mismatch", is_flag=True, help="Keep a plugin even if hosts hear something else than the render.")
@click.option("--grid", metavar="YAML", help="What of an instrument is sampled: 'step: 3, velocities: [60, 127]'.")
@click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="NAME=KNOBS",
    help="Another setting of a plugin's knobs, that it offers as a preset: 'Worn=wear: 0.8, drive: 0.5'; again for more.",
)
@click.option("--force", is_flag=True, help="Replace a session that is there.")
@click.option("--json", "as_script", is_flag=True, help="Print what was made as JSON.")
def command(
    song: str,
    form: str,
    out: Path | None,
    name: str | None,
    target: str | None,
    install: bool,
    allow_mismatch: bool,
    grid: str | None,
    presets: tuple[str, ...],
    force: bool,
    as_script: bool,
) -> None:
    """Make a plugin of a chain, or a session of a song, for any DAW.

    For a plugin SONG is the name of a preset, a preset file, steps in YAML, - for steps on standard input, or the chain
    of a track, a bus or the master of a recipe: song.yaml:keys, demo:keys, -:keys. Its knobs become the plugin's parameters, and other hosts than ours verify it.

    With a hash it is the instrument of a track, sampled, with its chain behind it: song.yaml#keys. Also an instrument in
    YAML, {soundfont: {program: violin}}, or one with a chain, {play: voice, chain: [reverb]}.

    For a session SONG is a recipe; what the format cannot carry is listed.
    """
    from studio.errors import OutputError, nearest
    from studio.sessions.exporting import FORMS

    if form in PLUGINS:
        if force:
            raise click.UsageError("--force is for sessions; plugins are replaced anyway.")
        _plugin(song, form, out, name, target, install, allow_mismatch, grid, presets, as_script)
    elif form in FORMS:
        if target or install or allow_mismatch or grid or presets:
            raise click.UsageError("--target, --install, --allow-mismatch, --grid and --preset are for plugins.")
        _session(song, form, out or Path(), name, force, as_script)
    else:
        raise OutputError(f"there is no format {form!r}.", nearest(form, [*PLUGINS, *FORMS]))


def _session(song: str, form: str, out: Path, name: str | None, force: bool, as_script: bool) -> None:
    from studio.sessions.exporting import export_session

    with ExitStack() as stack:
        made = export_session(recipe_of(song, stack), out, form, name=name, replace=force)
    if as_script:
        as_json({"path": str(made.path), "format": made.format, "losses": [asdict(loss) for loss in made.losses]})
        return
    losses(made.losses)
    say(f"{made.path} is written.")


def _plugin(
    chain: str,
    form: str,
    out: Path | None,
    name: str | None,
    target: str | None,
    install: bool,
    allow_mismatch: bool,
    grid: str | None,
    presets: tuple[str, ...],
    as_script: bool,
) -> None:
    from studio.exporting.export import export
    from studio.exporting.instrument.card import InstrumentCard
    from studio.exporting.plugin.bundle import file_name
    from studio.exporting.plugin.install import plugin_folder
    from studio.recipe.document import Document

    if install and out:
        raise click.UsageError("--install and --out name two different places.")
    if install and form in ("sfz", "source"):
        raise click.UsageError("--install is for plugins; say with --out where this goes.")
    if install and target:
        raise click.UsageError("--install is for this system; leave --target out.")
    with ExitStack() as stack:
        meant = target_of(chain, stack)
    called = name or meant.name
    folder = plugin_folder(form) if install else out or Path()
    ending = "" if form == "source" else f".{form}"
    path = folder / f"{file_name(called)}{ending}"
    chosen = Document(f"{{{grid.strip().strip('{}')}}}", "--grid").data if grid else None
    tell = (lambda phrase: None) if as_script else (lambda phrase: say(f"{phrase} …", dim=True))
    given = {}
    for preset in presets:
        words, _, settings = preset.partition("=")
        given[words.strip()] = Document(f"{{{settings.strip().strip('{}')}}}", "--preset").data
    made = export(
        meant,
        path,
        name=called,
        format=form,
        target=target,
        allow_mismatch=allow_mismatch,
        grid=chosen,
        presets=given,
        say=tell,
    )
    if made.card is None:
        say(f"{made.path} is written. Next: cmake -B build {made.path}")
        return
    if as_script:
        as_json(json.loads(json.dumps({**made.card.data(), "path": str(made.path)})))
        return
    card = made.card
    if isinstance(card, InstrumentCard):
        table(("program", "level", "mel bands", "onset", "pitch"), card.rows())
        for what in card.heard.skipped if card.heard else ():
            say(what)
        seconds = sum(card.seconds.values())
        say(
            f"{made.path} is written: {card.zones} samples, {card.kilobytes / 1000:.1f} MB in {seconds:.1f} s, {card.state}."
        )
        return
    table(
        ("knob", "range", "stands at", ""),
        [
            (
                each["name"],
                f"{each['low']:g} to {each['high']:g} {each['unit']}".strip(),
                f"{each['default']:g}",
                each["help"],
            )
            for each in card.knobs
        ],
    )
    for address in card.baked:
        say(f"{address} stays where it is: it cannot move while sound is playing.")
    seconds = card.seconds["build"] + card.seconds["verify"]
    say(f"{made.path} is written: {card.kilobytes:.0f} kB in {seconds:.1f} s, {card.state}.")
