"""`studio export`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from studio.cli.show import as_json, table


@click.command("export")
@click.argument("chain")
@click.option(
    "--format",
    "form",
    default="vst3",
    show_default=True,
    metavar="FORMAT",
    help="vst3, lv2, clap, sfz (of an instrument), or source: a project.",
)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The folder to write into; this one if not given.")
@click.option("--name", help="What hosts show; the preset's or track's name if not given.")
@click.option("--target", metavar="SYSTEM", help="linux, macos or windows, to build for another system than this one.")
@click.option("--install", is_flag=True, help="Put it where DAWs look, instead of --out.")
@click.option("--allow-mismatch", is_flag=True, help="Keep it even if hosts hear something else than the render.")
@click.option("--grid", metavar="YAML", help="What of an instrument is sampled: 'step: 3, velocities: [60, 127]'.")
@click.option("--json", "as_script", is_flag=True, help="Print the card as JSON.")
def command(
    chain: str,
    form: str,
    out: Path | None,
    name: str | None,
    target: str | None,
    install: bool,
    allow_mismatch: bool,
    grid: str | None,
    as_script: bool,
) -> None:
    """Make a plugin of CHAIN for any DAW, verified in other hosts than ours.

    CHAIN is the name of a preset, a preset file, steps in YAML, or the chain of a track, a bus or the master of a
    recipe: song.yaml:keys. Its knobs become the plugin's parameters.

    With a hash it is the instrument of a track, sampled, with its chain behind it: song.yaml#keys. Also an instrument in
    YAML, {soundfont: {program: violin}}, or one with a chain, {play: voice, chain: [reverb]}.
    """
    from studio.bridge.instrument.card import InstrumentCard
    from studio.bridge.plugin import export
    from studio.bridge.plugin.bundle import file_name
    from studio.bridge.plugin.design import chain_name
    from studio.bridge.plugin.install import plugin_folder
    from studio.recipe.document import Document

    if install and out:
        raise click.UsageError("--install and --out name two different places.")
    if install and form in ("sfz", "source"):
        raise click.UsageError("--install is for plugins; say with --out where this goes.")
    if install and target:
        raise click.UsageError("--install is for this system; leave --target out.")
    called = name or chain_name(chain)
    folder = plugin_folder(form) if install else out or Path()
    ending = "" if form == "source" else f".{form}"
    path = folder / f"{file_name(called)}{ending}"
    chosen = Document(f"{{{grid.strip().strip('{}')}}}", "--grid").data if grid else None
    say = (lambda phrase: None) if as_script else (lambda phrase: click.echo(click.style(f"{phrase} …", dim=True)))
    made = export(
        chain, path, name=called, format=form, target=target, allow_mismatch=allow_mismatch, grid=chosen, say=say
    )
    if made.card is None:
        click.echo(f"{made.path} is written. Next: cmake -B build {made.path}")
        return
    if as_script:
        as_json(json.loads(json.dumps({**made.card.data(), "path": str(made.path)})))
        return
    card = made.card
    if isinstance(card, InstrumentCard):
        table(("program", "level", "mel bands", "onset", "pitch"), card.rows())
        for what in card.heard.unasked if card.heard else ():
            click.echo(what)
        seconds = sum(card.seconds.values())
        click.echo(
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
            for each in (card.verdict.parameters if card.verdict else ())
        ],
    )
    for address in card.baked:
        click.echo(f"{address} stays where it is: it cannot move while sound is playing.")
    seconds = card.seconds["build"] + card.seconds["verify"]
    click.echo(f"{made.path} is written: {card.kilobytes:.0f} kB in {seconds:.1f} s, {card.state}.")
