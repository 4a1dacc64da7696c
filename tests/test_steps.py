"""The registry: every step by its declaration, the studio's own and those of other packages."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import jsonschema
import pytest

from studio.errors import RecipeError, StudioError
from studio.knobs import Number, Span
from studio.recipe.schema import schema
from studio.records import ListOf, Nested
from studio.steps import Effect, Step, StepKind, check_label, find_step, parse_step, registry

STEPS = sorted(registry())
DEMANDING: dict[str, Any] = {
    "ducker": {"sidechain": "drums"},
    "vocoder": {"sidechain": "voice"},
    "pedalboard": {"plugin": "Gain", "settings": {"gain_db": 40.0}},
    "plugin": {"file": "ZamCompX2"},
    "write": {"text": "c4 e4"},
    "preset": {"use": "tape"},
    "warp": {"markers": [["0 s", "0 s"], ["1.5 s", "1 bar"]]},
}
"""Steps that want more than their declaration says."""


def needs(name: str) -> dict[str, Any]:
    """The fewest knobs with which a step can be made."""
    required = {knob: kind for knob, kind in registry()[name].kinds().items() if kind.required}
    return DEMANDING.get(name) or {
        knob: "1 bar" if isinstance(kind, Span) else "file.x" for knob, kind in required.items()
    }


def made(name: str, **knobs: Any) -> Step:
    return parse_step({name: needs(name) | knobs})


@pytest.mark.parametrize("name", STEPS)
def test_a_step_reads_back_from_what_it_writes(name: str) -> None:
    step = made(name)
    for written in (step.data(), step.replace(name="my own", bypass=True).data()):
        again = parse_step(written)
        assert again.data() == written and parse_step(again) is again
    assert parse_step(step.data()) == step
    own = step.replace(name="my own", bypass=True)
    assert own.label == "my own" and step.label != "my own" and parse_step(own.data()) == own
    full = step.data(full=True)[name]
    assert set(full) == {*step.parameters(), "name", "bypass", "version"}


@pytest.mark.parametrize("name", STEPS)
def test_what_it_writes_follows_its_own_schema(name: str) -> None:
    whole = schema()
    where = next(
        where
        for where in ("effect-transform", "score", "instrument-source")
        if registry()[name].fits(*where.split("-"))
    )
    validator = jsonschema.Draft7Validator({"$ref": f"#/$defs/{where}", "$defs": whole["$defs"]})
    written = made(name).replace(name="x").data()
    validator.validate(json.loads(json.dumps(written)))
    assert list(validator.iter_errors({name: {"no such knob": 3}})) or name == "preset"


@pytest.mark.parametrize("name", STEPS)
def test_every_knob_is_declared_once_with_help_range_and_a_default_inside_it(name: str) -> None:
    step = registry()[name]
    first, *_ = step.help().splitlines()
    assert first[0].isupper() and first.endswith(".")
    for knob, kind in step.kinds().items():
        assert kind.help and not kind.help.endswith("."), f"{name}.{knob}"
        if not kind.required:
            assert kind.parse(kind.data(kind.parse(kind.default))) == kind.parse(kind.default), f"{name}.{knob}"
        if isinstance(kind, Number):
            assert -1e9 < kind.low < kind.high < 1e12, f"{name}.{knob} has no bounds"
            assert kind.taper == "linear" or kind.low > 0
        assert not isinstance(kind, StepKind) or kind.kinds
        assert kind.schema() and (
            kind.range or isinstance(kind, (ListOf, Nested, StepKind)) or knob in ("knobs", "settings", "lines")
        ), f"{name}.{knob}"


@pytest.mark.parametrize("name", [name for name in STEPS if name != "preset"])
def test_numbers_out_of_range_and_unknown_knobs_are_refused_with_the_range_and_the_nearest_name(name: str) -> None:
    step = registry()[name]
    for knob, kind in step.parameters().items():
        if isinstance(kind, Number):
            for beyond in (kind.low - 1, kind.high + 1):
                with pytest.raises(StudioError) as caught:
                    made(name, **{knob: beyond})
                assert caught.value.path == (name, knob)
                assert "is out of range" in caught.value.cause and kind.range in caught.value.mend
        with pytest.raises(RecipeError) as unknown:
            made(name, **{knob + "x": 1}).check_values()  # a plugin is looked at when its values are checked
        assert f"`{name}` has no {knob + 'x'!r}" in unknown.value.cause and knob in unknown.value.mend


@pytest.mark.parametrize(
    ("data", "knobs"),
    [
        ("lowpass", {}), ({"lowpass": None}, {}), ({"lowpass": "4 kHz"}, {"cutoff": 4000.0}), ({"lowpass": {"cutoff": 4000}}, {"cutoff": 4000.0}),
        ({"transpose": -2}, {"semitones": -2.0}), ({"quantise": "1/8"}, {}), ({"bitcrush": {"name": "dirt"}}, {"name": "dirt"}),
    ],
)  # fmt: skip
def test_the_first_knob_may_stand_alone(data: Any, knobs: dict[str, Any]) -> None:
    step = parse_step(data)
    for knob, value in knobs.items():
        assert getattr(step, knob) == value


def test_a_curve_may_stand_for_the_first_knob() -> None:
    for curve in ([["0 bars", 200], ["4 bars", "2 kHz"]], {"lfo": "sine", "period": "1 bar", "from": 200, "to": 900}):
        assert parse_step({"lowpass": curve}) == parse_step({"lowpass": {"cutoff": curve}})
    assert parse_step({"lowpass": curve}).follows_tempo() and not parse_step({"lowpass": [[0, 200]]}).follows_tempo()
    inside = {"parallel": {"chain": [{"layers": {"chains": [[{"lowpass": curve}], []]}}]}}
    assert parse_step(inside).follows_tempo()
    assert [step.label for step in parse_step(inside).inner()] == ["layers", "lowpass"]


@pytest.mark.parametrize(
    ("data", "kinds", "cause", "mend"),
    [
        ("corus", ("effect",), "there is no step 'corus'", "Did you mean chorus"), ({"corus": 1}, (), "no step 'corus'", "chorus"),
        ("quantise", ("effect", "transform"), "'quantise' is a step of kind score; here stands effect or transform", "There is"),
        ({"chorus": 1, "reverb": 1}, (), "is not a step", "Write its name"), (3, (), "3 is not a step", "Write its name"),
        (None, (), "None is not a step", "Write its name"), ({}, (), "{} is not a step", "Write its name"),
        ({"audio": None}, (), "`audio` needs 'file': an audio file", ""), ({"chorus": {"rate": 1, "Rate": 2}}, (), "has no 'Rate'", "rate"),
        (["chorus"], (), "is not a step", ""),
    ],
)  # fmt: skip
def test_what_is_no_step_here_is_refused(data: Any, kinds: tuple[str, ...], cause: str, mend: str) -> None:
    with pytest.raises(RecipeError) as caught:
        parse_step(data, *kinds)
    assert cause in caught.value.cause and mend in caught.value.mend


def test_a_step_object_of_another_kind_is_refused_too() -> None:
    with pytest.raises(RecipeError, match="kind score"):
        parse_step(parse_step("quantise"), "effect")
    assert find_step("chorus", "effect") is registry()["chorus"]


def test_two_steps_of_one_name_and_steps_without_help_are_mistakes_of_their_author() -> None:
    with pytest.raises(TypeError, match="two steps are called 'chorus'"):
        type("Chorus", (Effect,), {"__doc__": "Another.", "__module__": "elsewhere"})
    with pytest.raises(TypeError, match="'mute_button' has no docstring"):
        type("MuteButton", (Effect,), {})
    assert registry()["chorus"].__module__ == "studio.effects.modulation" and "mute_button" not in registry()


@pytest.mark.parametrize("label", ["a.b", "a/b", " a", "", "x" * 81, "a\n"])
def test_a_label_can_stand_in_an_address(label: str) -> None:
    with pytest.raises(RecipeError, match="cannot be a name"):
        check_label(label)
    assert check_label("dub delay 2") == "dub delay 2"


BELLS = '''
import numpy as np

from studio.knobs import Live, knob
from studio.context import BlockContext, RenderContext
from studio.steps import Effect, Run
from studio.units import HZ


class RingModulator(Effect):
    """Multiply the sound with a sine, for bells and robots."""

    carrier: Live = knob(440.0, 1.0, 8_000.0, HZ, taper="log", help="frequency of the sine")

    def open(self, context: RenderContext) -> Run:
        phase = 0.0

        def run(block, now: BlockContext):
            nonlocal phase
            turns = phase + np.cumsum(np.broadcast_to(now["carrier"], block.shape[1])) / context.rate
            phase = turns[-1] % 1
            return (block * np.sin(2 * np.pi * turns)).astype(np.float32)

        return run
'''


@pytest.fixture
def elsewhere(tmp_path: Path) -> dict[str, str]:
    """An environment in which a package of somebody else's is installed: a module and its entry points."""
    site = tmp_path / "site"
    about = site / "bells-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "bells.py").write_text(BELLS)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: bells\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[studio.steps]\nbells = bells\nbroken = no_such_module\n")
    return os.environ | {"PYTHONPATH": str(site)}


