"""What a plugin offers to hands: every live knob where no knob has a name, and presets."""

from __future__ import annotations

import ctypes
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from studio.errors import KnobError
from studio.exporting.export import export
from studio.exporting.plugin.clap_probe import _Loaded
from studio.exporting.plugin.design import Design
from studio.exporting.plugin.source import clap_features, vst3_category
from studio.exporting.target import Target
from studio.hosting.clap_abi import ClapEntry
from studio.hosting.vst3_host import Vst3

CHAIN = "[{delay: {time: 0.1 s, mix: 0.4}}, {gain: -3}]"
PRESETS = {"Far": {"delay mix": 0.9, "gain": "-9 dB"}}


def test_without_named_knobs_every_live_knob_is_a_parameter() -> None:
    design = Design.of(CHAIN)
    found = [(each.name, each.group, each.number.unit.symbol, each.initial) for each in design.parameters]
    assert found == [
        ("delay feedback", "delay", "", 0.35), ("delay mix", "delay", "", 0.4), ("gain", "gain", "dB", -3.0),
    ]  # fmt: skip
    assert [each.name for each in Design.of("tape").parameters] == ["drive", "wear"], "named knobs stay alone"
    twice = Design.of("[{gain: 1}, {gain: 2}]").parameters
    assert [each.name for each in twice] == ["gain", "gain 2"]
    assert len({each.group for each in twice}) == 2


def test_categories_come_from_the_steps() -> None:
    assert vst3_category(Design.of(CHAIN)) == "Fx|Delay"
    assert clap_features(Design.of("[{reverb: {}}, {eq: {low: 2}}]")) == (
        "audio-effect", "reverb", "equalizer", "stereo", "mono",
    )  # fmt: skip
    assert vst3_category(Design.of("gain: -3")) == "Fx|Tools"


def test_presets_name_knobs_and_values_that_there_are() -> None:
    target = Target.parse(CHAIN)
    for preset, words in (({"x": {"mix": 1}}, "no knob 'mix'"), ({"": {}}, "name of a preset")):
        with pytest.raises(KnobError, match=words):
            Design("D", target, presets=preset)


def test_presets_and_groups_lie_in_every_format(tmp_path: Path) -> None:
    made = {form: export(CHAIN, tmp_path / f"Two.{form}", presets=PRESETS) for form in ("vst3", "clap", "lv2")}
    plugin = Vst3(made["vst3"].path)
    assert plugin.programs() == ["delay gain", "Far"]
    plugin.choose(1)
    plugin.prepare(44_100)
    sound = np.ones((2, 64), np.float32)
    quiet = plugin.process(sound, None)
    assert abs(20 * np.log10(quiet[0, 0]) - (-9 + 20 * np.log10(0.1))) < 0.01, "the dry part of 0.9, at -9 dB"
    assert [abi.unit for abi in plugin.controls[:3]] == [1, 1, 2]
    state = plugin.state()
    other = Vst3(made["vst3"].path)
    other.load_state(state)
    assert abs(other.position(other.controls[1].id) - 0.9) < 1e-6

    entry = ClapEntry.in_dll(ctypes.CDLL(str(made["clap"].path)), "clap_entry")
    entry.init(str(made["clap"].path).encode())
    one, two = _Loaded(entry), _Loaded(entry)
    assert [info.module for info in one.parameters][:3] == [b"delay", b"delay", b"gain"]
    bypass = one.parameters[-1].id
    assert (one.read(bypass, "On"), one.read(bypass, "Off"), one.read(bypass, "perhaps")) == (1.0, 0.0, None)
    two.restore(one.saved())
    assert two.rescans == [1], "the host reads values again"

    turtle = "".join(file.read_text() for file in made["lv2"].path.glob("*.ttl"))
    assert len(re.findall("a pset:Preset", turtle)) == 2 * 2 * 2  # two plugins, two presets, told twice
    standards = [
        path for path in Path("/usr/lib/lv2").glob("*.lv2/*.ttl") if not path.parent.name.startswith(("a-", "Za"))
    ]
    checked = subprocess.run(
        ["sord_validate", *map(str, standards), *map(str, made["lv2"].path.glob("*.ttl"))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Found 0 errors" in checked.stdout + checked.stderr, checked.stdout + checked.stderr
    assert made["lv2"].card and made["lv2"].card.state.startswith("verified")


def test_class_ids_are_kept_as_com_keeps_them_on_windows(tmp_path: Path) -> None:
    # The same program, with Windows' order of bytes and without: the ids mean the same class.
    program = """
    #include "studio/native/shell/vst3_abi.hpp"
    #include <cstdio>
    int main() {
        const unsigned char plain[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
        const vst3::Name name(plain);
        for (char byte : name.bytes) std::printf("%d ", byte);
    }
    """
    from studio.exporting.plugin.build import ROOT

    (tmp_path / "ids.cpp").write_text(program)
    found = {}
    for system, flags in (("linux", []), ("windows", ["-D_WIN32", "-D__stdcall="])):
        command = ["g++", "-std=c++17", *flags, f"-I{ROOT}", "ids.cpp", "-o", system]
        subprocess.run(command, cwd=tmp_path, check=True)
        said = subprocess.run([str(tmp_path / system)], capture_output=True, text=True, check=True).stdout
        found[system] = list(map(int, said.split()))
    assert found["linux"] == list(range(16))
    assert found["windows"] == [3, 2, 1, 0, 5, 4, 7, 6, *range(8, 16)]
