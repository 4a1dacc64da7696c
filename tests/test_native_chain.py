"""Chains in the core: structs beside Python classes run by themselves, those of packages too; what goes wrong is told."""

from __future__ import annotations

import importlib.util
import resource
import sys
import threading
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from studio import steps
from studio.audio import Block
from studio.context import RenderContext
from studio.curves import Lfo
from studio.effect_chain import EffectChain
from studio.effects import Brickwall, Chorus, Delay, Gain, Lowpass, Pan, Reverb
from studio.errors import MissingError, RenderError
from studio.knobs import Port
from studio.native_chain import NativeChain, Tree
from studio.native_library import native_of
from studio.provenance import Provenance
from studio.steps import Effect, registry
from studio.tempo import TempoMap, Time
from tests.listening import white

CONTEXT = RenderContext(44_100)
DECLARED = '''
from studio.extend import Effect, Live, choice, knob, port, span, switch

class {name}(Effect):
    """Halve the sound, more or less."""

    share: Live = knob(0.5, 0.0, 1000.0, help="how much stays")
    twice: bool = switch(False, help="do it twice")
'''
STRUCT = """
#pragma once
#include "studio/effects/context.hpp"
namespace mirepoix {{
struct {name} {{
    Knob share;
    bool twice = false;
    void prepare(const RenderContext& context) {{ channels_ = context.channels; }}
    void reset() {{}}
    int latency() const {{ return 0; }}
    double tail_seconds() const {{ return 0.0; }}
    void process(float* const* audio, const BlockContext& now) {{
        for (int c = 0; c < channels_; ++c)
            for (int i = 0; i < now.frames; ++i) {{
                const float factor = static_cast<float>(share.at(now.offset + i));
                audio[c][i] *= twice ? factor * factor : factor;
            }}
    }}
private:
    int channels_ = 2;
}};
}}
"""


@pytest.fixture
def package(tmp_path: Path) -> Callable[..., type[Effect]]:
    """Makes a package of one step, with a header, and gives its class."""

    def make(name: str, struct: str = STRUCT) -> type[Effect]:
        module = f"package_of_{name.lower()}"
        (tmp_path / f"{module}.py").write_text(DECLARED.format(name=name), encoding="utf-8")
        (tmp_path / f"{module}.hpp").write_text(struct.format(name=name), encoding="utf-8")
        found: type[Effect] = getattr(_imported(module, tmp_path / f"{module}.py"), name)
        return found

    return make


