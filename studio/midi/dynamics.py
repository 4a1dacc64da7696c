"""How hard notes are played."""

from __future__ import annotations

from studio.context import RenderContext
from studio.errors import KnobError
from studio.knobs import count, knob
from studio.score import Note, Score
from studio.steps import ScoreStep


class Velocity(ScoreStep):
    """Bend, scale and limit the velocities: first the curve, then the scale, then low and high."""

    curve: float = knob(1.0, 0.1, 10.0, help="exponent: below 1 lifts soft notes, above 1 lowers them", live=False)
    scale: float = knob(1.0, 0.0, 4.0, help="factor", live=False)
    low: int = count(1, 1, 127, help="softest velocity that comes out")
    high: int = count(127, 1, 127, help="hardest velocity that comes out")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low > self.high:
            raise KnobError(f"low ({self.low}) is above high ({self.high}).", "Swap them.", path=("low",))

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        return score.map_notes(self._shape)

    def _shape(self, note: Note) -> Note:
        bent = 127 * (note.velocity / 127) ** self.curve * self.scale
        return note._replace(velocity=min(self.high, max(self.low, round(bent))))
