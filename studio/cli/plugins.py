"""`studio plugins`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from studio.cli.show import as_json, say, table
from studio.visible import visible


@click.group("plugins")
def command() -> None:
    """Find, look at and measure the plugins on this machine."""


@command.command("scan")
@click.option("--again", is_flag=True, help="Look at all of them, also at those already known or blocked.")
def scan_command(again: bool) -> None:
    """Look at every plugin that is new, each in a process of its own; those that fail are blocked.

    Folders are those of the system, and those in STUDIO_PLUGINS.
    """
    from rich.progress import BarColumn, Progress, TextColumn

    from studio.hosting import catalogue

    if again:
        catalogue.forget_plugins()
    found = list(catalogue.list_plugins())
    new = [entry for entry in found if entry.known is None]
    blocked = []
    with Progress(TextColumn("{task.description}", markup=False), BarColumn(), transient=True) as progress:
        bar = progress.add_task("looking at plugins", total=len(new))

        def told(entry: Any, known: Any) -> None:
            progress.update(bar, advance=1, description=visible(entry.name))
            if isinstance(known, str):
                blocked.append((entry.name, known))

        catalogue.scan_plugins(new, told)
    say(f"{len(found)} plugins, {len(new)} of them new, {len(blocked)} of those blocked.")
    if blocked:
        table(("blocked", "because"), blocked)


@command.command("list")
@click.argument("word", default="")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def list_command(word: str, as_script: bool) -> None:
    """List what is known of the plugins whose name, file or maker holds WORD."""
    from studio.hosting import catalogue

    rows = [row for row in map(_row, catalogue.list_plugins()) if word.casefold() in " ".join(row.values()).casefold()]
    if as_script:
        as_json(rows)
        return
    if rows:
        table(tuple(rows[0]), [tuple(row.values()) for row in rows])
    if any(row["kind"] == "not looked at" for row in rows):
        say()
        say("`studio plugins scan` looks at the new ones.")


@command.command("show")
@click.argument("name")
@click.option("--host", help="What loads it, instead of what fits its format.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def show_command(name: str, host: str | None, as_script: bool) -> None:
    """Show a plugin, its parameters as a recipe writes them, and how it behaves."""
    from studio.hosting import catalogue

    known = catalogue.describe_plugin(name, host)
    if as_script:
        as_json(known.data())
        return
    about, measured = known.about, known.measured
    say(f"  ({known.kind})  {about.vendor} {about.version}", head=about.name, bold=True)
    say(known.path)
    say()
    say(f"id          {about.id}, through {known.host}")
    say(f"channels    {about.inputs} in, {about.outputs} out" + (f", {about.sides} side" * bool(about.sides)))
    truth = "" if measured.latency is None else f"; measured: {measured.latency}"
    say(f"latency     {known.reported_latency} frames{truth}")
    say(f"speed       {measured.speed:.0f} times real time; loads in {known.load_seconds:.2f} s")
    for note in _notes(measured):
        say(f"note        {note}")
    if known.programs:
        say(f"programs    {', '.join(filter(None, known.programs[:12]))}")
    say()
    rows = [
        (parameter.name, str(kind.data(kind.parse(kind.default))), kind.range, parameter.title)
        for parameter in known.parameters
        for kind in (parameter.knob,)
    ]
    table(("parameter", "default", "range", ""), rows)
    where = "play:" if about.instrument else "chain:"
    say()
    say(f"In a recipe:  {where} [{{plugin: {{file: {known.inner or known.path.stem}, …}}}}]")


@command.command("probe")
@click.argument("name")
@click.option("--host", help="What loads it, instead of what fits its format.")
def probe_command(name: str, host: str | None) -> None:
    """Measure a plugin: with an impulse, how late it really is; and keep the truth if it lies."""
    from studio.hosting import catalogue

    known, latency = catalogue.probe_plugin(name, host)
    told = known.reported_latency
    if latency is None:
        say(f"{known.about.name} answers an impulse with no clear echo; its word counts: {told} frames.")
    elif latency == told:
        say(f"{known.about.name} is as late as it says: {told} frames.")
    else:
        say(f"{known.about.name} says {told} frames and is {latency} late; from now on the truth counts.")
    for note in _notes(known.measured):
        say(f"It {note}.")


@command.command("forget")
@click.argument("name", required=False)
@click.option("--all", "everything", is_flag=True, help="Forget all of them.")
def forget_command(name: str | None, everything: bool) -> None:
    """Forget what is known of a plugin, also that it is blocked."""
    from studio.hosting import catalogue

    if not name and not everything:
        raise click.UsageError("Give the name of a plugin, or --all.")
    say(f"{catalogue.forget_plugins(name)} entries are forgotten.")


@command.command("save")
@click.argument("name")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The preset file to write.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Turn a parameter; may be given again.")
@click.option("--preset", type=click.Path(path_type=Path), help="A preset file to start from.")
def save_command(name: str, out: Path, settings: tuple[str, ...], preset: Path | None) -> None:
    """Write the state of a plugin as the preset file of its format (.vstpreset, .fxp, .ttl or .clap-preset)."""
    from studio.hosting.capture import save_state
    from studio.hosting.plugin import Plugin

    turned = dict(setting.partition("=")[::2] for setting in settings)
    step = Plugin.parse({"file": name, **({"preset": str(preset)} if preset else {}), **turned})
    captured = save_state(step, out)
    say(f"{out} is written. In a recipe:  {captured.data()}")


def _row(found: Any) -> dict[str, str]:
    known = found.known
    if known is None:
        return {"plugin": found.name, "kind": "not looked at", "maker": "", "parameters": "", "": str(found.path)}
    if isinstance(known, str):
        return {"plugin": found.name, "kind": "blocked", "maker": "", "parameters": "", "": known}
    return {
        "plugin": known.about.name if found.inner else found.path.stem,
        "kind": known.kind,
        "maker": known.about.vendor,
        "parameters": str(len(known.parameters)),
        "": "; ".join(_notes(known.measured)),
    }


def _notes(measured: Any) -> list[str]:
    notes = [
        (not measured.repeats, f"does not repeat itself: fresh processes differ by {measured.differs_db:.0f} dBFS"),
        (measured.begins == "fresh", "keeps sound when it is reset, so it is loaded anew for every render"),
        (measured.begins == "never", "remembers what it played before, so every render starts a process"),
        (bool(measured.ready_seconds), f"is silent for {measured.ready_seconds:.1f} s after it is loaded"),
        (measured.speed < 2, f"is slow: {measured.speed:.1f} times real time"),
    ]
    return [note for true, note in notes if true]
