"""Which moment of the sound is heard when: the one noun every stretching method shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from studio.errors import AudioError, KnobError
from studio.tempo import Floats

OverTime: TypeAlias = Callable[[Floats], Floats]
"""A value that moves with the sound: takes seconds of the input, gives the value there."""

SLOWEST, FASTEST = 16.0, 1 / 16
"""The duration ratios a sound can be given."""

GRID = 64
"""Input frames between two readings of a moving ratio."""


@dataclass(frozen=True, eq=False)
class TimeMap:
    """A path from frames of the input to frames of the output: straight between points, always rising.

    `source` and `target` are its points, from 0 to the length of the input and of the output, both whole.
    Make one with `constant`, `through` or `curve`.
    """

    source: Floats
    target: Floats

    def __post_init__(self) -> None:
        for name in ("source", "target"):
            points = np.array(getattr(self, name), dtype=np.float64)
            points.flags.writeable = False
            object.__setattr__(self, name, points)
        if self.source.shape != self.target.shape or self.source.ndim != 1 or len(self.source) < 2:
            raise AudioError("a time map needs at least two points.", "Give each frame of the input one of the output.")
        for points in (self.source, self.target):
            if points[0] != 0 or points[-1] != round(points[-1]) or not (np.diff(points) > 0).all():
                raise AudioError(
                    "a time map must rise from 0 to a whole number of frames.", "Put its points in order of time."
                )

    @classmethod
    def constant(cls, frames: int, duration_ratio: float) -> TimeMap:
        """The whole sound `duration_ratio` times as long: 2 is half the tempo.

        Raises:
            KnobError: the ratio is no number, or outside 1/16 to 16.
            AudioError: there is no sound.
        """
        _check_frames(frames)
        _check_ratios(np.array([duration_ratio], dtype=np.float64))
        return cls(np.array([0.0, frames]), np.array([0.0, max(1, round(frames * duration_ratio))]))

    @classmethod
    def through(cls, frames: int, rate: int, anchors: Sequence[tuple[float, float]]) -> TimeMap:
        """Through anchors, each a second of the input and the second of the output it is to be heard at.

        The start stays the start; behind the last anchor its tempo goes on.

        Raises:
            KnobError: there are no anchors, or they are out of order, equal, outside the sound, or ask for a
                ratio outside 1/16 to 16.
            AudioError: there is no sound.
        """
        _check_frames(frames)
        points = np.array(anchors, dtype=np.float64).reshape(-1, 2) * rate
        if not len(points):
            raise KnobError("there are no anchors.", "Give pairs of seconds: (in the sound, in the result).")
        if not np.isfinite(points).all() or (points < 0).any():
            raise KnobError("an anchor is no moment of the sound.", "Give pairs of seconds from 0 on.")
        if points[0].any():
            points = np.vstack([np.zeros((1, 2)), points])
        steps = np.diff(points, axis=0)
        for index in np.flatnonzero((steps <= 0).any(axis=1)):
            before, after = (f"({x:g} s → {y:g} s)" for x, y in points[index : index + 2] / rate)
            raise KnobError(
                f"the anchor {after} does not come after {before}.",
                "Put anchors in order of time; time can neither stand still nor run backwards.",
            )
        if points[-1, 0] > frames + 0.5:
            raise KnobError(
                f"an anchor at {points[-1, 0] / rate:g} s of a sound of {frames / rate:g} s.", "Stay inside the sound."
            )
        if len(points) == 1:
            raise KnobError("the only anchor is the start.", "Give one more, behind it.")
        ratios = steps[:, 1] / steps[:, 0]
        _check_ratios(ratios)
        if points[-1, 0] < frames - 0.5:
            end = points[-1, 1] + (frames - points[-1, 0]) * ratios[-1]
            points = np.vstack([points, [[frames, max(np.ceil(points[-1, 1] + 0.5), round(end))]]])
        points[-1] = frames, max(1, round(points[-1, 1]))
        return cls(points[:, 0], points[:, 1])

    @classmethod
    def curve(cls, frames: int, rate: int, ratio_of_seconds: OverTime) -> TimeMap:
        """With a duration ratio that moves with the sound: read every `GRID` frames, straight between, summed exactly.

        Raises:
            KnobError: the ratio is somewhere no number, or outside 1/16 to 16.
            AudioError: there is no sound.
        """
        _check_frames(frames)
        marks = _marks(frames)
        ratios = np.broadcast_to(np.asarray(ratio_of_seconds(marks / rate), dtype=np.float64), marks.shape)
        _check_ratios(ratios)
        return cls._summed(marks, ratios)

    @classmethod
    def _summed(cls, marks: Floats, slopes: Floats) -> TimeMap:
        """The integral of `slopes` over `marks`, its end brought to a whole frame."""
        steps = np.diff(marks) * (slopes[1:] + slopes[:-1]) / 2
        target = np.concatenate([[0.0], np.cumsum(steps)])
        whole = max(1, round(target[-1]))
        target *= whole / target[-1]
        target[-1] = whole
        return cls(marks, target)

    @property
    def frames_in(self) -> int:
        """Frames of the source."""
        return int(self.source[-1])

    @property
    def frames_out(self) -> int:
        """Frames of the result."""
        return int(self.target[-1])

    @cached_property
    def is_identity(self) -> bool:
        """Whether every frame stays where it is."""
        return bool(np.array_equal(self.source, self.target))

    @property
    def duration_ratio(self) -> float:
        """Of the whole."""
        return self.frames_out / self.frames_in

    def source_of(self, positions: Floats) -> Floats:
        """Where in the input the output is at `positions`; beyond the ends it goes on as at the ends."""
        return _follow(positions, self.target, self.source)

    def target_of(self, positions: Floats) -> Floats:
        """Where in the output the input's `positions` are; beyond the ends it goes on as at the ends."""
        return _follow(positions, self.source, self.target)

    def ratio_at(self, positions: Floats) -> Floats:
        """The duration ratio around the input's `positions`."""
        slopes = np.diff(self.target) / np.diff(self.source)
        return np.asarray(slopes[np.clip(np.searchsorted(self.source, positions, "right") - 1, 0, len(slopes) - 1)])

    def then(self, after: TimeMap) -> TimeMap:
        """This map, and `after` from its output on."""
        source = np.union1d(self.source, np.clip(self.source_of(after.source), 0, self.frames_in))
        target = after.target_of(self.target_of(source))
        target[0], target[-1] = 0, after.frames_out
        rising = np.concatenate([[True], np.diff(np.maximum.accumulate(target)) > 1e-9])
        rising[-1] = True
        rising[:-1] &= target[:-1] < target[-1]
        return TimeMap(source[rising], target[rising])

    def holding(self, hits: Floats, before: float, after: float) -> TimeMap:
        """The same path, but from `before` frames ahead of each hit to `after` behind it time runs as in the input.

        The hits keep their places in the output, and where they follow each other closely less of each is held;
        what lies between them takes up the difference (Driedger, Müller & Ewert 2014 keep percussive sound in time
        like this; Röbel 2003 does it for the transients of a phase vocoder).
        """
        hits = np.unique(np.asarray(hits, dtype=np.float64))
        hits = hits[_apart(hits, self.frames_in)]
        hits = hits[_apart(self.target_of(hits), self.frames_out)]
        if not len(hits):
            return self
        moved = self.target_of(hits)
        room = np.minimum(
            np.diff(hits, prepend=0, append=self.frames_in), np.diff(moved, prepend=0, append=self.frames_out)
        )
        behind = np.minimum(after, _HELD * room[1:] * after / (before + after))
        ahead = np.minimum(before, _HELD * room[:-1] * before / (before + after))
        begins, ends = np.array([hits - ahead, moved - ahead]), np.array([hits + behind, moved + behind])
        # Where time is squeezed a held piece reaches further in the output than the path around it: what is left of that
        # path between two pieces is what lies between them in the input and in the output.
        points = np.array([self.source, self.target])
        last = np.searchsorted(hits, self.source, "right") - 1
        behind_last = (points > ends[:, np.maximum(last, 0)] + _CLOSE).all(axis=0) | (last < 0)
        following = np.minimum(last + 1, len(hits) - 1)
        before_next = (points < begins[:, following] - _CLOSE).all(axis=0) | (last == len(hits) - 1)
        kept = behind_last & before_next
        kept[[0, -1]] = True
        source, target = np.concatenate([points[:, kept], begins, ends], axis=1)
        order = np.argsort(source, kind="stable")
        return TimeMap(source[order], target[order])


