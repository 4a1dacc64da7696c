"""Where the time of a song goes: `python -m tests.benchmarks.flame [FILE.svg]` draws a flame graph of a cold render.

All threads are looked at every few milliseconds; one that waits for others is left out, so widths are work, not patience. What
runs in C stands under the line of Python that called it.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from types import FrameType

import studio
from studio.midi import write_midi
from tests.benchmarks.song import PARTS, SONG_SECONDS, recipe
from tests.benchmarks.table import Row, show
from tests.songs import band

PERIOD = 0.004
"""Seconds between two looks."""

_WAITING = {
    "wait",
    "wait_for",
    "acquire",
    "_wait_for_tstate_lock",
    "_worker",
    "_next",
    "get",
    "select",
    "join",
    "sleep",
}
_WIDTH, _LINE = 1_400, 17

Stack = tuple[str, ...]


class Sampler(threading.Thread):
    """Counts the stacks of all other threads until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.stacks: Counter[Stack] = Counter()
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(PERIOD):
            for thread, frame in sys._current_frames().items():
                if thread != self.ident and frame.f_code.co_name not in _WAITING:
                    self.stacks[tuple(_names(frame))[::-1]] += 1

    def stop(self) -> None:
        self._over.set()
        self.join()


def _names(frame: FrameType | None) -> Iterator[str]:
    while frame is not None:
        code = frame.f_code
        yield f"{Path(code.co_filename).stem}.{code.co_qualname}"
        frame = frame.f_back


def draw(stacks: Counter[Stack], path: Path) -> None:
    """The flame graph as SVG: callers at the bottom; a title on each box tells its share."""
    total = sum(stacks.values())
    boxes: list[tuple[int, float, float, str]] = []
    rows = [(0, 0.0, stacks)]
    while rows:
        depth, left, level = rows.pop()
        groups: dict[str, Counter[Stack]] = {}
        for stack, count in level.items():
            if stack:
                groups.setdefault(stack[0], Counter())[stack[1:]] += count
        for name, inner in sorted(groups.items()):
            width = sum(inner.values()) / total
            if width > 0.001:
                boxes.append((depth, left, width, name))
                rows.append((depth + 1, left, inner))
            left += width
    height = (max(box[0] for box in boxes) + 2) * _LINE
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" font-family="sans-serif">']
    for depth, left, width, name in boxes:
        x, y, wide = left * _WIDTH, height - (depth + 1) * _LINE, width * _WIDTH
        text = name[: int(wide / 6.5)]
        color = f"hsl({sum(name.encode()) % 55}, 80%, 65%)"
        lines.append(
            f'<g><title>{escape(name)} · {width:.1%}</title><rect x="{x:.1f}" y="{y}" width="{wide:.1f}" height="{_LINE - 1}"'
            f' fill="{color}"/><text x="{x + 2:.1f}" y="{y + 12}" font-size="11">{escape(text)}</text></g>'
        )
    path.write_text("\n".join([*lines, "</svg>"]), encoding="utf-8")


def main() -> None:
    drawing = (
        Path(sys.argv[1]) if sys.argv[1:] and sys.argv[1].endswith(".svg") else Path(tempfile.gettempdir()) / "song.svg"
    )
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        os.environ["STUDIO_CACHE"] = str(folder / "cache")
        write_midi(band(SONG_SECONDS, PARTS), folder / "song.mid")
        song = recipe(folder)
        sampler, before, began = Sampler(), time.process_time(), time.perf_counter()
        sampler.start()
        studio.render(song, folder / "out")
        sampler.stop()
        cpu, wall = time.process_time() - before, time.perf_counter() - began
        kept = sum(path.stat().st_size for path in (folder / "cache").rglob("*.f32"))
        written = sum(path.stat().st_size for path in (folder / "out").rglob("*") if path.is_file())
    draw(sampler.stacks, drawing)
    total = sum(sampler.stacks.values())
    own: Counter[str] = Counter()
    below: Counter[str] = Counter()
    for stack, count in sampler.stacks.items():
        own[stack[-1]] += count
        below.update(dict.fromkeys(stack, count))
    rows = [Row(f"in {name}", f"{count / total:.1%}") for name, count in own.most_common(16)]
    rows += [Row(f"in and under {name}", f"{count / total:.1%}") for name, count in below.most_common(40)]
    rows += [Row("kept in the cache", f"{kept / 1e6:,.0f} MB"), Row("files", f"{written / 1e6:,.0f} MB")]
    show(
        f"A cold render with files and report: {cpu:.1f} s of processor in {wall:.1f} s, load {os.getloadavg()[0]:.1f}",
        rows,
    )
    print(f"\n{drawing}")


if __name__ == "__main__":
    main()
