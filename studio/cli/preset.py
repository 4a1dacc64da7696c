"""`studio preset …`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from studio.cli.completing import knobs, presets, recipes
from studio.cli.opening import STDIN, recipe_of
from studio.cli.show import as_json, say, say_lines, table


@click.group("preset")
def command() -> None:
    """Find, use and share chains and whole recipes."""


@command.command("list")
@click.argument("words", nargs=-1)
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def list_command(words: tuple[str, ...], as_script: bool) -> None:
    """List the presets there are; with WORDS, those whose name, story or tags hold them all."""
    from studio.recipe.presets import presets

    rows = []
    for listed in presets():
        about = _about(listed)
        text = " ".join((about["name"], about["kind"], about["story"], *about["tags"])).casefold()
        if all(word.casefold() in text for word in words):
            rows.append(about)
    if as_script:
        as_json(rows)
        return
    table(
        ("preset", "kind", "", "tags"),
        [(row["name"], row["kind"], row["story"], ", ".join(row["tags"])) for row in rows],
    )


@command.command("show")
@click.argument("name", shell_complete=presets)
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def show_command(name: str, as_script: bool) -> None:
    """Show what the preset NAME is, its knobs, and its text."""
    from studio.recipe.presets import find_preset

    listed = find_preset(name, Path())
    about = _about(listed)
    if as_script:
        as_json(about)
        return
    say(f"  ({about['kind']})", head=about["title"] or about["name"], bold=True)
    for line in (
        about["story"],
        f"by {about['author'] or 'unknown'}, {about['license'] or 'no licence given'}",
        about["path"],
    ):
        say(line)
    if about["knobs"]:
        say()
        table(("knob", "stands at", "range", ""), [tuple(map(str, knob.values())) for knob in about["knobs"]])
    say()
    say_lines(Path(about["path"]).read_text(encoding="utf-8").rstrip())


@command.command("save")
@click.argument("recipe", shell_complete=recipes)
@click.argument("name")
@click.option(
    "--from",
    "address",
    shell_complete=knobs,
    help="A track, bus or master (keys), or one step (keys.chorus); the whole recipe if not given.",
)
@click.option("--title", default="", help="Its name for people.")
@click.option("--story", default="", help="What it does, in a line.")
@click.option("--author", default="", help="Who made it; the recipe's author if not given.")
@click.option("--license", default="", help="An SPDX identifier; the recipe's if not given.")
@click.option("--tag", "tags", multiple=True, help="A word to find it by; may be given again.")
@click.option("--replace", is_flag=True, help="Put it in the place of one with that name.")
def save_command(recipe: str, name: str, address: str | None, replace: bool, **about: Any) -> None:
    """Keep the chain of a track of RECIPE, one of its steps, or all of it, as the preset NAME."""
    from studio.recipe.pack import install_pack, pack
    from studio.recipe.saving import chain_preset, keep

    with ExitStack() as stack:
        song = recipe_of(recipe, stack)
        if address:
            path = keep(chain_preset(song, address, **about), name, replace=replace)
        else:
            song = song.replace(**{key: value for key, value in about.items() if value})
            packed = Path(stack.enter_context(TemporaryDirectory()), f"{name}.studio")
            pack(song, packed)
            path = install_pack(packed, replace=replace)
    say(f"{path} is written.")


@command.command("pack")
@click.argument("recipe", shell_complete=recipes)
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The pack to write; beside the recipe if not given.")
def pack_command(recipe: str, out: Path | None) -> None:
    """Put RECIPE and every file it uses into one pack that can be given away."""
    from studio.recipe.pack import SUFFIX, pack

    path = out or Path(recipe if recipe != STDIN else "song").with_suffix(SUFFIX)
    with ExitStack() as stack:
        card = pack(recipe_of(recipe, stack), path)
    say(f"{path} is written: {len(card.files)} files, {sum(entry['bytes'] for entry in card.files) / 1e6:.2f} MB.")


@command.command("install")
@click.argument("packed", metavar="PACK", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Put it in the place of one with that name.")
@click.option("--look", is_flag=True, help="Check it and say what in it would run, and take nothing in.")
def install_command(packed: Path, replace: bool, look: bool) -> None:
    """Check PACK, say what in it would run when it is rendered, and take it in.

    Installing runs nothing. Models that are programs run once you trust them (`studio trust`), plugins as they are
    installed on this machine.
    """
    from studio.recipe.pack import install_pack, programs

    def tell(recipe: Any) -> None:
        found = programs(recipe)
        say("When it is rendered, this would run:" if found else "Nothing in it is a program.")
        for program in found:
            say(f"  {program}")

    folder = install_pack(packed, replace=replace, look=tell, keep=not look)
    if not look:
        say(f"{folder} is installed. Next: studio render {folder.name} -o out/")


def _about(listed: Any) -> dict[str, Any]:
    from studio.recipe import Recipe
    from studio.recipe.presets import ChainPreset

    preset = (ChainPreset if listed.kind == "chain" else Recipe).load(listed.path)
    return {
        "name": listed.name,
        "kind": listed.kind,
        "title": preset.title,
        "story": preset.story,
        "author": preset.author,
        "license": preset.license,
        "tags": list(preset.tags),
        "knobs": [
            {
                "name": name,
                "value": macro.number.data(macro.value),
                "range": macro.number.range,
                "help": macro.help,
            }
            for name, macro in preset.knobs.items()
        ],
        "path": str(listed.path),
    }