_HELD = 0.8
"""The share of the way to the next hit that can be held."""

_CLOSE = 1e-6
"""Frames between two points that are one."""

_NEAR = 1e-3
"""Frames between two hits that are one."""


def bend(time: TimeMap, rate: int, semitones: float | OverTime) -> TimeMap:
    """From the output of `time` to a sound that is played `semitones` higher when squeezed back onto that output.

    A stretch by ``time.then(bend)`` followed by reading at ``bend.target_of(frames)`` changes the pitch and keeps
    the length.

    Raises:
        KnobError: the interval is somewhere no number, or more than four octaves.
    """
    marks = _marks(time.frames_out) if callable(semitones) else np.array([0.0, time.frames_out])
    return TimeMap._summed(marks, 2 ** (semitones_at(semitones, time.source_of(marks) / rate) / 12))


def semitones_at(semitones: float | OverTime, seconds: Floats) -> Floats:
    """The interval at each of some seconds of the input.

    Raises:
        KnobError: it is somewhere no number, or more than four octaves.
    """
    values = np.asarray(semitones(seconds) if callable(semitones) else semitones, dtype=np.float64)
    if not (np.abs(values) <= 48).all():
        raise KnobError(
            f"{values[~(np.abs(values) <= 48)].flat[0]:g} semitones.", "Stay within four octaves, -48 st to 48 st."
        )
    return np.broadcast_to(values, np.shape(seconds))


