"""Where a sound lies in the song, and how often."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import RenderError, within
from studio.knobs import count, span
from studio.steps import Transform
from studio.tempo import Time

LONGEST_SECONDS = 4 * 3600
"""No edit makes a sound longer than this."""


class PlaceAt(Transform, step="place"):
    """Move a sound to a later time."""

    at: Time = span(help="when it starts", position=True)

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("at"):
            _check_length(context.tempo.frame_of(self.at, context.rate), context)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        frames = context.tempo.frame_of(self.at, context.rate)
        _check_length(frames + audio.frames, context)
        return Audio(np.pad(audio.samples, ((0, 0), (frames, 0))), audio.rate)


class Repeat(Transform):
    """Play a sound several times in a row, from one start to the next by its own length or a given time.

    With `every` in bars or beats each repeat falls exactly on its place in the tempo map; what sounds longer
    than that rings into the next.
    """

    times: int = count(2, 1, 10_000, help="how often it plays")
    every: Time | None = span(None, help="the time from start to start; its own length if not given")

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        if self.every is not None:
            _check_length(self._start(self.times - 1, 0, context), context)
        elif seconds is not None:
            _check_length(round(self.times * seconds * context.rate), context)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        starts = [self._start(index, audio.frames, context) for index in range(self.times)]
        _check_length(starts[-1] + audio.frames, context)
        out = np.zeros((audio.channels, starts[-1] + audio.frames), np.float32)
        for start in starts:
            out[:, start : start + audio.frames] += audio.samples
        return Audio(out, audio.rate)

    def _start(self, index: int, frames: int, context: RenderContext) -> int:
        if self.every is None:
            return index * frames
        every = self.every
        return context.tempo.frame_of(
            Time(every.bars * index, every.beats * index, every.seconds * index), context.rate
        )


class Trim(Transform):
    """Keep a stretch of a sound, moved to the start."""

    start: Time = span("0 s", help="where it begins", position=True)
    length: Time | None = span(None, help="how long it is; to the end if not given")

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        if seconds is not None and context.tempo.frame_of(self.start, context.rate) >= round(seconds * context.rate):
            raise RenderError(
                f"the sound is over after {seconds:.2f} s, before the trim begins.", "Begin earlier.", path=("start",)
            )

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        start = context.tempo.frame_of(self.start, context.rate)
        self.ready(context, audio.seconds)
        end = audio.frames
        if self.length is not None:
            beat = context.tempo.beat_of(self.start)
            end = start + round(context.tempo.length_of(self.length, beat) * context.rate)
        return Audio(audio.samples[:, start : max(end, start + 1)], audio.rate)


class Reverse(Transform):
    """Play a sound backwards."""

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        return Audio(audio.samples[:, ::-1], audio.rate)


def _check_length(frames: int, context: RenderContext) -> None:
    if frames > LONGEST_SECONDS * context.rate:
        raise RenderError(
            f"the sound would last {frames / context.rate / 3600:.1f} hours.", "Four hours at most: repeat it less."
        )
