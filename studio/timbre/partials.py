"""Harmonics plus a stochastic rest: a sound taken apart, put together again, and morphed.

After Serra & Smith (1990), vectorised over windows and harmonics: where the pitch is known, the strength and phase of
each harmonic are read from one bin, the lobe it makes is taken out of the spectrum, and what remains is the rest.
Harmonics and rest add up to the sound, whatever the pitch tracker says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.stretch.overlap import window_size
from studio.tempo import Floats
from studio.timbre.hybrid import track_of
from studio.timbre.spectra import Complex, Spectra, analysed, as_long_as, levelled

MOST = 80
"""Harmonics at most."""

_LOBE = 6
"""Bins on either side that a harmonic reaches."""

_SMOOTH = 15
_SILENT = np.log(1e-6)
_MOST_CHANGE = np.log(100.0)


@dataclass(frozen=True, eq=False)
class Partials:
    """A sound as harmonics of a pitch and the rest.

    Attributes:
        hz: ``(windows,)``, NaN where there is no pitch.
        strengths: complex amplitudes ``(channels, windows, MOST)``, with the phase in the middle of the window.
        rest: what the harmonics do not account for.
    """

    hz: Floats
    strengths: NDArray[np.complex128]
    rest: Spectra

    def harmonics(self) -> Audio:
        """The harmonics alone."""
        return replace(self.rest, values=_lobes(self.hz, self.strengths, self.rest)).sound()

    def residual(self) -> Audio:
        """The rest alone."""
        return self.rest.sound()


def taken_apart(audio: Audio) -> Partials:
    """A sound as harmonics and rest, in windows of four periods of its low notes."""
    track = track_of(audio)
    found = track.hz[np.isfinite(track.hz)]
    low = float(np.percentile(found, 5)) if len(found) else 200.0
    size = window_size(np.clip(4 / low, 0.023, 0.093), audio.rate)
    spectra = analysed(audio, size / audio.rate)
    hz = track.at(spectra.seconds)
    numbers = np.arange(1, MOST + 1)
    bins = np.nan_to_num(hz)[:, None] * numbers * spectra.size / spectra.rate
    there = np.isfinite(hz)[:, None] & (bins < spectra.size / 2 - _LOBE - 1)
    near = np.where(there, np.round(bins), 1).astype(np.int64)
    turned = spectra.values * np.exp(1j * np.pi * np.arange(spectra.values.shape[2]))
    read = np.take_along_axis(turned, np.broadcast_to(near, (len(turned), *near.shape)), axis=2)
    strengths = np.where(there, 2 * read / _window(bins - near, spectra.size), 0)
    whole = Partials(hz, strengths, spectra)
    return replace(whole, rest=replace(spectra, values=spectra.values - _lobes(hz, strengths, spectra)))


def hps(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """Harmonic-plus-stochastic morph: pitch, harmonic envelope and rest each go from the source to the target.

    The pitch goes in octaves, the envelope of the harmonics in decibels at each frequency, the evened-out rest in
    decibels too; the sounds play on at the same time, and the source's loudness stays. Where the target has no pitch,
    its nearest one counts; where the source has none, there is only the rest.
    """
    one, two = taken_apart(source), taken_apart(as_long_as(target, source.frames))
    windows = len(one.hz)
    # Windows may differ in size: those of the target are taken at the moments of the source's.
    moments = np.interp(one.rest.seconds, two.rest.seconds, np.arange(len(two.hz)))
    there = np.clip(np.round(moments), 0, len(two.hz) - 1).astype(np.int64)
    given = np.atleast_1d(np.asarray(amount, dtype=np.float64))
    share = np.interp(np.linspace(0, 1, windows), np.linspace(0, 1, len(given)), given)
    voiced, others = np.isfinite(one.hz), np.flatnonzero(np.isfinite(two.hz))
    hz, strengths = one.hz.copy(), one.strengths
    if voiced.any() and len(others):
        sung = (
            others[np.abs(there[:, None] - others[None]).argmin(axis=1)] if windows * len(others) < 1 << 26 else there
        )
        other_hz = np.where(np.isfinite(two.hz[sung]), two.hz[sung], 220.0)
        own_hz = np.where(voiced, one.hz, 220.0)
        moved = np.exp2((1 - share) * np.log2(own_hz) + share * np.log2(other_hz))
        hz = np.where(voiced, moved, np.nan)
        levels = [np.log(np.abs(each).mean(axis=0) + 1e-9) for each in (one.strengths, two.strengths[:, sung])]
        numbers = np.arange(1, MOST + 1) * moved[:, None]
        own = _envelope(levels[0], numbers / own_hz[:, None])
        other = _envelope(levels[1], numbers / other_hz[:, None])
        # Each on its own scale of loudness: what is blended is the shape.
        other += own.max(axis=1, keepdims=True) - other.max(axis=1, keepdims=True)
        wanted = np.exp(own + (other - own) * share[:, None])
        advance = np.cumsum(np.where(voiced, moved, 0.0)) * one.rest.hop / source.rate
        drift = np.cumsum(np.where(voiced, one.hz, 0.0)) * one.rest.hop / source.rate
        turn = np.exp(2j * np.pi * ((advance - drift)[:, None] * np.arange(1, MOST + 1) % 1))
        phases = np.exp(1j * np.angle(one.strengths)) * turn
        gains = np.abs(one.strengths).sum(axis=2, keepdims=True)
        gains = gains / np.maximum(gains.mean(axis=0, keepdims=True), 1e-12)
        audible = numbers < 0.48 * source.rate
        strengths = np.where(voiced[:, None] & audible, phases * wanted * gains, 0)
    rest = _rest(one.rest, two.rest, there, share)
    made = rest + _lobes(hz, strengths, one.rest)
    made = made * _kept(one, made)
    return replace(one.rest, values=made.astype(np.complex64)).sound()


def _rest(own: Spectra, other: Spectra, there: NDArray[np.int64], share: Floats) -> Complex:
    """The source's rest under the evened-out rest of the target, each on its own scale of loudness."""
    from scipy.ndimage import uniform_filter1d

    mine, theirs = (uniform_filter1d(np.log(each.magnitudes + 1e-7), _SMOOTH, axis=1) for each in (own, other))
    if theirs.shape[1] != mine.shape[1]:
        positions = np.linspace(0, theirs.shape[1] - 1, mine.shape[1])
        left = np.minimum(positions.astype(np.int64), theirs.shape[1] - 2)
        theirs = theirs[:, left] + (theirs[:, left + 1] - theirs[:, left]) * (positions - left)
    change = theirs[there] - mine
    change -= np.median(change, axis=1, keepdims=True)
    gains = np.exp(np.clip(change, -_MOST_CHANGE, _MOST_CHANGE) * share[:, None])
    return np.asarray(own.values * gains, np.complex64)


