"""Programs that are not ours playing an instrument, each in a process of its own: `main`, with the arguments HOST JOB.

A job is a folder with `job.json`: the plugin, or for SFZ the file, and MIDI as (seconds, message in hexadecimal). The
answer is `answer.json` beside `out.npy`.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.floating_point import floating_point_kept

Sound = tuple[str, NDArray[np.float32], dict[str, Any]]


def main() -> None:
    """Do a job, with the arguments HOST FOLDER."""
    host, folder = sys.argv[1], Path(sys.argv[2])
    job = json.loads((folder / "job.json").read_text())
    with floating_point_kept():
        name, out, said = HOSTS[host](job, folder)
    np.save(folder / "out.npy", out[:, : job["frames"]])
    (folder / "answer.json").write_text(json.dumps({"host": name, **said}))


def _in_pedalboard(job: dict[str, Any], folder: Path) -> Sound:
    import time
    from importlib.metadata import version

    from mido import Message
    from pedalboard import VST3Plugin

    plugin = VST3Plugin(job["plugin"])
    messages = [Message.from_bytes(bytes.fromhex(data), time=time) for time, data in job["messages"]]
    seconds = (job["frames"] + plugin.reported_latency_samples) / job["rate"]
    before = time.perf_counter()
    out = plugin(messages, seconds, job["rate"], num_channels=2, buffer_size=512)
    percent = 100 * (time.perf_counter() - before) / seconds
    said = {"instrument": plugin.is_instrument, "name": plugin.name, "cpu_percent": round(percent, 2)}
    return f"pedalboard {version('pedalboard')}", out[:, plugin.reported_latency_samples :], said


def _in_dawdreamer(job: dict[str, Any], folder: Path) -> Sound:
    from importlib.metadata import version

    import dawdreamer

    engine = dawdreamer.RenderEngine(job["rate"], 512)
    plugin = engine.make_plugin_processor("plugin", job["plugin"])
    plugin.load_midi(str(_file(job, folder)), beats=False)
    late = plugin.get_latency_samples()
    engine.load_graph([(plugin, [])])
    engine.render((job["frames"] + late + 512) / job["rate"])
    return f"dawdreamer {version('dawdreamer')}", engine.get_audio()[:, late:], {}


def _file(job: dict[str, Any], folder: Path) -> Path:
    """The messages as a file of MIDI, at 120 bpm."""
    from studio.midi.files import write_midi
    from studio.score import Event, Score

    events = [Event(round(time * 19_200), bytes.fromhex(data)) for time, data in job["messages"]]
    write_midi(Score(tuple(events), 9600), folder / "phrase.mid")
    return folder / "phrase.mid"


def _frames(job: dict[str, Any]) -> list[tuple[int, bytes]]:
    return [(round(time * job["rate"]), bytes.fromhex(data)) for time, data in job["messages"]]


def _in_clap_probe(job: dict[str, Any], folder: Path) -> Sound:
    from studio.exporting.plugin.clap_probe import play_events

    return "our own CLAP probe", play_events(Path(job["plugin"]), _frames(job), job["rate"], job["frames"]), {}


def _in_lv2_probe(job: dict[str, Any], folder: Path) -> Sound:
    from studio.exporting.plugin.lv2_probe import play_events

    out = play_events(Path(job["plugin"]), job["uri"], _frames(job), job["rate"], job["frames"], 333)
    return "our own LV2 host", out, {}


def _in_polyphone(job: dict[str, Any], folder: Path) -> Sound:
    """SFZ made into a SoundFont by Polyphone, and played by FluidSynth, without its reverb and chorus.

    FluidSynth plays full scale at half its gain; here it is as loud as it was sampled.
    """
    import os

    from studio.context import RenderContext
    from studio.score import Event, Score
    from studio.sources.fluid import DEFAULT_GAIN, version
    from studio.sources.soundfont import SoundFont

    command = ["polyphone", "-1", "-i", job["plugin"], "-d", str(folder), "-o", "made"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "XDG_RUNTIME_DIR": str(folder)}
    subprocess.run(command, check=True, capture_output=True, env=environment, timeout=120)
    events = [Event(round(time * 960), bytes.fromhex(data)) for time, data in job["messages"]]
    score = Score(tuple(events), end=round(job["frames"] / job["rate"] * 960))
    font = SoundFont(file=str(folder / "made.sf2"), program=0, bank=0, gain=0.0, reverb=0.0, chorus=0.0)
    played = np.concatenate(list(font.play(score, RenderContext(job["rate"], 2))), axis=1)
    out = (played / (DEFAULT_GAIN / 2)).astype(np.float32)
    return f"Polyphone, then FluidSynth {version()}", out, {}


HOSTS: dict[str, Callable[[dict[str, Any], Path], Sound]] = {
    "pedalboard": _in_pedalboard,
    "dawdreamer": _in_dawdreamer,
    "clap_probe": _in_clap_probe,
    "lv2_probe": _in_lv2_probe,
    "polyphone": _in_polyphone,
}