def _apart(rising: Floats, end: float) -> NDArray[np.bool_]:
    """Which of some rising places stand more than `_NEAR` behind the one chosen before them, and before the end."""
    chosen, last = np.zeros(len(rising), np.bool_), 0.0
    for index, point in enumerate(rising):
        if last + _NEAR < point < end - _NEAR:
            chosen[index], last = True, point
    return chosen


def _marks(frames: int) -> Floats:
    return np.append(np.arange(0, frames, GRID, dtype=np.float64), frames)


def _follow(positions: Floats, across: Floats, along: Floats) -> Floats:
    """Straight lines through the points, the first and last going on for ever; exact where the map is the identity."""
    positions = np.asarray(positions, dtype=np.float64)
    if across is along or np.array_equal(across, along):
        return positions
    left = np.clip(np.searchsorted(across, positions, "right") - 1, 0, len(across) - 2)
    slopes = np.diff(along) / np.diff(across)
    return np.asarray(along[left] + (positions - across[left]) * slopes[left])


def _check_frames(frames: int) -> None:
    if frames < 1:
        raise AudioError("there is no sound to stretch.", "Give a sound of at least one frame.")


def check_ratio(ratio: float) -> None:
    """See whether a sound can be made so many times as long.

    Raises:
        KnobError: it cannot.
    """
    _check_ratios(np.array([ratio]))


def _check_ratios(ratios: Floats) -> None:
    bad = ratios[~((ratios >= FASTEST) & (ratios <= SLOWEST))]
    if len(bad):
        raise KnobError(
            f"a duration ratio of {bad[0]:g}.",
            "It is the new length over the old, from 1/16 to 16: 2 makes the sound twice as long.",
        )
