"""Headless Ardour, which opens and renders what the studio writes."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import soundfile

from tests.waiting import PATIENCE

ATTEMPTS = 8
"""On a busy machine the ardour7-export of Debian 12 now and then dies of a double free, or gives torn sound."""

ALIKE = 0.003
"""-50 dB: as far as its own smoothing of faders differs from one export to the next; torn sound is off by all of it."""

READ_BACK = """
AudioEngine:set_backend("None (Dummy)", "", "")
local s = load_session("{folder}", "{name}")
function say(...)
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  print(table.concat(words, "\\t"))
end
for r in s:get_routes():iter() do
  say("route", r:name(), string.format("%08x", r:presentation_info_ptr():color()), r:muted())
  local t = r:to_track()
  if not t:isnil() then
    for region in t:playlist():region_list():iter() do
      say("region", r:name(), region:position():samples(), region:length():samples(), region:start():samples())
    end
  end
end
for l in s:locations():list():iter() do if l:is_mark() then say("mark", l:name(), l:start():samples()) end end
local tm = Temporal.TempoMap.read()
for _, n in ipairs({{{frames}}}) do
  local p = Temporal.timepos_t(n)
  local m = tm:meter_at(p)
  say("tempo", n, tm:quarters_per_minute_at(p), m:divisions_per_bar(), m:note_value())
end
close_session()
"""


EDIT_NOTES = """
AudioEngine:set_backend("None (Dummy)", "", "")
local s = load_session("{folder}", "{name}")
for r in s:get_routes():iter() do
  local t = r:to_track()
  if not t:isnil() then
    for region in t:playlist():region_list():iter() do
      local notes = region:to_midiregion()
      if not notes:isnil() then
        local model = notes:midi_source(0):model()
        local edit = model:new_note_diff_command("up")
        for n in ARDOUR.LuaAPI.note_list(model):iter() do
          if n:note() == {pitch} then
            edit:remove(n)
            edit:add(ARDOUR.LuaAPI.new_noteptr(n:channel(), n:time(), n:length(), n:note() + 12, n:velocity()))
          end
        end
        model:apply_command(s, edit)
      end
    end
  end
end
s:save_state("")
close_session()
"""


FINELY = """
AudioEngine:set_backend("None (Dummy)", "", "")
AudioEngine:set_buffer_size(64)
local s = load_session("{folder}", "{name}")
local e = s:simple_export()
e:set_preset("75969a1c-3133-4694-864b-a1fa50e43348")
e:set_name("{out.stem}")
e:set_folder("{out.parent}")
assert(e:run_export())
"""
"""Its exporter has blocks of 1024 frames; a script can have shorter ones, but 16 bits."""

LISTENING = """
AudioEngine:set_backend("None (Dummy)", "", "")
local session = load_session("{folder}", "{name}")
io.stdout:write("open\\n")
io.stdout:flush()
while session do ARDOUR.LuaAPI.usleep(100000) end
"""

OSC_PORT = 3819
"""Ardour takes the next one when another program has it."""


def rendered(folder: Path, name: str, out: Path, finely: bool = False) -> np.ndarray:
    """What Ardour exports of a session, (channels, frames); what it exports twice alike is what it means.

    With `finely` in blocks of 64 frames, which is how often it looks at the automation of a plugin.
    """
    command: list[str | Path] = ["ardour7-export", "-b", "float", "-o", out, folder, name]
    if finely:
        script = out.with_suffix(".lua")
        script.write_text(FINELY.format(folder=folder, name=name, out=out))
        command = ["ardour7-lua", script]
    heard: list[np.ndarray] = []
    for _ in range(ATTEMPTS):
        out.unlink(missing_ok=True)
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)
        if done.returncode or not out.exists():
            continue
        sound = np.ascontiguousarray(soundfile.read(out, dtype="float32")[0].T)
        if any(sound.shape == before.shape and np.max(np.abs(sound - before)) < ALIKE for before in heard):
            return sound
        heard.append(sound)
    raise AssertionError(f"{len(heard)} exports, no two alike; {done.stderr.decode()}")


def read_back(folder: Path, name: str, frames: list[int], script: Path) -> list[list[str]]:
    """What Ardour's Lua says of a session: routes, regions, marks, and tempo and meter at some frames."""
    numbers = ", ".join(str(frame) for frame in frames)
    script.write_text(READ_BACK.format(folder=folder, name=name, frames=numbers))
    done = subprocess.run(["ardour7-lua", script], capture_output=True, timeout=PATIENCE, check=True)
    lines = done.stdout.decode().splitlines()
    return [line.split("\t") for line in lines if line.split("\t")[0] in ("route", "region", "mark", "tempo")]


def edit_notes(folder: Path, name: str, pitch: int, script: Path) -> None:
    """Take every note of a pitch an octave up in Ardour, and save there."""
    script.write_text(EDIT_NOTES.format(folder=folder, name=name, pitch=pitch))
    subprocess.run(["ardour7-lua", script], capture_output=True, timeout=PATIENCE, check=True)


def scan(plugin: Path) -> None:
    """Let Ardour list a VST3, which it does once its scanner has seen it and its note is newer than the plugin."""
    scanner = "/usr/lib/ardour7/ardour-vst3-scanner"
    environment = {"LD_LIBRARY_PATH": "/usr/lib/ardour7", "HOME": str(Path.home())}
    subprocess.run([scanner, "-q", plugin], env=environment, check=True, capture_output=True, timeout=PATIENCE)
    for note in (Path.home() / ".cache/ardour7/vst").glob("*.v3i"):
        note.touch()


@contextmanager
def listening(folder: Path, name: str, script: Path) -> Iterator[int]:
    """A session open in Ardour until the end of the block; gives the port on which this very Ardour listens to OSC.

    Its engine is the dummy of its own: as a client of JACK, two threads of Ardour 7.3 may write their requests into one
    socket at the same time while it starts, jackd throws it out, and what it does in its audio thread (mutes) waits for
    ever.
    """
    session = folder / f"{name}.ardour"
    quiet = '<Protocol name="Open Sound Control (OSC)" active="0"'
    text = session.read_text()
    assert quiet in text
    session.write_text(text.replace(quiet, quiet.replace('"0"', '"1"')))
    script.write_text(LISTENING.format(folder=folder, name=name))
    program = subprocess.Popen(
        ["ardour7-lua", script], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert program.stdout is not None
        assert any(line == "open\n" for line in program.stdout), f"Ardour ended with {program.wait()}"
        ports = {each.laddr.port for each in psutil.Process(program.pid).net_connections("udp")}
        [port] = [each for each in ports if OSC_PORT <= each < OSC_PORT + 20]
        yield port
    finally:
        program.kill()
        program.communicate()
