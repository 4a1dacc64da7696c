"""Hosts, most of them not ours, each in a process of its own: `main`, with the arguments HOST JOB.

A job is a folder with `job.json` (the plugin's path and the signals) and the sounds of the signals; the answer is
`answer.json` beside one array for each signal. The host may crash or hang as it likes: it is watched from outside.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from studio.exporting.plugin.ardour import CouldNotAsk, in_ardour
from studio.exporting.plugin.clap_probe import in_clap_probe
from studio.exporting.plugin.lv2_probe import in_lv2_probe
from studio.exporting.plugin.vst3_probe import in_vst3_probe
from studio.floating_point import floating_point_kept

Answer = dict[str, Any]

COULD_NOT_ASK = 75
"""The exit code of a host that failed for reasons of its own."""


def main() -> None:
    """Do a job, with the arguments HOST FOLDER."""
    host, folder = sys.argv[1], Path(sys.argv[2])
    job = json.loads((folder / "job.json").read_text())
    _limit(job["processor_seconds"])
    try:
        with floating_point_kept():
            answer = HOSTS[host](job, folder)
    except CouldNotAsk as reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(COULD_NOT_ASK)
    (folder / "answer.json").write_text(json.dumps(answer))


def _limit(seconds: int) -> None:
    """End this process when it has used so much of a processor's time; Windows has no such limit."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))


def _in_pedalboard(job: Answer, folder: Path) -> Answer:
    from importlib.metadata import version

    from pedalboard import VST3Plugin

    def load() -> Any:
        return VST3Plugin(job["plugin"])

    plugin = load()
    answer: Answer = {
        "host": f"pedalboard {version('pedalboard')}",
        "name": plugin.name,
        "vendor": plugin.manufacturer_name,
        "version": plugin.version,
        "parameters": [_pedalboard_parameter(parameter) for parameter in plugin._parameters],
        "state": _pedalboard_state(load),
        "signals": [],
    }
    for index, signal in enumerate(job["signals"]):
        plugin = load()
        out, seconds = _pedalboard_signal(plugin, signal, np.load(folder / signal["sound"]))
        np.save(folder / f"{index}.npy", out)
        answer["signals"].append({"latency": plugin.reported_latency_samples, "seconds": seconds})
    return answer


def _pedalboard_signal(plugin: Any, signal: Answer, sound: Any) -> tuple[Any, list[float]]:
    """The signal, aligned by the latency that the plugin reports, and how long each block took."""
    moves = [*signal["moves"], (len(sound[0]), [])]
    out, seconds = [], []
    for (frame, positions), (stop, _) in pairwise(moves):
        for parameter, position in zip(plugin._parameters, positions, strict=False):
            parameter.raw_value = position
        step = signal["block"] if signal["times"] else max(stop - frame, 1)
        for start in range(frame, stop, step):
            piece = sound[:, start : min(start + step, stop)]
            before = time.perf_counter()
            out.append(plugin.process(piece, signal["rate"], buffer_size=signal["block"], reset=False))
            seconds.append(time.perf_counter() - before)
    latency = plugin.reported_latency_samples
    silence = np.zeros((len(sound), latency), np.float32)
    if latency:
        # Without a reset it gives the sound as it comes: what is late is our part.
        out.append(plugin.process(silence, signal["rate"], buffer_size=signal["block"], reset=False))
    return np.concatenate(out, axis=1)[:, latency:], seconds if signal["times"] else []


def _pedalboard_parameter(parameter: Any) -> Answer:
    texts = [parameter.get_text_for_raw_value(position) for position in (0.0, 0.5, 1.0)]
    return {"name": parameter.name, "unit": parameter.label, "texts": texts, "default": parameter.raw_value}


def _pedalboard_state(load: Callable[[], Any]) -> bool:
    """Whether parameters come back from a saved state."""
    one, other = load(), load()
    wanted = np.random.default_rng(3).random(len(one._parameters), np.float32).round(3).tolist()
    for parameter, position in zip(one._parameters, wanted, strict=True):
        # The choice of a preset moves all the others.
        if parameter.name != "Preset":
            parameter.raw_value = round(position) if parameter.num_steps == 2 else position
    before = [parameter.raw_value for parameter in one._parameters]
    one.process(np.zeros((2, 512), np.float32), 44_100)
    other.raw_state = one.raw_state
    back = [parameter.raw_value for parameter in other._parameters]
    return bool(np.allclose(before, back, atol=1e-6))


