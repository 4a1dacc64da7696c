"""A song for racks and players: three tracks, a bus, a macro, eight bars."""

from __future__ import annotations

from pathlib import Path

from studio.recipe import Recipe
from tests.songs import band_file

SONG = """
title: Eight bars
score: song.mid
length: 8 bars
knobs:
  dust: {value: 0.3, drives: {keys.chorus.depth: [0, 0.6], master.lowpass.cutoff: [18 kHz, 5 kHz]}, help: older and softer}
tracks:
  keys:
    part: {channel: 1}
    chain: [chorus, {lowpass: 4 kHz}, {echo: {time: 1/8, feedback: 0.4}}, {reverb: {wet: 0.3}}]
    send: {room: -12 dB}
  bass: {part: {channel: 2}, chain: [compressor]}
  drums: {part: {drums: true}, volume: -3 dB}
buses:
  room: {chain: [{reverb: {room_size: 0.7, wet: 1, dry: 0}}]}
master:
  chain: [{lowpass: 18 kHz}]
  loudness: -16 LUFS
"""

CELL = "import studio, widgets\nfrom tests.widgets.songs import eight_bars\nsong = eight_bars()"


def eight_bars(folder: Path = Path()) -> Recipe:
    """The song, read from a file in `folder`."""
    band_file(folder / "song.mid", seconds=16, parts=3)
    (folder / "song.yaml").write_text(SONG, encoding="utf-8")
    return Recipe.load(folder / "song.yaml")
