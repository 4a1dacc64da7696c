"""Anything that stands for a chain, as a value."""

from __future__ import annotations

from pathlib import Path

from studio.folders import reading
from studio.recipe.boards import is_board, steps_of
from studio.recipe.presets import ChainPreset
from studio.steps import Step


def chain(given: object, *, title: str = "Chain", folder: Path | str | None = None) -> ChainPreset:
    """Anything that stands for a chain as a value that can be saved, automated, shared and exported.

    >>> board = pedalboard.Pedalboard([pedalboard.Chorus(rate_hz=0.7), pedalboard.Reverb(room_size=0.8)])
    >>> studio.export(studio.chain(board, title="Haze"), "Haze.vst3")

    Args:
        given: a `pedalboard.Pedalboard`, one of its plugins (hosted ones too), steps, or plain data as in a recipe.
        title: its name for people.
        folder: where states of hosted plugins and responses that are only in memory are kept, and what relative paths
            mean. Without it, a hosted plugin is known by the parameters that have been turned.

    Raises:
        StudioError: what cannot be a step of a chain, by its place; all of it at once.
    """
    if isinstance(given, ChainPreset):
        return given
    where = None if folder is None else Path(folder)
    if is_board(given):
        given = steps_of(given, where)  # type: ignore[arg-type]
    elif isinstance(given, Step):
        given = [given]
    with reading(where or Path()):
        return ChainPreset.parse({"title": title, "chain": given})
