"""Chains that nobody wrote: any effects with any knobs, behind and beside each other."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import soundfile
from hypothesis import strategies as st

from studio.effects.blocks import RackBlock
from studio.errors import StudioError
from studio.exporting.plugin.source import native_half
from studio.knobs import Choice, File, Number, Port, Span, Switch
from studio.steps import parse_step, registry


@cache
def room() -> str:
    """A recorded room."""
    path = Path(mkdtemp(prefix="studio-test-"), "room.wav")
    noise = np.random.default_rng(7).standard_normal((12_000, 2)) * 0.3
    soundfile.write(path, noise * np.exp(-np.arange(12_000) / 3000)[:, None], 48_000, "FLOAT")
    return str(path)


@cache
def exportable() -> list[str]:
    """The effects that have a native half, without those that need another track."""
    found = []
    for name, step in registry().items():
        if step.kind != "effect" or not step.__module__.startswith("studio.") or name == "ducker":
            continue
        try:
            native_half(step.parse({"file": room()} if name == "convolution" else None))  # type: ignore[arg-type]
        except StudioError:
            continue
        found.append(name)
    return sorted(found)


def knobs(draw: st.DrawFn, name: str) -> dict[str, Any]:
    """Some of a step's knobs at any values, quiet enough for a chain of several to stay finite."""
    given: dict[str, Any] = {}
    for knob, kind in registry()[name].parameters().items():
        if isinstance(kind, File):
            given[knob] = room()
        if isinstance(kind, (Port, File)) or not draw(st.booleans()):
            continue
        if isinstance(kind, Number):
            place = draw(st.floats(0.05, 0.75))
            value = kind.at(place)
            given[knob] = round(value) if kind.whole else value
        elif isinstance(kind, Choice):
            given[knob] = draw(st.sampled_from(kind.options))
        elif isinstance(kind, Switch):
            given[knob] = draw(st.booleans())
        elif isinstance(kind, Span):
            given[knob] = draw(st.sampled_from(["1/8", "1/4t", "120 ms"]))
    return given


@st.composite
def steps(draw: st.DrawFn, depth: int = 0) -> Any:
    if depth < 1 and draw(st.integers(0, 4)) == 0:
        inner = [draw(steps(depth + 1)) for _ in range(2)]
        held: dict[str, Any] = draw(
            st.sampled_from([{"parallel": {"mix": 0.4, "chain": inner}}, {"layers": {"chains": [inner, []]}}])
        )
        return held
    name = draw(st.sampled_from(exportable()))
    return {name: knobs(draw, name)}


@st.composite
def chains(draw: st.DrawFn) -> list[Any]:
    found = [draw(steps()) for _ in range(draw(st.integers(1, 4)))]
    kept = []
    for data in found:
        try:
            parse_step(data)
        except StudioError:
            continue  # what a declaration cannot say, as a low above a high
        kept.append(data)
    return [*kept, {"gain": {"name": "last", "gain": -6}}]


def rack_of(chain: list[Any]) -> RackBlock:
    """A chain with a knob that turns its last gain."""
    return RackBlock.parse({"chain": chain, "knobs": {"level": {"value": 0.5, "drives": {"last.gain": [-12, 0]}}}})
