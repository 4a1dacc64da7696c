"""The sampler asks for no memory while it plays, and is not slow with many voices."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import numpy as np

from studio.exporting.instrument.grid import Grid
from studio.exporting.instrument.sampling import sampled
from studio.exporting.plugin.build import _SAMPLES, ROOT
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.source import write_source
from studio.exporting.target import Target

_COUNTING = """
#include <cstdlib>
#include <new>
#include "studio/native/shell/plugin.hpp"
static long asked = 0;
void* operator new(std::size_t size) { ++asked; if (void* p = std::malloc(size)) return p; throw std::bad_alloc(); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
extern "C" long play(int voices, int frames, float* left, float* right) {
    auto processor = mirepoix::make_processor();
    processor->prepare(44100.0, 2);
    const long before = asked;
    for (int voice = 0; voice < voices; ++voice) {
        const unsigned char on[3] = {0x90, static_cast<unsigned char>(voice % 128), 60};
        processor->hear(on);
    }
    const unsigned char wheel[3] = {0xE0, 0, 100}, pedal[3] = {0xB0, 64, 127}, off[3] = {0x80, 40, 64};
    float* out[2] = {left, right};
    for (int done = 0; done < frames; done += 64) {
        processor->process(nullptr, out, nullptr, 64);
        processor->hear(done % 128 ? wheel : pedal);
        processor->hear(off);
        out[0] += 64;
        out[1] += 64;
    }
    return asked - before;
}
"""


def test_no_memory_is_asked_for_while_notes_play(tmp_path: Path) -> None:
    target = Target.parse("{play: {soundfont: {program: 4}}, chain: [reverb]}")
    assert target.playing
    grid = Grid(lowest=60, highest=60, velocities=(127,), seconds=0.6)
    source = write_source(Design("Keys", target, sampled(target.playing, grid)))
    (tmp_path / "plugin.cpp").write_text(source.text)
    (tmp_path / "samples.bin").write_bytes(source.samples)
    (tmp_path / "samples.cpp").write_text(_SAMPLES)
    (tmp_path / "counting.cpp").write_text(_COUNTING)
    files = ["plugin.cpp", "samples.cpp", "counting.cpp"]
    command = ["g++", "-std=c++17", "-O2", "-shared", "-fPIC", f"-I{ROOT}", *files, "-o", "counting.so"]
    subprocess.run(command, cwd=tmp_path, check=True)
    frames = 44_032
    sound = np.zeros((2, frames), np.float32)
    left, right = (row.ctypes.data_as(ctypes.c_void_p) for row in sound)
    assert ctypes.CDLL(str(tmp_path / "counting.so")).play(200, frames, left, right) == 0
    assert np.isfinite(sound).all() and np.abs(sound).max() > 0.01
