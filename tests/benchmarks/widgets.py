"""From a hand on a knob to new sound in the ear, in a real JupyterLab; and what a page of stems costs a browser."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page

from studio import render
from studio.audiofile import probe
from studio.recipe import Recipe
from studio.rendering.player.page import write_player
from tests.benchmarks.table import Row, show
from tests.songs import band_file
from tests.widgets.lab import LISTEN, browser, served

MOVES = 60
CELL = """
import studio, widgets
from pathlib import Path
from tests.songs import band_file
band_file(Path("loop.mid"), seconds=16, parts=3)
loop = studio.Recipe.loads("{score: loop.mid, length: 8 bars, tracks: {all: {part: all}}}")
sound = studio.render(loop).mix
desk = widgets.rack(["chorus", {"lowpass": "4 kHz"}, {"echo": {"time": "1/8"}}, {"reverb": {"wet": 0.3}}], sound)
desk
"""
MINUTES, STEMS = 10, 12


def main() -> None:
    with tempfile.TemporaryDirectory() as home, browser() as chrome:
        rows: list[Row] = []
        for nodelay in (True, False):
            rows += _drag(chrome, Path(home) / f"lab-{nodelay}", nodelay)
        show(f"A knob of four effects on a loop of eight bars, {MOVES} moves of the mouse", rows)
        show(f"A page of {STEMS} stems of {MINUTES} minutes", _page(chrome, Path(home)))


def _drag(chrome: Browser, home: Path, nodelay: bool) -> list[Row]:
    with served(home, nodelay=nodelay) as lab:
        page = chrome.new_page(viewport={"width": 1280, "height": 1000})
        lab.write("drag", [CELL])
        lab.open(page, "drag")
        rack = page.locator(".mx-rack")
        play = rack.get_by_role("button", name="Play")
        play.wait_for(timeout=60_000)
        page.wait_for_function("[...__mirepoixDesks.values()][0].deck.frames > 0", timeout=60_000)
        page.evaluate(
            f"({LISTEN})(); window.__moves = []; addEventListener('pointermove', () => __moves.push(performance.now()), true);"
        )
        rack.get_by_role("button", name="Loop").click()
        play.click()
        page.wait_for_timeout(2000)
        times = [_move(page, step) for step in _hand(page, rack)]
        page.close()
    kept = [each for each in times if each is not None][5:]
    what = "with the server extension" if nodelay else "Jupyter as it comes"
    whole = statistics.median(each["whole"] for each in kept)
    ours = statistics.median(each["python"] + each["deck"] for each in kept)
    rows = [
        Row(f"{what}: move to new sound", _spread(kept, "whole"), "< 150 ms" if nodelay else "", whole < 150 if nodelay else None),
        Row("– of it ours: Python and deck", f"{ours:.0f} ms", "< 60 ms" if nodelay else "", ours < 60 if nodelay else None),
    ]  # fmt: skip
    words = {
        "event": "move to message, at most one a picture",
        "wire": "Jupyter: there and back, and waiting for the kernel",
        "python": "Python: plan, compute, encode",
        "deck": "decode, schedule, crossfade",
    }
    return rows + [Row(f"– {word}", _spread(kept, part)) for part, word in words.items()]


def _hand(page: Page, rack: Any) -> Any:
    """A hand on the knob: every step is a movement of the mouse."""
    knob = rack.get_by_role("slider", name="cutoff")
    knob.scroll_into_view_if_needed()
    box = knob.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    for step in range(MOVES):
        page.wait_for_timeout(110)
        yield lambda step=step: page.mouse.move(x, y + 4 + 2 * (step % 30))
    page.mouse.up()


def _move(page: Page, step: Any) -> dict[str, float] | None:
    """One movement, and when its sound was heard; None when a later one overtook it."""
    before = page.evaluate("[__moves.length, __pieces.length, __heard.length]")
    step()
    try:
        page.wait_for_function(
            """([moves, pieces, heard]) => __moves.length > moves && __heard.slice(heard).some((each) => each.version % 2 === 0)""",
            arg=before, timeout=2000, polling=5,
        )  # fmt: skip
    except Exception:
        return None
    found = page.evaluate(
        """([moves, pieces, heard]) => {
          const first = __heard.slice(heard).find((each) => each.version % 2 === 0);
          const piece = __pieces.slice(pieces).find((each) => each.version === first.version);
          return piece && { move: __moves[moves], asked: piece.asked, took: piece.took, came: piece.at, heard: first.at };
        }""",
        before,
    )
    if not found or found["asked"] < found["move"]:
        return None
    return {
        "whole": found["heard"] - found["move"],
        "event": found["asked"] - found["move"],
        "wire": found["came"] - found["asked"] - found["took"],
        "python": found["took"],
        "deck": found["heard"] - found["came"],
    }


def _spread(times: list[dict[str, float]], part: str) -> str:
    values = sorted(each[part] for each in times)
    return f"{statistics.median(values):.0f} ms ({values[0]:.0f}–{values[int(len(values) * 0.95) - 1]:.0f})"


def _page(chrome: Browser, home: Path) -> list[Row]:
    folder = home / "song"
    folder.mkdir()
    band_file(folder / "loop.mid", seconds=20, parts=4)
    tracks = "\n".join(
        f"  stem {n}: {{part: {{channel: {1 + n % 3}}}, chain: [{{repeat: {{times: {MINUTES * 3}}}}}], pan: {n / 12 - 0.5:.2f}}}"
        for n in range(STEMS)
    )
    song = Recipe.loads(f"score: loop.mid\nlength: {MINUTES * 60} s\ntracks:\n{tracks}", folder)
    render(song, folder / "out", report=False)
    start = time.perf_counter()
    path = write_player(folder / "out")
    written = time.perf_counter() - start
    rows = [
        Row(
            "writing it",
            f"{written:.0f} s, {path.stat().st_size / 1e6:.0f} MB, {probe(folder / 'out' / 'mix.wav')[2] / 44_100:.0f} s of sound",
        )
    ]
    opened = []
    for _ in range(3):
        page = chrome.new_page()
        idle = _memory()
        start = time.perf_counter()
        page.goto(path.as_uri(), wait_until="commit")
        page.get_by_role("button", name="Play").wait_for()
        page.wait_for_function("globalThis.player?.deck.tracks[0].reel.pieces.length > 0", polling=10)
        opened.append(time.perf_counter() - start)
        page.get_by_role("button", name="Play").click()
        page.get_by_role("button", name="Mute stem 3").click()
        page.wait_for_timeout(12_000)
        assert page.evaluate("player.deck.peak(1)") > 0
        used = _memory() - idle
        page.close()
    middle = statistics.median(opened)
    rows.append(Row("open, until it can be played", f"{middle:.2f} s", "< 2 s", middle < 2))
    rows.append(Row("memory of the page after 12 s of all stems", f"{used / 1e6:.0f} MB", "< 300 MB", used < 300e6))
    return rows


def _memory() -> float:
    """What all processes of the browser hold, shared pages counted once."""
    total = 0
    for process in psutil.Process().children(recursive=True):
        try:
            if "chrom" in process.name():
                total += process.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


if __name__ == "__main__":
    main()
