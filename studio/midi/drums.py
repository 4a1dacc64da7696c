"""Drums by name: those of General MIDI, and the words of the trade for one or several of them."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from studio.errors import Gather, KnobError, Told, nearest, shown, within
from studio.knobs import KnobKind

_TRADE: dict[str, tuple[int, ...]] = {
    "kick": (35, 36), "bass drum": (35, 36), "snare": (38, 40), "rim": (37,), "clap": (39,),
    "hat": (42, 44, 46), "hi-hat": (42, 44, 46), "closed hat": (42,), "pedal hat": (44,), "open hat": (46,),
    "toms": (41, 43, 45, 47, 48, 50), "crash": (49, 57), "ride": (51, 53, 59), "cymbals": (49, 51, 52, 53, 55, 57, 59),
    "bongos": (60, 61), "congas": (62, 63, 64), "timbales": (65, 66), "agogos": (67, 68), "shaker": (70, 82),
}  # fmt: skip


@cache
def drum_keys() -> Mapping[str, tuple[int, ...]]:
    """Every name of a drum, and the keys that play it: words of the trade first, then General MIDI's own."""
    with contextlib.redirect_stdout(io.StringIO()):  # pyfluidsynth, which it loads, prints where a build server runs it
        from pretty_midi import note_number_to_drum_name
    own = {note_number_to_drum_name(key): (key,) for key in range(35, 82)}
    return {**_TRADE, **{name: keys for name, keys in own.items() if name.casefold() not in _TRADE}}


def keys_of(drum: str | int) -> tuple[int, ...]:
    """The keys, from 0 to 127, of a drum by name, or of a number.

    Raises:
        KnobError: there is no such drum.
    """
    if isinstance(drum, int):
        return (drum,)
    folded = {name.casefold(): keys for name, keys in drum_keys().items()}
    return folded[drum.casefold()]


@dataclass(frozen=True, kw_only=True)
class DrumsKind(KnobKind):
    """One or several drums or keys: a name, a number from 0 to 127, or a list of such; none where that is the default."""

    default: Any = ()

    def parse(self, value: object) -> tuple[str | int, ...]:
        """The value that plain data means; a parsed value comes through unchanged."""
        items = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
        gather, drums = Gather(), list[str | int]()
        for index, item in enumerate(items):
            with gather, within(*((index,) if isinstance(value, (list, tuple)) else ())):
                drums.append(self._one(item))
        gather.done()
        if gather.caught:
            raise Told
        return tuple(drums)

    def _one(self, item: object) -> str | int:
        if isinstance(item, str) and item.strip().isdecimal():
            item = int(item)
        if isinstance(item, int) and not isinstance(item, bool):
            if not 0 <= item <= 127:
                raise KnobError(f"there is no key {item}.", "Keys go from 0 to 127.")
            return item
        names = {name.casefold(): name for name in drum_keys()}
        if not isinstance(item, str) or item.strip().casefold() not in names:
            raise KnobError(f"there is no drum {shown(item)}.", nearest(str(item), drum_keys()))
        return names[item.strip().casefold()]

    def data(self, value: Any, full: bool = False) -> object:
        """Plain data that `parse` reads back as an equal value."""
        return value[0] if len(value) == 1 and not full else list(value)

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the plain data."""
        one = {"anyOf": [{"enum": list(drum_keys())}, {"type": "integer", "minimum": 0, "maximum": 127}]}
        return {"description": self.describe(), "anyOf": [*one["anyOf"], {"type": "array", "items": one}]}

    @property
    def range(self) -> str:
        """What it accepts, for people."""
        return "kick, snare, hat, …, a General MIDI name, a key, or a list"
