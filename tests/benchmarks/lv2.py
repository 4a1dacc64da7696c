"""Every LV2 plugin on this machine through the `plugin` step: which give sane sound, and why the others do not.

``python -m tests.benchmarks lv2``; `make bench-packages` installs some hundred more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from studio.errors import StudioError
from studio.hosting import catalogue
from studio.hosting.description import Description
from studio.hosting.performance import Performance
from studio.hosting.pool import Pool
from studio.hosting.song_position import song_positions
from studio.hosting.workers import LOADING, Worker
from studio.tempo import TempoMap
from tests.benchmarks.table import Row, show
from tests.listening import white

RATE, SECONDS = 44_100, 3
NOTES = (36, 38, 42, 48, 60, 69)
"""Drums lie low, melodies high."""


def main() -> None:
    """Print what does not sound, and how many do."""
    report([each for each in catalogue.list_plugins() if each.path.suffix == ".lv2"])


def report(found: Sequence[catalogue.Found]) -> None:
    """Go through some plugins."""
    counts: Counter[str] = Counter()
    with ThreadPoolExecutor(2) as pool:
        for each, said in zip(found, pool.map(outcome, found), strict=True):
            counts[said if said in ("sound", "no audio output") else "silent" if said == "silent" else "failed"] += 1
            if said not in ("sound", "no audio output"):
                print(f"- {each.name} ({each.path.name}): {said}", flush=True)
    audible = len(found) - counts["no audio output"]
    share = counts["sound"] / max(1, audible)
    rows = [
        Row("plugins", str(len(found))),
        Row("without an output of audio (MIDI, CV)", str(counts["no audio output"])),
    ]
    rows += [Row("sane sound, of those that have one", f"{100 * share:.1f} %", "≥ 95 %", share >= 0.95)]
    rows += [Row("silent as they are first loaded", str(counts["silent"])), Row("failed", str(counts["failed"]))]
    show("LV2 plugins in recipes", rows)


def outcome(found: catalogue.Found) -> str:
    """``sound``, ``silent``, ``no audio output``, or why it fails."""
    worker = Worker(found.path, "lv2", found.inner)
    try:
        answer = worker.ask({"do": "describe", "taken": catalogue.OWN_WORDS}, LOADING)
        known = Description.answered(found.path, "lv2", found.inner, answer, "")
        worker.close()
        peak = _peak(known)
    except StudioError as error:
        plain = re.sub(r"\s+", " ", error.cause)
        return "no audio output" if "no output of audio" in plain else plain[:160]
    finally:
        worker.close()
    return "sound" if peak > 1e-6 else "silent"


def _peak(known: Description) -> float:
    """How loud it is for three seconds of noise, or of notes."""
    performance = Performance(known, RATE, 2, {}, pool=Pool(idle=0))
    song = song_positions(TempoMap.constant(120), 0, SECONDS * RATE, RATE)
    try:
        if known.about.instrument:
            events = [(index * 8000, bytes((0x90, note, 100))) for index, note in enumerate(NOTES)]
            out = np.concatenate(list(performance.play(events, SECONDS * RATE, song)), axis=1)
        else:
            sound = white(float(SECONDS))
            sides = np.repeat(sound[:1], known.about.sides, axis=0) if known.about.sides else None
            out = performance.process(sound, sides, (), song)
    finally:
        performance.leave()
    return float(np.abs(out).max(initial=0.0))
