"""Attributes of nn~ models: the knobs that whoever exported a model gave it, set by name.

A model has a buffer ``<attribute>_params`` with the type of each of its values, and the methods ``get_<attribute>`` and
``set_<attribute>``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from studio.errors import KnobError, nearest, shown, within
from studio.records import Kind, MapOf, field

Value: TypeAlias = bool | int | float | str

TYPES = ("a switch", "a whole number", "a number", "text")
"""What its numbers for types mean, from 0; others are tensors and buffers, which are not set from a recipe."""

MOST_VALUES = 64


@dataclass(frozen=True)
class Attribute:
    """An attribute of a model: the types of its values."""

    types: tuple[int, ...]

    def parse(self, given: Value | tuple[Value, ...]) -> list[Value]:
        """Values for it.

        Raises:
            KnobError: there are too few or too many, or of another type.
        """
        values = given if isinstance(given, tuple) else (given,)
        unknown = [kind for kind in self.types if not 0 <= kind < len(TYPES)]
        if unknown:
            raise KnobError("it holds a tensor or a buffer.", "Such attributes are not set from a recipe.")
        if len(values) != len(self.types):
            wanted = ", ".join(TYPES[kind] for kind in self.types)
            raise KnobError(f"{len(values)} values.", f"Give {len(self.types)}: {wanted}.")
        return [_typed(value, kind) for value, kind in zip(values, self.types, strict=True)]


def _typed(value: Value, kind: int) -> Value:
    fits = (
        isinstance(value, bool),
        isinstance(value, int) and not isinstance(value, bool),
        isinstance(value, (int, float)) and not isinstance(value, bool),
        isinstance(value, str),
    )[kind]
    if not fits:
        raise KnobError(f"{shown(value)} is not {TYPES[kind]}.")
    return float(value) if kind == 2 else value


def checked(known: Mapping[str, Attribute], given: Mapping[str, Any]) -> dict[str, list[Value]]:
    """What a recipe sets, as the model takes it.

    Raises:
        KnobError: the model has no such attribute, or does not take the value.
    """
    found = {}
    for name, value in given.items():
        with within(name):
            if name not in known:
                raise KnobError(f"the model has no attribute {name!r}.", nearest(name, known) or "It has none.")
            found[name] = known[name].parse(value)
    return found


@dataclass(frozen=True, kw_only=True)
class _AnyValue(Kind):
    """A number, text or switch, or several; whether it fits is for the model to say."""

    def parse(self, value: object) -> Value | tuple[Value, ...]:
        if isinstance(value, (list, tuple)):
            if not 1 <= len(value) <= MOST_VALUES:
                raise KnobError(f"{len(value)} values.", f"Give 1 to {MOST_VALUES}.")
            return tuple(self._one(each) for each in value)
        return self._one(value)

    @staticmethod
    def _one(value: object) -> Value:
        if isinstance(value, (bool, int, float, str)):
            return value
        raise KnobError(f"{shown(value)} is no number, text or switch.")

    def data(self, value: Any, full: bool = False) -> object:
        return list(value) if isinstance(value, tuple) else value

    def schema(self) -> dict[str, Any]:
        one = {"type": ["number", "string", "boolean"]}
        return {"anyOf": [one, {"type": "array", "items": one, "minItems": 1, "maxItems": MOST_VALUES}]}


class _Attributes(MapOf):
    """Values by the names of attributes."""

    @property
    def range(self) -> str:
        return "name: value, or several"


def attributes() -> Any:
    """Declare a knob for the attributes of a model, by name."""
    return field(_Attributes(each=_AnyValue(), what="attribute", help="attributes of an nn~ model, by their names"))
