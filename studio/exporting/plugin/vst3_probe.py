"""Our own VST3 host playing what is verified: it tells tempo, meter and position, and feeds side-chains."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from studio.hosting import vst3_abi as abi
from studio.hosting.contract import Transport
from studio.hosting.vst3_host import Vst3


def in_vst3_probe(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play the signals of a job, as the other hosts do."""
    path = Path(job["plugin"])
    first = Vst3(path)
    answer: dict[str, Any] = {
        "host": "our own VST3 host",
        "name": first.about.name,
        "parameters": [
            {"name": raw.title, "unit": raw.label, "texts": [raw.text(position) for position in (0.0, 0.5, 1.0)]}
            for raw in first.parameters()
        ],
        "state": _comes_back(path),
        "signals": [],
    }
    for index, signal in enumerate(job["signals"]):
        sound, beside = (np.load(folder / signal[role]) if signal[role] else None for role in ("sound", "beside"))
        plugin = Vst3(path)
        np.save(folder / f"{index}.npy", _played(plugin, signal, sound, beside))
        answer["signals"].append({"latency": plugin.latency, "seconds": []})
        plugin.close()
    return answer


def transport_at(signal: Mapping[str, Any], frame: int) -> Transport:
    """Where the song of a signal is at a frame, which begins at its first."""
    quarters, bpm = 0.0, 120.0
    for (start, now), (then, _) in pairwise([*signal["tempo"], (frame + 1, 0.0)]):
        if start <= frame:
            bpm = now
            quarters += (min(then, frame) - start) / signal["rate"] * now / 60
    numerator, denominator = signal["meter"]
    bar = 4.0 * numerator / denominator
    return Transport(frame, quarters, quarters // bar * bar, bpm, numerator, denominator)


def _played(plugin: Vst3, signal: dict[str, Any], sound: Any, beside: Any) -> Any:
    """The signal, in blocks of its size, aligned by the latency that the plugin reports."""
    moves, block = dict(signal["moves"]), signal["block"]
    plugin.prepare(signal["rate"], mono=len(sound) == 1)
    given = sound if beside is None else np.concatenate([sound, beside])
    given = np.pad(given, ((0, 0), (0, plugin.latency)))
    out = []
    for start in range(0, given.shape[1], block):
        for index, position in enumerate(moves.get(start, ())):
            plugin.turn(index, position)
        out.append(plugin.process(given[:, start : start + block], transport_at(signal, start)))
    return np.concatenate(out, axis=1)


def _comes_back(path: Path) -> bool:
    """Whether parameters come back from a saved state."""
    one, other = Vst3(path), Vst3(path)
    random = np.random.default_rng(3)
    wanted = {}
    for raw in one.parameters():
        if one.controls[raw.index].flags & abi.PROGRAM_CHANGE:
            continue  # it moves all the others
        position = random.random()
        wanted[raw.index] = round(position * (raw.steps - 1)) / (raw.steps - 1) if raw.steps else position
        one.turn(raw.index, wanted[raw.index])
    one.prepare(44_100)
    one.process(np.zeros((one.about.inputs + one.about.sides, 512), np.float32), None)
    other.load_state(one.state())
    return all(abs(other.position(other.controls[index].id) - position) < 1e-6 for index, position in wanted.items())


def play_events(path: Path, events: Sequence[tuple[int, bytes]], rate: int, frames: int, block: int = 333) -> Any:
    """An instrument's sound: `events` are messages of MIDI at their frames."""
    plugin, out = Vst3(path), []
    plugin.prepare(rate)
    for start in range(0, frames + plugin.latency, block):
        due = [(frame - start, message) for frame, message in events if start <= frame < start + block]
        out.append(plugin.play(due, block, None))
    plugin.close()
    return np.concatenate(out, axis=1)[:, :frames]
