"""Our own LV2 host playing what is verified: it tells tempo, meter and position, plays notes and moves controls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio.exporting.plugin.vst3_probe import transport_at
from studio.hosting.lv2_host import Lv2


def in_lv2_probe(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play the signals of a job, as the other hosts do."""
    bundle, symbols = Path(job["plugin"]), job["symbols"]
    first = Lv2(bundle, job["uris"][0])
    ports = {port.symbol: port for port in first.ports}
    answer: dict[str, Any] = {
        "host": "our own LV2 host", "name": first.about.name, "signals": [],
        "parameters": [
            {"name": port.name, "texts": [str(port.low), None, str(port.high)]}
            for port in (ports[symbol] for symbol in symbols)
        ],
    }  # fmt: skip
    for index, signal in enumerate(job["signals"]):
        sound = np.load(folder / signal["sound"])
        beside = np.load(folder / signal["beside"]) if signal["beside"] else None
        plugin = Lv2(bundle, job["uris"][0 if len(sound) == 2 else 1])
        given = sound if beside is None else np.concatenate([sound, beside])
        np.save(folder / f"{index}.npy", _played(plugin, signal, given, symbols))
        answer["signals"].append({"latency": plugin.latency, "seconds": []})
        plugin.close()
    return answer


def _played(plugin: Lv2, signal: Mapping[str, Any], given: Any, symbols: Sequence[str]) -> Any:
    """The signal, in blocks of its size, aligned by the latency that the plugin reports."""
    moves, block, out = dict(signal["moves"]), signal["block"], []
    # Before, so that it begins at rest where its controls are.
    for symbol, value in zip(symbols, moves.get(0, ()), strict=False):
        plugin.turn_to(symbol, value)
    plugin.prepare(signal["rate"])
    given = np.pad(given, ((0, 0), (0, plugin.latency)))
    for start in range(0, given.shape[1], block):
        for symbol, value in zip(symbols, moves.get(start, ()), strict=False):
            plugin.turn_to(symbol, value)
        out.append(plugin.process(given[:, start : start + block], transport_at(signal, start)))
    return np.concatenate(out, axis=1)


def play_events(bundle: Path, uri: str, events: Sequence[tuple[int, bytes]], rate: int, frames: int, block: int) -> Any:
    """An instrument's sound: `events` are messages of MIDI at their frames."""
    plugin, out = Lv2(bundle, uri), []
    plugin.prepare(rate)
    for start in range(0, frames + plugin.latency, block):
        due = [(frame - start, message) for frame, message in events if start <= frame < start + block]
        out.append(plugin.play(due, block, None))
    plugin.close()
    return np.concatenate(out, axis=1)[:, :frames]
