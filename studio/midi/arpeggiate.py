"""Chords into runs."""

from __future__ import annotations

import numpy as np

from studio.context import RenderContext
from studio.errors import KnobError
from studio.knobs import choice, count, knob, span
from studio.score import Note, Score
from studio.steps import ScoreStep
from studio.tempo import Time


class Arpeggiate(ScoreStep):
    """Play held chords one note after another, on a grid, for as long as they are held."""

    rate: Time = span("1/16", help="the time from note to note, a note value")
    pattern: str = choice("up", "up", "down", "up-down", "as played", "random", help="the order of the notes")
    octaves: int = count(1, 1, 4, help="how many octaves it climbs")
    gate: float = knob(0.8, 0.05, 1.0, help="how long each note sounds, of the time to the next", live=False)
    seed: int = count(0, 0, 2**31 - 1, help="for the random pattern")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.rate.beats or self.rate.bars or self.rate.seconds:
            raise KnobError(f"{self.rate} is not a note value.", "Write 1/16, 1/8t or so.", path=("rate",))

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        score = score.finer(960)
        voices: dict[tuple[int, int, int], list[Note]] = {}
        for note in score.notes:
            voices.setdefault((note.port, note.channel, note.track), []).append(note)
        return score.with_notes(run for notes in voices.values() for run in self._run(score, notes))

    def _run(self, score: Score, notes: list[Note]) -> list[Note]:
        random = np.random.default_rng(self.seed)
        step = max(1, score.tick(self.rate.beats))
        length = max(1, round(step * self.gate))
        played: list[Note] = []
        held: list[Note] = []
        waiting, now, index = list(notes), 0, 0
        while waiting or held:
            held = [note for note in held if note.end > now]
            if not held and waiting:
                # A new chord starts where it starts, not on the grid of the last one.
                now, index = max(now, waiting[0].start), 0
            while waiting and waiting[0].start <= now:
                held.append(waiting.pop(0))
            held = [note for note in held if note.end > now]
            if held:
                note = self._choose(held, index, random)
                played.append(note._replace(start=now, end=min(now + length, now + step)))
                index += 1
                now += step
        return played

    def _choose(self, held: list[Note], index: int, random: np.random.Generator) -> Note:
        order = held if self.pattern == "as played" else sorted(held, key=lambda note: note.pitch)
        ladder = [
            note._replace(pitch=note.pitch + 12 * octave)
            for octave in range(self.octaves)
            for note in order
            if note.pitch + 12 * octave <= 127
        ]
        if self.pattern == "random":
            return ladder[int(random.integers(len(ladder)))]
        if self.pattern == "down":
            ladder = ladder[::-1]
        elif self.pattern == "up-down":
            ladder = ladder + ladder[-2:0:-1]
        return ladder[index % len(ladder)]
