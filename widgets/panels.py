"""A recipe as panels: what stands on a rack, and where every value in it lives.

`layout` says what there is, and only changes when steps come and go; `values` says where everything stands. Both
are plain data for the browser. A control's `id` is its path in the recipe, as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from studio.address import Path as Way
from studio.address import get, locate
from studio.errors import Key, StudioError
from studio.knobs import Choice, Number, Port, Switch
from studio.macros import Macro
from studio.recipe import Recipe
from studio.recipe.document import write
from studio.recipe.presets import Preset, presets
from studio.records import Kind, Record
from studio.steps import Step, registry
from widgets.describe import can_turn, readable, spec


def name_of(path: Way) -> str:
    """A path as the id of a control."""
    return json.dumps(path, ensure_ascii=False)


def path_of(name: str) -> Way:
    """The path behind an id; nonsense leads nowhere."""
    try:
        path = json.loads(name)
    except (ValueError, RecursionError):
        return ()
    fits = isinstance(path, list) and all(isinstance(key, (str, int)) for key in path)
    return tuple(path) if fits else ()


Homes = dict[tuple[Key, ...], Any]
"""Where macros stood when they were first seen, by name and, within a step, by strip and step: what a reset puts back."""


def layout(recipe: Recipe, homes: Homes, *, single: bool = False) -> dict[str, Any]:
    """What a rack shows; with `single` only one chain, without the mixer around it.

    A macro's declaration has the value it stands at as its default. Here that is in `homes`, which is added to: else
    every turn would be another layout, and there would be nothing to go back to.
    """
    return {
        "title": recipe.title,
        "single": single,
        "macros": [_macro(("knobs", name), macro, homes, (name,)) for name, macro in recipe.knobs.items()],
        "strips": [_strip(where, name, strip, homes) for where, name, strip in recipe.strips()],
    }


def values(recipe: Recipe) -> dict[str, Any]:
    """Where every control stands, by id; driven ones where their macro puts them."""
    try:
        settled = recipe.settled()
    except StudioError:
        settled = recipe
    found: dict[str, Any] = {}
    for path, kind in _controls(recipe):
        if isinstance(kind, Number) and path[-1:] != ("value",):
            value = get(settled, path)
            # A curve that a macro made of its target says nothing to people; what is written does.
            found[name_of(path)] = _shown(kind, value if isinstance(value, (int, float)) else get(recipe, path))
        else:
            found[name_of(path)] = _shown(kind, get(recipe, path))
    return found


def drivers(recipe: Recipe) -> dict[str, str]:
    """Which macro drives which control, by id."""
    return {
        name_of(locate(recipe, address)[0]): name for name, macro in recipe.knobs.items() for address in macro.drives
    }


def turnable(recipe: Recipe, way: Way = ()) -> Iterator[tuple[Way, Number]]:
    """The numbers below `way` that a hand can turn, without what macros drive and what moves by itself."""
    driven = drivers(recipe)
    for path, kind in _controls(recipe):
        if path[: len(way)] == way and isinstance(kind, Number) and can_turn(kind) and name_of(path) not in driven:
            value = get(recipe, path)
            if isinstance(value, (int, float)):
                yield path, kind


@cache
def palette() -> list[dict[str, str]]:
    """Steps that a chain can take, with what they do."""
    steps = sorted(registry().values(), key=lambda step: step.step)
    return [
        {"step": step.step, "kind": step.kind, "help": step.help().splitlines()[0]}
        for step in steps
        if step.kind in ("effect", "transform") and step.step not in ("preset", "rack")
    ]


def shelf() -> list[dict[str, str]]:
    """The chain presets there are."""
    return [{"preset": each.name} for each in presets() if each.kind == "chain"]


def step_at(recipe: Recipe, error: StudioError) -> Way:
    """The step that an error is about; the empty path when it is about none."""
    path: tuple[Key, ...] = error.path
    for length in range(len(path), 0, -1):
        if "chain" not in path[:length]:
            break
        at = path.index("chain") + 1
        chain, way = _chain_at(recipe, path[:at])
        if chain is None or at >= len(path):
            break
        key = path[at]
        if isinstance(key, int) and key < len(chain):
            return (*way, key)
        for index, step in enumerate(chain):
            if step.label == key:
                return (*way, index)
        break
    if "play" in path:
        return path[: path.index("play") + 1]
    return ()


def _chain_at(recipe: Recipe, path: Way) -> tuple[tuple[Step, ...] | None, Way]:
    try:
        found = get(recipe, path)
    except (KeyError, AttributeError, IndexError, TypeError):
        return None, ()
    return (found, path) if isinstance(found, tuple) else (None, ())


def _strip(where: str, name: str, strip: Record, homes: Homes) -> dict[str, Any]:
    way: Way = (where, name) if where != "master" else (where,)
    kinds = strip.kinds()
    heads = [_control((*way, knob), kinds[knob], knob) for knob in ("volume", "pan", "loudness") if knob in kinds]
    sends = [
        _control((*way, "send", bus, "level"), send.kind_of("level"), f"→ {bus}")
        for bus, send in getattr(strip, "send", {}).items()
    ]
    switches = [_control((*way, knob), kinds[knob], knob) for knob in ("mute", "solo") if knob in kinds]
    play = getattr(strip, "play", None)
    return {
        "name": name,
        "way": name_of(way),
        "where": where,
        "heads": [*heads, *sends],
        "switches": switches,
        "play": None if play is None else _panel((*way, "play"), play, homes),
        "notes": [_panel((*way, "notes", at), step, homes) for at, step in enumerate(getattr(strip, "notes", ()))],
        "chain": [_panel((*way, "chain", at), step, homes) for at, step in enumerate(strip.chain)],  # type: ignore[attr-defined]
    }


def _panel(way: Way, step: Step, homes: Homes) -> dict[str, Any]:
    controls, chains = [], []
    for path, kind in _own(way, step):
        macro = _macro_at(step, path)
        if macro is None:
            controls.append(_control(path, kind, path[-1]))
        else:
            controls.append(_macro(path[:-1], macro, homes, (*way[:2], step.label, path[-2])))
    if not isinstance(step, Preset):
        for name, value in ((name, getattr(step, name)) for name in step.parameters()):
            for at, chain in _chains((*way, name), value):
                chains.append([_panel((*at, index), inner, homes) for index, inner in enumerate(chain)])
    return {
        "id": name_of(way),
        "step": step.step,
        "label": step.label,
        "kind": step.kind,
        "help": step.help().splitlines()[0],
        "bypass": name_of((*way, "bypass")),
        "controls": controls,
        "chains": chains,
    }


def _macro(way: Way, macro: Macro, homes: Homes, home: tuple[Key, ...]) -> dict[str, Any]:
    control = _control((*way, "value"), macro.kind_of("value"), way[-1])
    if "spec" in control:
        control["spec"]["default"] = homes.setdefault(home, control["spec"]["default"])
    return control


def _macro_at(step: Step, path: Way) -> Macro | None:
    """The macro of a step that a control turns, if it is one."""
    held = getattr(step, str(path[-3]), None) if len(path) > 3 and path[-1] == "value" else None
    macro = held.get(path[-2]) if isinstance(held, Mapping) else None
    return macro if isinstance(macro, Macro) else None


def _control(path: Way, kind: Kind, label: Key) -> dict[str, Any]:
    control: dict[str, Any] = {"id": name_of(path), "label": readable(str(label)), "help": kind.help, "kind": "text"}
    if isinstance(kind, Number) and can_turn(kind):
        control |= {"kind": "dial", "spec": spec(kind, readable(str(label)))}
    elif isinstance(kind, Choice):
        control |= {"kind": "choice", "options": list(kind.options)}
    elif isinstance(kind, Switch):
        control |= {"kind": "switch"}
    elif isinstance(kind, Port):
        control |= {"kind": "port"}
    return control


def _controls(recipe: Recipe) -> Iterator[tuple[Way, Kind]]:
    """Every control of a recipe."""
    for name, macro in recipe.knobs.items():
        yield ("knobs", name, "value"), macro.kind_of("value")
    for where, name, strip in recipe.strips():
        way: Way = (where, name) if where != "master" else (where,)
        for knob in ("volume", "pan", "loudness", "mute", "solo"):
            if knob in strip.kinds():
                yield (*way, knob), strip.kinds()[knob]
        for bus, send in getattr(strip, "send", {}).items():
            yield (*way, "send", bus, "level"), send.kind_of("level")
        if getattr(strip, "play", None) is not None:
            yield from _deep((*way, "play"), strip.play)  # type: ignore[union-attr, arg-type]
        for list_of in ("notes", "chain"):
            for index, step in enumerate(getattr(strip, list_of, ())):
                yield from _deep((*way, list_of, index), step)


def _deep(way: Way, step: Step) -> Iterator[tuple[Way, Kind]]:
    yield (*way, "bypass"), step.kind_of("bypass")
    yield from _own(way, step)
    if not isinstance(step, Preset):
        for name in step.parameters():
            for at, chain in _chains((*way, name), getattr(step, name)):
                for index, inner in enumerate(chain):
                    yield from _deep((*at, index), inner)


def _own(way: Way, step: Step) -> Iterator[tuple[Way, Kind]]:
    """A step's own controls, without the steps it holds."""
    for name, kind in step.dials().items():
        value = getattr(step, name)
        if isinstance(value, Mapping):
            for key, macro in value.items():
                if isinstance(macro, Macro):
                    yield (*way, name, key, "value"), macro.kind_of("value")
        elif not any(True for _ in _chains((), value)) and kind.range:
            yield (*way, name), step.kind_of(name)


def _chains(way: Way, value: object) -> Iterator[tuple[Way, tuple[Step, ...]]]:
    """The chains in a value: itself, or those it is a list of."""
    if not isinstance(value, tuple) or not value:
        return
    if all(isinstance(item, Step) for item in value):
        yield way, value
    else:
        for index, item in enumerate(value):
            yield from _chains((*way, index), item)


def _shown(kind: Kind, value: Any) -> Any:
    """A value as its control takes it: a number, a truth, or text."""
    if isinstance(kind, Number) and isinstance(value, (int, float)) and can_turn(kind):
        return value
    if isinstance(kind, Switch) or value is None:
        return value
    plain = kind.data(value)
    return plain if isinstance(plain, str) else inline(plain)


def inline(plain: Any) -> str:
    """Plain data on one line of YAML."""
    if isinstance(plain, (list, dict)):
        text = " ".join(write({"value": plain}).split())
        flow = text.removeprefix("{").removesuffix("}") if text.startswith("{") else text
        return flow.removeprefix("value:").strip()
    return str(plain)
