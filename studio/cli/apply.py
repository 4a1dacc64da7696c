"""`studio apply`."""

from __future__ import annotations

from pathlib import Path

import click

from studio.cli.show import say
from studio.cli.watch import watching

ENDINGS = (".yaml", ".yml")


@click.command("apply")
@click.argument("chain")
@click.argument("audio", type=click.Path(path_type=Path))
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--bits", type=click.Choice(["16", "24", "32"]), default="24", show_default=True, help="Bits a sample.")
@click.option("--bpm", type=click.FloatRange(1, 1000), default=120.0, show_default=True, help="Tempo for synced steps.")
def command(chain: str, audio: Path, out: Path, bits: str, bpm: float) -> None:
    """Run an audio file through CHAIN and write the result.

    CHAIN is the name of a preset, a preset file, or steps in YAML: "[stretch: 0.75, reverb: {wet: 0.3}]". Files that it
    names lie beside the preset file, else in the working folder. Effects need no more memory for a longer file.
    """
    from studio.audiofile import probe
    from studio.rendering.apply import apply_file, parse_chain

    rate, _, frames = probe(audio)
    with watching(frames / rate, quiet=False) as listener:
        folder = Path(chain).parent if chain.endswith(ENDINGS) else Path()
        loudness = apply_file(parse_chain(chain), audio, out, bits=bits, bpm=bpm, folder=folder, listener=listener)
    say(f"{out} is written: {loudness.integrated:.1f} LUFS, {loudness.true_peak_db:+.1f} dBTP.")
