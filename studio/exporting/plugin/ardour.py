"""Ardour without its window, as a host: one track, the plugin on it, exported.

Ardour's Lua makes the session and puts the plugin in; it cannot import sound, so the region is written into the session
file, as Ardour 7 would. So is the way from the track to the master: Ardour connects new tracks in a thread of its own, and
a session that is saved before that thread has come round is silent ever after.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

_SUPERCLOCK = 282_240_000
"""Ardour's ticks in a second."""

_PATIENCE = 60.0
_TRIES = 6
"""On a busy machine one export in six or so of Ardour 7.3 dies of a double free, or comes out torn."""

_SESSION = """\
AudioEngine:set_backend("None (Dummy)", "", "")
local session = create_session("{folder}", "signal", {rate})
local tracks = session:new_audio_track(
  {channels}, {channels}, nil, 1, "signal", ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
for track in tracks:iter() do
  local plugin = ARDOUR.LuaAPI.new_plugin(session, "{uri}", ARDOUR.PluginType.LV2, "")
  assert(not plugin:isnil(), "Ardour does not find the plugin")
  assert(track:add_processor_by_index(plugin, 0, nil, true) == 0)
{settings}
  local inside = plugin:to_insert():plugin(0)
  for index = 0, inside:parameter_count() - 1 do
    local _, about = inside:get_parameter_descriptor(index, ARDOUR.ParameterDescriptor())
    print("parameter|" .. inside:parameter_label(index) .. "|" .. about[2].lower .. "|" .. about[2].upper)
  end
  print("latency|" .. plugin:to_insert():signal_latency())
end
session:save_state("", false, false, false, false, false)
close_session()
quit()
"""


class CouldNotAsk(RuntimeError):
    """Ardour failed in a way that says nothing about the plugin."""


def in_ardour(job: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Play the signals of a job, one session each."""
    answer: dict[str, Any] = {"host": "Ardour 7, headless", "signals": []}
    for index, signal in enumerate(job["signals"]):
        room = folder / f"session-{index}"
        sound = np.load(folder / signal["sound"])
        said = _session(job, signal, len(sound), room)
        _put_region(room, signal["rate"], sound)
        np.save(folder / f"{index}.npy", _exported(job, folder, room)[:, : sound.shape[1]])
        ports = re.findall(r"^parameter\|(.*)\|(\S+)\|(\S+)$", said, re.M)
        last = [name for name, _, _ in ports].index("enabled")
        answer["parameters"] = [
            {"name": name, "texts": [low, None, high]} for name, low, high in ports[last - len(job["symbols"]) : last]
        ]
        [latency] = re.findall(r"^latency\|(\d+)", said, re.M)
        answer["signals"].append({"latency": int(latency), "seconds": []})
    return answer


def _exported(job: dict[str, Any], folder: Path, room: Path) -> Any:
    """The session's sound, once two exports have given the same."""
    heard: list[Any] = []
    for attempt in range(_TRIES):
        out = folder / f"{room.name}-{attempt}.wav"
        try:
            _ardour(job, folder, "ardour7-export", "-b", "float", "-o", str(out), str(room), "signal")
        except RuntimeError:
            continue
        sound = _read(out)
        if any(np.array_equal(sound, before) for before in heard):
            return sound
        heard.append(sound)
    raise CouldNotAsk(f"in {_TRIES} exports it gave no sound twice")


def _session(job: dict[str, Any], signal: dict[str, Any], channels: int, room: Path) -> str:
    """Make a session with a track and the plugin on it; gives what Ardour says of the plugin."""
    [(_, values)] = signal["moves"]
    settings = "\n".join(
        f"  assert(ARDOUR.LuaAPI.set_processor_param(plugin, {index}, {value!r}))" for index, value in enumerate(values)
    )
    script = room.with_suffix(".lua")
    script.write_text(
        _SESSION.format(
            folder=room, rate=signal["rate"], channels=channels, uri=job["uris"][channels == 1], settings=settings
        )
    )
    return _ardour(job, room.parent, "ardour7-lua", str(script))


def _put_region(room: Path, rate: int, sound: Any) -> None:
    """Write the sound into the session, as a region at its beginning, and make that its range."""
    import soundfile

    audio = room / "interchange" / room.name / "audiofiles" / "signal.wav"
    audio.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(audio, sound.T, rate, subtype="FLOAT")
    channels, ticks = range(len(sound)), round(sound.shape[1] * _SUPERCLOCK / rate)
    sources = "".join(
        f'<Source name="signal.wav" type="audio" flags="" id="{90000 + channel}" channel="{channel}" gain="1"/>'
        for channel in channels
    )
    heard = " ".join(f'source-{each}="{90000 + each}" master-source-{each}="{90000 + each}"' for each in channels)
    region = (
        f'<Region id="90010" name="signal" type="audio" muted="0" opaque="1" start="a0" length="a{ticks}@a0" {heard}'
        f' channels="{len(sound)}" whole-file="0" default-fade-in="0" default-fade-out="0" fade-in-active="0"'
        ' fade-out-active="0" scale-amplitude="1"/>'
    )
    whole = f'<Location id="90020" name="session" start="a0" end="a{ticks}" flags="IsSessionRange"/>'
    file = room / "signal.ardour"
    text = file.read_text(encoding="utf-8")
    text = text.replace("<Sources/>", f"<Sources>{sources}</Sources>")
    text = text.replace("<Locations/>", f"<Locations>{whole}</Locations>")
    for channel in (1, 2):
        ends = f"signal/audio_out {channel}", f"Master/audio_in {channel}"
        for one, other in (ends, ends[::-1]):
            loose = f'<Port type="audio" name="{one}"/>'
            text = text.replace(loose, f'{loose[:-2]}><Connection other="{other}"/></Port>')
    [(playlist, inside)] = re.findall(r'(<Playlist ([^>]*name="signal"[^>]*)/>)', text)
    file.write_text(text.replace(playlist, f"<Playlist {inside}>{region}</Playlist>"), encoding="utf-8")


def _ardour(job: dict[str, Any], home: Path, *command: str) -> str:
    """Run one of its programs with a home of its own, so that the user's settings have no say."""
    environment = {
        **os.environ,
        "LV2_PATH": str(Path(job["plugin"]).parent),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
    }
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", env=environment,
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise CouldNotAsk(f"{command[0]} gave no answer in {_PATIENCE:.0f} s") from None
    if done.returncode < 0:
        raise CouldNotAsk(f"{command[0]} died of signal {-done.returncode}")
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-200:]}")
    return done.stdout


def _read(path: Path) -> Any:
    import soundfile

    out, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return out.T