def _imported(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is registered here is gone afterwards."""
    registry()
    monkeypatch.setattr(steps, "_REGISTRY", dict(steps._REGISTRY))


def pushed(chain: EffectChain | NativeChain, block: Block, cuts: tuple[int, ...] = ()) -> Block:
    edges = [0, *cuts, block.shape[1]]
    return np.concatenate([chain.push(block[:, begin:end]) for begin, end in pairwise(edges)], axis=1)


def test_a_step_of_a_package_needs_nothing_but_its_struct(package: Callable[..., type[Effect]]) -> None:
    step = package("Halver")(share=0.25, twice=True)  # type: ignore[call-arg]
    assert step.is_native()
    sound = white(0.2)
    assert np.array_equal(pushed(EffectChain([step], CONTEXT), sound), sound / 16)
    made_by = {(each.kind, each.name.rpartition(".")[2]) for each in Provenance.of(step.made_by()).components}
    assert {("program", "core"), ("program", "Halver")} <= made_by


def test_a_header_that_does_not_compile_names_the_package_and_the_first_error(
    package: Callable[..., type[Effect]],
) -> None:
    step = package("Unbuildable", STRUCT.replace("twice ? factor", "thrice ? factor"))()
    with pytest.raises(MissingError) as refused:
        EffectChain([step], CONTEXT)
    assert "package_of_unbuildable" in str(refused.value) and "thrice" in str(refused.value)


def test_nan_and_infinity_are_told_with_the_step_and_the_time(package: Callable[..., type[Effect]]) -> None:
    step = package("Louder")(share=1000.0)  # type: ignore[call-arg]
    steps = [Gain(), *[step.replace(name="loud") for _ in range(20)]]
    chain = EffectChain(steps, CONTEXT)
    sound = np.zeros((2, 44_100), np.float32)
    sound[1, 22_050] = 0.5
    with pytest.raises(RenderError, match=r"NaN or infinity at 0\.50 s") as refused:
        pushed(chain, sound, (10_000, 30_000))
    assert refused.value.path == ("loud",)


@pytest.mark.parametrize("cuts", [(), (1, 2, 65, 128, 8192), tuple(range(100, 20_000, 777))])
def test_a_chain_gives_the_same_bits_however_it_is_cut(cuts: tuple[int, ...]) -> None:
    chain = _demanding()
    sound = white(0.5)
    whole = pushed(NativeChain(chain, CONTEXT), sound)
    assert np.array_equal(whole, pushed(NativeChain(chain, CONTEXT), sound, cuts))


def _demanding() -> list[Effect]:
    sweep = Lfo("triangle", Time.parse("0.13 s"), 300.0, 8000.0)
    return [Brickwall(lookahead=3.0), Lowpass(cutoff=sweep), Chorus(), Delay(), Reverb()]  # type: ignore[arg-type]


def test_a_chain_that_begins_later_in_the_song_stands_where_the_song_is() -> None:
    knob = Lfo("sine", Time.parse("1/4"), -20.0, 0.0)
    sound, start = np.ones((2, 44_100), np.float32), 64 * 300
    whole = pushed(NativeChain([Gain(gain=knob)], CONTEXT), sound)  # type: ignore[arg-type]
    later = pushed(NativeChain([Gain(gain=knob)], CONTEXT, start), sound[:, start:])  # type: ignore[arg-type]
    assert np.array_equal(whole[:, start:], later)


def test_threads_do_not_meet() -> None:
    sound, found = white(0.3), list[Block]()
    threads = [
        threading.Thread(target=lambda: found.append(pushed(NativeChain(_demanding(), CONTEXT), sound)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and all(np.array_equal(found[0], other) for other in found)


def test_a_thousand_chains_leave_memory_as_it_was() -> None:
    sound = white(0.01)

    def peak(count: int) -> int:
        for _ in range(count):
            NativeChain([Reverb(), Chorus()], CONTEXT).push(sound)
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = peak(50)
    # Each holds 300 kB.
    assert peak(1000) - before < 20_000


def test_the_tree_is_plain_text() -> None:
    context = RenderContext(44_100, tempo=TempoMap.constant(120))
    tree = Tree(
        [Gain(gain=-6.5), Lowpass(cutoff=Lfo("sine", Time.parse("1 s"), 100.0, 200.0)), Delay(feedback=0.5, mix=0.75)],
        context,
    )  # type: ignore[arg-type]
    assert tree.text.splitlines() == [
        "mirepoix 1",
        "chain 3",
        "step studio.effects.mixing.Gain gain=-0xdp-1",
        "step studio.effects.filters.Lowpass cutoff=~",
        "step studio.effects.delays.Delay beats time=0x3p-3 feedback=0x1p-1 mix=0x3p-2",
    ]


def test_every_native_struct_has_the_members_that_are_declared() -> None:
    for step in registry().values():
        if (native := native_of(step)) is not None and step.kind == "effect":
            declared = [name for name, kind in step.parameters().items() if not isinstance(kind, Port)]
            assert list(native.members) == declared, step


def test_what_does_not_take_so_many_channels_says_so() -> None:
    for step, channels in ((Pan(), 1), (Reverb(), 6), (Gain(), 65)):
        with pytest.raises(RenderError, match=f"{channels} channels are none for `{step.step}`"):
            NativeChain([step], RenderContext(44_100, channels=channels))
    six = white(0.05, channels=6)
    assert pushed(NativeChain([Chorus(), Brickwall()], RenderContext(44_100, channels=6)), six).shape[0] == 6


def test_subnormal_numbers_are_zero_inside_and_as_they_were_outside() -> None:
    tiny = np.full((2, 64), 1e-40, np.float32)
    assert not np.any(pushed(NativeChain([Gain(gain=-1.0)], CONTEXT), tiny))
    assert np.all(tiny * np.float32(0.5) > 0)
