"""A recipe as text that can be taken elsewhere."""

from __future__ import annotations

from pprint import pformat

from studio.recipe import Recipe


def as_python(recipe: Recipe) -> str:
    """A program that makes an equal recipe, as a person would write it."""
    plain = {name: value for name, value in recipe.data().items() if name != "recipe"}
    lines = [f"    {name}={_indented(value)}," for name, value in plain.items()]
    return "\n".join(["from studio import Recipe", "", "song = Recipe(", *lines, ")", ""])


def _indented(value: object) -> str:
    return pformat(value, width=110, sort_dicts=False).replace("\n", "\n    ")
