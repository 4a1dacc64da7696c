"""How long it takes before anything happens."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.table import Row, alternating, show, spread

ROUNDS = 10


def main() -> None:
    python, studio = sys.executable, str(Path(sys.executable).parent / "studio")
    commands = {
        "import studio": [python, "-c", "import studio"],
        "studio --help": [studio, "--help"],
        "import pedalboard": [python, "-c", "import pedalboard"],
        "import pretty_midi": [python, "-c", "import pretty_midi"],
        "python alone": [python, "-c", "pass"],
    }
    works = {
        name: (lambda words=words: subprocess.run(words, capture_output=True, check=True))
        for name, words in commands.items()
    }
    times = alternating(ROUNDS, **works)
    targets = {"import studio": 0.25, "studio --help": 0.5}
    rows = []
    for name, taken in times.items():
        most = targets.get(name)
        met = None if most is None else statistics.median(taken) < most
        rows.append(Row(name, spread(taken), f"< {most} s" if most else "", met))
    show(f"Start, {ROUNDS} fresh processes each", rows)


if __name__ == "__main__":
    main()
