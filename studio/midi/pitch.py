"""Transposition."""

from __future__ import annotations

from studio.context import RenderContext
from studio.knobs import knob, switch
from studio.midi.instruments import drum_channels
from studio.score import Note, Score
from studio.steps import ScoreStep
from studio.units import SEMITONES


class Transpose(ScoreStep):
    """Move every note up or down by whole semitones.

    Drums keep their keys, since a key is an instrument there. Notes that would leave MIDI's range move by
    octaves back into it.
    """

    semitones: float = knob(0.0, -60, 60, SEMITONES, help="how far", live=False)
    drums: bool = switch(False, help="move drums too")

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with its notes changed; every other event stays where it is."""
        drums = frozenset[tuple[int, int]]() if self.drums else drum_channels(score)
        return score.map_notes(lambda note: note if (note.port, note.channel) in drums else self._move(note))

    def _move(self, note: Note) -> Note:
        return note._replace(pitch=moved(note.pitch, round(self.semitones)))


def moved(pitch: int, semitones: int) -> int:
    """A key higher by some semitones, by octaves back in the range of MIDI where it would leave it."""
    pitch += semitones
    while pitch > 127:
        pitch -= 12
    while pitch < 0:
        pitch += 12
    return pitch
