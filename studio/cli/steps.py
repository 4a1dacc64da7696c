"""`studio steps`."""

from __future__ import annotations

from typing import Any

import click

from studio.cli.completing import steps
from studio.cli.show import as_json, say, say_lines, table

_ORDER = ("source", "instrument", "score", "effect", "transform")
_ABOUT = {
    "source": "Sources: play: …",
    "instrument": "Instruments: play: …, for parts of the score",
    "score": "Steps on notes: notes: […]",
    "effect": "Effects: chain: […]; their knobs can move",
    "transform": "Transforms of a whole sound: chain: […]",
}


@click.command("steps")
@click.argument("name", required=False, shell_complete=steps)
@click.option("--schema", "as_schema", is_flag=True, help="Print a JSON Schema of recipes, for editors.")
@click.option("--json", "as_script", is_flag=True, help="Print JSON.")
def command(name: str | None, as_schema: bool, as_script: bool) -> None:
    """List every step with its knobs, or explain the one called NAME."""
    from studio.recipe.schema import schema
    from studio.steps import find_step, registry

    if as_schema:
        as_json(schema())
    elif name:
        step = find_step(name)
        as_json(_plain(step)) if as_script else _explain(step)
    elif as_script:
        as_json([_plain(step) for _, step in sorted(registry().items())])
    else:
        for kind in _ORDER:
            rows = [
                (step.step, step.help().split("\n")[0], ", ".join(step.parameters()))
                for _, step in sorted(registry().items())
                if step.fits(kind)
            ]
            table(("step", "", "knobs"), rows, title=f"\n{_ABOUT[kind]}")


def _plain(step: Any) -> dict[str, Any]:
    return {
        "step": step.step,
        "kind": step.kind,
        "help": step.help(),
        "knobs": [
            {
                "name": name,
                "help": kind.help,
                "range": kind.range,
                "unit": kind.unit.symbol if hasattr(kind, "unit") else None,
                "taper": getattr(kind, "taper", None),
                "live": getattr(kind, "live", False),
                "required": kind.required,
                "default": None if kind.required else kind.data(kind.parse(kind.default)),
            }
            for name, kind in step.parameters().items()
        ],
        **({"each": {name: _fields(record) for name, record in inside.items()}} if (inside := _records(step)) else {}),
    }


def _records(step: Any) -> dict[str, Any]:
    """What lists of a step are made of, where that is something with fields of its own."""
    from studio.records import ListOf, Nested

    kinds = step.parameters().items()
    return {name: kind.each.of for name, kind in kinds if isinstance(kind, ListOf) and isinstance(kind.each, Nested)}


def _fields(record: Any) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "help": kind.help,
            "range": kind.range,
            "required": kind.required,
            "default": None if kind.required else kind.data(kind.parse(kind.default)),
        }
        for name, kind in record.kinds().items()
    ]


def _explain(step: Any) -> None:
    plain = _plain(step)
    say(f"  ({plain['kind']})", head=plain["step"], bold=True)
    say()
    say_lines(plain["help"])
    say()
    rows = []
    for knob in plain["knobs"]:
        default = (
            "required" if knob["required"] else "" if knob["default"] in (None, "", [], {}) else str(knob["default"])
        )
        notes = [note for note, is_so in (("log", knob["taper"] == "log"), ("can move", knob["live"])) if is_so]
        rows.append((knob["name"], default, knob["range"], knob["help"], ", ".join(notes)))
    table(("knob", "default", "range", "", ""), rows)
    for name, fields in plain.get("each", {}).items():
        say()
        table((f"each of {name}", "default", "range", ""), [_row(field) for field in fields])
    example = _example(plain)
    say()
    say(f"In a recipe:  {example}")


def _row(field: dict[str, Any]) -> tuple[str, str, str, str]:
    silent = field["default"] in (None, "", [], {}, False)
    default = "required" if field["required"] else "" if silent else str(field["default"])
    return field["name"], default, field["range"], field["help"]


def _example(plain: dict[str, Any]) -> str:
    shown = [
        f"{knob['name']}: {'…' if knob['required'] else knob['default']}"
        for knob in plain["knobs"]
        if knob["required"]
        or (knob["default"] not in (None, "", [], {}) and not isinstance(knob["default"], (list, dict)))
    ][:3]
    return f"- {plain['step']}" + (f": {{{', '.join(shown)}}}" if shown else "")
