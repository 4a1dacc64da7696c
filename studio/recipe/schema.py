"""A JSON Schema of recipes, made from the step registry, so that an editor completes, explains and checks them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from studio import units
from studio.curves import SHAPES, WAVES
from studio.knobs import Number
from studio.recipe.model import Bus, Master, Recipe, Send, Track
from studio.records import Record
from studio.steps import Step, registry
from studio.tempo import POSITION_PATTERN
from studio.units import Unit

_KINDS = (("effect",), ("effect", "transform"), ("instrument", "source"), ("score",))
_TIME = {"anyOf": [{"type": "string", "pattern": POSITION_PATTERN}, {"type": "number"}]}


def schema() -> dict[str, Any]:
    """The schema (draft 7) of a recipe document.

    Every name has a title and its own help, every number the pattern of its unit.
    """
    definitions: dict[str, Any] = {}
    for unit in sorted(set(_units()), key=lambda unit: unit.slug):
        definitions |= {f"points-{unit.slug}": _points(unit), f"lfo-{unit.slug}": _lfo(unit)}
    for kinds in _KINDS:
        steps = [step for _, step in sorted(registry().items()) if step.fits(*kinds)]
        definitions["-".join(kinds)] = {
            "anyOf": [
                {"enum": [step.step for step in steps if not _needs(step)]},
                {
                    "type": "object",
                    "properties": {step.step: {"$ref": f"#/$defs/step-{step.step}"} for step in steps},
                    "minProperties": 1,
                    "maxProperties": 1,
                    "additionalProperties": False,
                },
            ]
        }
    for name, step in sorted(registry().items()):
        definitions[f"step-{name}"] = _step(name, step)
    whole = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A recipe of the studio",
        "description": "what a song is made of: its score, tracks, buses and master, and the knobs that turn it",
        **Recipe.schema(),
    }
    used = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps([whole, definitions])))
    return {**whole, "$defs": {name: each for name, each in definitions.items() if name in used}}


def _units() -> Iterator[Unit]:
    """The units of everything that can move."""
    records: list[type[Record]] = [Recipe, Track, Bus, Master, Send, *registry().values()]
    for record in records:
        for kind in record.kinds().values():
            if isinstance(kind, Number):
                yield kind.unit
    yield units.PLAIN


def _value(unit: Unit) -> dict[str, Any]:
    return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": unit.pattern, "examples": [unit.example]}]}


def _points(unit: Unit) -> dict[str, Any]:
    shapes = {
        "description": "how the curve travels there: " + "; ".join(f"{k}: {v}" for k, v in SHAPES.items()),
        "enum": list(SHAPES),
    }
    point = {"type": "array", "items": [_TIME, _value(unit), shapes], "minItems": 2, "maxItems": 3}
    return {
        "title": "curve",
        "description": "a curve: [time, value] or [time, value, shape], in order of time",
        "type": "array",
        "items": point,
        "minItems": 1,
    }


def _lfo(unit: Unit) -> dict[str, Any]:
    def named(name: str, about: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {"title": name, "description": about, **schema}

    return {
        "title": "LFO",
        "description": "a curve that repeats: {lfo: sine, period: 1 bar, from: 200 Hz, to: 2 kHz}",
        "type": "object",
        "properties": {
            "lfo": named("lfo", "its wave", {"enum": list(WAVES)}),
            "period": named("period", "how long one turn lasts", _TIME),
            "from": named("from", "its lowest value", _value(unit)),
            "to": named("to", "its highest value", _value(unit)),
            "phase": named("phase", "where in its turn it begins", {"type": "number", "minimum": 0, "maximum": 1}),
            "seed": named("seed", "another seed is another random walk", {"type": "integer", "minimum": 0}),
        },
        "required": ["lfo", "period", "from", "to"],
        "additionalProperties": False,
    }


def _needs(step: type[Step]) -> bool:
    return any(kind.required for kind in step.kinds().values())


def _step(name: str, step: type[Step]) -> dict[str, Any]:
    """What stands behind the name of a step: nothing, its first knob alone, or all of them."""
    forms = [step.schema(), *([] if _needs(step) else [{"type": "null"}])]
    first = next(iter(step.parameters().items()), None)
    if first is not None and step.step != "preset":
        forms.append(first[1].member(first[0]))
    return {"title": name, "description": step.help(), "anyOf": forms}
