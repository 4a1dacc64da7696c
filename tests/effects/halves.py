"""The plugin halves of effects behind a C interface, compiled once, so that they can be run beside the Python halves."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

import studio.effects
from studio.audio import Block
from studio.context import GRID, BlockContext, RenderContext
from studio.effects.response import read_response
from studio.knobs import Choice, File, Number, Span, Switch
from studio.steps import Effect, registry

HEADERS = Path(studio.effects.__file__).parent


def halved() -> list[str]:
    """The steps that have a plugin half: a struct of the class's name in the header beside its Python file."""
    return sorted(name for name, step in registry().items() if step.kind == "effect" and _has_half(step))


def _has_half(step: type) -> bool:
    header = HEADERS / f"{step.__module__.rpartition('.')[2]}.hpp"
    words = (f"struct {step.__name__} ", f"using {step.__name__} ")
    return (
        step.__module__.startswith("studio.effects")
        and header.is_file()
        and any(word in header.read_text() for word in words)
    )


def fields(name: str) -> dict[str, str]:
    """The members of a half, by knob: "knob" for what moves, "plain" for what does not, "response" for recorded rooms."""
    found = {}
    for knob, kind in registry()[name].parameters().items():
        if isinstance(kind, Number) and kind.live:
            found[knob] = "knob"
        elif isinstance(kind, (Number, Choice, Switch, Span)):
            found[knob] = "plain"
        elif isinstance(kind, File):
            found[knob] = "response"
    return found


def _source() -> str:
    modules = sorted({registry()[name].__module__.rpartition(".")[2] for name in halved()})
    cases = []
    for index, name in enumerate(halved()):
        sets = "".join(
            f"case {place}: x.{knob} = mirepoix::Knob{{from, to, bow}}; break; "
            if how == "knob"
            else f"case {place}: x.{knob} = static_cast<decltype(x.{knob})>(to); break; "
            for place, (knob, how) in enumerate(fields(name).items())
            if how != "response"
        )
        responses = "".join(f"x.{knob} = given; " for knob, how in fields(name).items() if how == "response")
        cases.append(
            f"struct H{index} : Half {{ mirepoix::{registry()[name].__name__} x;\n"
            f"void set(int k, double from, double to, double bow) override {{ (void)from; (void)to; (void)bow; switch (k) {{ {sets} default: break; }} }}\n"
            f"void respond(const mirepoix::Response& given) override {{ (void)given; {responses}}}\n"
            "void prepare(const mirepoix::RenderContext& s) override { x.prepare(s); }\n"
            "void process(float* const* a, const mirepoix::BlockContext& m) override { x.process(a, m); }\n"
            "int latency() override { return x.latency(); } };\n"
        )
    made = "".join(f"case {index}: return new H{index};" for index in range(len(cases)))
    return (
        "".join(f'#include "{module}.hpp"\n' for module in modules)
        + """#include <cstdlib>
#include <new>
static long allocations = 0;
void* operator new(std::size_t size) { ++allocations; if (void* p = std::malloc(size)) return p; throw std::bad_alloc(); }
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, std::size_t) noexcept { std::free(p); }
struct Half { virtual ~Half() = default; virtual void set(int, double, double, double) = 0; virtual void respond(const mirepoix::Response&) = 0; virtual void prepare(const mirepoix::RenderContext&) = 0;
  virtual void process(float* const*, const mirepoix::BlockContext&) = 0; virtual int latency() = 0; };
"""
        + "".join(cases)
        + f"""extern "C" {{
void* half_make(int which) {{ switch (which) {{ {made} }} return nullptr; }}
void half_free(void* h) {{ delete static_cast<Half*>(h); }}
void half_set(void* h, int k, double from, double to, double bow) {{ static_cast<Half*>(h)->set(k, from, to, bow); }}
void half_respond(void* h, int channels, int frames, double rate, const float* samples) {{
  mirepoix::Response given; given.channels = channels; given.frames = frames; given.rate = rate; given.fine = samples;
  static_cast<Half*>(h)->respond(given); }}
void half_prepare(void* h, double rate, int channels) {{ static_cast<Half*>(h)->prepare({{rate, channels}}); }}
int half_latency(void* h) {{ return static_cast<Half*>(h)->latency(); }}
long half_process(void* h, float* const* audio, const float* const* side, long long start, int offset, int frames, double beat, double bpm) {{
  mirepoix::BlockContext m; m.start = start; m.offset = offset; m.frames = frames; m.beat = beat; m.bpm = bpm; m.side = side;
  const long before = allocations; static_cast<Half*>(h)->process(audio, m); return allocations - before; }}
}}
"""
    )


