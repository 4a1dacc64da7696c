"""Every shipped chain in every format, from songs at several tempos, into relative, absolute and installed folders.

``python -m tests.benchmarks.export_matrix`` asks all; ``--quick`` gives each chain and format one tempo and place.
"""

from __future__ import annotations

import itertools
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from studio.errors import StudioError
from studio.exporting.export import export
from studio.folders import shipped_presets

FORMS = ("vst3", "lv2", "clap")
TEMPOS = ("60 bpm", "95 bpm", "110 bpm", "174 bpm", "174 bpm\nmeter: 3/4")
PLACES = ("relative", "absolute", "installed")


def asked(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Chains, formats, tempos and places."""
    chains = sorted(path.stem for path in (shipped_presets() / "chains").glob("*.yaml"))
    for number, (chain, form) in enumerate(itertools.product(chains, FORMS)):
        if quick:
            yield chain, form, TEMPOS[number % len(TEMPOS)], PLACES[number % len(PLACES)]
        else:
            yield from ((chain, form, tempo, place) for tempo, place in itertools.product(TEMPOS, PLACES))


def main() -> None:
    """Print what was refused, and how deep the others null."""
    with tempfile.TemporaryDirectory() as room:
        os.environ["HOME"] = room
        os.chdir(room)
        done, refused, worst = 0, 0, -400.0
        for chain, form, tempo, place in asked("--quick" in sys.argv):
            song = Path(room, "song.yaml")
            song.write_text(
                f"recipe: 1\ntempo: {tempo}\ntracks: {{keys: {{part: all, chain: [{{preset: {chain}}}]}}}}\n"
            )
            folder = {"relative": Path("out"), "absolute": Path(room, "whole"), "installed": Path(room, f".{form}")}[
                place
            ]
            words = f"{chain:12s} {form:5s} {tempo.split(chr(10))[-1]:12s} {place:9s}"
            try:
                made = export(f"{song}:keys", folder / f"{chain}.{form}")
            except StudioError as error:
                refused += 1
                print(f"{words} refused: {error}", flush=True)
                continue
            done += 1
            verdict = made.card.verdict if made.card else None  # type: ignore[union-attr]
            deep = verdict.worst_db if verdict else 0.0
            worst = max(worst, deep)
            print(f"{words} {verdict.word if verdict else '':20s} {deep:7.1f} dB", flush=True)
        print(f"{done} exported, {refused} refused, {worst:.1f} dB at worst")


if __name__ == "__main__":
    main()
