"""What a typed user of the studio writes; `mypy --strict` finds nothing wrong with it."""

from collections.abc import Mapping
from pathlib import Path
from typing import assert_type

import numpy as np

import studio
from studio import Audio, Recipe, Result, Track
from studio.extend import HZ, Block, BlockContext, Effect, Live, RenderContext, Run, knob


class Quieter(Effect):
    """Half as loud."""

    cutoff: Live = knob(440.0, 1.0, 8_000.0, HZ, help="where it begins")

    def open(self, context: RenderContext) -> Run:
        """Nothing is remembered."""

        def run(block: Block, now: BlockContext) -> Block:
            return block * np.float32(0.5)

        return run


def song() -> Recipe:
    """A recipe from nothing."""
    return Recipe(tracks={"keys": Track(part="all", play="soundfont", chain=["chorus"], volume="-3 dB")})


def rendered(path: Path) -> Audio:
    """The mix of a recipe with a knob turned."""
    recipe = studio.load(path).set("keys.pan", -0.2)
    result = studio.render(recipe, "out")
    assert_type(result, Result)
    assert_type(recipe, Recipe)
    assert_type(result.stems, Mapping[str, Audio])
    assert_type(recipe.tracks, Mapping[str, Track])
    assert_type(studio.__version__, str)
    return result.mix
