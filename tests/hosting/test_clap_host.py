"""CLAP plugins in recipes: in time, with their side inputs and states."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import StudioError
from studio.hosting import catalogue
from studio.hosting.capture import save_state
from studio.hosting.plugin import Plugin
from studio.tempo import TempoMap
from tests.hosting.sides import squeezed_by_its_side
from tests.listening import null_db, through, white


def delayed(file: str, on: object, bpm: int) -> Block:
    step = Plugin.parse({"file": file, "sync_bpm": on, "divisor": 2, "dry_wet": 1, "feedback": 0})
    sound = np.zeros((2, 2 * 44_100), np.float32)
    sound[:, 9000] = 0.5  # after its first block, over which it fades from no delay to this
    return through(step, sound, RenderContext(tempo=TempoMap.constant(bpm)))


@pytest.mark.parametrize("bpm", [90, 174])
def test_an_echo_is_in_time_and_the_same_as_the_vst3s(bpm: int) -> None:
    ours = delayed("ZamDelay.clap", True, bpm)
    assert abs(int(np.argmax(np.abs(ours[0]))) - 9000 - 2 * 44_100 * 60 / bpm) <= 3
    assert null_db(ours, delayed("ZamDelay.vst3", True, bpm)) < -90


def test_a_side_input_is_heard_as_in_the_vst2(tmp_path: Path) -> None:
    assert (
        null_db(
            squeezed_by_its_side("ZamCompX2.clap", "true", tmp_path),
            squeezed_by_its_side("ZamCompX2-vst.so", 1, tmp_path),
        )
        < -90
    )


def test_where_it_stands_goes_into_a_file_and_comes_back(tmp_path: Path, context: RenderContext) -> None:
    sound = white(0.5)
    turned = Plugin.parse({"file": "ZamEQ2.clap", "boost_cut_1": 12, "frequency_1": 300})
    kept = save_state(turned, tmp_path / "bright.clap-preset", context)
    assert not kept.settings and kept.id == "com.zamaudio.ZamEQ2" == catalogue.describe_plugin("ZamEQ2.clap").about.id
    assert null_db(through(kept, sound, context), through(turned, sound, context)) < -100
    with pytest.raises(StudioError, match="another plugin"):
        through(Plugin.parse({"file": "ZamComp.clap", "preset": str(tmp_path / "bright.clap-preset")}), sound, context)


def test_latency_is_taken_up(context: RenderContext) -> None:
    sound = white(1.0, level=0.02)
    assert catalogue.describe_plugin("ZaMaximX2.clap").reported_latency == 480
    out = through(Plugin.parse({"file": "ZaMaximX2.clap"}), sound, context, tail=8192)
    assert null_db(out[:, : sound.shape[1]], sound) < -90


def test_what_is_no_plugin_is_told(tmp_path: Path, context: RenderContext) -> None:
    (tmp_path / "fake.clap").write_bytes(b"\x7fELF nonsense")
    with pytest.raises(StudioError, match=r"fake\.clap cannot be loaded"):
        Plugin.parse({"file": str(tmp_path / "fake.clap")}).open(context)
