"""Tracks of a session while they are read."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from fractions import Fraction

from studio.errors import RecipeError
from studio.interchange.timeline import MOST_CLIPS, AudioClip, Loss, NoteClip, TimelineStrip
from studio.tempo import TempoMap


class Tally:
    """Counts the clips of a session, which a song has only so many of."""

    def __init__(self) -> None:
        self._clips = 0

    def one(self) -> None:
        """Another one.

        Raises:
            RecipeError: that is no song.
        """
        self._clips += 1
        if self._clips > MOST_CLIPS:
            raise RecipeError(f"a session of more than {MOST_CLIPS} clips.", "That is no song.")


@dataclass
class TrackBuilder:
    """What lies on a track."""

    name: str
    clips: list[AudioClip] = field(default_factory=list)
    notes: list[NoteClip] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether nothing does."""
        return not self.clips and not self.notes

    def tracks(self, strip: TimelineStrip, losses: list[Loss]) -> Iterable[TimelineStrip]:
        """The strip with its clips; what has audio and notes becomes two."""
        if not self.clips or not self.notes:
            yield replace(strip, clips=tuple(self.clips or self.notes))
            return
        yield replace(strip, clips=tuple(self.clips))
        yield replace(strip, name=f"{strip.name} (notes)", clips=tuple(self.notes), devices=())
        losses.append(Loss("audio and notes on one track", strip.name, "they become two tracks"))

    def beside(self, bus: TimelineStrip) -> Iterable[TimelineStrip]:
        """A track for what lies on a strip that others go to, which becomes a bus."""
        if not self.empty:
            yield TimelineStrip(f"{bus.name} (clips)", bus.colour, tuple(self.clips or self.notes), to=bus.name)


def frame(second: float | Fraction, rate: int) -> int:
    """The frame that is nearest to a second."""
    return math.floor(second * rate + Fraction(1, 2) if isinstance(second, Fraction) else second * rate + 0.5)


def last_frame(tracks: Iterable[TimelineStrip], tempo: TempoMap, rate: int) -> int:
    """Where the last clip ends."""
    ends = [0]
    for track in tracks:
        ends += [clip.start + clip.frames for clip in track.audio]
        ends += [math.ceil(tempo.second_at(clip.start + clip.beats) * rate) for clip in track.notes]
    return max(ends)
