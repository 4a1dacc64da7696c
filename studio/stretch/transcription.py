"""One voice as notes: when each begins and ends, its key, how far it is off, how loud it is, and how its pitch moves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.score import Event, Note, Score
from studio.stretch.f0 import HOP, F0Track, track_f0
from studio.stretch.melody import Melody, follow, melody
from studio.stretch.pulse import HOP as PULSE_HOP
from studio.stretch.pulse import pulse_of
from studio.stretch.scales import midi_of
from studio.tempo import Floats, TempoMap

BEND_RANGE = 12
"""Semitones that a full bend means; written into the score."""

_RESOLUTION = 960
_SHORTEST = 0.06
"""Seconds: what is shorter is a glide between two notes, or a click."""

_STRUCK_DB, _ANEW_DB = 5.0, 4.0
"""By how much the level must rise at an onset for the same pitch to be a new note, and how much of that was lost before."""

_LATE = 0.12
"""Seconds, at most, that a pitch is heard behind the onset it belongs to."""

_APART, _FAINT = 0.04, 0.04
"""Seconds between two onsets, at least, and against the strongest, how faint one may be."""

_SLOWEST, _BEGUN = 0.06, 0.3
"""Seconds that an attack may last, and the share of its steepest rise at which it has begun."""

_TREMBLE = 0.25
"""Seconds between strokes that are a tremolo, or vibrato, if they come evenly."""

_QUIET_DB = -32.0
"""Against the loudest of a note: below it the note is over, and rings on."""

_LOUDEST = 112
"""The velocity of the loudest note; others by the square law of SoundFonts."""


@dataclass(frozen=True)
class SungNote:
    """A note that was heard.

    Attributes:
        start, end: in seconds.
        key: MIDI's number.
        cents: how far its median pitch lies above the key, from −50 to 50.
        velocity: 1 to 127; the loudest note of the sound has 112.
        vibrato_cents, vibrato_hz: half the width of its vibrato, and its speed; zeros where there is none.
    """

    start: float
    end: float
    key: int
    cents: float
    velocity: int
    vibrato_cents: float
    vibrato_hz: float


@dataclass(frozen=True, eq=False)
class Transcription:
    """The notes of one voice, the pitch they were found in, and the `tuning` of it all in cents above 440 Hz."""

    notes: tuple[SungNote, ...]
    track: F0Track
    tuning: float

    def score(self, tempo: TempoMap, name: str = "voice", program: int = 0) -> Score:
        """The notes as a part on channel 1, with a bend for every moment at which the pitch is not the key's.

        What the bends say, with a range of `BEND_RANGE` semitones, is the pitch that was heard, to 0.2 cents.
        """
        events = [
            Event(0, bytes(data), 0)
            for data in ((0xC0, program), (0xB0, 101, 0), (0xB0, 100, 0), (0xB0, 6, BEND_RANGE), (0xB0, 38, 0))
        ]
        moments = np.array([note.start for note in self.notes] + [note.end for note in self.notes])
        ticks = self._ticks(moments, tempo).reshape(2, -1)
        notes = []
        for note, first, last in zip(self.notes, *ticks.tolist(), strict=True):
            notes.append(Note(first, max(last, first + 1), note.key, note.velocity))
            events += self._bends(note, tempo)
        return Score(tuple(events), _RESOLUTION, tempo, (name,)).with_notes(notes)

    def _bends(self, note: SungNote, tempo: TempoMap) -> list[Event]:
        here = np.flatnonzero((self.track.times >= note.start) & (self.track.times < note.end) & self.track.voiced)
        away = midi_of(self.track.hz[here]) - note.key
        wheel = np.clip(np.round(away / BEND_RANGE * 8192) + 8192, 0, 16383).astype(int)
        # A wheel stands still until its next event: so each comes half a step before the moment it is for.
        moments = self.track.times[here] - HOP / 2
        if len(here):
            # The first is there with the note.
            moments = np.concatenate([[note.start], moments[1:]])
        return [
            Event(tick, bytes((0xE0, value & 127, value >> 7)), 0)
            for tick, value in zip(self._ticks(moments, tempo).tolist(), wheel.tolist(), strict=True)
        ]

    @staticmethod
    def _ticks(seconds: Floats, tempo: TempoMap) -> NDArray[np.int64]:
        beats = [float(tempo.beat_at(Fraction(float(second)))) for second in seconds]
        return np.round(np.array(beats) * _RESOLUTION).astype(np.int64)


def transcribe(audio: Audio, low_hz: float = 40.0, high_hz: float = 2000.0) -> Transcription:
    """Hear one voice or instrument alone as notes.

    The pitch is tracked and cut where it goes over to another key of a scale that is tuned as the sound is, and where the
    same pitch is struck anew: the level falls and rises by 5 dB at an onset. Over fourteen instruments of two SoundFonts,
    tuba to piccolo, 87 % of the notes are right (F-measure; 50 ms, 50 cents): from 1.0 for bass, clarinet and trumpet down to
    0.6 for slow bows and horns, which are heard when they sound and not when the key goes down.

    Args:
        audio: one voice; chords, drums and mixes are refused.
        low_hz, high_hz: the range of pitches that are looked for.

    Raises:
        AudioError: there is no one pitch that could be followed.
    """
    track = follow(audio, low_hz, high_hz)
    if track.voiced.sum() > 5:
        # Windows fit the lowest pitch that is looked for: the less low that is, the sooner a note is heard.
        lowest, highest = np.nanpercentile(track.hz, [1, 99])
        track = track_f0(audio, max(low_hz, 0.75 * lowest), min(high_hz, 1.6 * highest, audio.rate / 4))
    pitch = midi_of(track.hz)
    tuning = _tuning(pitch)
    ladder = np.arange(-1, 129) + 0.0
    line = melody(F0Track(track.times, track.hz * 2 ** (-tuning / 1200), track.confidence), ladder.astype(np.int64))
    lowest = float(np.nanpercentile(track.hz, 5)) if track.voiced.any() else high_hz
    level = _level(audio, len(track.times), max(HOP, 1 / lowest))
    pieces = [_ended(piece, level) for piece in _pieces(line, _onsets(audio), level)]
    loudest = max((float(level[first:last].max()) for first, last in pieces), default=0.0)
    notes = tuple(
        _note(first, last, pitch, tuning, level, loudest)
        for first, last in pieces
        if (last - first) * HOP >= _SHORTEST and level[first:last].max() > loudest - 45
    )
    return Transcription(notes, track, tuning)


def _tuning(pitch: Floats) -> float:
    """By how many cents, from −50 to 50, the keys of the sound lie above those of 440 Hz; where it stands still."""
    still = np.isfinite(pitch[1:]) & (np.abs(np.diff(pitch)) < 0.1)
    turns = np.exp(2j * np.pi * pitch[1:][still])
    return float(np.angle(turns.sum())) / (2 * np.pi) * 100 if abs(turns.sum()) > 0.3 * len(turns) > 0 else 0.0


def _level(audio: Audio, count: int, reach: float) -> Floats:
    """The level around each moment of the track, in dB, over `reach` seconds either way: two periods of the lowest note."""
    step, reach = HOP * audio.rate, reach * audio.rate
    power = np.concatenate([[0.0], np.cumsum(np.square(audio.samples, dtype=np.float64).mean(axis=0))])
    middles = np.arange(count) * step
    first, last = (np.clip(np.round(middles + way * reach), 0, audio.frames).astype(np.int64) for way in (-1, 1))
    return np.asarray(10 * np.log10((power[last] - power[first]) / np.maximum(last - first, 1) + 1e-12))


class _Onsets(NamedTuple):
    """Moments, in places of the track, at which the spectrum rises, and by how much, in dB a band and 4 ms."""

    places: Floats
    rises: Floats

    def between(self, first: float, last: float) -> NDArray[np.intp]:
        """Which of them lie there."""
        return np.arange(*np.searchsorted(self.places, [first, last]))


def _onsets(audio: Audio) -> _Onsets:
    from scipy.ndimage import maximum_filter1d

    rises = pulse_of(audio).rises
    if not rises.any():
        return _Onsets(np.zeros(0), np.zeros(0))
    window = np.hanning(9)[1:-1]
    smooth = np.convolve(rises, window / window.sum(), "same")
    reach = 2 * round(_APART / PULSE_HOP) + 1
    tops = np.flatnonzero((smooth == maximum_filter1d(smooth, reach)) & (smooth > _FAINT * smooth.max()))
    # A slow attack is louder soon after it has begun.
    begun = tops.copy()
    for _ in range(round(_SLOWEST / PULSE_HOP)):
        begun -= (begun > 0) & (smooth[np.maximum(begun - 1, 0)] > _BEGUN * smooth[tops])
    return _Onsets(np.asarray(begun * PULSE_HOP / HOP, np.float64), np.asarray(smooth[tops], np.float64))


def _pieces(line: Melody, onsets: _Onsets, level: Floats) -> list[tuple[int, int]]:
    """The stretches of one pitch, cut where it is struck anew, each from the onset that it belongs to.

    A pitch is heard late, for it takes some periods, and at first what was before still rings: so a stretch begins at the
    strongest onset shortly before it, and one that is over before it was a note belongs to the next.
    """
    struck = _struck(onsets, level)
    cut: list[tuple[int, int]] = []
    for first, last in line.notes:
        inside = [
            round(place) for place in onsets.places[struck] if first + _LATE / HOP < place < last - _SHORTEST / HOP
        ]
        cut += pairwise([first, *inside, last])
    heard = [float(np.nanmedian(line.pitch[first:last])) for first, last in cut]
    pieces: list[tuple[int, int]] = []
    for at, (first, last) in enumerate(cut):
        begin = 0 if not pieces else pieces[-1][1] if first - pieces[-1][1] > 1 else pieces[-1][0] + 4
        near = onsets.between(max(begin, first - _LATE / HOP), min(first + 6, last))
        start = round(float(onsets.places[near[onsets.rises[near].argmax()]])) if len(near) else first
        if pieces and first - cut[at - 1][1] <= 1 and _passing(cut[at - 1], heard[max(0, at - 2) : at + 1]):
            start = pieces.pop()[0]
        elif pieces and pieces[-1][1] > start:
            pieces[-1] = (pieces[-1][0], start)
        pieces.append((start, last))
    return [(first, last) for first, last in pieces if last - first >= _SHORTEST / HOP]


def _passing(piece: tuple[int, int], heard: Sequence[float]) -> bool:
    """Whether a piece is no note of its own: too short, or short and of the pitch before it, or of one below both others."""
    length = (piece[1] - piece[0]) * HOP
    if length < _SHORTEST or len(heard) < 3:
        return length < _SHORTEST
    before, own, after = heard
    return length < _LATE and (abs(own - before) < 0.5 or own < min(before, after) - 7)


def _struck(onsets: _Onsets, level: Floats) -> NDArray[np.bool_]:
    """Which onsets strike a note anew though its pitch stays: those with a fall before and a rise behind, but for tremolo."""
    struck = np.zeros(len(onsets.places), bool)
    for index, place in enumerate(onsets.places.round().astype(int).tolist()):
        before, low, after = (
            level[max(0, place - 14) : place],
            level[max(0, place - 4) : place + 3],
            level[place : place + 6],
        )
        if len(before) and len(after):
            struck[index] = after.max() - low.min() > _STRUCK_DB and before.max() - low.min() > _ANEW_DB
    found = np.flatnonzero(struck)
    steps = np.diff(onsets.places[found]) * HOP
    for first in range(len(steps) - 2):
        three = steps[first : first + 3]
        if three.mean() < _TREMBLE and np.ptp(three) < 0.2 * three.mean():
            struck[found[first : first + 4]] = False
    return struck


def _ended(piece: tuple[int, int], level: Floats) -> tuple[int, int]:
    """A note without what rings on."""
    first, last = piece
    over = np.flatnonzero(level[first:last] > level[first:last].max() + _QUIET_DB)
    return first, first + int(over[-1]) + 1


def _note(first: int, last: int, pitch: Floats, tuning: float, level: Floats, loudest: float) -> SungNote:
    # A third at the end and a sixth at the beginning are on the way to other notes.
    length = last - first
    middle = pitch[first + length // 6 : last - length // 4]
    centre = float(np.nanmedian(middle if np.isfinite(middle).any() else pitch[first:last]))
    key = int(np.clip(round(centre - tuning / 100), 0, 127))
    loud = float(level[first : min(last, first + 20)].max())
    velocity = int(np.clip(round(_LOUDEST * 10 ** ((loud - loudest) / 40)), 1, 127))
    width, speed = _vibrato(pitch[first:last])
    return SungNote(first * HOP, last * HOP, key, 100 * (centre - key), velocity, width, speed)


def _vibrato(pitch: Floats) -> tuple[float, float]:
    """Half the width in cents and the speed in Hz of what moves three to nine times a second; zeros below 10 cents."""
    if len(pitch) < 30 or not np.isfinite(pitch).all():
        return 0.0, 0.0
    moments = np.arange(len(pitch))
    flat = pitch - np.polyval(np.polyfit(moments, pitch, 2), moments)
    spectrum = np.abs(np.fft.rfft(flat * np.hanning(len(flat)), 1024)) * 4 / len(flat)
    speeds = np.fft.rfftfreq(1024, HOP)
    inside = (speeds >= 3) & (speeds <= 9)
    top = int(np.argmax(np.where(inside, spectrum, 0)))
    width = 100 * float(spectrum[top])
    return (width, float(speeds[top])) if width >= 10 else (0.0, 0.0)
