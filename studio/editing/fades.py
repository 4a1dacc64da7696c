"""Fades at the ends."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.curves import stretch
from studio.knobs import choice, span
from studio.steps import Transform
from studio.tempo import Floats, Time

_SHAPES = ("linear", "smooth", "equal power", "logarithmic")


def _ramp(frames: int, shape: str) -> Floats:
    """Gains from 0 to 1: the first frame is silent, the one after the last would be 1."""
    position = np.arange(frames) / max(frames, 1)
    if shape == "equal power":
        return np.sin(position * np.pi / 2)
    if shape == "logarithmic":
        # 60 dB in a straight line of decibels, brought to exact silence at its foot.
        return np.where(position > 0, 10 ** (3 * (position - 1)), 0.0)
    return stretch(position, 0.0, 1.0, shape)


class FadeIn(Transform):
    """Come up from silence."""

    keeps_time = True

    length: Time = span("2 s", help="how long it takes")
    shape: str = choice("smooth", *_SHAPES, help="how the level rises")

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        frames = min(audio.frames, context.tempo.frame_of(self.length, context.rate))
        samples = audio.samples.copy()
        samples[:, :frames] *= _ramp(frames, self.shape).astype(np.float32)
        return Audio(samples, audio.rate)


class FadeOut(Transform):
    """Go down to silence, ending with the sound (or where the song is cut), or at a given time; nothing follows."""

    keeps_time = True

    length: Time = span("4 s", help="how long it takes")
    end: Time | None = span(None, help="when it is over; the end of the sound if not given", position=True)
    shape: str = choice("smooth", *_SHAPES, help="how the level falls")

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        end = audio.frames if self.end is None else min(audio.frames, context.tempo.frame_of(self.end, context.rate))
        beat = context.tempo.beat_at(Fraction(end, context.rate))
        seconds = _length_before(context, self.length, beat, Fraction(end, context.rate))
        frames = min(end, round(seconds * context.rate))
        samples = audio.samples[:, :end].copy()
        if frames:
            samples[:, end - frames :] *= _ramp(frames, self.shape)[::-1].astype(np.float32)
        return Audio(samples, audio.rate)


def _length_before(context: RenderContext, length: Time, beat: Fraction, second: Fraction) -> Fraction:
    """Seconds that a musical length takes when it ends at `beat`."""
    if not length.musical:
        return length.seconds
    tempo = context.tempo
    start = tempo.beat_of_bar(max(Fraction(0), tempo.bar_of_beat(beat) - length.bars)) - length.beats
    return second - tempo.second_at(max(Fraction(0), start)) + length.seconds
