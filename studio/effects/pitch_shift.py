"""pedalboard's pitch shifter."""

from __future__ import annotations

from studio.audio import Audio
from studio.context import RenderContext
from studio.knobs import knob
from studio.steps import Transform
from studio.units import SEMITONES


class PitchShift(Transform):
    """Change the pitch and keep the length, with Rubber Band's real-time engine.

    A transform, because pedalboard's PitchShift gives silence when it is fed block by block. Tones without any
    noise in them, as a synthesiser makes, come out rough.
    """

    semitones: float = knob(0.0, -72.0, 72.0, SEMITONES, help="how far", live=False)

    libraries = ("pedalboard",)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        import pedalboard

        shifted = pedalboard.PitchShift(self.semitones).process(audio.samples, audio.rate)
        return Audio(shifted, audio.rate)
