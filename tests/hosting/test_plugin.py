"""The plugin step with real plugins: found, described, set, moved, streamed, saved; effects and instruments."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pytest

import studio
from studio.context import RenderContext
from studio.errors import MissingError, RecipeError, StudioError
from studio.floating_point import floating_point_kept
from studio.hosting import catalogue
from studio.hosting.capture import save_state
from studio.hosting.contract import PluginError
from studio.hosting.plugin import Plugin
from studio.recipe import Recipe
from studio.score import BEND, Event, Note
from studio.steps import parse_step
from tests.listening import cents, null_db, pitch_hz, rms_db, sine, through, white
from tests.songs import score_of

COMP = {"file": "ZamCompX2", "threshold": "-30 dB", "ratio": 8, "attack": "5 ms"}


def test_parameters_are_set_by_name_in_the_plugins_own_units() -> None:
    step = Plugin.parse(COMP)
    assert (step.threshold, step.attack, step.label) == (-30.0, 5.0, "ZamCompX2")
    assert step.data() == {"plugin": {"file": "ZamCompX2", "threshold": "-30 dB", "ratio": 8, "attack": "5 ms"}}
    assert parse_step(step.data(), "effect") == step
    assert step.replace(ratio=4).settings["ratio"] == 4
    with pytest.raises(RecipeError, match="threshold"):
        Plugin.parse({"file": "ZamCompX2", "treshold": -3})
    with pytest.raises(StudioError, match="out of range"):
        Plugin.parse({"file": "ZamCompX2", "threshold": "-300 dB"})
    with pytest.raises(StudioError, match="JTM 45"):
        Plugin.parse({"file": "ZamTube", "tone_stack_model": "JTM 54"}).check_values()


@pytest.mark.parametrize("name", ["ZamCompX2", "ZamCompX2.vst3", "/usr/lib/vst3/ZamCompX2.vst3"])
def test_a_plugin_is_found_by_name_and_file(name: str) -> None:
    assert catalogue.describe_plugin(name).about.name == "ZamCompX2"


def test_a_plugin_is_found_by_its_id_and_its_own_name_once_it_is_known() -> None:
    known = catalogue.describe_plugin("3BandEQ-vst.so")
    assert catalogue.describe_plugin(known.about.id).path == known.path
    assert catalogue.describe_plugin("3 Band EQ").path == known.path


@floating_point_kept(flush=True)
def test_the_same_sound_as_in_pedalboards_own_process(context: RenderContext) -> None:
    import pedalboard

    theirs = pedalboard.load_plugin("/usr/lib/vst3/ZamCompX2.vst3")
    theirs.threshold_db, theirs.ratio, theirs.attack_ms = -30.0, 8.0, 5.0
    sound = white(2.0)
    ours = through(Plugin.parse(COMP), sound, context)
    assert null_db(ours, theirs.process(sound, 44_100, buffer_size=8192)) < -120


def test_a_mono_plugin_works_on_each_channel_by_itself(context: RenderContext) -> None:
    left, right = white(1.0, seed=1)[:1], white(1.0, seed=2)[:1]
    step = Plugin.parse({"file": "ZamComp", "threshold": -40, "ratio": 10})
    both = through(step, np.concatenate([left, right]), context)
    alone = through(step, np.concatenate([right, right]), context)
    assert null_db(both[1:], alone[1:]) < -140
    assert rms_db(both) < rms_db(np.concatenate([left, right])) - 6


def test_a_stereo_plugin_on_a_mono_sound(tmp_path: Path) -> None:
    mono = RenderContext(channels=1, folder=tmp_path)
    sound = white(1.0, channels=1)
    assert null_db(through(Plugin.parse({"file": "3BandEQ-vst"}), sound, mono), sound) < -80


def test_latency_is_taken_up_in_parallel(context: RenderContext) -> None:
    """A limiter that looks ahead by 480 frames and does nothing, beside nothing: together twice the sound."""
    sound = white(1.0, level=0.02)
    step = parse_step({"parallel": {"chain": [{"plugin": {"file": "ZaMaximX2"}}], "mix": 0.5}})
    out = through(step, sound, context, tail=8192)[:, : sound.shape[1]]  # type: ignore[arg-type]
    assert null_db(out, sound) < -90


def test_a_moving_parameter_lies_on_the_grid_whatever_the_blocks(context: RenderContext) -> None:
    sound = sine(1000.0, 2.0)
    step = Plugin.parse({"file": "3BandEQ-vst", "master": [["0 s", 0], ["2 s", -24]]})
    whole = through(step, sound, context)
    pieces = through(step, sound, context, cuts=(64, 1000, 8192, 30_000, 30_001, 77_777))
    assert null_db(whole, pieces) < -140
    for second in (0.5, 1.0, 1.5):
        at = int(second * 44_100)
        level = rms_db(whole[:, at - 441 : at + 441]) - rms_db(sound[:, at - 441 : at + 441])
        assert level == pytest.approx(-12 * second, abs=0.35)


def test_two_renders_are_the_same_to_the_bit_on_a_warm_plugin_and_a_fresh_one(context: RenderContext) -> None:
    for name in ("ZamCompX2", "MVerb-vst", "PingPongPan-vst"):
        sound = white(1.0)
        step = Plugin.parse({"file": name})
        first = through(step, sound, context)
        assert np.array_equal(first, through(step, sound, context))
        from studio.hosting.pool import POOL

        POOL.close()
        assert np.array_equal(first, through(step, sound, context)), name


def test_an_instrument_plays_notes_bends_and_rings_out(context: RenderContext) -> None:
    synth = Plugin.parse({"file": "Nekobi-vst", "vcf_resonance": "0 %", "cutoff": "90 %"})
    score = score_of(Note(480, 1440, 57, 100))
    out = np.concatenate(list(synth.play(score, context)), axis=1)
    start = 22_050
    assert rms_db(out[:, : start - 100]) < -80 < rms_db(out[:, start : start + 22_050])
    assert abs(cents(220.0, pitch_hz(out[0, start + 4410 : start + 35_000], 44_100))) < 8
    assert rms_db(out[:, -2000:]) < -80


def test_bends_reach_the_instrument(context: RenderContext) -> None:
    synth = Plugin.parse({"file": "amsynth_vst"})
    score = score_of(Note(0, 1920, 69, 100))
    bent = score.__class__(
        events=(Event(0, bytes((BEND << 4, 127, 127))), *score.events), resolution=480, end=score.end
    )
    plain, high = (
        pitch_hz(np.concatenate(list(synth.play(each, context)), axis=1)[0, 4410:60_000], 44_100)
        for each in (score, bent)
    )
    assert cents(high, plain) == pytest.approx(200, abs=10)


def test_an_effect_is_no_instrument_nor_the_other_way_round(context: RenderContext) -> None:
    with pytest.raises(RecipeError, match="is an instrument"):
        Plugin.parse({"file": "amsynth_vst"}).open(context)
    with pytest.raises(RecipeError, match="is an effect"):
        list(Plugin.parse({"file": "ZamComp"}).play(score_of(Note(0, 480, 60, 100)), context))


def test_a_side_input_that_is_not_there_is_refused(context: RenderContext) -> None:
    for plain in ({"file": "ZamDelay.vst3"}, {"file": "ZamCompX2", "host": "pedalboard"}):
        with pytest.raises(RecipeError, match="no side input"):
            Plugin.parse({**plain, "sidechain": "kick"}).open(context)


@pytest.mark.parametrize(("name", "suffix"), [("ZamCompX2", "vstpreset"), ("MVerb-vst", "fxp"), ("ZynReverb", "fxp")])
def test_state_goes_into_a_file_and_comes_back(name: str, suffix: str, tmp_path: Path, context: RenderContext) -> None:
    known = catalogue.describe_plugin(name)
    turned = {parameter.name: parameter for parameter in known.parameters if not parameter.choices and parameter.live}
    settings = {
        key: parameter.values[0] + 0.3 * (parameter.values[-1] - parameter.values[0])
        for key, parameter in list(turned.items())[:3]
    }
    step = Plugin.parse({"file": name, **settings})
    kept = save_state(step, tmp_path / f"state.{suffix}", context)
    assert not kept.settings and kept.id == known.about.id and not list(kept.remarks(context))
    sound = white(1.0)
    assert null_db(through(step, sound, context), through(kept, sound, context)) < -100
    assert null_db(through(step, sound, context), through(Plugin.parse({"file": name}), sound, context)) > -80
    assert kept.state_hash == hashlib.sha256((tmp_path / f"state.{suffix}").read_bytes()).hexdigest()


def test_a_preset_of_another_plugin_or_cut_short_is_refused(tmp_path: Path, context: RenderContext) -> None:
    save_state(Plugin.parse({"file": "MVerb-vst"}), tmp_path / "m.fxp", context)
    save_state(Plugin.parse({"file": "ZamCompX2"}), tmp_path / "z.vstpreset", context)
    (tmp_path / "cut.fxp").write_bytes((tmp_path / "m.fxp").read_bytes()[:40])
    for name, preset in (("ZynReverb", "m.fxp"), ("ZamEQ2", "z.vstpreset"), ("MVerb-vst", "cut.fxp")):
        with pytest.raises(StudioError, match=r"another plugin|cut short"):
            through(Plugin.parse({"file": name, "preset": preset}), white(0.1), context)


def test_a_render_says_when_the_plugin_is_another_than_the_recipe_was_made_with(context: RenderContext) -> None:
    step = Plugin.parse({"file": "ZamCompX2", "id": "VST3-Other", "made_with": "3.9"})
    said = " ".join(step.remarks(context))
    assert "another plugin" in said and "version 4.1.0 here; the recipe was made with 3.9" in said


def test_a_missing_plugin_is_named_with_its_nearest_and_can_be_left_out(tmp_path: Path) -> None:
    text = """
        recipe: 1
        length: 1 s
        tracks:
          hiss: {{play: {{noise: {{length: 1 s}}}}, chain: [{{plugin: {{file: ZamCompX3, drive: 3 dB{more}}}}}]}}
        """
    with pytest.raises(MissingError, match="there is no plugin 'ZamCompX3'") as caught:
        studio.render(Recipe.loads(text.format(more=""), tmp_path))
    assert "ZamCompX2" in caught.value.mend
    result = studio.render(Recipe.loads(text.format(more=", on_error: bypass"), tmp_path))
    assert "ZamCompX3 was left out" in result.remarks[0]


def test_macros_and_addresses_reach_parameters(tmp_path: Path) -> None:
    recipe = Recipe.loads(
        """
        recipe: 1
        length: 1 s
        knobs: {squash: {value: 1, drives: {hiss.ZamCompX2.threshold: [0 dB, -80 dB]}}}
        tracks:
          hiss: {play: {noise: {length: 1 s}}, chain: [{plugin: {file: ZamCompX2, ratio: 10}}]}
        """,
        tmp_path,
    )
    assert recipe.settled().get("hiss.ZamCompX2.threshold") == -80
    loud, quiet = (rms_db(studio.render(recipe.set("squash", value)).mix.samples) for value in (0, 1))
    assert quiet < loud - 6
    assert Recipe.loads(recipe.dumps(), tmp_path) == recipe


def test_a_dispatch_on_files_that_are_no_plugins(tmp_path: Path, context: RenderContext) -> None:
    (tmp_path / "fake.vst3").write_bytes(b"not a plugin")
    (tmp_path / "fake.so").write_bytes(b"\x7fELF nonsense")
    for name in ("fake.vst3", "fake.so"):
        with pytest.raises(PluginError, match="blocked"):
            Plugin.parse({"file": str(tmp_path / name)}).open(context)


def test_a_plugin_that_a_recipe_brings_along_is_not_run(
    tmp_path: Path, context: RenderContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDIO_PLUGINS")
    shutil.copytree("/usr/lib/vst3/ZamComp.vst3", tmp_path / "Gift.vst3")
    text = "{recipe: 1, length: 1 s, tracks: {a: {play: {noise: {length: 1 s}}, chain: [{plugin: Gift.vst3}]}}}"
    with pytest.raises(PluginError, match=r"Gift\.vst3 lies in .* no folder for plugins"):
        studio.render(Recipe.loads(text, tmp_path))
    monkeypatch.setenv("STUDIO_PLUGINS", str(tmp_path))
    # pedalboard will not load a bundle whose library has another name, but now it may try.
    with pytest.raises(PluginError, match="blocked"):
        studio.render(Recipe.loads(text, tmp_path))


def test_a_bypassed_plugin_need_not_be_here(tmp_path: Path) -> None:
    text = "{recipe: 1, length: 1 s, tracks: {a: {play: {noise: {length: 1 s}}, chain: [{plugin: {file: Gone, bypass: true}}]}}}"
    plain = Recipe.loads(text.replace(", chain: [{plugin: {file: Gone, bypass: true}}]", ""), tmp_path)
    assert np.array_equal(studio.render(Recipe.loads(text, tmp_path)).mix.samples, studio.render(plain).mix.samples)
