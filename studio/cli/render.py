"""`studio render`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from studio.cli.show import as_json, say, table
from studio.cli.watch import watching
from studio.typed import present

if TYPE_CHECKING:
    from studio.engine import Plan
    from studio.recipe import Recipe
    from studio.rendering import Result


@click.command("render")
@click.argument("recipe")
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder for the files."
)
@click.option("--score", type=click.Path(path_type=Path), help="Play this MIDI file instead of the recipe's.")
@click.option(
    "-s", "--set", "turns", multiple=True, metavar="ADDRESS=VALUE", help="Turn a knob: --set keys.chorus.depth=0.5"
)
@click.option("--format", type=click.Choice(["wav", "flac", "ogg", "mp3"]), help="File format.")
@click.option("--bits", type=click.Choice(["16", "24", "32"]), help="Bits a sample (32 is float).")
@click.option("--stems", type=click.Choice(["post", "pre", "none"]), help="Stems after or before the fader, or none.")
@click.option("--effects", type=click.Choice(["wet", "dry"]), help="Stems with or without their chains.")
@click.option("--jobs", type=click.IntRange(1), help="Threads; all cores if not given.")
@click.option("--no-cache", is_flag=True, help="Neither read nor keep finished work.")
@click.option("--no-report", is_flag=True, help="Leave the report out.")
@click.option("--explain", is_flag=True, help="Show the plan and what the cache will serve; render nothing.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON, and no progress.")
def command(
    recipe: str,
    out: Path,
    score: Path | None,
    turns: tuple[str, ...],
    jobs: int | None,
    no_cache: bool,
    no_report: bool,
    explain: bool,
    as_script: bool,
    **output: str | None,
) -> None:
    """Render RECIPE into stems, a mix, a manifest and a report.

    RECIPE is a file, the name of a preset, a MIDI file, which is then played as it is, or the session of a DAW:
    song.dawproject or song.rpp.
    """
    from studio.engine import Cache, plan
    from studio.rendering import render

    with ExitStack() as stack:
        song = opened(recipe, turns, {name: value for name, value in output.items() if value}, stack)
        planned = plan(song, score)
        if explain:
            _explain(planned, None if no_cache else Cache(), as_script)
            return
        with watching(_estimate(planned), as_script) as listener:
            result = render(
                song, out, score=score, cache=not no_cache, workers=jobs, report=not no_report, listener=listener
            )
        _tell(result, as_script, reported=not no_report)


def opened(name: str, turns: tuple[str, ...], output: dict[str, str], stack: ExitStack) -> Recipe:
    """The recipe that the words on the command line mean; what is unpacked for it lasts as long as `stack`."""
    from studio.cli.show import losses
    from studio.recipe import Recipe
    from studio.recipe.presets import find_preset
    from studio.recipe.starter import from_midi
    from studio.sessions.importing import check_readable, import_session, is_session

    path = Path(name)
    if path.is_file():
        check_readable(path)
    if path.suffix.lower() in (".mid", ".midi", ".smf"):
        song = Recipe.loads(from_midi(path, Path("song.yaml"), bare=True))
    elif is_session(path):
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="studio-")))
        imported = import_session(path, folder / "song.yaml")
        losses(imported.losses)
        song = Recipe.load(folder / "song.yaml")
    elif path.is_file() or path.suffix or "/" in name:
        song = Recipe.load(path)
    else:
        song = Recipe.load(find_preset(name, Path(), "recipe").path)
    for turn in turns:
        address, equals, value = turn.partition("=")
        if not equals:
            raise click.UsageError(f"--set {turn}: write ADDRESS=VALUE, such as keys.chorus.depth=0.5")
        song = song.set(address.strip(), _value(value.strip()))
    for knob, value in output.items():
        song = song.set(f"output.{knob}", value)
    return song


def _value(text: str) -> Any:
    """What a value on the command line would mean in a file, curves included."""
    from studio.recipe.document import Document

    return Document(text, "--set").data


def _estimate(planned: Plan) -> float:
    """About how many seconds the song will last, for the progress bar."""
    if planned.frames:
        return planned.frames / planned.context.rate
    if planned.score is None:
        return 60.0
    return float(planned.context.tempo.second_at(planned.score.beat(planned.score.end)))


def _explain(planned: Plan, cache: Any, as_script: bool) -> None:
    rows: list[dict[str, Any]] = []
    for node in planned.nodes():
        state = "on the way" if not node.kept else "cached" if cache and cache.holds(node.key) else "to render"
        rows.append(
            {"name": node.name, "key": node.key, "state": state, "inputs": [below.key for below in node.inputs]}
        )
    if as_script:
        as_json(rows)
        return
    names = {row["key"]: row["name"] for row in rows}
    table(
        ("signal", "from", "key", ""),
        [(row["name"], ", ".join(names[key] for key in row["inputs"]), row["key"][:10], row["state"]) for row in rows],
    )


def _tell(result: Result, as_script: bool, reported: bool) -> None:
    manifest, folder = present(result.manifest), present(result.folder)
    entries = manifest.entries
    if as_script:
        as_json(
            {
                "folder": str(folder),
                "seconds": result.frames / result.plan.context.rate,
                "recipe_hash": manifest.recipe_hash,
                "files": [
                    {
                        "path": entry.path,
                        "role": entry.role,
                        "lufs": _number(entry.lufs),
                        "true_peak_db": _number(entry.true_peak_db),
                    }
                    for entry in entries
                ],
            }
        )
        return
    table(
        ("file", "LUFS", "dBTP"),
        [(str(folder / entry.path), f"{entry.lufs:.1f}", f"{entry.true_peak_db:.1f}") for entry in entries],
    )
    if reported:
        say(f"{folder / 'report.html'} shows and plays them all.")


def _number(value: float) -> float | None:
    return round(value, 2) if abs(value) < 1e6 else None
