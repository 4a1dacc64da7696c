"""A JSON Schema of recipes, made from the step registry, so that an editor completes steps and knobs."""

from __future__ import annotations

from typing import Any

from studio.curves import SHAPES, WAVES
from studio.recipe.model import Recipe
from studio.steps import Step, registry

_KINDS = (("effect",), ("effect", "transform"), ("instrument", "source"), ("score",))


def schema() -> dict[str, Any]:
    """The schema (draft 7) of a recipe document."""
    time = {"type": ["string", "number"]}
    value = {"type": ["string", "number"]}
    definitions: dict[str, Any] = {
        "points": {
            "description": "a curve: [time, value] or [time, value, shape], in order of time",
            "type": "array",
            "items": {
                "type": "array",
                "items": [time, value, {"enum": list(SHAPES)}],
                "minItems": 2,
                "maxItems": 3,
            },
        },
        "lfo": {
            "type": "object",
            "properties": {
                "lfo": {"enum": list(WAVES)},
                "period": time,
                "from": value,
                "to": value,
                "phase": {"type": "number", "minimum": 0, "maximum": 1},
                "seed": {"type": "integer", "minimum": 0},
            },
            "required": ["lfo", "period", "from", "to"],
            "additionalProperties": False,
        },
    }
    for kinds in _KINDS:
        steps = [step for _, step in sorted(registry().items()) if step.fits(*kinds)]
        definitions["-".join(kinds)] = {
            "anyOf": [
                {"enum": [step.step for step in steps if not _needs(step)]},
                *({"$ref": f"#/$defs/step-{step.step}"} for step in steps),
            ]
        }
    for name, step in sorted(registry().items()):
        definitions[f"step-{name}"] = _step(name, step)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A recipe of the studio",
        **Recipe.schema(),
        "$defs": definitions,
    }


def _needs(step: type[Step]) -> bool:
    return any(kind.required for kind in step.kinds().values())


def _step(name: str, step: type[Step]) -> dict[str, Any]:
    whole = step.schema()
    forms = [whole, *([] if _needs(step) else [{"type": "null"}])]
    first = next(iter(step.parameters().values()), None)
    if first is not None:
        forms.append(first.schema())
    return {
        "description": step.help(),
        "type": "object",
        "properties": {name: {"anyOf": forms}},
        "required": [name],
        "additionalProperties": False,
    }
