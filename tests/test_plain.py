"""Numbers of numpy wherever a knob is given, and records that refuse in words what they do not know."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from studio.errors import Problems, RecipeError, StudioError
from studio.plain import plain
from studio.recipe import Bus, Recipe, Track
from studio.recipe.model import Master, Send
from studio.steps import registry


def song() -> Recipe:
    return Recipe.loads(
        "{tracks: {a: {play: {noise: {length: 1 s}}, chain: [chorus, {eq: {low_cut: 80 Hz}}], send: {room: -12 dB}}},"
        " buses: {room: {chain: [reverb]}}}"
    )


@pytest.mark.parametrize(
    ("address", "value", "same"),
    [
        ("a.volume", np.float32(-3.3), -3.3),
        ("a.volume", np.float64(-3.3), -3.3),
        ("a.volume", np.float16(-3.5), -3.5),
        ("a.volume", np.int64(-3), -3),
        ("a.volume", np.array(-3.25, np.float32), -3.25),
        ("a.volume", [[np.float32(0), np.int32(-12)], [np.float64(1), np.float32(-0.5)]], [[0, -12], [1, -0.5]]),
        ("a.volume", np.array([[0, -12], [1, -0.5]], np.float32), [[0, -12], [1, -0.5]]),
        ("a.pan", {"lfo": "sine", "period": np.float32(0.7), "from": np.float32(-0.3), "to": 0.3},
         {"lfo": "sine", "period": 0.7, "from": -0.3, "to": 0.3}),
        ("a.mute", np.bool_(True), True),
        ("a.send.room.level", np.float32(-7), -7),
        ("rate", np.uint16(48_000), 48_000),
        ("length", np.float32(1.1), 1.1),
        ("output.bits", np.int64(16), 16),
        ("master.loudness", np.float32(-14.2), -14.2),
        ("title", np.str_("a name"), "a name"),
    ],
)  # fmt: skip
def test_numpys_numbers_are_numbers(address: str, value: Any, same: Any) -> None:
    turned, expected = song().set(address, value), song().set(address, same)
    assert turned == expected and turned.hash == expected.hash
    assert Recipe.loads(turned.dumps()) == turned


def test_they_are_refused_like_numbers_when_they_do_not_fit() -> None:
    for value in (np.float32(900), np.float32("nan"), np.bool_(True), np.array([1, 2, 3])):
        with pytest.raises(StudioError) as refused:
            song().set("a.volume", value)
        assert "numpy" not in str(refused.value) and "np." not in str(refused.value)


def test_records_take_them_where_they_are_made() -> None:
    track = Track(part="all", volume=np.float32(-3.3), pan=np.float64(0.2), send={"room": np.int64(-6)})
    assert track == Track(part="all", volume=-3.3, pan=0.2, send={"room": -6})
    chorus = registry()["chorus"]
    assert chorus(rate=np.float32(0.7), bypass=np.bool_(False)) == chorus(rate=0.7)  # type: ignore[call-arg]
    assert plain(np.float32(0.1)) == 0.1 and plain((np.int8(1), {"a": np.arange(2)})) == (1, {"a": [0, 1]})
    assert type(plain(np.float64(2))) is float and type(plain(np.longdouble(2))) is float


@pytest.mark.parametrize(
    "record", [Track, Bus, Master, Send, Recipe, *registry().values()], ids=lambda kind: kind.__name__
)
def test_an_unknown_field_is_refused_with_the_nearest_name(record: Any) -> None:
    known = next(name for name, kind in record.kinds().items() if len(name) > 3)
    with pytest.raises(StudioError) as refused:
        record(**{known[:-1]: 1})
    errors = refused.value.errors if isinstance(refused.value, Problems) else (refused.value,)
    [unknown] = [error for error in errors if "has no" in error.cause]
    assert isinstance(unknown, RecipeError) and known in unknown.mend and unknown.path == (known[:-1],)


def test_all_unknown_and_missing_fields_are_told_at_once() -> None:
    with pytest.raises(Problems) as refused:
        Track(par="all", volum=3)  # type: ignore[call-arg]
    assert [error.mend for error in refused.value.errors] == ["Did you mean part or pan?", "Did you mean volume?"]
    with pytest.raises(RecipeError, match="has no 'trackz'"):
        song().replace(trackz={})
    with pytest.raises(RecipeError, match="needs 'at'"):
        registry()["place"]()
    with pytest.raises(RecipeError, match="is given 'level' twice"):
        Send(-3, level=-6)
    with pytest.raises(RecipeError, match="takes 2 values without a name, not 3"):
        Send(-3, True, 5)  # type: ignore[call-arg]
