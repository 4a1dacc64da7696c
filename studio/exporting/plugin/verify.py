"""A plugin played by other people's hosts, against the render of its recipe."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.effect_chain import EffectChain
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.takes import Take, places, reference, sound, takes
from studio.exporting.plugin.turtle import uris
from studio.levels import decibels
from studio.processes import python_command

GATE_DB = -90.0
"""A plugin that differs from its recipe by more is not handed over."""

PATIENCE = 120.0
"""Seconds a host may take for all it is asked."""

_SILENT = 1e-12
_PADDING = 65_536
_FEW = ("noise",)


@dataclass(frozen=True)
class Played:
    """One take in one host: `null_db` is the difference's level against that of the render."""

    host: str
    take: str
    rate: int
    block: int
    null_db: float

    @property
    def passed(self) -> bool:
        return self.null_db <= GATE_DB


@dataclass(frozen=True)
class Verdict:
    """All that hosts found out about a plugin; `failures` says in sentences what is wrong."""

    played: tuple[Played, ...]
    parameters: tuple[dict[str, Any], ...]
    hosts: tuple[str, ...]
    latency: dict[str, int | None]
    state_restored: bool
    cpu: dict[str, float]
    failures: tuple[str, ...]
    unasked: tuple[str, ...]
    sounds: dict[str, Block] = field(default_factory=dict, repr=False, compare=False)

    @property
    def worst_db(self) -> float:
        return max((each.null_db for each in self.played), default=0.0)


@dataclass(frozen=True)
class Host:
    """A program that plays plugins: `aligns` if it takes up latency, `turns` if parameters can move meanwhile,
    `plain` if it keeps them in their units, `sides` if it has something for the side-chain,
    `few` if every take is slow, `cuts` if it always runs so many frames at once."""

    name: str
    needs: str
    install: str
    turns: bool = False
    mono: bool = False
    aligns: bool = False
    plain: bool = False
    sides: bool = False
    few: bool = False
    cuts: int = 0

    @property
    def there(self) -> bool:
        return bool(find_spec(self.needs) or shutil.which(self.needs))


HOSTS = {
    "vst3": (
        Host("pedalboard", "pedalboard", "pip install pedalboard", turns=True, mono=True, aligns=True),
        Host("dawdreamer", "dawdreamer", "pip install dawdreamer"),
    ),
    "lv2": (
        Host("lv2apply", "lv2apply", "apt install lilv-utils", mono=True, plain=True, sides=True, cuts=1),
        Host("ardour", "ardour7-lua", "apt install ardour", aligns=True, plain=True, few=True),
    ),
    "clap": (Host("clap_probe", "ctypes", "", turns=True, aligns=True, sides=True),),
}


def verify(design: Design, plugin: Path, format: str) -> Verdict:
    """Play a plugin in every host there is for its format."""
    there = [host for host in HOSTS[format] if host.there]
    unasked = tuple(f"{host.name} is not installed: {host.install}" for host in HOSTS[format] if not host.there)
    if design.tempo or design.side:
        # Ardour tells the beat in steps of 1/1920, and has nothing for a side-chain.
        left = [host for host in there if host.few]
        unasked += tuple(f"{host.name} was not asked: the chain follows the beat or listens to a side" for host in left)
        there = [host for host in there if not host.few]
    if design.side and not any(host.sides for host in there):
        unasked += ("the side-chain was not heard: none of these hosts can feed it",)
    jobs = {host.name: list(_asked(design, host)) for host in there}
    with tempfile.TemporaryDirectory(prefix="studio-verify-") as folder, ThreadPoolExecutor() as pool:
        running = {
            name: pool.submit(_host, name, design, plugin, asked, Path(folder, name)) for name, asked in jobs.items()
        }
        renders = {take: reference(design, take) for asked in jobs.values() for take in asked}
        answers = {name: job.result() for name, job in running.items()}
    return _judge(design, there, jobs, answers, renders, unasked)


def _asked(design: Design, host: Host) -> Iterator[Take]:
    for take in takes(design, moving=host.turns):
        able = (host.mono or take.channels == 2) and (not host.cuts or take.block == 512)
        if able and (not host.few or take.name in _FEW):
            yield replace(
                take,
                plain=host.plain,
                block=host.cuts or take.block,
                beside="drums" if host.sides and design.side else "",
            )
    if host.name == "pedalboard":
        yield _timed(design)


def _timed(design: Design) -> Take:
    """Long enough to say what it costs."""
    still = ((0, places(design.parameters, {})),)
    return Take("timed", "drums", seconds=3.0, moves=still, times=True)


