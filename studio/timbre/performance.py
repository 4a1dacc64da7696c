"""A part as a singer performs it: notes in lines, each on one breath, with pitch, loudness and level at every frame.

Notes that touch are slurred: the line goes on, and only its pitch glides. A key struck again is begun anew within its
line, so that one pitch never sounds against itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from studio.score import Note, Score
from studio.tempo import Floats
from studio.timbre.controllers import EXPRESSION, VOLUME, Channel, Controls, controls_of

TOUCH = 0.03
"""Seconds between two notes that still count as touching."""

OVERLAP = 0.12
"""Seconds, and half of either note at most, by which slurred notes lie over each other."""

GLIDE = 0.05
"""Seconds that a slur takes from pitch to pitch."""

DIP = 0.03
"""Seconds for which a note makes way for the same key struck again."""

SHAKE = 0.5
"""Semitones of vibrato that full modulation adds, as General MIDI says."""


class Sounding(NamedTuple):
    """A note that sounds from `start` to `end`, in seconds, pedal included."""

    start: float
    end: float
    pitch: float
    velocity: int


@dataclass
class MelodicLine:
    """Notes on one breath, each beginning where the one before ends, or before it is gone."""

    controls: Controls
    notes: list[Sounding]
    struck: list[bool] = field(default_factory=lambda: [True])
    """Of each note, whether it begins anew rather than slurred."""

    @property
    def start(self) -> float:
        """The second of its first note."""
        return self.notes[0].start

    @property
    def end(self) -> float:
        """The second at which its last note is over."""
        return self.notes[-1].end


@dataclass(frozen=True)
class Manner:
    """How notes are performed: seconds, semitones, Hz and dB.

    Attributes:
        loudness: of the middle velocity, in dB(A).
    """

    attack: float
    release: float
    vibrato: float
    vibrato_hz: float
    onset: float
    dynamics: float
    loudness: float


class Curves(NamedTuple):
    """What is asked of a voice, frame by frame: Hz, dB(A), and the dB by which it is turned up or down afterwards."""

    hz: Floats
    loudness: Floats
    level: Floats


def lines_of(score: Score, release: float) -> list[MelodicLine]:
    """The lines of a score, by their starts.

    Args:
        release: seconds for which a note is heard after its end.
    """
    controls = controls_of(score)
    lines: list[MelodicLine] = []
    for channel, notes in _sounding(score, controls).items():
        own: list[MelodicLine] = []
        for note in notes:
            line, struck = _before(own, note, release)
            if line is None:
                own.append(MelodicLine(controls.get(channel) or Controls(), [note]))
            elif line.notes[-1].start == note.start:  # the same key twice at once
                last = line.notes[-1]
                line.notes[-1] = last._replace(end=max(last.end, note.end), velocity=max(last.velocity, note.velocity))
            else:
                # A key struck again while it is held is held until the later end of both.
                end = max(note.end, line.end) if struck else note.end
                line.notes[-1] = line.notes[-1]._replace(end=min(line.end, note.start))
                line.notes.append(note._replace(end=end))
                line.struck.append(struck)
        lines += own
    return sorted(lines, key=lambda line: (line.start, line.notes[0].pitch))


def _sounding(score: Score, controls: Mapping[Channel, Controls]) -> dict[Channel, list[Sounding]]:
    """The notes of each port and channel by start, held by the pedal and ended by "all notes off"."""
    ticks = np.array([(note.start, note.end) for note in score.notes], dtype=np.float64).reshape(-1, 2)
    seconds = score.tempo.seconds_at(ticks.ravel() / score.resolution).reshape(-1, 2)
    length, found = float(score.length), dict[Channel, list[Sounding]]()
    for note, (start, end) in zip(score.notes, seconds.tolist(), strict=True):
        own = controls.get((note.port, note.channel))
        if own is not None:
            end = min(max(end, own.down_until(end)), *(when for when in own.ended if when > start), max(length, end))
        found.setdefault((note.port, note.channel), []).append(Sounding(start, end, note.pitch, note.velocity))
    return found


def _before(lines: list[MelodicLine], note: Sounding, release: float) -> tuple[MelodicLine | None, bool]:
    """The line that a note goes on, and whether it begins anew there."""
    for line in lines:
        if line.notes[-1].pitch == note.pitch and line.end > note.start - release:
            return line, True
    near: list[tuple[float, MelodicLine]] = []
    for line in lines:
        last = line.notes[-1]
        most = min(OVERLAP, (last.end - last.start) / 2, (note.end - note.start) / 2)
        if last.start < note.start and note.start - TOUCH <= last.end <= note.start + most:
            near.append((abs(last.pitch - note.pitch), line))
    return (min(near, key=lambda pair: pair[0])[1], False) if near else (None, True)


def curves_of(line: MelodicLine, manner: Manner, frames_per_second: int) -> Curves:
    """A line frame by frame, from its start until it is gone."""
    count = int((line.end - line.start + manner.release) * frames_per_second) + 2
    time = np.arange(count) / frames_per_second
    seconds = line.start + time
    pitch, level = np.zeros(count), np.zeros(count)
    shape, swing = np.zeros(count), np.zeros(count)
    for index, (note, struck) in enumerate(zip(line.notes, line.struck, strict=True)):
        since = seconds - note.start
        loud = manner.loudness + manner.dynamics * (note.velocity / 127 - 0.6)
        here = since >= 0
        if struck:
            pitch[here], level[here] = note.pitch, loud
            rise = 20 * np.log10(np.clip(since / manner.attack, 1e-3, 1))
            shape[here] = rise[here]
            if index:
                # While the new note rises, what is left of the one before still sounds.
                shape[here] = np.maximum(shape[here], _faded(line.notes[index - 1], seconds, manner, note.start)[here])
        else:
            share = _eased(since / GLIDE + 0.5)
            pitch, level = (old + (new - old) * share for old, new in ((pitch, note.pitch), (level, loud)))
        swing[here] = np.clip((since[here] - manner.onset) / 0.2, 0, 1)
        following = index + 1 < len(line.notes)
        if not following or line.struck[index + 1]:
            until = line.notes[index + 1].start if following else np.inf
            later = seconds >= (min(note.end, until - DIP))
            shape[later] = np.minimum(shape, _faded(note, seconds, manner, until))[later]
    controls = line.controls
    depth = swing * manner.vibrato + SHAKE * controls.shake.at(seconds)
    bent = pitch + controls.bend.at(seconds) + depth * np.sin(2 * np.pi * manner.vibrato_hz * time)
    expression = _attenuated(controls.of[EXPRESSION].at(seconds), 127)
    return Curves(440 * np.exp2((bent - 69) / 12), level + shape + expression,
                  _attenuated(controls.of[VOLUME].at(seconds), 100))  # fmt: skip


def _faded(note: Sounding, seconds: Floats, manner: Manner, until: float) -> Floats:
    """How far a note has died away, in dB; before the same key is struck again it makes way for it."""
    fading = 40 * np.log10(np.clip(1 - (seconds - note.end) / manner.release, 1e-4, 1))
    if not np.isfinite(until):
        return fading
    return np.asarray(np.minimum(fading, np.maximum(20 * np.log10(np.clip((until - seconds) / DIP, 0.1, 1)), -20.0)))


def _eased(share: Floats) -> Floats:
    share = np.clip(share, 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def _attenuated(value: Floats, whole: float) -> Floats:
    """The level that a controller stands for, in dB: its square is the amplitude (General MIDI)."""
    return np.asarray(40 * np.log10(np.maximum(value, 0.1) / whole))


def outside(notes: tuple[Note, ...], low: float, high: float) -> Iterator[str]:
    """What is to be said of notes that lie half an octave and more outside a range.

    Args:
        low, high: MIDI keys.
    """
    far = [note.pitch for note in notes if note.pitch < low - 6 or note.pitch > high + 6]
    if far:
        keys = ", ".join(map(str, sorted(set(far))[:6]))
        yield (
            f"{len(far)} note{'s' * (len(far) > 1)} far outside what the voice was trained on, keys {low:.0f} to"
            f" {high:.0f}: {keys} {'are' if len(set(far)) > 1 else 'is'} sung at pitch, in the timbre of its"
            " lowest or highest note."
        )
