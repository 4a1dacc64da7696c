"""Steps whose plugin halves are not what they should be."""

from __future__ import annotations

from studio.context import RenderContext
from studio.steps import Effect, Run


class Liar(Effect):
    """Leaves the sound alone; its plugin half does not."""

    def open(self, context: RenderContext) -> Run:
        return lambda block, now: block


class Broken(Effect):
    """Has a plugin half that no compiler takes."""

    def open(self, context: RenderContext) -> Run:
        return lambda block, now: block


class Crashing(Effect):
    """Has a plugin half that takes its host along."""

    def open(self, context: RenderContext) -> Run:
        return lambda block, now: block


class Hanging(Effect):
    """Has a plugin half that never ends."""

    def open(self, context: RenderContext) -> Run:
        return lambda block, now: block
