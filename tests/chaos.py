"""Chaos for maintainers: renders that are killed, crowded, starved and set to other clocks; `python -m tests.chaos` (Linux).

    python -m tests.chaos --times 1000 --page out/chaos.md [TRIAL …]

Every trial renders one small song in processes of its own, again and again. A render has to give the same bits as the first,
or to be refused by name; what it leaves in its folder and in the cache has to be whole. What came of it is printed as a page.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import studio
from studio.cli import main as command
from studio.midi import write_midi
from tests.songs import band

SONG = {
    "recipe": 1, "score": "band.mid", "length": "1.5 s", "buses": {"room": {"chain": ["reverb"]}}, "master": {"loudness": -16},
    "tracks": {
        "keys": {"part": "all", "chain": [{"eq": {"low_cut": 80}}, "chorus"], "send": {"room": -12}},
        "hiss": {"play": {"noise": {"length": "1 s"}}, "chain": ["reverse", {"delay": {"time": "50 ms"}}], "volume": [["0 s", -30], ["1 s", -12]]},
    },
}  # fmt: skip
FILES = ("mix.wav", "stems/keys.wav", "stems/hiss.wav", "buses/room.wav")
_PATIENCE = 600
"""Seconds after which a render hangs, on however busy a machine."""

WORDS = ("render", "song.yaml", "-o", "out", "--no-report")


@dataclass
class Trial:
    """What came of one kind of harm.

    Attributes:
        harm: what was done, in a phrase.
        ends: how often what came of it.
        bad: what must not be, in words.
    """

    harm: str
    ends: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)


class Desk:
    """A folder with a song in it, and the bits that it has to give."""

    def __init__(self, room: Path, seed: int) -> None:
        self.room, self.luck = room, random.Random(seed)
        self._said: dict[int, int] = {}
        self.folder = room / "desk"
        self.folder.mkdir()
        write_midi(band(2, 3), self.folder / "band.mid")
        (self.folder / "song.yaml").write_text(json.dumps(SONG))
        os.chdir(self.folder)
        self.said = ""
        started = time.monotonic()
        assert self.end(self.start(lambda: None, room / "first")) == 0
        self.seconds = time.monotonic() - started
        self.whole = self.bits()

    def start(self, harm: Callable[[], object], cache: Path, *words: str, folder: Path | None = None) -> int:
        """A render in a process of its own, which `harm` is done to first; its number."""
        said, saying = os.pipe()
        number = os.fork()
        if number:
            os.close(saying)
            self._said[number] = said
            return number
        try:
            os.chdir(folder or self.folder)
            os.environ["STUDIO_CACHE"] = str(cache)
            signal.alarm(_PATIENCE)  # What hangs is ended, and told as such.
            os.dup2(saying, 1)
            os.dup2(saying, 2)
            harm()
            command([*WORDS, *words], standalone_mode=True)
        except SystemExit as end:
            os._exit(end.code if isinstance(end.code, int) else 1)
        except BaseException:
            os._exit(99)
        os._exit(0)

    def end(self, number: int) -> int:
        """Wait for a render, whose words `said` keeps; its exit code, or minus the signal that ended it."""
        with os.fdopen(self._said.pop(number), "rb") as words:
            self.said = words.read().decode("utf-8", "replace")
        return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])

    def bits(self, folder: Path | None = None) -> str:
        """A hash of every file it wrote."""
        out = (folder or self.folder) / "out"
        return hashlib.sha256(
            b"".join(hashlib.sha256((out / name).read_bytes()).digest() for name in FILES)
        ).hexdigest()

    def judge(self, trial: Trial, code: int, folder: Path | None = None) -> None:
        """Take a render that has ended into the account of a trial."""
        said = self.said
        if code == 0 and self.bits(folder) == self.whole:
            trial.ends["the same bits"] += 1
        elif code == 1 and "error: " in said and "Traceback" not in said:
            trial.ends["refused by name"] += 1
        else:
            trial.bad.append(f"exit {code}: {said.strip()[-200:] or 'other bits'}")

    def fresh(self) -> None:
        """No output from before."""
        shutil.rmtree(self.folder / "out", ignore_errors=True)

    def check_whole(self, trial: Trial, cache: Path) -> None:
        """Whatever the last renders left: what is there is whole, and the next render is as the first."""
        self.judge(trial, self.end(self.start(lambda: None, cache)))
        left = [
            path for path in (self.folder / "out").rglob("*") if path.suffix == ".part" or path.name.startswith(".")
        ]
        if left:
            trial.bad.append(f"{left[0].name} is left behind")


def kills(desk: Desk, times: int) -> Trial:
    """SIGKILL at a random moment; every tenth time the next render goes to its end and is looked at."""
    trial, cache = Trial(f"killed at random moments of {desk.seconds:.1f} s"), desk.room / "killed"
    for turn in range(times):
        if turn % 10 == 0:
            desk.fresh()
            shutil.rmtree(cache, ignore_errors=True)
        number = desk.start(lambda: None, cache)
        time.sleep(desk.luck.uniform(0, desk.seconds))
        os.kill(number, signal.SIGKILL)
        trial.ends["killed" if desk.end(number) < 0 else "done before"] += 1
        for name in FILES:
            path = desk.folder / "out" / name
            if path.exists() and subprocess.run(["cmp", "-s", path, _reference(desk) / name], check=False).returncode:
                trial.bad.append(f"{name} is half written")
        if turn % 10 == 9:
            desk.check_whole(trial, cache)
    return trial


def _reference(desk: Desk) -> Path:
    """The files of the first render, kept apart."""
    kept = desk.room / "reference"
    if not kept.exists():
        desk.fresh()
        assert desk.end(desk.start(lambda: None, desk.room / "first")) == 0
        shutil.copytree(desk.folder / "out", kept)
    return kept


def crowd(desk: Desk, times: int) -> Trial:
    """Eight processes at once on a cache of 2 MB, which all of them fill and prune."""
    trial, cache = Trial("8 at once on a cache of 2 MB"), desk.room / "crowd"
    folders = [desk.room / f"desk {number}" for number in range(8)]
    for folder in folders:
        shutil.copytree(desk.folder, folder, ignore=shutil.ignore_patterns("out"))
    for _ in range(-(-times // 8)):
        running = [
            (folder, desk.start(lambda: os.environ.update(STUDIO_CACHE_BYTES="2000000"), cache, folder=folder))
            for folder in folders
        ]
        for folder, number in running:
            desk.judge(trial, desk.end(number), folder)
            shutil.rmtree(folder / "out", ignore_errors=True)
    if trial.ends["refused by name"]:
        trial.bad.append(f"{trial.ends['refused by name']} were refused")
    return trial


def _limited(desk: Desk, times: int, harm: str, draw: Callable[[random.Random], Callable[[], object]]) -> Trial:
    trial, cache = Trial(harm), desk.room / f"limited {harm[:8]}"
    for turn in range(times):
        desk.fresh()
        shutil.rmtree(cache, ignore_errors=True)
        desk.judge(trial, desk.end(desk.start(draw(desk.luck), cache)))
        if turn % 10 == 9:
            desk.check_whole(trial, cache)
    return trial


def disks(desk: Desk, times: int) -> Trial:
    """No file can grow beyond a random size, as on a disk that fills up."""

    def draw(luck: random.Random) -> Callable[[], object]:
        most = int(10 ** luck.uniform(2, 6))
        return lambda: (
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        )

    return _limited(desk, times, "files of 100 bytes to 1 MB at most", draw)


def handles(desk: Desk, times: int) -> Trial:
    """Few open files are allowed."""

    def draw(luck: random.Random) -> Callable[[], object]:
        most = luck.randint(8, 64)
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    return _limited(desk, times, "8 to 64 open files", draw)


def memories(desk: Desk, times: int) -> Trial:
    """Little address space is allowed."""

    def draw(luck: random.Random) -> Callable[[], object]:
        most = int(luck.uniform(0.2e9, 4e9))
        return lambda: resource.setrlimit(resource.RLIMIT_AS, (most, most))

    return _limited(desk, times, "200 MB to 4 GB of address space", draw)


def clocks(desk: Desk, times: int) -> Trial:
    """The clock stands somewhere between 1971 and 2103, and files of the cache bear any date."""
    trial, cache = Trial("clocks and dates between 1971 and 2103"), desk.room / "clocks"
    for _ in range(times):
        shift = desk.luck.uniform(-55, 77) * 365 * 86_400
        for path in [*cache.glob("*")] if cache.exists() else []:
            when = desk.luck.uniform(3e7, 4.2e9)
            os.utime(path, (when, when))

        def jump(shift: float = shift) -> None:
            now = time.time
            time.time = lambda: now() + shift

        desk.judge(trial, desk.end(desk.start(jump, cache)))
    if trial.ends["refused by name"]:
        trial.bad.append("a clock is no reason to refuse")
    return trial


def ways(desk: Desk, times: int) -> Trial:
    """The same song with other workers, blocks, caches, locales, time zones, hash seeds, limits and libraries in memory."""
    trial = Trial("workers 1–9, blocks 1–1,000,000, caches, locales, hash seeds, libraries")
    short = json.loads((desk.folder / "song.yaml").read_text()) | {"length": "0.3 s"}
    (desk.folder / "short.yaml").write_text(json.dumps(short))
    seen: dict[str, list[str]] = {}
    for turn in range(times):
        luck = desk.luck
        block = luck.choice([1, 63, 64, 65, 127, 8_191, 8_192, 65_536, 1_000_000, int(10 ** luck.uniform(1, 6))])
        workers, warm = luck.randint(1, 9), luck.random() < 0.3
        libraries = luck.sample(
            ["torch", "librosa", "scipy.signal", "pedalboard", "parselmouth", "numba", "dawdreamer"], luck.randint(0, 3)
        )
        language = luck.choice(["C", "C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8", "POSIX"])
        program = (
            f"import hashlib\n{''.join(f'import {name}{chr(10)}' for name in libraries)}import studio\nfrom studio.engine import Cache\n"
            f"studio.render('short.yaml', 'way', cache={'Cache()' if warm else 'False'}, workers={workers}, block={block}, report=False)\n"
        )  # fmt: skip
        shutil.rmtree(desk.folder / "way", ignore_errors=True)
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=desk.folder, capture_output=True, text=True, check=False,
            env=os.environ | {
                "LC_ALL": language, "LANG": language, "TZ": luck.choice(["UTC", "Asia/Kathmandu", "America/St_Johns"]), "PYTHONHASHSEED": str(turn),
                "OMP_NUM_THREADS": str(luck.randint(1, 4)), "STUDIO_CACHE": str(desk.room / "ways"),
            },
        )  # fmt: skip
        what = f"block {block}, {workers} workers, {language}, {'+'.join(libraries) or 'nothing else'}{', warm' if warm else ''}"
        if done.returncode:
            trial.bad.append(f"{what}: {done.stderr[-300:]}")
            continue
        digest = hashlib.sha256(b"".join((desk.folder / "way" / name).read_bytes() for name in FILES)).hexdigest()
        seen.setdefault(digest, []).append(what)
        trial.ends["the same bits" if len(seen) == 1 else "other bits"] += 1
    for others in list(seen.values())[1:]:
        trial.bad.append(f"other bits: {others[0]}")
    return trial


def many(desk: Desk, times: int) -> Trial:
    """Renders in one process, whose memory and open files are looked at on the way."""
    trial = Trial("in one process")
    tiny = studio.Recipe.parse(
        {"recipe": 1, "length": "50 ms", "tracks": {"a": {"play": {"noise": {"length": "50 ms"}}, "chain": ["chorus"]}}}
    )
    sizes, handles = [], []
    for turn in range(times):
        studio.render(tiny, cache=False, workers=2)
        if turn in (times // 10, times // 2, times - 1):
            pages = int(Path("/proc/self/statm").read_text().split()[1])
            sizes.append(pages * resource.getpagesize() / 1e6)
            handles.append(len(list(Path("/proc/self/fd").iterdir())))
    trial.ends[
        f"{', '.join(f'{size:.0f}' for size in sizes)} MB after a tenth, half and all; {handles[-1]} open files"
    ] += times
    if sizes[-1] > sizes[0] + 10 or handles[-1] > handles[0] + 2:
        trial.bad.append("it grows")
    return trial


TRIALS = {each.__name__: each for each in (kills, crowd, disks, handles, memories, clocks, ways, many)}


def main() -> int:
    """Run the trials that are named, or all, and print a page of results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("trials", nargs="*", metavar="TRIAL", help=f"of {', '.join(TRIALS)}; all if none is named")
    parser.add_argument("--times", type=int, default=50, help="of each")
    parser.add_argument("--seed", type=int, default=14, help="of chance")
    parser.add_argument("--page", type=Path, help="write the page here too")
    asked = parser.parse_args()
    lines, bad = ["| harm | renders | what came of it | what must not be |", "| --- | --- | --- | --- |"], 0
    print(*lines, sep="\n")
    for name in asked.trials or TRIALS:
        with tempfile.TemporaryDirectory(prefix="chaos-") as room:
            here = Path.cwd()
            trial = TRIALS[name](Desk(Path(room), asked.seed), asked.times)
            os.chdir(here)
        came = ", ".join(f"{count:,} {end}" for end, count in trial.ends.most_common())
        wrong = (
            "; ".join(f"{count}× {text}" for text, count in Counter(trial.bad).most_common(3)).replace("\n", " ") or "0"
        )
        lines.append(f"| {name}: {trial.harm} | {asked.times:,} | {came} | {wrong} |")
        print(lines[-1], flush=True)
        bad += len(trial.bad)
    if asked.page:
        asked.page.parent.mkdir(parents=True, exist_ok=True)
        asked.page.write_text("\n".join(lines) + "\n", "utf-8")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