@cache
def library() -> ctypes.CDLL:
    """All halves, compiled."""
    folder = Path(mkdtemp(prefix="halves-"))
    (folder / "halves.cpp").write_text(_source())
    compiler = ["g++"] if shutil.which("g++") else [sys.executable, "-m", "ziglang", "c++"]
    command = [*compiler, "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", f"-I{HEADERS}"]
    subprocess.run([*command, "-o", folder / "halves.so", folder / "halves.cpp"], check=True)
    loaded = ctypes.CDLL(str(folder / "halves.so"))
    loaded.half_make.restype = ctypes.c_void_p
    loaded.half_free.argtypes = (ctypes.c_void_p,)
    loaded.half_set.argtypes = (ctypes.c_void_p, ctypes.c_int, ctypes.c_double, ctypes.c_double, ctypes.c_double)
    loaded.half_respond.argtypes = (
        ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_double, ctypes.c_void_p,
    )  # fmt: skip
    loaded.half_prepare.argtypes = (ctypes.c_void_p, ctypes.c_double, ctypes.c_int)
    loaded.half_latency.argtypes = (ctypes.c_void_p,)
    pointers = ctypes.POINTER(ctypes.c_void_p)
    loaded.half_process.argtypes = (
        ctypes.c_void_p, pointers, pointers, ctypes.c_longlong, ctypes.c_int, ctypes.c_int, ctypes.c_double, ctypes.c_double,
    )  # fmt: skip
    loaded.half_process.restype = ctypes.c_long
    return loaded


def run_half(
    step: Effect, block: Block, context: RenderContext, cuts: Sequence[int] = (), side: Block | None = None
) -> Block:
    """A sound through the plugin half of a step, cut at `cuts` and at the grid; at the tempo of the context's start.

    Its latency is taken up.

    Raises:
        AssertionError: memory was asked for while sound was processed.
    """
    code = library()
    half = ctypes.c_void_p(code.half_make(halved().index(step.step)))
    bpm = context.tempo.bpm_at(context.tempo.tempos[0].beat)
    try:
        for place, (knob, how) in enumerate(fields(step.step).items()):
            if how == "plain":
                value = _plain(step, knob, context)
                code.half_set(half, place, value, value, 0.0)
            elif how == "response":
                response = read_response(context.find(getattr(step, knob)))
                samples = np.ascontiguousarray(response.samples)
                code.half_respond(half, *samples.shape, float(response.rate), samples.ctypes.data)
        code.half_prepare(half, float(context.rate), block.shape[0])
        late = int(code.half_latency(half))
        out = np.pad(block, ((0, 0), (0, late))).astype(np.float32)
        edges = sorted({*range(0, out.shape[1], GRID), *cuts, out.shape[1]})
        moving = _moving(step, out.shape[1], context)
        for first, last in pairwise(edges):
            cell = first // GRID
            for place, (knob, how) in enumerate(fields(step.step).items()):
                if how == "knob":
                    begin, middle, end = (float(moving[knob][2 * cell + half_cell]) for half_cell in (0, 1, 2))
                    code.half_set(half, place, begin, end, middle - (begin + end) / 2)
            pointers = (ctypes.c_void_p * len(out))(*(row[first:].ctypes.data for row in out))
            sides = (
                (ctypes.c_void_p * len(side))(*(row[first:].ctypes.data for row in side)) if side is not None else None
            )
            beat = first / context.rate * bpm / 60
            asked = code.half_process(half, pointers, sides, first, first % GRID, last - first, beat, bpm)
            assert asked == 0, f"{step.step} asked for memory while it processed"
    finally:
        code.half_free(half)
    return out[:, late:]


def _plain(step: Effect, knob: str, context: RenderContext) -> float:
    value, kind = getattr(step, knob), registry()[step.step].kinds()[knob]
    if isinstance(kind, Choice):
        return float(kind.options.index(value))
    if isinstance(kind, Span):
        return float(context.tempo.length_of(value))
    return float(value)


def _moving(step: Effect, frames: int, context: RenderContext) -> Mapping[str, Any]:
    """Each knob at every mark of the grid and in the middle between two."""
    marks = np.arange(2 * (frames // GRID + 3)) * (GRID / 2)
    found = {}
    for knob, how in fields(step.step).items():
        if how == "knob":
            value = getattr(step, knob)
            still = isinstance(value, (int, float))
            found[knob] = np.full(len(marks), value) if still else value.values(marks / context.rate, context.tempo)
    return found


__all__ = ["BlockContext", "halved", "run_half"]
