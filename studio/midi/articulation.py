"""How long notes last."""

from __future__ import annotations

from bisect import bisect_right

from studio.context import RenderContext
from studio.knobs import knob, span
from studio.score import Note, Score
from studio.steps import ScoreStep
from studio.tempo import Time
from studio.units import MS


class Legato(ScoreStep):
    """Hold every note until the next one of its channel begins."""

    overlap: float = knob(0.0, -200.0, 200.0, MS, help="hold it longer, or below zero let go earlier", live=False)
    longest: Time = span("1 bar", help="hold no note longer than this")

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        score = score.finer(960)
        starts: dict[tuple[int, int], list[int]] = {}
        for note in score.notes:
            starts.setdefault((note.port, note.channel), []).append(note.start)
        return score.map_notes(lambda note: self._hold(score, note, starts[note.port, note.channel]))

    def _hold(self, score: Score, note: Note, starts: list[int]) -> Note:
        index = bisect_right(starts, note.start)
        if index == len(starts):
            return note
        beat = score.beat(note.start)
        tempo = score.tempo
        longest = tempo.beat_at(tempo.second_at(beat) + tempo.length_of(self.longest, beat))
        overlap = score.tick(self.overlap * tempo.bpm_at(beat) / 60_000)
        end = min(starts[index] + overlap, score.tick(longest))
        return note._replace(end=max(end, note.start + 1))
