"""An hour of stereo through six effects: memory and speed beside bare pedalboard."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile

from tests.benchmarks.table import Row, alternating, show, spread

RATE, MINUTES, ROUNDS = 44_100, 60, 2

OURS = """
import sys
from pathlib import Path
from studio.rendering.apply import apply_file, parse_chain
chain = parse_chain('''[highpass, {compressor: {link: false}}, {low_shelf: {gain: 3}}, chorus, {delay: 0.25 s}, reverb]''')
apply_file(chain, Path(sys.argv[1]), Path(sys.argv[2]))
"""

BARE = """
import sys
import pedalboard
from pedalboard.io import AudioFile
board = pedalboard.Pedalboard([
    pedalboard.HighpassFilter(80), pedalboard.Compressor(-18, 3, 8, 120), pedalboard.LowShelfFilter(150, 3, 0.7071),
    pedalboard.Chorus(), pedalboard.Delay(0.25, 0.35, 0.3), pedalboard.Reverb(0.5, 0.5, 0.25, 0.4, 1.0),
])
with AudioFile(sys.argv[1]) as source, AudioFile(sys.argv[2], "w", source.samplerate, 2, bit_depth=24) as sink:
    while source.tell() < source.frames:
        sink.write(board(source.read(1 << 16), source.samplerate, reset=False))
"""

PEAK = "\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)\n"


def main() -> None:
    folder = Path(tempfile.mkdtemp(prefix="mirepoix-bench-"))
    random = np.random.default_rng(1)
    with soundfile.SoundFile(folder / "hour.wav", "w", RATE, 2, "PCM_16") as file:
        for _ in range(MINUTES):
            file.write((random.standard_normal((60 * RATE, 2)) * 0.1).astype(np.float32))
    peaks: dict[str, list[float]] = {"ours": [], "bare": []}

    def run(name: str, program: str) -> None:
        words = [sys.executable, "-c", program + PEAK, str(folder / "hour.wav"), str(folder / f"{name}.wav")]
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        peaks[name].append(float(done.stdout))

    times = alternating(ROUNDS, bare=lambda: run("bare", BARE), ours=lambda: run("ours", OURS))
    speed = statistics.median(times["bare"]) / statistics.median(times["ours"])
    memory = max(peaks["ours"])
    show(
        f"{MINUTES} minutes of stereo through six effects, file to file",
        [
            Row("bare pedalboard, 65,536 frames a call", spread(times["bare"])),
            Row("studio apply, loudness measured on the way", spread(times["ours"])),
            Row("speed against bare pedalboard", f"{speed:.0%}", "≥ 90%", speed >= 0.9),
            Row("peak memory, bare pedalboard", f"{max(peaks['bare']):.0f} MB"),
            Row("peak memory, studio apply", f"{memory:.0f} MB", "< 400 MB", memory < 400),
        ],
    )


if __name__ == "__main__":
    main()
