"""A sung line as notes: where each lasts, how it wavers, and what a score plays at the same time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import AudioError, MissingError
from studio.midi import split, together
from studio.midi.picks import Pick
from studio.score import Score
from studio.stretch.content import clear_pitch
from studio.stretch.f0 import HOP, F0Track, track_f0
from studio.stretch.scales import midi_of
from studio.tempo import Floats

_LEAST_CLEAR = 0.25
"""The share of a line that must have one clear pitch for it to be followed."""

_STEADY = 0.06
_SHORTEST = 0.08
_HOLD = 0.2
"""Semitones by which a pitch must be nearer to another note before it counts as that one."""

_WAVER = 0.15
"""Seconds either way over which vibrato evens out."""


@dataclass(frozen=True, eq=False)
class Melody:
    """A line every `HOP` seconds: `pitch` in MIDI's numbers, NaN where there is none, its `centre` without vibrato,
    and the first and last place of each of its `notes`."""

    track: F0Track
    pitch: Floats
    centre: Floats
    notes: tuple[tuple[int, int], ...]

    @property
    def times(self) -> Floats:
        """The second of every frame."""
        return self.track.times


def follow(audio: Audio, low_hz: float, high_hz: float) -> F0Track:
    """The pitch of one voice alone.

    Raises:
        AudioError: there is no one pitch that could be followed.
    """
    clear = clear_pitch(audio)
    if clear < _LEAST_CLEAR:
        raise AudioError(
            f"one pitch at a time is heard in only {clear:.0%} of the sound.",
            "This works on one voice or instrument alone; use `pitch` for chords, drums and mixes.",
        )
    return track_f0(audio, low_hz, min(high_hz, audio.rate / 4))


def melody(track: F0Track, notes: NDArray[np.int64]) -> Melody:
    """A track cut into notes, of those given, and evened out inside each."""
    pitch = midi_of(track.hz)
    sung = [
        (first + begin, first + end)
        for first, last in _runs(np.isfinite(pitch))
        for begin, end in _segments(pitch[first:last], notes)
    ]
    centre = np.full(len(pitch), np.nan)
    for first, last in sung:
        centre[first:last] = _even(pitch[first:last], _WAVER)
    return Melody(track, pitch, centre, tuple(sung))


def nearest_note(pitch: Floats, notes: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index in `notes` of the one nearest to each pitch."""
    right = np.clip(np.searchsorted(notes, pitch), 1, len(notes) - 1)
    return np.asarray(right - (pitch - notes[right - 1] <= notes[right] - pitch))


def score_of(pick: Pick, context: RenderContext) -> Score:
    """What the picked parts of the song play.

    Raises:
        MissingError: the song has no score, or no such part.
    """
    if context.score is None:
        raise MissingError("there is no score to follow.", "Write `score: song.mid` in the recipe.", path=("part",))
    parts = split(context.score)
    found = pick.among(parts) if pick.which == "some" else list(parts)
    if not found:
        names = ", ".join(part.name for part in parts[:24])
        raise MissingError("the score has no such part.", f"It has: {names}." if names else "", path=("part",))
    return together(found)


def sounding(score: Score, times: Floats) -> list[list[int]]:
    """The pitches that a score holds at each of some rising seconds, from low to high."""
    if not score.notes:
        return [[] for _ in times]
    ticks = np.array([(note.start, note.end) for note in score.notes], dtype=np.float64) / score.resolution
    edges = np.searchsorted(times, score.tempo.seconds_at(ticks.ravel()).reshape(-1, 2))
    held: list[set[int]] = [set() for _ in times]
    for note, (first, last) in zip(score.notes, edges.tolist(), strict=True):
        for index in range(first, last):
            held[index].add(note.pitch)
    return [sorted(pitches) for pitches in held]


def _segments(pitch: Floats, notes: NDArray[np.int64]) -> list[tuple[int, int]]:
    """The notes of one breath: a new one begins where the pitch, evened out a little, is clearly nearer to another."""
    steady = _even(pitch, _STEADY)
    nearest = nearest_note(steady, notes)
    starts, current = [0], int(nearest[0])
    for index, candidate in enumerate(nearest.tolist()):
        if candidate == current:
            continue
        here, there = abs(steady[index] - notes[current]), abs(steady[index] - notes[candidate])
        if here - there > _HOLD:
            current = candidate
            if index - starts[-1] < round(_SHORTEST / HOP):
                continue
            starts.append(index)
    return list(zip(starts, [*starts[1:], len(pitch)], strict=True))


def _even(pitch: Floats, reach: float) -> Floats:
    """The mean, weighed by a Hann window, over `reach` seconds either way; at the ends over what there is."""
    half = max(1, round(reach / HOP))
    window = np.hanning(2 * half + 3)[1:-1]
    if len(pitch) == 1:
        return pitch.copy()
    middle = pitch.mean()
    weight = np.convolve(np.ones(len(pitch)), window)[half:-half]
    return np.asarray(middle + np.convolve(pitch - middle, window)[half:-half] / weight)


def _runs(there: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[False], there, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))
