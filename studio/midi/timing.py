"""When notes come: onto a grid, or away from it."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np

from studio.context import RenderContext
from studio.errors import KnobError
from studio.knobs import count, knob, span, switch
from studio.score import Note, Score
from studio.steps import ScoreStep
from studio.tempo import Time
from studio.units import MS


class Quantise(ScoreStep):
    """Pull notes towards a grid that begins anew with every bar.

    With swing the second of each pair of grid lines comes later: 50 % is straight, 66.7 % is triplets.
    """

    grid: Time = span("1/16", help="the distance of the grid lines, a note value")
    strength: float = knob(1.0, 0.0, 1.0, help="how far towards the line", live=False)
    swing: float = knob(0.5, 0.5, 0.75, help="where in its pair the second line falls", live=False)
    ends: bool = switch(False, help="pull the ends of notes too, else they keep their length")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.grid.beats or self.grid.bars or self.grid.seconds:
            raise KnobError(f"{self.grid} is not a note value.", "Write 1/16, 1/8t or so.", path=("grid",))

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        fine = score.finer(1920)
        return fine.map_notes(lambda note: self._pull(fine, note))

    def _pull(self, score: Score, note: Note) -> Note:
        start = self._towards_line(score, note.start)
        end = self._towards_line(score, note.end) if self.ends else start + note.end - note.start
        return note._replace(start=start, end=max(end, start + 1))

    def _towards_line(self, score: Score, tick: int) -> int:
        beat = score.beat(tick)
        number = math.floor(score.tempo.bar_of_beat(beat))
        bar, after = score.tempo.beat_of_bar(Fraction(number)), score.tempo.beat_of_bar(Fraction(number + 1))
        step = self.grid.beats
        pair = bar + 2 * step * math.floor((beat - bar) / (2 * step))
        lines = (pair, pair + 2 * step * Fraction(self.swing), pair + 2 * step)
        line = min((min(line, after) for line in lines), key=lambda candidate: abs(candidate - beat))
        return score.tick(beat + (line - beat) * Fraction(self.strength))


class Humanise(ScoreStep):
    """Shift notes in time and velocity as a player would, the same way for the same seed."""

    timing: float = knob(8.0, 0.0, 200.0, MS, help="standard deviation of the shift in time", live=False)
    velocity: float = knob(5.0, 0.0, 60.0, help="standard deviation of the change in velocity", live=False)
    seed: int = count(0, 0, 2**31 - 1, help="another seed is another performance")

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        fine = score.finer(1920)
        random = np.random.default_rng(self.seed)
        draws = np.clip(random.standard_normal((len(fine.notes), 2)), -2.5, 2.5)
        moved = []
        for note, (early_late, soft_loud) in zip(fine.notes, draws.tolist(), strict=True):
            beats_per_ms = fine.tempo.bpm_at(fine.beat(note.start)) / 60_000
            start = max(0, note.start + fine.tick(early_late * self.timing * beats_per_ms))
            velocity = min(127, max(1, round(note.velocity + soft_loud * self.velocity)))
            moved.append(note._replace(start=start, end=start + note.end - note.start, velocity=velocity))
        return fine.with_notes(moved)
