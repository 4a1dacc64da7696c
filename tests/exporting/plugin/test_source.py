"""The program of a chain: numbers to the last bit, words that cannot escape, refusals by name."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from types import FrameType

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.effects.blocks import RackBlock
from studio.errors import RecipeError
from studio.exporting.plugin import source as programs
from studio.exporting.plugin import turtle
from studio.exporting.plugin.build import ROOT
from studio.exporting.plugin.design import Design
from studio.exporting.target import Target
from studio.steps import Effect, Run, Step, registry

NASTY = 'ü"; system("rm -rf /"); //\\ ??/ \U0001f600 /* */ %s </ttl> .'


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_mean_exactly_themselves(value: float) -> None:
    written = programs.number(value)
    assert math.copysign(1.0, float(written)) == math.copysign(1.0, value)
    assert float(written) == value
    assert re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", written)
    assert "." in written or "e" in written, "an integer would be divided as one"


@given(st.text())
def test_words_are_nothing_but_words(value: str) -> None:
    value = value.encode("utf-8", "ignore").decode()
    written = programs.text(value)
    assert re.fullmatch(r'"([A-Za-z0-9 _.,:+-]|\\[0-7]{3})*"', written)
    plain = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), written[1:-1].encode())
    assert plain.decode() == value


@given(st.text())
def test_words_in_turtle_are_nothing_but_words(value: str) -> None:
    value = value.encode("utf-8", "ignore").decode()
    written = turtle.text(value)
    assert '"' not in written[1:-1]
    assert "\n" not in written
    plain = re.sub(r"\\U([0-9A-F]{8})", lambda code: chr(int(code[1], 16)), written[1:-1])
    assert plain == value


def test_what_a_person_wrote_stands_in_one_table() -> None:
    knobs = {"sharp ü;": {"value": 0.5, "drives": {"mine#1.gain": [0, 6]}}}
    rack = RackBlock.parse({"chain": [{"gain": {"name": "mine#1"}}], "knobs": knobs})
    text = programs.write_source(Design.of(rack, NASTY)).text
    code, _, table = text.partition("// All words below")
    assert "mine" not in text and "sharp" not in code and "system" not in code
    assert "system" in table and NASTY not in table
    assert text.isascii()


def test_fixed_values_are_held_and_knobs_move() -> None:
    rack = RackBlock.parse(
        {"chain": [{"gain": -6}, {"lowpass": "2 kHz"}], "knobs": {"a": {"drives": {"lowpass": [200, 2000]}}}}
    )
    text = programs.write_source(Design.of(rack, "A")).text
    assert "hold(step.gain, -6.0);" in text
    assert "exponential(linear_position(at.knobs[0], 0.0, 1.0), 200.0, 2000.0)" in text
    assert "Row<Station<Gain1>, Station<Lowpass2>>" in text


class Headless(Effect):
    """A step whose maker wrote no native half."""

    def open(self, context: RenderContext) -> Run:
        return lambda block, now: block


def test_steps_without_a_half_are_refused_by_name() -> None:
    with pytest.raises(RecipeError, match="'headless' has no native half") as refused:
        programs.write_source(Design.of([Headless()], "H"))
    assert refused.value.path == ("headless",)
    assert "render the track" in refused.value.mend


def test_a_response_is_kept_to_the_last_bit_and_no_longer_than_a_plugin_may_be(tmp_path: Path) -> None:
    def written(seconds: float, subtype: str) -> str:
        noise = np.random.default_rng(3).uniform(-1, 1, (round(seconds * 44_100), 2))
        soundfile.write(tmp_path / "room.wav", np.pad(noise, ((0, 5000), (0, 0))), 44_100, subtype)
        return programs.write_source(Design.of("convolution: room.wav", "R", folder=tmp_path)).text

    for subtype, kind, scale in (("PCM_16", "std::int16_t", 32_768), ("FLOAT", "float", 1)):
        [numbers] = re.findall(rf"constexpr {kind} RESPONSE1\[\] = \{{([^}}]*)\}}", written(0.01, subtype))
        kept = np.array(
            [float(word.strip().rstrip("f")) for word in numbers.replace("\n", " ").split(",") if word.strip()]
        )
        samples, _ = soundfile.read(tmp_path / "room.wav", dtype="float32")
        assert np.array_equal(kept.astype(np.float32) / scale, samples[:441].T.ravel()), "silence behind it is left out"
    assert written(1.9, "PCM_16")
    with pytest.raises(RecipeError, match=r"1\.90 s long, 670 kB; a plugin takes 340 kB") as refused:
        written(1.9, "FLOAT")
    assert "0.96 s" in refused.value.mend and "16 bits" in refused.value.mend
    assert refused.value.path == ("convolution", "file")


def test_a_curve_over_a_song_is_refused_where_it_stands() -> None:
    with pytest.raises(RecipeError, match="drawn over a song") as refused:
        programs.write_source(Design.of("gain: [[0 s, -6], [1 s, 0]]", "C"))
    assert refused.value.path == ("gain", "gain")


def test_every_step_is_either_exported_or_refused() -> None:
    needs = {
        "convolution": {"file": "x"}, "ducker": {"sidechain": "x"}, "vocoder": {"sidechain": "x"},
        "pedalboard": {"Gain": {"gain_db": 40}}, "plugin": {"file": "x"},
    }  # fmt: skip
    for name, step in registry().items():
        if step.kind == "effect" and name not in ("preset", "rack", "parallel", "layers", "multiband"):
            try:
                programs.native_half(step.parse(needs.get(name)))
            except RecipeError as error:
                assert name in error.cause


def test_the_way_of_a_chain_to_its_program_is_short() -> None:
    """Whoever follows a chain from its text to C++ enters few rooms, meets few names for it, and sees it read once."""
    text = "[{gain: {name: loud, gain: 3}}, {parallel: {chain: [chorus]}}]"
    met, read = set[tuple[str, str]](), list[str]()

    def carries(value: object) -> bool:
        if isinstance(value, (tuple, list)):
            return bool(value) and all(isinstance(each, Step) for each in value)
        return isinstance(value, (RackBlock, Target, Design)) or (isinstance(value, str) and value == text)

    def follow(frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and Path(code.co_filename).is_relative_to(ROOT / "studio"):
            room = Path(code.co_filename).relative_to(ROOT / "studio").parent.as_posix()
            for name in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
                if carries(frame.f_locals.get(name)):
                    met.add((room, name))
            if code.co_qualname == "Document.__init__":
                read.append(str(frame.f_locals["text"]))

    sys.setprofile(follow)
    try:
        programs.write_source(Design.of(text, "Short"))
    finally:
        sys.setprofile(None)
    assert read == [text]
    assert len({room for room, _ in met}) <= 10 and len({name for _, name in met}) <= 30, sorted(met)
