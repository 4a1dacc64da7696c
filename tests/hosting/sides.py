"""A plugin that listens to another track."""

from __future__ import annotations

from pathlib import Path

import studio
from studio.audio import Block
from studio.recipe import Recipe


def squeezed_by_its_side(file: str, on: object, folder: Path) -> Block:
    """A second of noise through ZamCompX2 in one of its formats, whose side input hears half a second of noise."""
    text = f"""
        recipe: 1
        length: 1 s
        tracks:
          k: {{play: {{noise: {{length: 0.5 s}}}}}}
          a:
            play: {{noise: {{length: 1 s}}}}
            chain: [{{plugin: {{file: {file}, sidechain: k, its_sidechain: {on}, threshold: -60, ratio: 20}}}}]
        """
    return studio.render(Recipe.loads(text, folder)).stems["a"].samples
