"""Instruments as samples: how far what hosts play is from the recipe, how large they are, and how long it takes."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import studio
from studio.exporting.instrument.card import InstrumentCard
from tests.benchmarks.table import seconds

PROGRAMS = {
    "electric piano": "soundfont: {program: 4}", "piano": "soundfont: {program: 0}", "guitar": "soundfont: {program: 24}",
    "strings": "soundfont: {program: 48}", "trumpet": "soundfont: {program: 56}", "flute": "soundfont: {program: 73}",
    "voice (violin)": "voice: violin",
}  # fmt: skip
GRIDS = {"voice (violin)": {"lowest": 55, "highest": 91, "step": 6, "seconds": 2.0}}


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mirepoix-instruments-"))
    print(
        "\n| instrument | program | samples | MB | level | mel bands | onset | pitch | mel bands, recipe against itself | s |",
        "| --- |" + " --- |" * 9,
        sep="\n",
    )
    for name, play in PROGRAMS.items():
        for form in ("vst3", "sfz"):
            print(f" {seconds(partial(_row, name, play, form, folder)):.0f} |", flush=True)


def _row(name: str, play: str, form: str, folder: Path) -> None:
    made = studio.export(play, folder / f"{name}.{form}", grid=GRIDS.get(name), allow_mismatch=True)
    card = made.card
    assert isinstance(card, InstrumentCard) and card.heard and card.heard.own
    host = next(iter(card.heard.distances))
    found = card.heard.distances[host]
    cells = (
        name, host, card.zones, f"{card.kilobytes / 1000:.1f}", f"{found.level_db:+.1f} dB", f"{found.mel_db:.1f} dB",
        f"{found.onset_ms:.0f} ms", f"{found.pitch_cents:.0f} cents", f"{card.heard.own.mel_db:.1f} dB",
    )  # fmt: skip
    print(f"| {' | '.join(map(str, cells))} |", end="")
