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
from typing import Any, Literal

import numpy as np

from studio.audio import Block
from studio.effect_chain import EffectChain
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.hosts import COULD_NOT_ASK
from studio.exporting.plugin.signals import (
    GATE_DB,
    TestSignal,
    knob_positions,
    moves_by_itself,
    null_db,
    reference,
    signals,
    sound,
    timed_signals,
)
from studio.exporting.plugin.turtle import uris
from studio.processes import python_command

PROCESSOR_SECONDS = 120
"""Seconds of a processor's time that a host may use for all it is asked: who needs more runs without end."""

PATIENCE = 300.0
"""Seconds until a host that has not used those counts as not asked; twice that when it is asked again, alone."""

_PADDING = 65_536
_OUT_OF_TIME = 24
"""The number of the signal SIGXCPU."""

_FEW = ("noise",)


@dataclass(frozen=True)
class Played:
    """One signal in one host: `null_db` is the difference's level against that of the render."""

    host: str
    signal: str
    rate: int
    block: int
    null_db: float
    gate_db: float = GATE_DB

    @property
    def passed(self) -> bool:
        """Whether it is the same sound."""
        return self.null_db <= self.gate_db


@dataclass(frozen=True)
class Verdict:
    """All that hosts found out about a plugin.

    Attributes:
        played: every signal in every host, against the render.
        parameters: each as it should be, and as hosts read it.
        hosts: those that answered.
        failures: in sentences, where the plugin is *different* from its recipe.
        skipped: in sentences, what could not be asked, which says nothing about the plugin.
    """

    played: tuple[Played, ...]
    parameters: tuple[dict[str, Any], ...]
    hosts: tuple[str, ...]
    latency: dict[str, int | None]
    state_restored: bool
    cpu: dict[str, float]
    failures: tuple[str, ...]
    skipped: tuple[str, ...]
    sounds: dict[str, Block] = field(default_factory=dict, repr=False, compare=False)

    @property
    def word(self) -> str:
        """*same*, *different*, or *could not be asked*; only what is different is refused."""
        return "different" if self.failures else "same" if self.played else "could not be asked"

    @property
    def worst_db(self) -> float:
        """The loudest difference in any host, in dBFS."""
        return max((each.null_db for each in self.played), default=0.0)


@dataclass(frozen=True)
class CheckingHost:
    """A program that plays plugins: `aligns` if it takes up latency, `turns` if parameters can move meanwhile,
    `plain` if it keeps them in their units, `sides` if it has something for the side-chain,
    `few` if every signal is slow, `fills` if it is asked only for what the others cannot play, `cuts` if it always runs so many frames at once. `tempo` is what it tells of the song:
    all, its bpm in 4/4, or that it is at 120 bpm in 4/4, always."""

    name: str
    needs: str
    install: str
    turns: bool = False
    mono: bool = False
    aligns: bool = False
    plain: bool = False
    sides: bool = False
    few: bool = False
    fills: bool = False
    cuts: int = 0
    tempo: Literal["all", "bpm", "120"] = "all"

    @property
    def there(self) -> bool:
        """Whether it is on this machine."""
        return bool(find_spec(self.needs) or shutil.which(self.needs))


_PROBE: dict[str, Any] = {"turns": True, "aligns": True, "sides": True}

HOSTS = {
    "vst3": (
        CheckingHost(
            "pedalboard", "pedalboard", "pip install pedalboard", turns=True, mono=True, aligns=True, tempo="120"
        ),
        CheckingHost("dawdreamer", "dawdreamer", "pip install dawdreamer", tempo="bpm"),
        CheckingHost("vst3_probe", "ctypes", "", fills=True, mono=True, **_PROBE),
    ),
    "lv2": (
        CheckingHost("lv2apply", "lv2apply", "apt install lilv-utils", mono=True, plain=True, sides=True, cuts=1),
        CheckingHost("lv2_probe", "lv2apply", "apt install lilv-utils", fills=True, mono=True, plain=True, **_PROBE),
        CheckingHost("ardour", "ardour7-lua", "apt install ardour", aligns=True, plain=True, few=True),
    ),
    "clap": (CheckingHost("clap_probe", "ctypes", "", **_PROBE),),
}


