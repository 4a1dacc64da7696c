"""From the texts on a plugin's face to knobs with units, and back to positions."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import KnobError
from studio.hosting.parameters import Parameter, Raw, describe
from studio.knobs import Choice, Number, Switch


def parameter(text: Callable[[float], str], *, title: str = "Drive", label: str = "", steps: int = 0) -> Parameter:
    [described] = describe([Raw(title, label, 3, 0.5, steps, True, text)], ["bypass"])
    return described


@given(st.floats(-90, 90), st.floats(0.5, 200), st.floats(0, 1, allow_subnormal=False))
def test_a_linear_parameter_is_found_out_whatever_its_range(low: float, span: float, place: float) -> None:
    found = parameter(lambda position: f"{low + span * position:.3f}", label="dB")
    knob = found.knob
    assert isinstance(knob, Number)
    assert knob.unit.symbol == "dB" and knob.taper == "linear"
    assert found.position(low + span * place) == pytest.approx(place, abs=0.002 / span + 1e-6)


@given(st.floats(1, 100), st.floats(2, 9), st.floats(0, 1))
def test_a_logarithmic_parameter_is_found_out(low: float, octaves: float, place: float) -> None:
    found = parameter(lambda position: f"{low * 2 ** (octaves * position):.2f} Hz")
    assert isinstance(found.knob, Number)
    assert found.knob.taper == "log" and found.knob.unit.symbol == "Hz"
    assert found.position(low * 2 ** (octaves * place)) == pytest.approx(place, abs=0.01)


def test_any_rising_law_is_followed_by_a_table() -> None:
    found = parameter(lambda position: f"{20 * math.tanh(3 * position):.3f} ms")
    for place in (0.0, 0.1, 0.33, 0.8):
        assert found.position(20 * math.tanh(3 * place)) == pytest.approx(place, abs=0.003)


def test_units_are_the_plugins_own() -> None:
    assert isinstance(parameter(lambda p: f"{10 + 90 * p:.1f} ms").knob, Number)
    assert parameter(lambda p: f"{10 + 90 * p:.1f}", label="ms").unit == "ms"
    assert parameter(lambda p: f"{100 * p:.0f} %").unit == "%"
    kilo = parameter(lambda p: f"{1 + 9 * p:.3f} kHz")
    assert kilo.unit == "Hz" and kilo.position(1000.0) == 0
    octaves = parameter(lambda p: f"{4 * p:.2f}", label="oct")
    assert octaves.knob.parse("2 oct") == 2.0


def test_silence_at_the_bottom_of_a_fader() -> None:
    found = parameter(lambda position: "-inf dB" if position == 0 else f"{-60 + 66 * position:.2f} dB")
    assert found.position(-27.0) == pytest.approx(0.5, abs=0.01)


def test_a_few_texts_are_a_choice_and_two_of_them_a_switch() -> None:
    modes = ["Tape", "Tube", "Fuzz"]
    found = parameter(lambda position: modes[round(position * 2)], steps=3)
    assert isinstance(found.knob, Choice)
    assert found.position(found.knob.parse("fuzz")) == 1.0
    with pytest.raises(KnobError, match="Did you mean Tube"):
        found.knob.parse("Tub")
    onoff = parameter(lambda position: "On" if position >= 0.5 else "Off", steps=2)
    assert isinstance(onoff.knob, Switch) and onoff.position(True) == 1.0 and onoff.position(False) == 0.0
    shy = parameter(lambda position: modes[min(2, int(position * 3))])
    assert isinstance(shy.knob, Choice)


def test_what_says_nothing_goes_from_0_to_1() -> None:
    knob = parameter(lambda position: "").knob
    assert isinstance(knob, Number) and (knob.low, knob.high) == (0, 1)


def test_names_are_words_that_differ_from_each_other_and_from_the_steps_own() -> None:
    raw = [Raw(title, "", index, 0.0, 0, True, lambda p: f"{p:.3f}") for index, title in enumerate(
        ["Dry/Wet", "Bypass", "Gain", "gain", "3 Band", "", "LowCut"]
    )]  # fmt: skip
    names = [found.name for found in describe(raw, ["bypass"])]
    assert names == ["dry_wet", "its_bypass", "gain", "gain_2", "_3_band", "parameter_5", "low_cut"]


@given(st.lists(st.text(max_size=12), min_size=1, max_size=129))
def test_no_text_of_a_plugin_is_too_strange(texts: list[str]) -> None:
    found = parameter(lambda position: texts[round(position * (len(texts) - 1))])
    kind = found.knob
    default = kind.parse(kind.default)
    assert 0 <= found.position(default) <= 1
    assert Parameter.read(found.data()) == found
