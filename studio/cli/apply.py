"""`studio apply`."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from studio.cli.completing import chains, sounds
from studio.cli.opening import STDIN, board_of_script, chain_text, is_board_of_script, sound_of
from studio.cli.show import as_json, finite, say
from studio.cli.watch import watching

if TYPE_CHECKING:
    from studio.steps import Step

ENDINGS = (".yaml", ".yml")


@click.command("apply")
@click.argument("chain", shell_complete=chains)
@click.argument("audio", nargs=-1, required=True, shell_complete=sounds)
@click.option(
    "-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write; of several, the folder."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["wav", "flac", "ogg", "mp3"]),
    help="In a folder; the file's own if not given.",
)
@click.option("--bits", type=click.Choice(["16", "24", "32"]), default="24", show_default=True, help="Bits a sample.")
@click.option("--bpm", type=click.FloatRange(1, 1000), default=120.0, show_default=True, help="Tempo for synced steps.")
@click.option("--mono", "layout", flag_value="mono", help="Write one channel.")
@click.option("--stereo", "layout", flag_value="stereo", help="Write two channels.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON, and no progress.")
def command(
    chain: str,
    audio: tuple[str, ...],
    out: Path,
    form: str | None,
    bits: str,
    bpm: float,
    layout: str | None,
    as_script: bool,
) -> None:
    """Run audio files through CHAIN and write the results.

    CHAIN is the name of a preset, a preset file, steps in YAML ("[stretch: 0.75, reverb: {wet: 0.3}]"), or a board of
    pedalboard's in a Python script, which then runs: script.py:board. Files that it names lie beside the preset file,
    else in the working folder. CHAIN or an audio file may be - for standard input. Effects need no more memory for a
    longer file.

    A file keeps its channels; where a step of the chain needs stereo, it is widened or mixed down, and you are told.
    """
    from studio.errors import Gather
    from studio.recipe.boards import steps_of
    from studio.rendering.apply import parse_chain

    if chain == STDIN and STDIN in audio:
        raise click.UsageError("Standard input can be the chain or a sound, not both.")
    folder = Path(chain).parent if chain.endswith(ENDINGS) else Path()
    gather, done = Gather(), list[dict[str, Any]]()
    with ExitStack() as stack:
        if is_board_of_script(chain):
            folder = Path(stack.enter_context(TemporaryDirectory(prefix="studio-")))
            steps = tuple(steps_of(board_of_script(chain), folder))
        else:
            steps = parse_chain(chain_text(chain))
        for work in _works(audio, out, form, stack):
            with gather:
                done.append(_apply(work, steps, folder, bits, bpm, layout or "keep", as_script))
    if as_script and not gather.caught:
        as_json(done)
    gather.done()


@dataclass(frozen=True)
class _Work:
    name: str
    source: Path
    out: Path


def _works(audio: tuple[str, ...], out: Path, form: str | None, stack: ExitStack) -> list[_Work]:
    """What becomes of which file, looked through before any work is done."""
    from studio.errors import OutputError
    from studio.rendering.audio_writer import FORMATS

    if len(audio) == 1 and not out.is_dir() and out.suffix:
        if form and out.suffix.lower() != f".{form}":
            raise click.UsageError(f"--format {form} and {out.name} are two different formats.")
        return [_Work(audio[0], sound_of(audio[0], stack), out)]
    works: dict[Path, _Work] = {}
    for name in audio:
        ending = Path(name).suffix.lower().removeprefix(".")
        target = (
            out / f"{Path(name if name != STDIN else 'sound').stem}.{form or (ending if ending in FORMATS else 'wav')}"
        )
        if target in works:
            raise OutputError(
                f"{works[target].name} and {name} would both be written to {target}.", "Give them different names."
            )
        if name != STDIN and target.resolve() == Path(name).resolve():
            raise OutputError(f"{target} would be written over.", "Choose another folder.")
        works[target] = _Work(name, sound_of(name, stack), target)
    return list(works.values())


def _apply(
    work: _Work, steps: tuple[Step, ...], folder: Path, bits: str, bpm: float, layout: str, quiet: bool
) -> dict[str, Any]:
    from studio.audiofile import probe
    from studio.remarks import remarking
    from studio.rendering.apply import apply_file

    rate, _, frames = probe(work.source)
    with watching(frames / rate, quiet=quiet) as listener, remarking() as remarks:
        loudness = apply_file(
            steps, work.source, work.out, bits=bits, bpm=bpm, folder=folder, layout=layout, listener=listener
        )
    if not quiet:
        say(f"{work.out} is written: {loudness.integrated:.1f} LUFS, {loudness.true_peak_db:+.1f} dBTP.")
    return {
        "source": work.name,
        "path": str(work.out),
        "lufs": finite(loudness.integrated),
        "true_peak_db": finite(loudness.true_peak_db),
        "remarks": remarks,
    }
