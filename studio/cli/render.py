"""`studio render`."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from studio.cli.completing import recipes, sections, turns
from studio.cli.opening import recipe_of, session_options
from studio.cli.show import as_json, finite, say, table
from studio.cli.watch import watching
from studio.typed import present

if TYPE_CHECKING:
    from studio.engine import Plan
    from studio.rendering import Result


@click.command("render")
@click.argument("recipe", shell_complete=recipes)
@session_options
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), default=Path("out"), show_default=True, help="Folder for the files."
)
@click.option("--score", type=click.Path(path_type=Path), help="Play this MIDI file instead of the recipe's.")
@click.option(
    "-s",
    "--set",
    "turns",
    multiple=True,
    shell_complete=turns,
    metavar="ADDRESS=VALUE",
    help="Turn a knob: --set keys.chorus.depth=0.5",
)
@click.option("--section", shell_complete=sections, metavar="NAME", help="Render one section alone, as it is written.")
@click.option("--loop", is_flag=True, help="Let it go round: what rings on at its end comes in at its beginning.")
@click.option("--format", type=click.Choice(["wav", "flac", "ogg", "mp3"]), help="File format.")
@click.option("--bits", type=click.Choice(["16", "24", "32"]), help="Bits a sample (32 is float).")
@click.option("--stems", type=click.Choice(["post", "pre", "none"]), help="Stems after or before the fader, or none.")
@click.option("--effects", type=click.Choice(["wet", "dry", "both"]), help="Stems with their chains, without, or both.")
@click.option(
    "--channels", type=click.Choice(["stereo", "auto"]), help="auto: stems whose channels are the same in mono."
)
@click.option("--names", metavar="PATTERN", help="How stems are called: '{number} {track}'.")
@click.option("--bitrate", type=click.Choice(["64", "96", "128", "160", "192", "256", "320"]), help="kbit/s of mp3.")
@click.option("--premaster", is_flag=True, default=None, help="What enters the master too.")
@click.option("--minus-one", is_flag=True, default=None, help="The song without each of its tracks too.")
@click.option(
    "--by-section", is_flag=True, default=None, help="Mix and stems cut at the sections of an arrangement too."
)
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["mastering", "practice"]),
    help="A whole set: mastering (numbered 32-bit stems, mono where they are, and their sum), practice (an mp3 without each track).",
)
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
    section: str | None,
    loop: bool,
    jobs: int | None,
    no_cache: bool,
    no_report: bool,
    explain: bool,
    as_script: bool,
    purpose: str | None,
    **output: str | bool | None,
) -> None:
    """Render RECIPE into stems, a mix, a manifest and a report.

    RECIPE is a file, the name of a preset, a MIDI file, the session of a DAW (song.dawproject, song.rpp or song.ardour),
    or - for standard input. A MIDI file is played as it is, and brought to -14 LUFS.
    """
    from studio.engine import Cache
    from studio.rendering import render
    from studio.rendering.checking import checked_plan
    from studio.rendering.deliverables import SETS

    with ExitStack() as stack:
        wanted = {**(SETS[purpose] if purpose else {}), **{name: value for name, value in output.items() if value}}
        song = recipe_of(recipe, stack, turns, wanted, score)
        if section is not None:
            song = song.section(section, loop=loop)
        elif loop:
            song = song.replace(seamless=True)
        planned = checked_plan(song, score)
        if explain:
            _explain(planned, None if no_cache else Cache(), as_script)
            return
        with watching(_estimate(planned), as_script) as listener:
            result = render(
                song, out, score=score, cache=not no_cache, workers=jobs, report=not no_report, listener=listener
            )
        _tell(result, as_script, reported=not no_report)


def _estimate(planned: Plan) -> float:
    """About how many seconds the song will last, for the progress bar."""
    if planned.frames:
        return planned.frames / planned.context.rate
    score = planned.context.score
    if score is None:
        return 60.0
    return float(planned.context.tempo.second_at(score.beat(score.end)))


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
                        "lufs": finite(entry.lufs),
                        "true_peak_db": finite(entry.true_peak_db),
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