def verify(design: Design, plugin: Path, format: str) -> Verdict:
    """Play a plugin in every host there is for its format."""
    there = [host for host in HOSTS[format] if host.there]
    skipped = tuple(f"{host.name} is not installed: {host.install}" for host in HOSTS[format] if not host.there)
    if any(host.few for host in there) and (reason := _not_for_ardour(design)):
        skipped += tuple(f"{host.name} was not asked: {reason}" for host in there if host.few)
        there = [host for host in there if not host.few]
    if design.side and not any(host.sides for host in there):
        skipped += ("the side-chain was not heard: none of these hosts can feed it",)
    jobs = {host.name: list(_asked(design, host, format)) for host in there}
    with tempfile.TemporaryDirectory(prefix="studio-verify-") as folder, ThreadPoolExecutor() as pool:
        running = {
            name: pool.submit(_host, name, design, plugin, asked, Path(folder, name), PATIENCE)
            for name, asked in jobs.items()
        }
        renders = {signal: reference(design, signal) for asked in jobs.values() for signal in asked}
        answers = {name: job.result() for name, job in running.items()}
        for name, answer in answers.items():
            if "late" in answer:
                # With the others done it has the machine for itself.
                again = Path(folder, f"{name}-again")
                answers[name] = _host(name, design, plugin, jobs[name], again, 2 * PATIENCE)
    skipped += tuple(answer["late"] for answer in answers.values() if "late" in answer)
    there = [host for host in there if "late" not in answers[host.name]]
    return _judge(design, there, jobs, {host.name: answers[host.name] for host in there}, renders, skipped)


def _not_for_ardour(design: Design) -> str:
    """Why Ardour cannot say whether a plugin is right; nothing if it can."""
    if design.tempo or design.side:
        return "it tells the beat in steps of 1/1920, and has nothing for a side-chain"
    if moves_by_itself(design):
        return "the chain moves by itself, and Ardour runs plugins before the song begins"
    return ""


def _asked(design: Design, host: CheckingHost, format: str) -> Iterator[TestSignal]:
    for signal in signals(design, moving=host.turns):
        able = (host.mono or signal.channels == 2) and (not host.cuts or signal.block == 512)
        others = (other for other in HOSTS[format] if not other.fills and other.there)
        new = design.side or (len(signal.moves) > 1 and not any(other.turns for other in others))
        if able and (not (host.few or (host.fills and not new)) or signal.name in _FEW):
            yield replace(
                signal,
                plain=host.plain,
                block=host.cuts or signal.block,
                beside="drums" if host.sides and design.side else "",
                **_time(design, host),
            )
    if design.tempo and host.tempo == "all" and host.turns:
        yield from (
            replace(signal, plain=host.plain, beside="drums" if host.sides and design.side else "")
            for signal in timed_signals(design)
        )
    if host.name == "pedalboard":
        yield replace(_timed(design), **_time(design, host))


def _time(design: Design, host: CheckingHost) -> dict[str, Any]:
    """The tempo at which a host plays a chain that follows it."""
    if not design.tempo or host.tempo == "120":
        return {}
    meter = design.target.tempo.meters[0]
    return {"tempo": ((0, design.target.bpm),), "meter": (meter.count, meter.unit) if host.tempo == "all" else (4, 4)}


def _timed(design: Design) -> TestSignal:
    """Long enough to say what it costs."""
    still = ((0, knob_positions(design.parameters, {})),)
    return TestSignal("timed", "drums", seconds=3.0, moves=still, times=True)


def _host(
    host: str, design: Design, plugin: Path, asked: Sequence[TestSignal], folder: Path, patience: float
) -> dict[str, Any]:
    """What a host answers; ``{"failure": …}`` when it crashed or refused, ``{"late": …}`` when it gave no answer."""
    folder.mkdir()
    listed = []
    for signal in asked:
        heard = {"sound": signal.sound, "beside": signal.beside}
        for role, name in heard.items():
            file = folder / f"{name}-{signal.rate}-{signal.frames}-{signal.channels}.npy"
            if name and not file.exists():
                np.save(file, sound(name, signal.rate, signal.frames, signal.channels))
            heard[role] = file.name if name else ""
        moves = [
            (frame, [signal.value(p, where[p.index]) for p in design.parameters] if signal.plain else where)
            for frame, where in signal.block_moves
        ]
        listed.append(asdict(signal) | heard | {"moves": moves})
    job = {
        "plugin": str(plugin.resolve()), "signals": listed, "padding": _PADDING, "processor_seconds": PROCESSOR_SECONDS,
        "uris": [uri for uri, _ in uris(design)], "symbols": [parameter.symbol for parameter in design.parameters],
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    command = python_command("from studio.exporting.plugin.hosts import main; main()", host, str(folder))
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return {"late": f"{host} could not be asked: it gave no answer in {patience:.0f} s"}
    if done.returncode == -_OUT_OF_TIME:
        return {"failure": f"{host} ran for {PROCESSOR_SECONDS} s of processor time without end"}
    if done.returncode == COULD_NOT_ASK:
        return {"late": f"{host} could not be asked: {(done.stderr.strip().splitlines() or [''])[-1][:300]}"}
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return {"failure": f"{host} could not play it: {said[-1][:300]}"}
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text())
    answer["sounds"] = [np.load(folder / f"{index}.npy") for index in range(len(asked))]
    return answer