def _kept(source: Partials, made: Complex) -> Floats:
    """What brings each window to the power of the source's."""
    own = source.rest.values + _lobes(source.hz, source.strengths, source.rest)
    powers = [np.sqrt(np.square(np.abs(each)).sum(axis=0, dtype=np.float64)) for each in (made, own)]
    return np.asarray(levelled(powers[0], powers[1]) / np.maximum(powers[0], 1e-12))[None]


def _envelope(levels: Floats, positions: Floats) -> Floats:
    """Log strengths ``(windows, MOST)`` between harmonics, at harmonic numbers ``(windows, MOST)`` of any size."""
    left = np.clip(positions.astype(np.int64), 1, MOST - 1)
    share = np.clip(positions - left, 0, 1)
    low, high = (np.take_along_axis(levels, left - 1 + step, axis=1) for step in (0, 1))
    return np.asarray(np.where(positions > MOST, _SILENT, np.maximum(low + (high - low) * share, _SILENT)))


def _lobes(hz: Floats, strengths: NDArray[np.complex128], like: Spectra) -> Complex:
    """The spectra of harmonics: each makes the lobe of the window around its frequency."""
    made: NDArray[np.complex128] = np.zeros(like.values.shape, np.complex128)
    count = strengths.shape[2]
    bins = np.nan_to_num(hz)[:, None] * np.arange(1, count + 1) * like.size / like.rate
    there = np.isfinite(hz)[:, None] & (bins < like.size // 2 - _LOBE) & (np.abs(strengths).max(axis=0) > 0)
    rows, columns = np.nonzero(there)
    near = np.round(bins[rows, columns]).astype(np.int64)
    off = bins[rows, columns] - near
    for step in range(-_LOBE, _LOBE + 1):
        bin_index = near + step
        inside = bin_index >= 0
        lobe = 0.5 * _window(off - step, like.size) * np.where(bin_index % 2 == 0, 1.0, -1.0)
        for channel in range(len(made)):
            np.add.at(
                made[channel], (rows[inside], bin_index[inside]), (strengths[channel, rows, columns] * lobe)[inside]
            )
    return made.astype(np.complex64)


def _window(off: Floats, size: int) -> Floats:
    """The spectrum of a Hann window so many bins off its middle."""
    return np.asarray(size * (0.5 * np.sinc(off) + 0.25 * (np.sinc(off - 1) + np.sinc(off + 1))))
