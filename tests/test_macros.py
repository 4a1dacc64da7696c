"""Macros: one knob that drives several, at its ends, between them, and on the move."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.context import RenderContext
from studio.curves import Mapped
from studio.errors import Problems, StudioError
from studio.macros import Macro, settle
from studio.recipe import Recipe
from studio.steps import parse_step
from studio.tempo import TempoMap
from tests.listening import null_db, rms_db, sine, through


def song(**macro: Any) -> Recipe:
    chain = ["chorus", {"lowpass": {}}, {"gain": {"name": "trim"}}, {"bitcrush": {"name": "bits"}}]
    return Recipe.parse(
        {
            "score": "a.mid",
            "knobs": {"dust": macro},
            "tracks": {"keys": {"part": "all", "notes": ["quantise", "velocity"], "chain": chain}},
        }
    )


def driven(value: object, drive: list[object], address: str = "keys.trim.gain", **rest: Any) -> float:
    number = song(value=value, drives={address: drive}, **rest).settled().get(address)
    assert isinstance(number, float)
    return number


@pytest.mark.parametrize(
    ("address", "drive", "quarters"),
    [
        ("keys.trim.gain", [-12, 12], [-12, -6, 0, 6, 12]), ("keys.trim.gain", ["12 dB", "-12 dB"], [12, 6, 0, -6, -12]),
        ("keys.trim.gain", ["-inf dB", 0], [-90, -67.5, -45, -22.5, 0]),
        ("keys.lowpass.cutoff", ["16 kHz", 1000], [16_000, 8000, 4000, 2000, 1000]),
        ("keys.lowpass.cutoff", [1000, 5000, "linear"], [1000, 2000, 3000, 4000, 5000]),
        ("keys.chorus.mix", [0, 1, "smooth"], [0, 0.15625, 0.5, 0.84375, 1]), ("keys.chorus.mix", [0.2, 0.8, "step"], [0.2, 0.2, 0.2, 0.2, 0.8]),
        ("keys.quantise.swing", [0.5, 0.7], [0.5, 0.55, 0.6, 0.65, 0.7]), ("keys.volume", [-20, 0], [-20, -15, -10, -5, 0]),
    ],
)  # fmt: skip
def test_a_knob_goes_over_its_range_along_its_shape(address: str, drive: list[object], quarters: list[float]) -> None:
    found = [driven(value, drive, address) for value in (0, 0.25, "50 %", 0.75, 1)]
    assert found == pytest.approx(quarters, rel=1e-12)


def test_a_macro_has_a_range_unit_and_taper_of_its_own() -> None:
    assert driven("2 kHz", [0, -12], range=["200 Hz", "20 kHz"], unit="Hz", taper="log") == pytest.approx(-6)
    assert driven(60, [0, -12], range=[40, 80]) == -6
    macro = Macro.parse({"value": "2 kHz", "range": [200, "20 kHz"], "unit": "Hz", "taper": "log"})
    assert macro.data() == {"value": "2 kHz", "range": ["200 Hz", "20 kHz"], "unit": "Hz", "taper": "log"}
    assert Macro.parse(macro.data(full=True)) == macro


def test_ranges_are_written_in_the_units_of_what_they_drive() -> None:
    drives = {
        "keys.lowpass.cutoff": [18_000, "5 kHz"],
        "keys.trim": ["-inf dB", 3],
        "keys.chorus.mix": ["10 %", 1, "smooth"],
    }
    read = song(value=0.5, drives=drives)
    assert read.data()["knobs"]["dust"]["drives"] == {
        "keys.lowpass.cutoff": ["18 kHz", "5 kHz"], "keys.trim": ["-inf dB", "3 dB"], "keys.chorus.mix": [0.1, 1, "smooth"],
    }  # fmt: skip
    assert read.hash == song(value="50 %", drives={**drives, "keys.lowpass.cutoff": ["18 kHz", 5000]}).hash


@pytest.mark.parametrize(
    ("macro", "words"),
    [
        ({"drives": {"keys.chorus.rat": [0, 1]}}, ["drives › keys.chorus.rat", "no 'rat'", "Did you mean rate?"]),
        ({"drives": {"keys.trim": [0, 99]}}, ["99 dB is out of range", "-inf dB to 36 dB"]),
        ({"drives": {"keys.trim": ["1 Hz", 0]}}, ["unknown unit 'Hz'"]), ({"drives": {"keys.trim": [0]}}, ["is not a range", "[from, to]"]),
        ({"drives": {"keys.trim": [0, 1, "bent"]}}, ["no curve shape 'bent'"]), ({"drives": {"keys.trim": [-3, 3, "exponential"]}}, ["cannot touch zero"]),
        ({"drives": {"keys.mute": [0, 1]}}, ["'keys.mute' is not a number that a knob can drive"]),
        ({"drives": {"keys.velocity.low": [1, 5]}}, ["is not a number that a knob can drive"]),
        ({"drives": {"dust": [0, 1]}}, ["is not a number that a knob can drive"]),
        ({"drives": {"keys.trim": [0, 1], "keys.trim.gain": [0, 2]}}, ["'keys.trim.gain' is driven by 'dust' too", "Let one knob drive it"]),
        ({"value": 2}, ["knobs › dust › value", "2 is out of range", "0 to 1"]), ({"range": [1, 0]}, ["a range from 1 to 0", "must rise"]),
        ({"range": [0, 1, 2]}, ["a range has two ends"]), ({"range": [0, 1], "taper": "log"}, ["must stay above zero"]),
        ({"value": [[0, 5]]}, ["5 is out of range"]), ({"range": ["1 dB", 2]}, ["unknown unit 'dB'"]), ({"drive": {}}, ["has no 'drive'", "drives"]),
    ],
)  # fmt: skip
def test_what_cannot_be_driven_is_refused_by_name(macro: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(StudioError) as caught:
        song(**macro)
    assert not isinstance(caught.value, Problems)
    for word in words:
        assert word in str(caught.value)


def test_a_moving_macro_moves_what_it_drives() -> None:
    drives = {"keys.trim.gain": [-12, 0], "keys.lowpass.cutoff": [200, 20_000]}
    settled = song(value=[[0, 0], ["4 s", 1]], drives=drives).settled()
    seconds = np.array([0.0, 1.0, 2.0, 4.0])
    for address, values in (("keys.trim", [-12, -9, -6, 0]), ("keys.lowpass", [200, 632.4555, 2000, 20_000])):
        moving = settled.get(address)
        assert isinstance(moving, Mapped)
        assert moving.values(seconds, TempoMap()) == pytest.approx(values)
    still = song(value={"lfo": "sine", "period": 1, "from": 0, "to": 1}, drives={"keys.quantise.swing": [0.5, 0.7]})
    with pytest.raises(StudioError, match=r"'keys\.quantise\.swing' cannot move while the song plays") as caught:
        still.settled()
    assert caught.value.path == ("knobs", "dust", "drives", "keys.quantise.swing")


def test_a_rack_sounds_as_its_chain_with_the_knobs_where_the_macro_puts_them(context: RenderContext) -> None:
    chain = [{"lowpass": {}}, {"gain": {}}]
    macros = {"tame": {"value": 0.5, "drives": {"lowpass.cutoff": [8000, 500], "gain": [0, -6]}}}
    rack = parse_step({"rack": {"chain": chain, "knobs": macros}})
    tone = sine(2000, 0.3)
    by_hand = through(parse_step({"gain": -3}), through(parse_step({"lowpass": 2000}), tone, context), context)  # type: ignore[arg-type]
    assert null_db(through(rack, tone, context), by_hand) < -120  # type: ignore[arg-type]
    assert rms_db(by_hand) < rms_db(tone) - 3
    assert settle(rack).chain[0].cutoff == pytest.approx(2000)  # type: ignore[attr-defined]


@settings(deadline=None, max_examples=60)
@given(
    value=st.floats(0, 1),
    low=st.floats(-90, 36),
    high=st.floats(-90, 36),
    shape=st.sampled_from(["linear", "smooth", "step"]),
)
def test_no_drive_leaves_its_ends_and_text_means_the_same(value: float, low: float, high: float, shape: str) -> None:
    read = song(value=value, drives={"keys.trim": [low, high, shape]})
    found = read.settled().get("keys.trim")
    assert min(low, high) - 1e-9 <= found <= max(low, high) + 1e-9
    assert Recipe.loads(read.dumps()).settled().get("keys.trim") == found
