"""The law: the same bits whatever was loaded or run before, on every thread. Zam's and DPF's plugins, built with fast
mathematics, would leave flush-to-zero switched on in the process that hosts them."""

from __future__ import annotations

import ctypes
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from studio.floating_point import floating_point_kept
from studio.hosting.contract import Host
from studio.hosting.host import hosts_of, load
from studio.recipe import Recipe
from studio.rendering.render import render

EFFECTS = ("/usr/lib/vst3/ZamCompX2.vst3", "/usr/lib/vst/3BandEQ-vst.so")
SYNTH = "/usr/lib/vst/Nekobi-vst.so"

DECAY = f"""\
recipe: 1
length: 1 s
tracks: {{dust: {{play: {{noise: {{length: 1 s, level: -12 dB}}}}, chain: [{"{gain: -80}, " * 9}{{fade_out: 1 s}}, {{fade_out: 1 s}}, {{fade_out: 1 s}}]}}}}
"""
"""A third of what it gives is subnormal, by steps outside the native core, which itself knows no subnormals."""


def survives() -> bool:
    """Whether subnormals do here and now, in single and in double precision."""
    singles, doubles = np.full(64, 1e-40, np.float32), np.full(64, 1e-310)
    return bool((singles * np.float32(0.5)).all() and (doubles * 0.5).all())


def on_a_new_thread(ask: Callable[[], bool]) -> bool:
    said: list[bool] = []
    thread = threading.Thread(target=lambda: said.append(ask()))
    thread.start()
    thread.join()
    return said[0]


def everything(host: Host) -> None:
    """All that can be asked of a plugin."""
    position = host.parameters()[0].default
    [raw, *_] = host.parameters()
    raw.text(0.5)
    host.turn(raw.index, position)
    host.prepare(44_100)
    host.programs()
    sound(host)
    host.load_state(host.state())
    assert host.latency >= 0


def sound(host: Host) -> None:
    """A block of it."""
    if host.about.instrument:
        host.play([(0, bytes((0x90, 60, 100)))], 256, None)
    else:
        host.process(np.full((host.about.inputs, 256), 1e-3, np.float32), None)


@pytest.mark.parametrize(("file", "how"), [(file, how) for file in (*EFFECTS, SYNTH) for how in hosts_of(Path(file))])
def test_hosting_a_plugin_in_this_process_leaves_its_arithmetic_as_it_was(file: str, how: str) -> None:
    host = load(Path(file), how)
    assert survives()
    everything(host)
    assert survives() and on_a_new_thread(survives)

    def elsewhere() -> bool:
        # pedalboard wants plugins loaded on the main thread, but plays them on any.
        sound(host)
        return survives()

    assert on_a_new_thread(elsewhere) and survives()


def test_a_plugin_is_called_as_a_daw_calls_it_and_nothing_of_that_stays() -> None:
    with floating_point_kept(flush=True):
        assert not survives()
        with floating_point_kept():
            pass
        assert not survives()
    assert survives()
    with pytest.raises(ZeroDivisionError), floating_point_kept(flush=True):
        raise ZeroDivisionError
    assert survives()


def test_a_render_has_the_same_bits_after_plugins_were_loaded(tmp_path: Path) -> None:
    """Much of its sound lies where flush-to-zero would leave silence."""
    recipe = Recipe.loads(DECAY, tmp_path)
    sound = render(recipe).mix.samples
    assert np.mean((sound != 0) & (np.abs(sound) < np.finfo(np.float32).tiny)) > 0.33
    hosts = [load(Path(file), host) for file in EFFECTS for host in hosts_of(Path(file))]
    for host in hosts:
        everything(host)
    again = render(recipe.replace(title="again"), workers=2).mix.samples
    assert np.array_equal(sound, again)


def test_nothing_that_the_studio_imports_changes_the_arithmetic() -> None:
    """In a process of its own, on the thread that imports and on one begun afterwards."""
    code = (
        "import studio, widgets, pkgutil, importlib, sys\n"
        "for each in (studio, widgets):\n"
        "    for found in pkgutil.walk_packages(each.__path__, each.__name__ + '.'):\n"
        "        if not found.name.endswith('__main__'): importlib.import_module(found.name)\n"
        "import torch, librosa, scipy.signal, pedalboard, dawdreamer, parselmouth, python_stretch, jack, rtmidi\n"
        "from studio.sources.fluid import library; library()\n"
        "from tests.hosting.test_floating_point import on_a_new_thread, survives\n"
        "sys.exit(not (survives() and on_a_new_thread(survives)))\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_a_library_that_switches_it_on_when_loaded_is_undone(tmp_path: Path) -> None:
    """The thing itself, without anybody's plugin: what a linker adds for `-ffast-math`."""
    source = tmp_path / "fast.c"
    source.write_text(
        "#include <xmmintrin.h>\n__attribute__((constructor)) static void fast(void) { _mm_setcsr(_mm_getcsr() | 0x8040); }\n"
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", tmp_path / "fast.so", source], check=True)
    with floating_point_kept():
        ctypes.CDLL(str(tmp_path / "fast.so"))
        assert not survives()
    assert survives()
