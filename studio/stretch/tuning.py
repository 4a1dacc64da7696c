"""Pitch correction of one voice."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.knobs import LOG, knob
from studio.midi.picks import Pick
from studio.midi.wheel import bends_at
from studio.records import Nested, field
from studio.score import Score
from studio.steps import Transform
from studio.stretch.f0 import HOP
from studio.stretch.melody import Melody, follow, melody, nearest_note, score_of, sounding
from studio.stretch.psola import psola
from studio.stretch.scales import KEY, ladder, scale_kind
from studio.stretch.timemap import TimeMap
from studio.tempo import Floats
from studio.units import HZ, MS, SEMITONES


class Tune(Transform):
    """Bring one voice in tune: to the nearest note of a scale, or to what a part of the score plays.

    Each note is moved as a whole, so that its vibrato stays as wide as you let it, and its formants stay where they
    are. Where the part is silent, so is the correction; a part in another octave counts as if it were in the
    voice's own. Where the part bends, the voice bends as the part does, and by nothing else: with the notes that
    `studio new --from` heard in it, it stays as it is, and what you change in them is heard.
    """

    version = 5

    key: str = field(KEY)
    scale: str = field(scale_kind("chromatic"))
    part: Pick | None = field(Nested(of=Pick, default=None, help="a part of the score to follow, instead of a scale"))
    amount: float = knob(1.0, 0.0, 1.0, help="how much of the way to the note", live=False)
    speed: float = knob(40.0, 0.0, 1_000.0, MS, help="how long the way takes; 0 ms is the famous effect", live=False)
    vibrato: float = knob(1.0, 0.0, 2.0, help="how much of the vibrato is kept", live=False)
    formant_semitones: float = knob(0.0, -24.0, 24.0, SEMITONES, help="how much higher the formants", live=False)
    lowest: float = knob(60.0, 20.0, 1_000.0, HZ, taper=LOG, help="the lowest pitch to look for", live=False)
    highest: float = knob(1_000.0, 100.0, 4_000.0, HZ, taper=LOG, help="the highest pitch to look for", live=False)

    libraries = ("scipy",)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        line = melody(follow(audio, self.lowest, self.highest), ladder(self.key, self.scale))
        target = self._target(line, context)
        bends = self._bends(line, context)
        if bends.any():
            wanted = self.amount * (target + bends - line.pitch)
            # Where the part has no note there is none to bend to.
            wanted[target == line.centre] = 0.0
        else:
            wanted = self.amount * (target - line.centre) + (self.vibrato - 1) * (line.pitch - line.centre)
        moved = _gliding(wanted, self.speed / 1000)
        if not len(moved):
            return audio
        samples = psola(
            audio.samples,
            TimeMap.constant(audio.frames, 1.0),
            audio.rate,
            track=line.track,
            semitones=lambda seconds: np.interp(seconds, line.times, moved),
            formant_semitones=self.formant_semitones,
        )
        return Audio(samples, audio.rate)

    def follows(self, context: RenderContext) -> Score | None:
        """The notes it listens to."""
        return score_of(self.part, context) if self.part else None

    def _bends(self, line: Melody, context: RenderContext) -> Floats:
        if self.part is None:
            return np.zeros(len(line.times))
        return bends_at(score_of(self.part, context), line.times)

    def _target(self, line: Melody, context: RenderContext) -> Floats:
        """The note each moment of the line is meant to be, in MIDI's numbers."""
        if self.part is None:
            notes, target = ladder(self.key, self.scale), np.full(len(line.centre), np.nan)
            for first, last in line.notes:
                target[first:last] = notes[nearest_note(np.median(line.centre[first:last], keepdims=True), notes)]
            return target
        held = sounding(score_of(self.part, context), line.times)
        highest = np.array([pitches[-1] if pitches else np.nan for pitches in held], dtype=np.float64)
        octaves = np.round((line.centre - highest) / 12)
        return np.where(np.isfinite(highest), highest + 12 * octaves, line.centre)


def _gliding(wanted: Floats, seconds: float) -> Floats:
    """`wanted` as a one-pole filter of that time constant follows it from 0 in each breath; 0 where nothing is wanted."""
    keep = float(np.exp(-HOP / seconds)) if seconds > 0 else 0.0
    moved, current = np.zeros(len(wanted)), 0.0
    for index, value in enumerate(wanted.tolist()):
        current = value + (current - value) * keep if np.isfinite(value) else 0.0
        moved[index] = current
    return moved
