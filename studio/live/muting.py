"""Strips that hands mute and solo while the song runs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from studio.audio import Block
from studio.errors import RecipeError, nearest


class MuteGate:
    """Opens and closes what leaves a strip, gliding in one block.

    Args:
        track: whether the strip is a track, which can be soloed, and not a bus or the master.
    """

    def __init__(self, track: bool) -> None:
        self.track, self.open = track, True
        self._from = self._to = 1.0

    def begin(self) -> None:
        """Begin a block."""
        self._from, self._to = self._to, float(self.open)

    def through(self, block: Block) -> Block:
        """What is heard of a block of shape (channels, frames)."""
        if self._from == self._to == 1:
            return block
        return block * np.linspace(self._from, self._to, block.shape[1], dtype=np.float32)


Gates = Mapping[str, MuteGate]
"""Gates by the name of their strip."""


class Muting:
    """Which strips are muted and soloed; as in a recipe, a solo leaves out every track that has none."""

    def __init__(self, gates: Gates) -> None:
        self._gates = gates
        self._muted, self._soloed = set[str](), set[str]()

    def take(self, gates: Gates) -> None:
        """Mute and solo in another voice from now on, whose strips of the same names stay as they are."""
        self._gates = gates
        self.put(gates)

    def put(self, gates: Gates) -> None:
        """Set gates as those of the voice that plays are set."""
        soloed = self._soloed & gates.keys()
        for name, gate in gates.items():
            gate.open = name not in self._muted and (not gate.track or not soloed or name in soloed)

    def mute(self, name: str, on: bool | None = None) -> bool:
        """Mute a strip or let it sound; None only asks.

        Raises:
            RecipeError: no such strip plays.
        """
        return self._put(self._muted, name, on, "mute", self._gates)

    def solo(self, name: str, on: bool | None = None) -> bool:
        """Solo a track or end its solo; None only asks.

        Raises:
            RecipeError: no such track plays.
        """
        tracks = {each: gate for each, gate in self._gates.items() if gate.track}
        return self._put(self._soloed, name, on, "solo", tracks)

    def _put(self, names: set[str], name: str, on: bool | None, verb: str, there: Gates) -> bool:
        if name not in there:
            raise RecipeError(f"nothing that plays is called {name!r}, to {verb} it.", nearest(name, there))
        if on is not None:
            (names.add if on else names.discard)(name)
            self.put(self._gates)
        return name in names
