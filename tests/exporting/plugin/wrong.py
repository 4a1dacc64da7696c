"""Steps whose plugin halves are not what they should be."""

from __future__ import annotations

from studio.stage import Stage
from studio.steps import Effect, Run


class Liar(Effect):
    """Leaves the sound alone; its plugin half does not."""

    def open(self, stage: Stage) -> Run:
        return lambda block, now: block


class Broken(Effect):
    """Has a plugin half that no compiler takes."""

    def open(self, stage: Stage) -> Run:
        return lambda block, now: block


class Crashing(Effect):
    """Has a plugin half that takes its host along."""

    def open(self, stage: Stage) -> Run:
        return lambda block, now: block


class Hanging(Effect):
    """Has a plugin half that never ends."""

    def open(self, stage: Stage) -> Run:
        return lambda block, now: block
