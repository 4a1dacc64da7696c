"""What leaves as a plugin comes back into a recipe: the studio hosts everything that it exports, in every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.exporting.plugin.build import build
from studio.exporting.plugin.bundle import standing
from studio.exporting.plugin.compilers import compilers
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.formats import FORMATS
from studio.exporting.plugin.source import write_source
from studio.exporting.target import Target
from studio.hosting import catalogue
from studio.hosting.capture import save_state
from studio.hosting.plugin import Plugin
from studio.tempo import TempoMap
from tests.listening import null_db, through, white
from tests.once import once_a_run

CHAIN = "[{delay: {time: 1/8., mix: 0.4}}, {lowpass: 3 kHz}, {gain: -3}]"
PRESETS = {"Far": {"delay mix": 0.9, "gain": "-9 dB"}}


@pytest.fixture(scope="module")
def design() -> Design:
    return Design("Far Echo", Target.parse(CHAIN), presets=PRESETS)


@pytest.fixture(params=["vst3", "lv2", "clap"])
def plugin(
    request: pytest.FixtureRequest,
    design: Design,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    form = FORMATS[request.param]

    def built(folder: Path) -> Path:
        [compiler] = compilers()
        library = build(write_source(design), form.shell, compiler, lambda phrase: None)
        with standing(folder / f"Far Echo{form.ending}", form.lay(design, "Far Echo", [(compiler, library)]), design):
            pass
        return folder / f"Far Echo{form.ending}"

    path = once_a_run(tmp_path_factory, f"far-echo-{request.param}", built)
    monkeypatch.setenv("STUDIO_PLUGINS", str(path.parent))
    return path


@pytest.mark.parametrize("bpm", [120, 87])
def test_it_plays_as_its_chain_at_any_tempo_and_setting(plugin: Path, design: Design, bpm: int) -> None:
    context, sound = RenderContext(48_000, 2, TempoMap.constant(bpm)), white(1.0)
    for settings in ({}, {"delay_mix": 0.8, "gain": -12, "lowpass_cutoff": 900}):
        hosted = through(Plugin.parse({"file": str(plugin), **settings}), sound, context, cuts=(64, 6400, 20_000))
        values = {name.replace("_", " "): float(value) for name, value in settings.items()}
        wanted = EffectChain(design.chain(values), context).push(sound)
        frames = min(hosted.shape[1], wanted.shape[1])
        assert null_db(hosted[:, :frames], wanted[:, :frames]) < -100, settings
    known = catalogue.describe_plugin(str(plugin))
    assert known.about.name == "Far Echo" and {"delay_mix", "delay_feedback", "gain"} <= set(known.named)


def test_its_presets_are_programs_and_its_state_a_preset(plugin: Path, design: Design, tmp_path: Path) -> None:
    context, sound = RenderContext(48_000, 2), white(0.5)
    known = catalogue.describe_plugin(str(plugin))
    assert "Far" in known.programs
    heard = through(Plugin.parse({"file": str(plugin), "program": "Far"}), sound, context)
    wanted = EffectChain(design.chain({"delay mix": 0.9, "gain": -9.0}), context).push(sound)
    frames = min(heard.shape[1], wanted.shape[1])
    assert null_db(heard[:, :frames], wanted[:, :frames]) < -100
    kept = save_state(Plugin.parse({"file": str(plugin), "gain": -20}), tmp_path / "kept", context)
    quiet = through(kept, sound, context)
    assert np.allclose(quiet, through(Plugin.parse({"file": str(plugin), "gain": -20}), sound, context), atol=1e-6)
    assert not list(kept.remarks(context))
