"""Pitch-synchronous overlap-add: a voice taken apart into its periods."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from studio.audio import Audio, Block
from studio.stretch.f0 import F0Track, track_f0
from studio.stretch.marks import UNVOICED, Marks, pitch_marks
from studio.stretch.onsets import find_hits
from studio.stretch.timemap import OverTime, TimeMap, semitones_at
from studio.tempo import Floats

LOWEST, HIGHEST = 60.0, 800.0
"""The pitches of voices that are looked for."""


def psola(
    samples: Block,
    time: TimeMap,
    rate: int,
    *,
    track: F0Track | None = None,
    semitones: float | OverTime = 0.0,
    formant_semitones: float = 0.0,
) -> Block:
    """Stretch and transpose a voice by TD-PSOLA (Moulines & Charpentier 1990).

    Grains two periods long, centred on pitch marks, are laid out again: as many as the time map asks for, as far apart
    as the new pitch. Formants stay where they are unless `formant_semitones` moves them, by reading the grains faster
    or slower. Where there is no pitch, grains are taken from where the map points; repeated ones are scattered a
    little, so that noise does not begin to buzz; hits keep their own time. All channels share the marks.

    Args:
        track: the pitch, where it is known; anything in it that is no pitch counts as unvoiced.
        semitones: a number, or a curve over the seconds of the input.
    """
    still = not callable(semitones) and semitones == 0 and formant_semitones == 0
    if time.is_identity and still:
        return samples.copy()
    semitones_at(formant_semitones, np.zeros(1))
    marks = pitch_marks(
        samples,
        rate,
        _bridged(_track(samples, rate), samples, rate) if track is None else track.cleaned(20.0, rate / 4),
    )
    time = time.holding(_bursts(find_hits(samples, rate), marks, rate), 2 * UNVOICED * rate, _BURST * rate)
    plan = _plan(marks, time, rate, semitones)
    return _laid(samples, plan, 2 ** (formant_semitones / 12), time.frames_out)


_GAP, _ALIKE, _CREAK_HZ = 0.08, 0.5, 180.0
"""Seconds of a creak between two pitches, at most, how like its periods are at least (noise: 0.3), and how high."""


def _bridged(track: F0Track, samples: Block, rate: int) -> F0Track:
    """The track with creaky moments, which are too irregular for a pitch of their own, given one that lies between."""
    hz, at = track.hz.copy(), np.flatnonzero(track.voiced)
    if len(at) < 2:
        return track
    mono = samples.mean(axis=0, dtype=np.float64)
    for first, last in pairwise(at):
        if last - first < 2 or track.times[last] - track.times[first] > _GAP or max(hz[first], hz[last]) > _CREAK_HZ:
            continue
        between = np.arange(first + 1, last)
        filled = np.exp(np.interp(between, [first, last], np.log(hz[[first, last]])))
        likeness = [
            _likeness(mono, track.times[place] * rate, rate / pitch)
            for place, pitch in zip(between, filled, strict=True)
        ]
        if np.median(likeness) > _ALIKE:
            hz[between] = filled
    return F0Track(track.times, hz, track.confidence)


def _likeness(mono: Floats, middle: float, period: float) -> float:
    """The greatest correlation of the period before a moment with one behind it, about a period later."""
    size, stray = int(period), max(2, int(0.15 * period))
    begin = int(middle) - size
    if begin < 0 or begin + 2 * size + stray > len(mono):
        return 0.0
    one = mono[begin : begin + size]
    others = np.lib.stride_tricks.sliding_window_view(mono[begin + size - stray : begin + 2 * size + stray], size)
    power = np.sqrt(float(one @ one) * np.maximum((others * others).sum(axis=1), 1e-20))
    return float((others @ one / np.maximum(power, 1e-20)).max())


_BURST = 0.02
"""Seconds that a burst is held in its own time."""


def _bursts(hits: Floats, marks: Marks, rate: int) -> Floats:
    """The hits that are noise. Where a voice begins or grows louder its pitch glides, and would be heard at the wrong time."""
    nearest = np.clip(np.searchsorted(marks.positions, hits + 0.01 * rate), 0, len(marks.positions) - 1)
    return np.asarray(hits[~marks.voiced[nearest]])


def _track(samples: Block, rate: int) -> F0Track:
    if rate < 8 * LOWEST:
        return F0Track(np.zeros(0), np.zeros(0), np.zeros(0))
    return track_f0(Audio(samples, rate), LOWEST, min(HIGHEST, rate / 4))


class _Plan(NamedTuple):
    """The grains in order: middles in the output and the input, half lengths before and after them, and gains."""

    target: Floats
    source: Floats
    before: Floats
    after: Floats
    gain: Floats


_GRID = 32
"""Frames of the output between two readings of the period."""


def _plan(marks: Marks, time: TimeMap, rate: int, semitones: float | OverTime) -> _Plan:
    positions, voiced = marks
    spacing = np.diff(positions)
    both = voiced[1:] & voiced[:-1]
    middles = (positions[1:] + positions[:-1]) / 2

    grid = np.arange(-_GRID, time.frames_out + 2 * _GRID, _GRID, dtype=np.float64)
    source = time.source_of(grid)
    factor = 2 ** (semitones_at(semitones, np.clip(source, 0, time.frames_in) / rate) / 12)
    pitched = both[np.clip(np.searchsorted(positions, source, "right") - 1, 0, len(both) - 1)]
    speed = np.where(pitched, factor, 1.0) / np.interp(source, middles, spacing)
    turns = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2 * _GRID)])
    phase = np.interp(0.0, source, turns) % 1
    target = np.interp(np.arange(phase, turns[-1], 1.0), turns, grid)

    wanted = time.source_of(target)
    nearest = np.clip(np.searchsorted(middles, wanted), 0, len(positions) - 1)
    sung = voiced[nearest]
    padded = np.concatenate([spacing[:1], spacing, spacing[-1:]])
    before, after = padded[nearest], padded[nearest + 1]
    ratio = time.ratio_at(np.clip(wanted, 0, time.frames_in - 1))
    scatter = np.clip(ratio - 1, 0, 2) * before * (np.random.default_rng(0).random(len(target)) - 0.5)
    apart = ~sung & (np.abs(ratio - 1) > 0.02)
    times = np.interp(target, grid, np.where(pitched, factor, 1.0))
    gain = np.where(sung, np.sqrt(1 / times), np.where(apart, _UNLIKE, 1.0))
    return _Plan(target, np.where(sung, positions[nearest], wanted + scatter), before, after, gain)


_UNLIKE = (4 / 3) ** 0.5
"""What keeps the power of Hann windows half overlapping over sounds unlike each other."""


def _laid(samples: Block, plan: _Plan, formants: float, frames: int) -> Block:
    """The grains added up, in windows of the output."""
    out = np.zeros((samples.shape[0], frames), np.float32)
    reach = int(max(plan.before.max(), plan.after.max()) / min(formants, 1.0)) + 2
    for first in range(0, frames, _WINDOW):
        last = min(first + _WINDOW, frames)
        here = slice(*np.searchsorted(plan.target, [first - reach, last + reach]).tolist())
        room = np.zeros((samples.shape[0], last - first + 4 * reach))
        if here.stop > here.start:
            base = int(plan.source[here].min()) - 2 * reach
            piece = _piece(samples, base, int(plan.source[here].max()) + 2 * reach)
            shifted = _shifted(piece) if formants == 1 else piece[None]
            for middle, grain in _grains(shifted, base, [column[here] for column in plan], formants):
                begin = middle - first + 2 * reach
                room[:, begin : begin + grain.shape[1]] += grain
        out[:, first:last] = room[:, 2 * reach : 2 * reach + last - first]
    return out


_WINDOW = 1 << 19
"""Frames of the output made at a time."""


def _piece(samples: Block, low: int, high: int) -> Floats:
    inside = slice(min(max(0, low), samples.shape[1]), max(0, min(samples.shape[1], high)))
    piece = np.zeros((samples.shape[0], high - low))
    piece[:, inside.start - low : inside.stop - low] = samples[:, inside]
    return piece


_PHASES = 8
"""A grain is laid to the nearest of this many parts of a frame: whole frames would roughen high partials."""


def _shifted(piece: Floats) -> Floats:
    """The sound earlier by each phase of a frame, by a windowed sinc of eleven taps: up to there numpy is at its fastest."""
    taps = np.arange(-5, 6)
    shifted = np.empty((_PHASES, *piece.shape))
    shifted[0] = piece
    for phase in range(1, _PHASES):
        away = taps + phase / _PHASES
        kernel = np.sinc(away) * np.square(np.cos(np.pi * away / 12))
        for channel, source in enumerate(piece):
            shifted[phase, channel] = np.convolve(source, kernel / kernel.sum(), "same")
    return shifted


def _grains(shifted: Floats, base: int, columns: list[Floats], formants: float) -> Iterator[tuple[int, Floats]]:
    """Each windowed grain and the frame of the output it begins at."""
    piece = shifted[0]
    for target, source, before, after, gain in zip(*(column.tolist() for column in columns), strict=True):
        left, right = round(before / formants), round(after / formants)
        window = _window(left, right) * gain
        whole = int(target)
        if formants == 1:
            begin, phase = divmod(round((source - target + whole - base) * _PHASES), _PHASES)
            grain = shifted[phase][:, begin - left : begin + right] * window
        else:
            at = source - base + (np.arange(-left, right) - (target - whole)) * formants
            low = at.astype(np.int64)
            grain = piece[:, low] + (piece[:, low + 1] - piece[:, low]) * (at - low)
            grain *= window
        yield whole - left, grain


@lru_cache(maxsize=4096)
def _window(left: int, right: int) -> Floats:
    """A Hann window with halves of two lengths."""
    rise, fall = (0.5 - 0.5 * np.cos(np.pi * np.arange(size) / max(size, 1)) for size in (left, right))
    return np.concatenate((rise, 1 - fall))
