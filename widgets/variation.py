"""Other settings of the same recipe: at random from a seed, and between two."""

from __future__ import annotations

import numpy as np

from studio.address import Path as Way
from studio.address import get
from studio.errors import StudioError
from studio.recipe import Recipe
from widgets.panels import turnable

MIXER = ("volume", "pan", "loudness", "level")
"""Knobs that a dice leaves alone: a surprise should be in the sound, not in how loud it is."""


def randomised(recipe: Recipe, seed: int, amount: float = 0.25, way: Way = ()) -> Recipe:
    """The recipe with its knobs below `way` moved by up to `amount` of their way, the same for the same seed.

    Args:
        recipe: where it starts from.
        seed: another seed is another variation.
        amount: from 0, nothing, to 1, anywhere.
        way: the path of a strip or step; everything when empty.
    """
    random = np.random.default_rng(seed)
    changed = recipe
    for path, number in turnable(recipe, way):
        throw = float(random.uniform(-1, 1))
        if path[-1] in MIXER:
            continue
        position = min(1.0, max(0.0, number.position(get(recipe, path)) + amount * throw))
        value = min(number.high, max(number.low, number.at(position)))
        changed = _put(changed, path, round(value) if number.whole else value)
    return changed


def morphed(one: Recipe, other: Recipe, position: float) -> Recipe:
    """Between two settings: every knob goes its way from `one` (0) to `other` (1), along its taper.

    What only one of them has, and what cannot stand in between, is taken from the nearer one.
    """
    nearer, further = (one, other) if position < 0.5 else (other, one)
    share = position if nearer is one else 1 - position
    changed, theirs = nearer, dict(turnable(further))
    for path, number in turnable(nearer):
        if theirs.get(path) == number:
            begin, end = (number.position(get(recipe, path)) for recipe in (nearer, further))
            if begin != end:
                value = min(number.high, max(number.low, number.at(begin + share * (end - begin))))
                changed = _put(changed, path, round(value) if number.whole else value)
    return changed


def _put(recipe: Recipe, path: Way, value: float) -> Recipe:
    try:
        return recipe.put(path, value)
    except StudioError:
        # A value may be refused for the sake of another; then it stays where it is.
        return recipe
