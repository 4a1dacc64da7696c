"""Knobs: one declaration reads, checks, writes and describes a parameter."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from studio import units
from studio.curves import SHAPES, WAVES, Curve, Lfo, Mapped, Point, Points
from studio.errors import KnobError
from studio.knobs import LOG, Choice, File, Number, Numbers, Span, Switch, Text
from studio.levels import SILENCE_DB
from studio.recipe.schema import schema
from studio.records import Kind
from studio.tempo import Time

LEVEL = Number(default=0.0, low=SILENCE_DB, high=24.0, unit=units.DB, live=True, help="how loud")
CUTOFF = Number(default=1000.0, low=20.0, high=20_000.0, unit=units.HZ, taper=LOG, live=True, help="where")
MIX = Number(default=0.5, low=0.0, high=1.0, live=True)
VOICES = Number(default=4, low=1, high=64, unit=units.COUNT, whole=True)
LOUDNESS = Number(default=None, low=-60.0, high=-5.0, unit=units.LUFS)
NUMBERS = [LEVEL, CUTOFF, MIX, VOICES, LOUDNESS]

TIMES = st.one_of(
    st.builds(Time, bars=st.fractions(0, 999), beats=st.fractions(0, 4)), st.builds(Time, seconds=st.fractions(0, 999))
)


def plain(kind: Number) -> st.SearchStrategy[Any]:
    return st.integers(int(kind.low), int(kind.high)) if kind.whole else st.floats(kind.low, kind.high)


@st.composite
def curves(draw: st.DrawFn, kind: Number) -> Curve:
    if draw(st.booleans()):
        period = draw(TIMES.filter(lambda time: bool(time)))
        ends = draw(plain(kind)), draw(plain(kind))
        return Lfo(
            draw(st.sampled_from(sorted(WAVES))),
            period,
            *ends,
            draw(st.floats(0, 1)),
            draw(st.integers(0, 2**31 - 1)),
        )
    times = sorted(draw(st.lists(st.fractions(0, 999), min_size=1, max_size=5)))
    shapes = sorted(SHAPES) if kind.low > 0 else ["linear", "smooth", "step"]
    return Points(tuple(Point(Time(bars=at), draw(plain(kind)), draw(st.sampled_from(shapes))) for at in times))


KINDS: list[tuple[Kind, st.SearchStrategy[Any]]] = [
    *((kind, st.one_of(plain(kind), curves(kind)) if kind.live else plain(kind)) for kind in NUMBERS),
    (Choice(default="soft", options=("soft", "hard", "24")), st.sampled_from(["soft", "HARD", "24", 24])),
    (Switch(default=False), st.sampled_from([True, False, "on", "No", "TRUE"])),
    (Text(default=""), st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]))),
    (Span(default=None), TIMES),
    (Numbers(default=(100.0,), each=CUTOFF, most=4), st.sets(plain(CUTOFF), min_size=1, max_size=4).map(sorted)),
]


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=lambda value: type(value).__name__)
@given(data=st.data())
def test_any_value_reads_back_from_what_is_written(
    kind: Kind, values: st.SearchStrategy[Any], data: st.DataObject
) -> None:
    value = kind.parse(data.draw(values))
    written = kind.data(value)
    assert kind.parse(written) == value == kind.parse(value)
    assert kind.data(kind.parse(written)) == written


DEFINITIONS = schema()["$defs"]


@pytest.mark.parametrize(("kind", "values"), KINDS, ids=lambda value: type(value).__name__)
@given(data=st.data())
def test_the_schema_takes_whatever_is_written(kind: Kind, values: st.SearchStrategy[Any], data: st.DataObject) -> None:
    written = kind.data(kind.parse(data.draw(values)))
    as_json = (
        [list(item) if isinstance(item, tuple) else item for item in written] if isinstance(written, list) else written
    )
    jsonschema.Draft7Validator({"$defs": DEFINITIONS, **kind.schema()}).validate(as_json)


@pytest.mark.parametrize("kind", NUMBERS, ids=lambda kind: kind.unit.what)
def test_the_range_holds_both_ends_and_nothing_beyond(kind: Number) -> None:
    assert kind.number(kind.low) == kind.low and kind.number(kind.high) == kind.high
    step = 1 if kind.whole else 1e-6
    for beyond in (kind.low - step, kind.high + step, math.inf, math.nan, 10**400):
        with pytest.raises(KnobError, match="is out of range") as caught:
            kind.number(beyond)
        assert kind.range in caught.value.mend


def test_minus_infinity_is_the_bottom_of_a_fader_and_of_nothing_else() -> None:
    assert LEVEL.number("-inf dB") == LEVEL.number(-math.inf) == SILENCE_DB
    assert LEVEL.data(SILENCE_DB) == "-inf dB"
    assert LEVEL.range == "-inf dB to 24 dB"
    with pytest.raises(KnobError, match="-inf LUFS is out of range"):
        LOUDNESS.number("-inf LUFS")


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (LEVEL, True, "True is not a level"), (LEVEL, None, "None is not a level"), (LEVEL, {}, "an LFO needs 'lfo'"),
        (LOUDNESS, [1], r"\[1\] is not a loudness"), (VOICES, 2.5, "2.5 is not a whole number"), (VOICES, "3 dB", "unknown unit 'dB'"),
        (MIX, "x" * 500, "^'x{58}… is not a number"), (Switch(default=False), 1, "1 is neither on nor off"),
        (Switch(default=False), None, "None is neither"), (Choice(default="a", options=("soft", "hard")), "sofd", "'sofd' is not one of its"),
        (Choice(default="1", options=("0", "1")), True, "True is not one of its choices"),
        (Text(default=""), "a\x07b", "control characters"), (Text(default=""), "\ud800", "control characters"),
        (Text(default="", longest=5), "abcdef", "too long"), (Text(default=""), None, "None is not text"), (Text(default=""), [1], "is not text"),
        (Span(default="1 s"), "-1 s", "-1 s is before the start"), (Span(default="1 s"), "soon", "'soon' is not a time"),
        (Numbers(default=(1,), each=MIX, most=2), [0.5, 0.5], "do not rise"), (Numbers(default=(1,), each=MIX, most=2), [0, 0.5, 1], "3 values"),
        (Numbers(default=(1,), each=MIX), [], "0 values"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_cause(kind: Kind, value: object, words: str) -> None:
    with pytest.raises(KnobError, match=words) as caught:
        kind.parse(value)
    assert caught.value.mend


@pytest.mark.parametrize(
    "kind",
    [LOUDNESS, Choice(default=None, options=("a",)), Switch(default=None), Text(default=None), Span(default=None)],
)
def test_nothing_is_a_value_where_it_is_the_default(kind: Kind) -> None:
    assert kind.parse(None) is None
    assert kind.data(None) is None


@pytest.mark.parametrize(
    ("value", "words", "path"),
    [
        ([], "a curve without points", ()), ([[0, 1], 5], "5 is not a point of a curve", (1,)), ([[0]], "is not a point", (0,)),
        ([[0, 1], ["soon", 1]], "'soon' is not a time", (1,)), ([[0, 1], [1, 99]], "99 is out of range", (1,)),
        ([[0, 1], [1, 0, "bend"]], "no curve shape 'bend'", (1,)), ([[0, 0], [1, 1, "exponential"]], "cannot touch zero", (1,)),
        ([["2 bars", 1], ["1 bar", 0]], "1 bar comes after 2 bars", (1,)),
        ({"lfo": "sinus", "period": 1, "from": 0, "to": 1}, "no LFO wave 'sinus'", ("lfo",)),
        ({"lfo": "sine", "from": 0, "to": 1}, "an LFO needs 'period'", ()), ({"lfo": "sine", "period": 1, "from": 0}, "needs 'to'", ()),
        ({"lfo": "sine", "perod": 1, "from": 0, "to": 1}, "an LFO has no 'perod'", ("perod",)),
        ({"lfo": "sine", "period": "0 s", "from": 0, "to": 1}, "0 s is no period", ("period",)),
        ({"lfo": "sine", "period": "-1 bar", "from": 0, "to": 1}, "-1 bars is no period", ("period",)),
        ({"lfo": "sine", "period": "1 bar 1 s", "from": 0, "to": 1}, "mixes beats and seconds", ("period",)),
        ({"lfo": "sine", "period": 1, "from": -1, "to": 1}, "-1 is out of range", ("from",)),
        ({"lfo": "sine", "period": 1, "from": 0, "to": "3 dB"}, "unknown unit", ("to",)),
        ({"lfo": "sine", "period": 1, "from": 0, "to": 1, "phase": 2}, "2 is out of range", ("phase",)),
        ({"lfo": "sine", "period": 1, "from": 0, "to": 1, "seed": -1}, "-1 is out of range", ("seed",)),
        (Points((Point(Time(), 7.0),)), "7 is out of range", (0,)), (Points(()), "a curve without points", ()),
        (Lfo("sine", Time(seconds=Fraction(1)), 0.0, 7.0), "7 is out of range", ("to",)),
    ],
)  # fmt: skip
def test_a_curve_that_cannot_be_is_refused_at_its_point(value: object, words: str, path: tuple[object, ...]) -> None:
    with pytest.raises(KnobError, match=words) as caught:
        MIX.parse(value)
    assert caught.value.path == path


def test_names_that_are_nearly_right_are_answered_with_the_right_one() -> None:
    with pytest.raises(KnobError) as caught:
        MIX.parse({"lfo": "sin", "period": 1, "from": 0, "to": 1})
    assert "Did you mean sine?" in caught.value.mend
    with pytest.raises(KnobError) as caught:
        MIX.parse([[0, 1], [1, 1, "expnential"]])
    assert "Did you mean exponential?" in caught.value.mend


def test_only_a_live_knob_takes_a_curve() -> None:
    still = Number(default=0.0, low=0.0, high=1.0)
    for curve in ([[0, 1]], {"lfo": "sine", "period": 1, "from": 0, "to": 1}, Points((Point(Time(), 0.5),))):
        assert isinstance(MIX.parse(curve), (Points, Lfo))
        with pytest.raises(KnobError, match="is not a number"):
            still.parse(curve)
    mapped = Mapped(Points((Point(Time(), 0.5),)), (0, 1), False, 0.0, 1.0)
    assert MIX.parse(mapped) is mapped


def test_an_lfo_sweeps_a_log_knob_by_ratios() -> None:
    words = {"lfo": "sine", "period": "1 bar", "from": "200 Hz", "to": "2 kHz"}
    sweep = CUTOFF.parse(words)
    assert isinstance(sweep, Lfo) and sweep.log and CUTOFF.data(sweep) == words
    assert not MIX.parse({**words, "from": 0.1, "to": 0.2}).log  # type: ignore[union-attr]


@pytest.mark.parametrize("kind", [LEVEL, CUTOFF, MIX], ids=lambda kind: kind.unit.what)
@given(place=st.floats(0, 1))
def test_a_slider_goes_over_the_whole_range_and_back(kind: Number, place: float) -> None:
    assert kind.position(kind.at(place)) == pytest.approx(place, abs=1e-9)
    assert kind.position(kind.low) == 0 and kind.position(kind.high) == 1
    if kind is CUTOFF:
        assert kind.at(0.5) == pytest.approx(math.sqrt(20 * 20_000))


def test_a_driven_range_takes_the_shape_of_the_taper() -> None:
    assert CUTOFF.span("18 kHz", 200) == (18_000.0, 200.0, "exponential")
    assert LEVEL.span("-inf dB", 0) == (SILENCE_DB, 0.0, "linear")
    assert CUTOFF.span(100, 200, "smooth") == (100.0, 200.0, "smooth")
    with pytest.raises(KnobError, match="cannot touch zero"):
        LEVEL.span(-3, 3, "exponential")


def test_help_range_and_default_stand_in_one_line() -> None:
    assert LEVEL.describe() == "how loud (-inf dB to 24 dB, default 0 dB)"
    assert CUTOFF.describe() == "where (20 Hz to 20 kHz, default 1 kHz)"
    assert File(help="a loop").describe() == "a loop (a file)"
    assert Choice(default="a", options=("a", "b"), help="which").describe() == "which (a | b, default a)"


@given(text=st.text(max_size=30))
def test_text_of_any_kind_is_a_number_or_refused_by_name(text: str) -> None:
    assume(text.strip() not in ("", "~"))
    for kind, _ in KINDS:
        try:
            kind.parse(text)
        except KnobError as error:
            assert error.cause and error.mend
