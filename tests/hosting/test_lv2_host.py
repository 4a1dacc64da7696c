"""LV2 plugins in recipes: found, described, in time, with their side inputs, presets and states; and those that are broken."""

from __future__ import annotations

import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import MissingError, StudioError
from studio.hosting import catalogue
from studio.hosting.capture import save_state
from studio.hosting.contract import PluginError
from studio.hosting.plugin import Plugin
from studio.score import Note
from studio.tempo import Tempo, TempoMap
from tests.hosting.sides import squeezed_by_its_side
from tests.listening import cents, null_db, pitch_hz, rms_db, through, white
from tests.songs import score_of

HERE = Path(__file__).parent
PREFIXES = """
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
"""
WORKER = """
<urn:test:worker> a lv2:Plugin ; doap:name "Fetched Gain" ; lv2:binary <worker.so> ;
    lv2:requiredFeature <http://lv2plug.in/ns/ext/urid#map> , <http://lv2plug.in/ns/ext/options#options> ,
        <http://lv2plug.in/ns/ext/worker#schedule> MORE ;
    lv2:port [ a lv2:AudioPort , lv2:InputPort ; lv2:index 0 ; lv2:symbol "in" ; lv2:name "in" ] ,
             [ a lv2:AudioPort , lv2:OutputPort ; lv2:index 1 ; lv2:symbol "out" ; lv2:name "out" ] .
"""


def bundle(folder: Path, more: str = "", name: str = "Fetched") -> Path:
    """A bundle of the test's own, whose binary is not there yet."""
    made = folder / f"{name}.lv2"
    made.mkdir()
    (made / "manifest.ttl").write_text(PREFIXES + WORKER.replace("MORE", more))
    return made


def delayed(file: str, on: object, tempo: TempoMap) -> Block:
    step = Plugin.parse({"file": file, "sync_bpm": on, "divisor": 2, "dry_wet": 1, "feedback": 0})
    sound = np.zeros((2, 2 * 44_100), np.float32)
    sound[:, 9000] = 0.5  # after its first block, over which it fades from no delay to this
    return through(step, sound, RenderContext(tempo=tempo))


def test_an_echo_is_in_time_and_the_same_as_the_vst3s_along_a_ramp_too() -> None:
    ramp = TempoMap((Tempo(Fraction(0), Fraction(90), ramp=True), Tempo(Fraction(8), Fraction(180))))
    for tempo in (TempoMap.constant(90), ramp):
        ours = delayed("ZamDelay.lv2", True, tempo)
        assert np.max(np.abs(ours)) > 0.01
        assert null_db(ours, delayed("ZamDelay.vst3", True, tempo)) < -90
    echo = int(np.argmax(np.abs(delayed("ZamDelay.lv2", True, TempoMap.constant(90))[0]))) - 9000
    assert abs(echo - 2 * 44_100 * 60 / 90) <= 3


def test_parameters_have_names_units_choices_and_ranges() -> None:
    step = Plugin.parse({"file": "ZamDelay.lv2", "time": "0.2 s", "lpf": "2 kHz", "invert": True})
    step.check_values()
    assert (step.time, step.lpf, step.invert, step.divisor) == (200.0, 2000.0, True, 3)
    with pytest.raises(StudioError, match="out of range"):
        Plugin.parse({"file": "ZamDelay.lv2", "time": "20 s"}).check_values()
    known = catalogue.describe_plugin("urn:zamaudio:ZamDelay")
    assert known.path.name == "ZamDelay.lv2" and known.about.vendor == "Damien Zammit"
    assert step.label == "ZamDelay"


def test_a_side_input_is_heard_as_in_the_vst2(tmp_path: Path) -> None:
    assert (
        null_db(
            squeezed_by_its_side("ZamCompX2.lv2", "true", tmp_path),
            squeezed_by_its_side("ZamCompX2-vst.so", 1, tmp_path),
        )
        < -90
    )


def test_latency_is_taken_up(context: RenderContext) -> None:
    """A limiter that looks ahead and has nothing to do."""
    sound = white(1.0, level=0.02)
    assert catalogue.describe_plugin("ZaMaximX2.lv2").reported_latency == 480
    out = through(Plugin.parse({"file": "ZaMaximX2.lv2"}), sound, context, tail=8192)
    assert null_db(out[:, : sound.shape[1]], sound) < -90


