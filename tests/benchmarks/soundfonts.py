"""Parts of songs on one SoundFont against one pass of FluidSynth's own program: processor time, and what they add up to.

The songs are made here; `python -m tests.benchmarks.soundfonts FOLDER` takes the MIDI files of a folder as well.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.context import RenderContext
from studio.midi import read_midi, split, together, write_midi
from studio.score import Note, Score
from studio.sources.fluid import version
from studio.sources.fonts import aliases
from studio.sources.soundfont import SoundFont
from tests.benchmarks.table import Row, show
from tests.listening import null_db
from tests.songs import band

RATE, ROUNDS = 44_100, 3


def by_the_program(path: Path) -> float:
    """Processor seconds of one pass of the command line, written as 32-bit floats."""
    words = ["fluidsynth", "-ni", "-q", "-T", "wav", "-O", "float", "-r", str(RATE), "-F", path.with_suffix(".wav")]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([*words, aliases()["gm"].find(), path], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def by_us(score: Score) -> tuple[float, Block]:
    """Processor seconds of the score on one core, and the sound."""
    began = time.process_time()
    blocks = list(SoundFont().play(score, RenderContext(RATE)))
    return time.process_time() - began, np.concatenate(blocks, axis=1)


def sparse(seconds: int, parts: int) -> Score:
    """Each part plays for an eighth of the song, one after the other."""
    whole = band(seconds, parts)
    share = whole.end / parts
    notes = [note for note in whole.notes if int(note.start / share) == note.track]
    return whole.with_notes([Note(*note) for note in notes])


def measure(path: Path) -> tuple[int, float, float, float, float]:
    """How many parts; passes that all of them and that one alone take, seconds of a pass, and what stems are off by in dB."""
    score = read_midi(path)
    parts = split(score)
    passes = statistics.median(by_the_program(path) for _ in range(ROUNDS))
    together_time, whole = min((by_us(together(parts)) for _ in range(ROUNDS)), key=lambda one: one[0])
    total, spent = np.zeros(whole.shape), 0.0
    for part in parts:
        seconds, stem = min((by_us(part.score) for _ in range(ROUNDS)), key=lambda one: one[0])
        spent += seconds
        frames = min(stem.shape[1], total.shape[1])
        total[:, :frames] += stem[:, :frames]
    # The ends of tails are where each is cut.
    last = round(float(score.tempo.second_at(score.beat(score.end))) * RATE)
    return len(parts), spent / passes, together_time / passes, passes, null_db(total[:, :last], whole[:, :last])


def main() -> None:
    with tempfile.TemporaryDirectory() as made:
        songs = {"made, 8 parts, dense, 180 s": band(180, 8), "made, 8 parts, sparse, 180 s": sparse(180, 8)}
        paths = {}
        for index, (name, score) in enumerate(songs.items()):
            paths[name] = Path(made) / f"{index}.mid"
            write_midi(score, paths[name])
        for folder in sys.argv[1:]:
            paths |= {path.stem: path for path in sorted(Path(folder).rglob("*.mid"))}
        rows, worst = list[Row](), -400.0
        for name, path in paths.items():
            parts, ours, alone, seconds, apart = measure(path)
            worst = max(worst, apart)
            figure = f"{ours:.2f} passes of {seconds:.2f} s; as one {alone:.2f}; stems {apart:.0f} dB"
            rows.append(Row(f"{name}: {parts} parts", figure, "≤ 1.5; < -120 dB", ours <= 1.5 and apart < -120))
        rows.append(Row("stems against the whole, at worst", f"{worst:.1f} dB", "< -120 dB", worst < -120))
        load = os.getloadavg()[0]
        show(f"FluidSynth {version()}, one core; {os.cpu_count()} cores, load {load:.1f}", rows)


if __name__ == "__main__":
    main()