def _in_dawdreamer(job: Answer, folder: Path) -> Answer:
    from importlib.metadata import version

    import dawdreamer

    answer: Answer = {"host": f"dawdreamer {version('dawdreamer')}", "signals": []}
    for index, signal in enumerate(job["signals"]):
        engine = dawdreamer.RenderEngine(signal["rate"], signal["block"])
        engine.set_bpm(signal["tempo"][0][1])
        plugin = engine.make_plugin_processor("plugin", job["plugin"])
        sound = np.load(folder / signal["sound"])
        [(_, positions)] = signal["moves"]
        for parameter, position in enumerate(positions):
            plugin.set_parameter(parameter, position)
        if not index:
            described = plugin.get_parameters_description()
            answer["parameters"] = [
                {"name": each["name"], "unit": each["label"], "texts": [each["min"], None, each["max"]]}
                for each in described
            ]
        latency = plugin.get_latency_samples()
        padded = np.pad(sound, ((0, 0), (0, latency + signal["block"])))
        engine.load_graph([(engine.make_playback_processor("sound", padded), []), (plugin, ["sound"])])
        wanted = sound.shape[1] + latency
        engine.render((wanted + signal["block"]) / signal["rate"])
        # It does not take up latency: what it measures is in the sound.
        np.save(folder / f"{index}.npy", engine.get_audio()[:, :wanted])
        answer["signals"].append({"latency": latency, "seconds": []})
    return answer


def _in_lv2apply(job: Answer, folder: Path) -> Answer:
    """lilv's own host: it runs blocks of its own size, turns nothing while it plays, and takes up no latency."""
    import os
    import subprocess

    import soundfile

    plugin = Path(job["plugin"])
    environment = {**os.environ, "LV2_PATH": str(plugin.parent)}
    said = subprocess.run(["lv2apply", "--version"], capture_output=True, text=True, check=False).stdout.split()
    info = subprocess.run(
        ["lv2info", job["uris"][0]], capture_output=True, text=True, check=True, env=environment
    ).stdout
    read = [_lv2_parameter(info, symbol) for symbol in job["symbols"]]
    answer: Answer = {"host": f"lv2apply {said[1] if len(said) > 1 else ''}".strip(), "parameters": read, "signals": []}
    for index, signal in enumerate(job["signals"]):
        sound = np.load(folder / signal["sound"])
        uri = job["uris"][0 if len(sound) == 2 else 1]
        if signal["beside"]:
            # Its audio inputs are fed in the order of their ports.
            sound = np.concatenate([sound, np.load(folder / signal["beside"])])
        before, after = folder / f"{index}-in.wav", folder / f"{index}-out.wav"
        padded = np.pad(sound, ((0, 0), (0, job["padding"])))
        soundfile.write(before, padded.T, signal["rate"], subtype="FLOAT", format="WAV")
        [(_, values)] = signal["moves"]
        turned = [word for pair in zip(job["symbols"], values, strict=True) for word in ("-c", pair[0], repr(pair[1]))]
        subprocess.run(
            ["lv2apply", "-i", str(before), "-o", str(after), *turned, uri],
            check=True, capture_output=True, env=environment,
        )  # fmt: skip
        out, _ = soundfile.read(after, dtype="float32", always_2d=True)
        np.save(folder / f"{index}.npy", out.T)
        answer["signals"].append({"latency": None, "seconds": []})
    return answer


def _lv2_parameter(info: str, symbol: str) -> Answer:
    """What lv2info says of one control."""
    [port] = [part for part in info.split("\tPort ")[1:] if f"Symbol:      {symbol}\n" in part]
    found = dict(re.findall(r"(Name|Minimum|Maximum|Default):\s+(.*)", port))
    return {"name": found["Name"], "texts": [found["Minimum"], None, found["Maximum"]]}


HOSTS: dict[str, Callable[[Answer, Path], Answer]] = {
    "pedalboard": _in_pedalboard,
    "dawdreamer": _in_dawdreamer,
    "lv2apply": _in_lv2apply,
    "ardour": in_ardour,
    "clap_probe": in_clap_probe,
    "lv2_probe": in_lv2_probe,
    "vst3_probe": in_vst3_probe,
}