def _host(host: str, design: Design, plugin: Path, asked: Sequence[Take], folder: Path) -> dict[str, Any]:
    """What a host answers; with ``{"failure": …}`` when it crashed, hung or refused."""
    folder.mkdir()
    listed = []
    for take in asked:
        heard = {"sound": take.sound, "beside": take.beside}
        for role, name in heard.items():
            file = folder / f"{name}-{take.rate}-{take.frames}-{take.channels}.npy"
            if name and not file.exists():
                np.save(file, sound(name, take.rate, take.frames, take.channels))
            heard[role] = file.name if name else ""
        moves = [
            (frame, [take.value(p, where[p.index]) for p in design.parameters] if take.plain else where)
            for frame, where in take.block_moves
        ]
        listed.append(asdict(take) | heard | {"moves": moves})
    job = {
        "plugin": str(plugin), "takes": listed, "bpm": design.target.bpm, "padding": _PADDING,
        "uris": [uri for uri, _ in uris(design)], "symbols": [parameter.symbol for parameter in design.parameters],
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    command = python_command("from studio.exporting.plugin.hosts import main; main()", host, str(folder))
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return {"failure": f"{host} did not answer in {PATIENCE:.0f} s"}
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return {"failure": f"{host} could not play it: {said[-1][:300]}"}
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    answer["sounds"] = [np.load(folder / f"{index}.npy") for index in range(len(asked))]
    return answer


def _judge(
    design: Design,
    hosts: Sequence[Host],
    jobs: dict[str, list[Take]],
    answers: dict[str, dict[str, Any]],
    renders: dict[Take, Block],
    unasked: tuple[str, ...],
) -> Verdict:
    failures = [answer["failure"] for answer in answers.values() if "failure" in answer]
    played: list[Played] = []
    latency: dict[str, int | None] = {}
    heard = {name: answer for name, answer in answers.items() if "failure" not in answer}
    for host in hosts:
        if host.name not in heard:
            continue
        late: dict[int, int] = {}
        for take, out, said in zip(jobs[host.name], heard[host.name]["sounds"], heard[host.name]["takes"], strict=True):
            render = renders[take]
            if not host.aligns and take.channels == 2 and take.rate not in late:
                # The first sound at every rate is noise, which tells.
                late[take.rate] = lag(out, render)
                latency = latency or {"reported": said["latency"], "measured": late[take.rate]}
                if said["latency"] not in (None, late[take.rate]):
                    failures.append(f"it comes {late[take.rate]} frames late and reports {said['latency']}")
            first = late.get(take.rate, 0)
            null = null_db(out[:, first : first + take.frames], render)
            played.append(Played(host.name, take.name, take.rate, take.block, null))
    failures += [
        f"{each.take} in {each.host}: {each.null_db:.1f} dB against the render" for each in played if not each.passed
    ]
    parameters = _parameters(design, heard, failures)
    restored = all(answer.get("state", True) for answer in heard.values())
    if not restored:
        failures.append("its state does not come back")
    return Verdict(
        tuple(played), parameters, tuple(answer["host"] for answer in heard.values()), latency, restored,
        _cpu(design, heard), tuple(failures), unasked, _pictured(jobs, heard, renders),
    )  # fmt: skip


def _pictured(
    jobs: dict[str, list[Take]], heard: dict[str, dict[str, Any]], renders: dict[Take, Block]
) -> dict[str, Block]:
    """The sweep, as a host plays it and as the recipe renders it."""
    for host, answer in heard.items():
        for take, out in zip(jobs[host], answer["sounds"], strict=True):
            if take.name == "sweep":
                return {f"sweep, {answer['host']}": out, "sweep, the recipe": renders[take]}
    return {}


def null_db(out: Block, render: Block) -> float:
    """The level of the difference against that of the render, or of full scale when the render is silent."""
    if out.shape != render.shape or not np.isfinite(out).all():
        return float("inf")
    difference = float(np.std(out.astype(np.float64) - render))
    level = float(np.std(render.astype(np.float64)))
    return max(decibels(difference / level if level > _SILENT else difference), -400.0)


def lag(out: Block, render: Block) -> int:
    """By how many frames one comes after the other, by their correlation."""
    from scipy.signal import correlate

    frames: int = render.shape[1]
    alike = np.abs(np.asarray(correlate(out[0], render[0], "full", "fft")))
    return int(np.argmax(alike)) - (frames - 1)


def _parameters(design: Design, heard: dict[str, dict[str, Any]], failures: list[str]) -> tuple[dict[str, Any], ...]:
    """What hosts read of each parameter, beside what it should be."""
    rows = []
    for parameter in design.parameters:
        low, high = parameter.ends
        unit = parameter.number.unit.symbol
        row = {
            "name": parameter.name, "unit": unit, "low": low, "high": high, "default": parameter.initial,
            "taper": parameter.number.taper, "help": parameter.number.help, "id": parameter.id,
        }  # fmt: skip
        for host, answer in heard.items():
            read = answer["parameters"][parameter.index] if parameter.index < len(answer["parameters"]) else {}
            row[host] = read
            middle = parameter.number.at(0.5)
            right = read.get("name") == parameter.name and read.get("unit", unit) == unit
            for text, value in zip(read.get("texts", ()), (low, middle, high), strict=False):
                right = right and (text is None or _says(text, value))
            if not right:
                failures.append(f"{host} reads the knob {parameter.name!r} as {read}")
        rows.append(row)
    return tuple(rows)


def _says(text: str, value: float) -> bool:
    """Whether a displayed number means `value`, to three digits."""
    try:
        number = float(text.split()[0])
    except (ValueError, IndexError):
        return False
    return abs(number - value) <= max(2e-3 * abs(value), 5e-5)


def _cpu(design: Design, heard: dict[str, dict[str, Any]]) -> dict[str, float]:
    """What a second of stereo at 44.1 kHz costs, in blocks of 512, beside the same chain in Python."""
    timed = [take for take in heard.get("pedalboard", {}).get("takes", ()) if take["seconds"]]
    if not timed:
        return {}
    take = _timed(design)
    given = sound(take.sound, take.rate, take.frames, 2)
    line = EffectChain(design.chain({}), design.context)
    before = time.perf_counter()
    for start in range(0, take.frames, take.block):
        line.push(given[:, start : start + take.block])
    render = time.perf_counter() - before
    blocks = np.array(timed[0]["seconds"])
    return {
        "percent": round(100 * float(blocks.sum()) / take.seconds, 3),
        "block_ms": round(1000 * float(np.median(blocks)), 4),
        "worst_block_ms": round(1000 * float(blocks.max()), 4),
        "render_percent": round(100 * render / take.seconds, 3),
    }
