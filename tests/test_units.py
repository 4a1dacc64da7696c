"""Units: what a person may write behind a number, and how it is written back."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import units
from studio.errors import KnobError
from studio.units import Unit

ALL = [value for value in vars(units).values() if isinstance(value, Unit)]


@pytest.mark.parametrize("unit", ALL, ids=lambda unit: unit.what)
@given(value=st.floats(allow_nan=False))
def test_what_is_written_is_read_as_the_same_number_to_the_bit(unit: Unit, value: float) -> None:
    assert unit.parse(unit.format(value)) == value


@pytest.mark.parametrize(
    ("unit", "text", "value"),
    [
        (units.DB, "-12 dB", -12.0), (units.DB, "−12dB", -12.0), (units.DB, "+3", 3.0), (units.DB, "-inf dB", -math.inf),
        (units.DB, "-∞ db", -math.inf), (units.HZ, "1.2 kHz", 1200.0), (units.HZ, "440HZ", 440.0), (units.HZ, ".5 khz", 500.0),
        (units.HZ, "1e3 Hz", 1000.0), (units.MS, "1.5 s", 1500.0), (units.SECONDS, "80 ms", 0.08), (units.SECONDS, "2 min", 120.0),
        (units.PLAIN, "50 %", 0.5), (units.PLAIN, "0.25", 0.25), (units.RATIO, "4:1", 4.0), (units.RATIO, "2.5", 2.5),
        (units.SEMITONES, "-50 cents", -0.5), (units.SEMITONES, "2 octaves", 24.0), (units.SEMITONES, "3 st", 3.0),
        (units.LUFS, "-14 LUFS", -14.0), (units.BPM, "92 bpm", 92.0), (units.DEGREES, "90°", 90.0), (units.BITS, "8 bits", 8.0),
    ],
)  # fmt: skip
def test_suffixes_mean_what_they_say(unit: Unit, text: str, value: float) -> None:
    assert unit.parse(text) == value


def test_a_suffix_moves_the_point_as_on_paper() -> None:
    """In binary 57 × 0.01 is not 0.57, and 1.001 × 1000 not 1001."""
    assert [units.PLAIN.parse(f"{number} %") for number in range(101)] == [number / 100 for number in range(101)]
    assert [units.HZ.parse(f"{number / 1000} kHz") for number in range(20, 20_000, 7)] == list(range(20, 20_000, 7))
    assert [units.SECONDS.parse(f"{number} ms") for number in range(2000)] == [number / 1000 for number in range(2000)]


@pytest.mark.parametrize(
    ("unit", "value", "text"),
    [
        (units.HZ, 18_000.0, "18 kHz"), (units.HZ, 1234.5, "1234.5 Hz"), (units.HZ, 440.0, "440 Hz"), (units.DB, -3.0, "-3 dB"),
        (units.MS, 2000.0, "2 s"), (units.SECONDS, 0.08, "0.08 s"), (units.RATIO, 4.0, "4:1"), (units.DEGREES, 180.0, "180°"),
        (units.SEMITONES, 12.0, "12 st"), (units.DB, -math.inf, "-inf dB"), (units.PLAIN, 0.1, "0.1"), (units.DB, -0.0, "0 dB"),
    ],
)  # fmt: skip
def test_numbers_are_written_the_shortest_way(unit: Unit, value: float, text: str) -> None:
    assert unit.format(value) == text


@pytest.mark.parametrize(
    ("unit", "text", "cause", "mend"),
    [
        (units.DB, "-3 Hz", "'-3 Hz' is not a level: unknown unit 'Hz'", "There is: dB."),
        (units.HZ, "3 kHzz", "unknown unit 'kHzz'", "Did you mean kHz or Hz?"),
        (units.HZ, "loud", "'loud' is not a frequency", "such as 440 Hz or 1.2 kHz"),
        (units.COUNT, "3 dB", "unknown unit 'dB'", "Write a number, such as 3."),
        (units.MS, "--3 ms", "is not a length of time", "such as 80 ms"),
        (units.PLAIN, "", "'' is not a number", "such as 0.5 or 50 %"),
        (units.PLAIN, "9" * 500 + "x", "…", "There is: %."),
    ],
)
def test_what_is_not_of_the_unit_is_refused_by_name(unit: Unit, text: str, cause: str, mend: str) -> None:
    with pytest.raises(KnobError) as caught:
        unit.parse(text)
    assert cause in caught.value.cause and mend in caught.value.mend
    assert len(caught.value.cause) < 200


@pytest.mark.parametrize(
    "text", ["1e999999999999 kHz", "-1e99999 kHz", "0e99999 kHz", "1e-99999 kHz", "1." + "1" * 9000 + " kHz"]
)
def test_numbers_beyond_all_bounds_are_numbers_still(text: str) -> None:
    assert units.HZ.parse(text) == pytest.approx(float(text.split()[0]) * 1000)