def _judge(
    design: Design,
    hosts: Sequence[CheckingHost],
    jobs: dict[str, list[TestSignal]],
    answers: dict[str, dict[str, Any]],
    renders: dict[TestSignal, Block],
    skipped: tuple[str, ...],
) -> Verdict:
    failures = [answer["failure"] for answer in answers.values() if "failure" in answer]
    played: list[Played] = []
    latency: dict[str, int | None] = {}
    heard = {name: answer for name, answer in answers.items() if "failure" not in answer}
    for host in hosts:
        if host.name not in heard:
            continue
        late: dict[int, int] = {}
        for signal, out, said in zip(
            jobs[host.name], heard[host.name]["sounds"], heard[host.name]["signals"], strict=True
        ):
            render = renders[signal]
            if not host.aligns and signal.channels == 2 and signal.rate not in late:
                # The first sound at every rate is noise, which tells.
                late[signal.rate] = lag(out, render)
                latency = latency or {"reported": said["latency"], "measured": late[signal.rate]}
                if said["latency"] not in (None, late[signal.rate]):
                    failures.append(f"it comes {late[signal.rate]} frames late and reports {said['latency']}")
            first = late.get(signal.rate, 0)
            null = null_db(out[:, first : first + signal.frames], render)
            played.append(Played(host.name, signal.name, signal.rate, signal.block, null, signal.gate_db))
    failures += [
        f"{each.signal} in {each.host}: {each.null_db:.1f} dB against the render" for each in played if not each.passed
    ]
    parameters = _parameters(design, heard, failures)
    restored = all(answer.get("state", True) for answer in heard.values())
    if not restored:
        failures.append("its state does not come back")
    return Verdict(
        tuple(played), parameters, tuple(answer["host"] for answer in heard.values()), latency, restored,
        _cpu(design, heard), tuple(failures), skipped, _pictured(jobs, heard, renders),
    )  # fmt: skip


def _pictured(
    jobs: dict[str, list[TestSignal]], heard: dict[str, dict[str, Any]], renders: dict[TestSignal, Block]
) -> dict[str, Block]:
    """The sweep, as a host plays it and as the recipe renders it."""
    for host, answer in heard.items():
        for signal, out in zip(jobs[host], answer["sounds"], strict=True):
            if signal.name == "sweep":
                return {f"sweep, {answer['host']}": out, "sweep, the recipe": renders[signal]}
    return {}


def lag(out: Block, render: Block) -> int:
    """By how many frames one comes after the other, by their correlation."""
    from scipy.signal import correlate

    frames: int = render.shape[1]
    alike = np.abs(np.asarray(correlate(out[0], render[0], "full", "fft")))
    return int(np.argmax(alike)) - (frames - 1)


def knobs(design: Design) -> tuple[dict[str, Any], ...]:
    """Each parameter as it should be, as plain data."""
    return tuple(
        {
            "name": parameter.name, "unit": parameter.number.unit.symbol, "low": parameter.ends[0],
            "high": parameter.ends[1], "default": parameter.initial, "taper": parameter.number.taper,
            "help": parameter.number.help, "id": parameter.id, "group": parameter.group,
        }
        for parameter in design.parameters
    )  # fmt: skip


def _parameters(design: Design, heard: dict[str, dict[str, Any]], failures: list[str]) -> tuple[dict[str, Any], ...]:
    """What hosts read of each parameter, beside what it should be."""
    rows = []
    for parameter, row in zip(design.parameters, knobs(design), strict=True):
        low, high = parameter.ends
        unit = parameter.number.unit.symbol
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
    timed = [signal for signal in heard.get("pedalboard", {}).get("signals", ()) if signal["seconds"]]
    if not timed:
        return {}
    signal = _timed(design)
    given = sound(signal.sound, signal.rate, signal.frames, 2)
    line = EffectChain(design.chain({}), design.context)
    before = time.perf_counter()
    for start in range(0, signal.frames, signal.block):
        line.push(given[:, start : start + signal.block])
    render = time.perf_counter() - before
    blocks = np.array(timed[0]["seconds"])
    return {
        "percent": round(100 * float(blocks.sum()) / signal.seconds, 3),
        "block_ms": round(1000 * float(np.median(blocks)), 4),
        "worst_block_ms": round(1000 * float(blocks.max()), 4),
        "render_percent": round(100 * render / signal.seconds, 3),
    }
