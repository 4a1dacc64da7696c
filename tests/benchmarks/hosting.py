"""Other people's plugins: every one on this machine, what isolation costs, and that nothing is left behind."""

from __future__ import annotations

import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import StudioError
from studio.hosting import catalogue
from studio.hosting.plugin import Plugin
from studio.hosting.pool import POOL
from studio.score import NOTE_OFF, NOTE_ON, Event, Score
from studio.steps import parse_step
from tests.benchmarks.table import Row, alternating, seconds, show, spread
from tests.listening import null_db, peak_db, rms_db, through, white

STAGE = RenderContext(folder=Path(tempfile.mkdtemp(prefix="mirepoix-hosting-")))
PLAIN = "/usr/lib/vst3/ZamCompX2.vst3"
CUTS = tuple(range(8192, 44_100 * 300, 8192))


def main() -> None:
    os.environ["STUDIO_CACHE"] = str(STAGE.folder / "cache")
    everything()
    costs()
    leftovers()
    together()
    POOL.close()


def everything() -> None:
    """Ten seconds through every plugin there is."""
    began = time.perf_counter()
    found = list(catalogue.list_plugins())
    catalogue.scan_plugins(found)
    first = time.perf_counter() - began
    again = seconds(lambda: list(catalogue.list_plugins()))
    print("\nTen seconds of noise, or of a chord, through every plugin on the machine\n")
    print("| plugin | format | kind | in/out | latency | level | × real time | |\n| --- |" + " --- |" * 7)
    good = 0
    for each in found:
        path = each.path
        try:
            row = _ten_seconds(f"{path}#{each.inner}" if each.inner else str(path))
            good += 1
        except StudioError as error:
            row = f"| {each.name} | {path.suffix[1:]} |  |  |  |  |  | {error.cause.split(chr(10))[0][:160]} |"
        print(row.replace("\n", " "))
    show(
        "Looking at them",
        [
            Row("plugins that give sane sound", f"{good} of {len(found)}, the others with their reason"),
            Row("first scan", f"{first:.0f} s"),
            Row("scan of an unchanged machine", f"{again:.2f} s", "instant", again < 1),
        ],
    )


def _ten_seconds(file: str) -> str:
    known = catalogue.describe_plugin(file)
    step, about, path = Plugin.parse({"file": file}), known.about, known.path
    began = time.perf_counter()
    if about.instrument:
        events = [Event(0, bytes((NOTE_ON << 4, pitch, 100))) for pitch in (48, 60, 64, 67)]
        events += [Event(9600, bytes((NOTE_OFF << 4, pitch, 64))) for pitch in (48, 60, 64, 67)]
        out = np.concatenate(list(step.play(Score(tuple(events), 480, end=9600), STAGE)), axis=1)
    else:
        out = through(step, white(10.0), STAGE, CUTS, tail=known.reported_latency + 8192)
    speed = 10 / (time.perf_counter() - began)
    notes = [] if known.measured.repeats else ["differs from render to render"]
    assert np.all(np.isfinite(out)) and peak_db(out) < 60
    return (
        f"| {about.name} | {path.suffix[1:]} | {known.kind} | {about.inputs}{f'+{about.sides}' if about.sides else ''}/"
        f"{about.outputs} | {known.reported_latency} | {rms_db(out):.1f} dB | {speed:.0f} | {'; '.join(notes)} |"
    )


def costs() -> None:
    """The same plugin in a process of its own and in ours."""
    import pedalboard

    step, long, short = Plugin.parse({"file": PLAIN, "threshold": -30}), white(180.0), white(1.0)
    theirs = pedalboard.load_plugin(PLAIN)
    theirs.threshold_db = -30.0

    def in_process(sound: Block) -> Callable[[], object]:
        def work() -> None:
            theirs.reset()
            for start in range(0, sound.shape[1], 8192):
                theirs.process(sound[:, start : start + 8192], 44_100, buffer_size=8192, reset=False)

        return work

    times = alternating(
        7, ours=lambda: _isolated(step, long), chain=lambda: through(step, long, STAGE, CUTS), theirs=in_process(long)
    )
    cost = statistics.median(times["ours"]) / statistics.median(times["theirs"]) - 1
    previews = alternating(60, ours=lambda: _preview(step, short), theirs=in_process(short))
    extra = 1000 * (statistics.median(previews["ours"]) - statistics.median(previews["theirs"]))
    show(
        "What a process of its own costs (ZamCompX2)",
        [
            Row("three minutes, isolated", spread(times["ours"])),
            Row("three minutes, as a step of a chain, with its grid and checks", spread(times["chain"])),
            Row("three minutes, pedalboard in this process", spread(times["theirs"])),
            Row("cost of isolation", f"{100 * cost:.1f} %", "≤ 15 %", cost <= 0.15),
            Row("a second's preview on a warm plugin, on top of pedalboard", f"{extra:.1f} ms", "≤ 3 ms", extra <= 3),
        ],
    )


def _isolated(step: Plugin, sound: Block) -> None:
    performance = step.perform(catalogue.describe_plugin(step.file), STAGE)
    for start in range(0, sound.shape[1], 8192):
        performance.hand_over(sound[:, start : start + 8192], None, (), ())
    performance.catch_up()
    performance.leave()


def _preview(step: Plugin, sound: Block) -> None:
    performance = step.perform(catalogue.describe_plugin(step.file), STAGE)
    performance.process(sound, None, (), ())
    performance.leave()


def leftovers() -> None:
    """A thousand renders in a row."""
    step, sound = Plugin.parse({"file": PLAIN}), white(0.05)
    counts = []
    for number in range(1000):
        through(step, sound, STAGE)
        if number in (100, 999):
            own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            worker = _worker_memory()
            counts.append((len(list(Path("/proc/self/fd").iterdir())), own, worker))
    (files, own, worker), (files_later, own_later, worker_later) = counts
    show(
        "A thousand renders in a row, the last against the hundredth",
        [
            Row("open files", f"{files} → {files_later}", "equal", files == files_later),
            Row("memory here", f"{own:.1f} → {own_later:.1f} MB", "+ 1 MB", own_later - own < 1),
            Row("memory of the plugin's process", f"{worker:.1f} → {worker_later:.1f} MB", "+ 1 MB",
                worker_later - worker < 1),
        ],
    )  # fmt: skip


def _worker_memory() -> float:
    own, most = os.getpid(), 0.0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            facts = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        except OSError:
            continue
        if int(facts["PPid"]) == own and "VmRSS" in facts:
            most = max(most, int(facts["VmRSS"].split()[0]) / 1024)
    return most


def together() -> None:
    """Two branches whose plugins have different latency, against their ideal sum."""
    sound = white(2.0, level=0.01)
    chains = [[{"plugin": {"file": "ZaMaximX2"}}], [{"plugin": {"file": "/usr/lib/vst/3BandEQ-vst.so"}}], []]
    step = parse_step({"layers": {"chains": chains}})
    out = through(step, sound, STAGE, CUTS, tail=8192)[:, : sound.shape[1]]  # type: ignore[arg-type]
    ideal = 3 * sound
    show(
        "Three branches of 480, 0 and 0 frames of latency against their ideal sum",
        [Row("null", f"{null_db(out, ideal):.0f} dB", "< -90 dB", null_db(out, ideal) < -90)],
    )
