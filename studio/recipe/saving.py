"""Taking a chain out of a recipe, and keeping it as a preset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.address import get, locate
from studio.disk import write_whole
from studio.errors import OutputError, RecipeError, nearest
from studio.folders import user_presets
from studio.macros import Macro
from studio.recipe.model import Recipe
from studio.recipe.presets import ChainPreset
from studio.steps import Step, check_label


def chain_preset(recipe: Recipe, address: str, **about: Any) -> ChainPreset:
    """The chain of a track, a bus or the master as a preset, or a single step of it.

    Knobs of the recipe that drive steps in the chain come along.

    Args:
        recipe: where it is taken from.
        address: `keys` for a whole chain, `keys.chorus` for one step.
        about: title, story, author, license and tags of the preset.

    Raises:
        RecipeError: there is no such strip or step, or it holds what a preset cannot.
    """
    name, _, label = address.partition(".")
    strips = {strip: (where, strip) if where != "master" else (where,) for where, strip, _ in recipe.strips()}
    if name not in strips:
        raise RecipeError(f"there is no track or bus {name!r}.", nearest(name, strips))
    way = (*strips[name], "chain")
    chain: tuple[Step, ...] = get(recipe, way)
    if label:
        chain = tuple(step for step in chain if step.label == label)
        if not chain:
            labels = [step.label for step in get(recipe, way)]
            raise RecipeError(f"there is no step {label!r} in the chain of {name!r}.", nearest(label, labels))
    knobs = {}
    for knob, macro in recipe.knobs.items():
        drives = {
            target.removeprefix(f"{way[0]}.{name}.").removeprefix(f"{name}."): drive
            for target, drive in macro.drives.items()
            if _inside(recipe, target, way, chain)
        }
        if drives:
            knobs[knob] = Macro.parse({**macro.data(), "drives": drives})
    about = {"author": recipe.author, "license": recipe.license} | {key: value for key, value in about.items() if value}
    return ChainPreset.parse({**about, "knobs": knobs, "chain": chain})


def _inside(recipe: Recipe, address: str, way: tuple[str, ...], chain: tuple[Step, ...]) -> bool:
    path, _ = locate(recipe, address)
    return path[: len(way)] == way and get(recipe, path[: len(way) + 1]) in chain


def keep(preset: ChainPreset, name: str, *, replace: bool = False) -> Path:
    """Write a preset among the user's own.

    Raises:
        RecipeError: the name cannot be one.
        OutputError: there is one of that name already, or the disk refuses.
    """
    path = user_presets() / "chains" / f"{check_label(name)}.yaml"
    if path.exists() and not replace:
        raise OutputError(f"there is a preset {name!r} already.", "Give --replace to put this in its place.")
    write_whole(path, preset.dumps())
    return path