def test_an_instrument_plays_in_tune(context: RenderContext) -> None:
    synth = Plugin.parse({"file": "reasonablesynth.lv2"})
    out = np.concatenate(list(synth.play(score_of(Note(480, 1440, 57, 100)), context)), axis=1)
    assert rms_db(out[:, :21_900]) < -80 < rms_db(out[:, 22_050:44_100])
    assert abs(cents(220.0, pitch_hz(out[0, 26_000:60_000], 44_100))) < 8


def test_several_plugins_of_a_bundle_are_told_apart(context: RenderContext) -> None:
    with pytest.raises(PluginError, match=r"a-comp\.lv2 holds 2 plugins: ACE Compressor, ACE Compressor \(stereo\)"):
        Plugin.parse({"file": "a-comp.lv2"}).open(context)
    stereo = catalogue.describe_plugin("a-comp.lv2#ACE Compressor (stereo)")
    assert (
        stereo
        == catalogue.describe_plugin("urn:ardour:a-comp#stereo")
        == catalogue.describe_plugin("ace compressor (stereo)")
    )
    assert (stereo.about.inputs, catalogue.describe_plugin("ACE Compressor").about.inputs) == (2, 1)
    with pytest.raises(MissingError, match="there is no plugin 'urn:ardour:a-camp'"):
        catalogue.describe_plugin("urn:ardour:a-camp")
    listed = [(each.path.name, each.inner) for each in catalogue.list_plugins()]
    assert ("a-comp.lv2", "urn:ardour:a-comp#stereo") in listed and ("ZamComp.lv2", "") in listed


def test_presets_and_states_come_back(tmp_path: Path, context: RenderContext) -> None:
    sound = white(0.5)
    turned = Plugin.parse({"file": "ZamEQ2.lv2", "boost_cut_1": 12, "frequency_1": "300 Hz"})
    kept = save_state(turned, tmp_path / "bright.ttl", context)
    assert not kept.settings and kept.id == "urn:zamaudio:ZamEQ2"
    assert null_db(through(kept, sound, context), through(turned, sound, context)) < -100
    assert null_db(through(kept, sound, context), through(Plugin.parse({"file": "ZamEQ2.lv2"}), sound, context)) > -60
    for name, words in (("ZamComp.lv2", "another plugin"), ("ZamEQ2.lv2", "none of LV2's")):
        if name == "ZamEQ2.lv2":
            (tmp_path / "bright.ttl").write_text("nothing of the kind")
        with pytest.raises(StudioError, match=words):
            through(Plugin.parse({"file": name, "preset": str(tmp_path / "bright.ttl")}), sound, context)
    known = catalogue.describe_plugin("ZamComp.lv2")
    assert known.programs
    heard = through(Plugin.parse({"file": "ZamComp.lv2", "program": known.programs[0]}), sound, context)
    assert null_db(heard, through(Plugin.parse({"file": "ZamComp.lv2"}), sound, context)) > -100


def test_work_is_done_that_a_plugin_puts_off_and_the_host_tells_its_facts(
    tmp_path: Path, context: RenderContext
) -> None:
    made = bundle(tmp_path)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", str(HERE / "worker.c"), "-o", str(made / "worker.so")], check=True
    )
    sound = white(0.3)
    out = through(Plugin.parse({"file": str(made)}), sound, context, cuts=(64, 6000))
    # The first block is silent; the answer is there with the second.
    assert null_db(out[:, 6016:], 0.5 * sound[:, 6016:]) < -120


def test_broken_bundles_are_told_by_name(tmp_path: Path, context: RenderContext) -> None:
    missing = bundle(tmp_path)
    wanting = bundle(tmp_path, more=", <urn:test:moon-phase>", name="Wanting")
    torn = bundle(tmp_path, name="Torn")
    (torn / "manifest.ttl").write_text((torn / "manifest.ttl").read_text()[:300] + "binary")
    for made, words in (
        (missing, "binary cannot be loaded"),
        (wanting, "wants what this host has not: urn:test:moon-phase"),
        (torn, "holds no plugin, or its Turtle is broken"),
    ):
        with pytest.raises(PluginError, match=words):
            Plugin.parse({"file": str(made)}).open(context)
    shutil.rmtree(torn)
    assert {each.path.name for each in catalogue.list_plugins()} >= {"Fetched.lv2", "Wanting.lv2", "ZamDelay.lv2"}