def studio(*words: str, env: dict[str, str], cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-c", "from studio.cli import main; main()", *words]
    return subprocess.run(command, env=env, cwd=cwd, capture_output=True, text=True, check=False)


def test_one_declaration_in_another_package_serves_help_schema_checks_and_sound(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    shown = studio("steps", "ring_modulator", env=elsewhere, cwd=tmp_path).stdout
    for word in (
        "Multiply the sound with a sine",
        "carrier",
        "440 Hz",
        "1 Hz to 8 kHz",
        "frequency of the sine",
        "can move",
    ):
        assert word in shown
    declared = json.loads(studio("steps", "--schema", env=elsewhere, cwd=tmp_path).stdout)["$defs"][
        "step-ring_modulator"
    ]
    carrier = declared["anyOf"][0]["properties"]["carrier"]
    assert "frequency of the sine" in carrier["description"]
    [number] = [each for each in carrier["anyOf"] if each.get("type") == "number"]
    assert (number["minimum"], number["maximum"]) == (1, 8000)
    text = """
        length: 1 s
        knobs: {robot: {value: 1, drives: {tone.ring_modulator.carrier: [100, 1000]}}}
        tracks:
          tone:
            play: {audio: tone.wav}
            chain: [{ring_modulator: CARRIER}]
    """
    (tmp_path / "bad.yaml").write_text(dedent(text).replace("CARRIER", "9 kHz"))
    refused = studio("check", "bad.yaml", env=elsewhere, cwd=tmp_path)
    assert refused.returncode != 0
    assert (
        "9 kHz is out of range" in refused.stdout + refused.stderr
        and "1 Hz to 8 kHz" in refused.stdout + refused.stderr
    )
    (tmp_path / "good.yaml").write_text(dedent(text).replace("CARRIER", "[[0, 200], [1 s, 300]]"))
    sing = """
        import numpy, soundfile, studio
        from tests.listening import pitch_hz, sine
        soundfile.write("tone.wav", sine(3000, 1.0).T, 44_100, "FLOAT")
        mix = studio.render("good.yaml", cache=False).mix.samples
        spectrum = abs(numpy.fft.rfft(mix[0] * numpy.hanning(44_100)))
        print(sorted(numpy.argsort(spectrum)[-2:].tolist()))
    """
    env = elsewhere | {"PYTHONPATH": f"{elsewhere['PYTHONPATH']}{os.pathsep}{Path(__file__).parents[1]}"}
    command = [sys.executable, "-W", "ignore", "-c", dedent(sing)]
    sung = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    # The knob stands at 1 and so the carrier at 1000 Hz: sum and difference with 3000 Hz, in bins of 1 Hz.
    assert json.loads(sung) == [2000, 4000]


def test_a_package_that_cannot_be_loaded_costs_a_warning_and_its_own_steps(
    elsewhere: dict[str, str], tmp_path: Path
) -> None:
    ask = "from studio.steps import registry; print('ring_modulator' in registry(), 'chorus' in registry())"
    done = subprocess.run(
        [sys.executable, "-c", ask], env=elsewhere, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True True\n"
    assert "the steps of no_such_module cannot be loaded: No module named 'no_such_module'" in done.stderr
