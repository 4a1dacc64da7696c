"""An exported instrument played by other people's programs, against what the recipe makes of the same notes."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Block
from studio.exporting.instrument.distance import Distance, distance
from studio.exporting.instrument.phrase import RATE, Phrase, original, phrase, rendered
from studio.exporting.plugin.design import Design
from studio.processes import python_command
from studio.typed import present

GATES = Distance(level_db=2.0, mel_db=4.0, onset_ms=15.0, pitch_cents=12.0, envelope_db=1.0)
"""An instrument further from its recipe is not handed over, unless its recipe is as far from itself."""

LATER = 0.37
"""Seconds by which the notes are moved to see how far the recipe is from itself: a chorus or a breath never comes twice."""

PATIENCE = 240.0


@dataclass(frozen=True)
class InstrumentHost:
    """A program that plays instruments: `chains` if the chain is in what it plays, `crosses` if it knows all velocities."""

    name: str
    needs: str
    install: str
    chains: bool = True
    crosses: bool = True

    @property
    def there(self) -> bool:
        """Whether it is on this machine."""
        return bool(find_spec(self.needs) or shutil.which(self.needs))


HOSTS = {
    "vst3": (
        InstrumentHost("pedalboard", "pedalboard", "pip install pedalboard"),
        InstrumentHost("dawdreamer", "dawdreamer", "pip install dawdreamer"),
    ),
    "clap": (InstrumentHost("clap_probe", "ctypes", ""),),
    "lv2": (InstrumentHost("lv2_probe", "lv2apply", "apt install lilv-utils"),),
    "sfz": (InstrumentHost("polyphone", "polyphone", "apt install polyphone", chains=False, crosses=False),),
}


@dataclass(frozen=True)
class Heard:
    """What hosts made of an instrument: how far each is from the recipe, and what is wrong, in sentences.

    `own` is how far the recipe is from itself, when it plays the same a little later.
    """

    distances: dict[str, Distance]
    own: Distance | None
    said: dict[str, dict[str, Any]]
    failures: tuple[str, ...]
    skipped: tuple[str, ...]
    sounds: dict[str, Block] = field(default_factory=dict, repr=False, compare=False)


def verify(design: Design, path: Path, format: str, held: float) -> Heard:
    """Play an instrument in every host there is for its format."""
    there = [host for host in HOSTS[format] if host.there]
    skipped = [f"{host.name} is not installed: {host.install}" for host in HOSTS[format] if not host.there]
    sampled, playing = present(design.sampled), present(design.target.playing)
    keys = sorted({zone.span.key for zone in sampled.zones})
    failures: list[str] = []
    distances: dict[str, Distance] = {}
    said: dict[str, dict[str, Any]] = {}
    sounds: dict[str, Block] = {}
    with tempfile.TemporaryDirectory(prefix="studio-verify-") as room, ThreadPoolExecutor() as pool:
        jobs = {}
        for host in there:
            velocities = sampled.velocities if host.crosses else sampled.velocities[-1:]
            notes = phrase(keys, velocities, playing.drums, held)
            if not host.crosses:
                notes = _loudest(notes, sampled.velocities[-1])
            jobs[host] = notes, pool.submit(_ask, host.name, design, path, notes, Path(room, host.name))
        known: dict[Phrase, Block] = {}
        own: Distance | None = None
        for host, (notes, job) in jobs.items():
            wanted = known.get(notes)
            if wanted is None:
                wanted = known[notes] = original(design, notes)
                single = [(tone.start, tone.end) for tone in notes.single]
                moved = notes.moved[0].start if notes.moved else None
                own = distance(original(design, notes, LATER), wanted, RATE, single, moved)
            answer, out = job.result()
            if "late" in answer:
                answer, out = _ask(host.name, design, path, notes, Path(room, f"{host.name}-again"), 2 * PATIENCE)
            if "late" in answer:
                skipped.append(answer["late"])
                continue
            if "failure" in answer:
                failures.append(answer["failure"])
                continue
            if not host.chains:
                out = rendered(design, out)
            name = str(answer.pop("host"))
            found = distance(out, wanted, RATE, [(tone.start, tone.end) for tone in notes.single], moved)
            distances[name], said[name] = found, answer
            sounds |= {f"{name}": out, "the recipe": wanted} if not sounds else {}
            failures += [f"in {name} {words}" for words in _wrong(found, present(own))]
    return Heard(distances, own, said, tuple(failures), tuple(skipped), sounds)


def _loudest(notes: Phrase, velocity: int) -> Phrase:
    single, together = (tuple(_with(tone, velocity) for tone in tones) for tones in (notes.single, notes.together))
    return Phrase(single, together, notes.seconds)


def _with(tone: Any, velocity: int) -> Any:
    from dataclasses import replace

    return replace(tone, velocity=velocity)


def _wrong(found: Distance, own: Distance) -> list[str]:
    words = []
    if abs(found.level_db) > GATES.level_db:
        words.append(f"it is {found.level_db:+.1f} dB off in level")
    if found.mel_db > max(GATES.mel_db, 1.5 + 1.25 * own.mel_db):
        words.append(f"its mel bands are {found.mel_db:.1f} dB off")
    if found.onset_ms > max(GATES.onset_ms, 1.25 * own.onset_ms):
        words.append(f"a note begins {found.onset_ms:.1f} ms off")
    if found.pitch_cents > max(GATES.pitch_cents, 1.25 * own.pitch_cents):
        words.append(f"a note is {found.pitch_cents:.1f} cents off")
    if found.envelope_db > max(GATES.envelope_db, 0.5 + 1.25 * own.envelope_db):
        words.append(f"controllers, pressure and bend leave its level {found.envelope_db:.1f} dB off")
    return words


def _ask(
    host: str, design: Design, path: Path, notes: Phrase, folder: Path, patience: float = PATIENCE
) -> tuple[dict[str, Any], Block]:
    """What a host answers; ``{"failure": …}`` when it crashed or refused, ``{"late": …}`` when it gave no answer."""
    folder.mkdir()
    messages = [(time, message.hex()) for time, message in notes.messages]
    job = {
        "plugin": str(path.resolve()), "uri": design.uri, "messages": messages, "rate": RATE, "frames": notes.frames,
    }  # fmt: skip
    (folder / "job.json").write_text(json.dumps(job))
    command = python_command("from studio.exporting.instrument.hosts import main; main()", host, str(folder))
    nothing = np.zeros((2, notes.frames), np.float32)
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return {"late": f"{host} could not be asked: it gave no answer in {patience:.0f} s"}, nothing
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"]
        return {"failure": f"{host} could not play it: {lines[-1][:300]}"}, nothing
    out = np.load(folder / "out.npy")
    out = np.pad(out, ((0, 0), (0, max(0, notes.frames - out.shape[1]))))[:, : notes.frames]
    return json.loads((folder / "answer.json").read_text()), out
