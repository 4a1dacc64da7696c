"""FluidSynth's own program as the oracle of what we play through its library."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import soundfile

from studio.audio import Block
from studio.context import RenderContext
from studio.midi import read_midi
from studio.sources.fonts import find_font
from tests.listening import rms_db

CELL = 64
"""Frames that FluidSynth computes at a time."""


def by_fluidsynth(path: Path, font: str = "fluid", *, dry: bool = False, rate: int = 44_100) -> Block:
    """A MIDI file as FluidSynth's own program renders it, in 32 bits; without its reverb and chorus if `dry`."""
    out = path.with_suffix(".cli.wav")
    words = ["fluidsynth", "-ni", "-q", "-o", "synth.device-id=16", "-T", "wav", "-O", "float", "-r", str(rate)]
    words += ["-R", "0", "-C", "0"] if dry else []
    subprocess.run([*words, "-F", out, find_font(font, RenderContext()), path], check=True, capture_output=True)
    samples, _ = soundfile.read(out, dtype="float32")
    return np.asarray(samples.T)


def differs_only_at_onsets(ours: Block, dry: Block, path: Path, within_db: float = -90.0) -> bool:
    """Whether all that is apart from a dry render of the program is one cell at the start of each note at most.

    There its voices begin with the gains of the note before.
    """
    frames = min(ours.shape[1], dry.shape[1]) // CELL * CELL
    apart = np.abs(ours[:, :frames] - dry[:, :frames]).reshape(2, -1, CELL).max(axis=(0, 2))
    assert rms_db(dry[:, :frames]) > -60
    starts = len({event.tick for event in read_midi(path).events if event.starts_note})
    return bool((apart > 10 ** ((rms_db(dry[:, :frames]) + within_db) / 20)).sum() <= starts)
