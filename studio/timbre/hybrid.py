"""Hybrids: the source keeps its pitch, rhythm and loudness, and inherits the timbre of the target."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.stretch.envelope import true_envelope
from studio.stretch.f0 import F0Track, track_f0
from studio.tempo import Floats
from studio.timbre.spectra import analysed, levelled, loud

USUAL_PITCH, HIGHEST_PITCH = 2500.0, 4500.0
"""Hz up to which a pitch is looked for at first, and up to which where it is found to be high: what speech hisses is
not taken for a pitch, and a piccolo is heard."""
MOST_HARMONICS = 60
MOST = np.log(10.0) * 40 / 20
"""A bin is changed by 40 dB at most."""
_MOST_OF_A_HARMONIC = np.log(10.0) * 26 / 20
"""A harmonic by less: one that is weak is mostly noise, and louder it would hide the pitch."""


def envelope(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """Cepstral cross-synthesis: the source's spectrum, flattened, under the target's envelope.

    Both envelopes are true envelopes (Röbel & Rodet 2005) of an order that fits the higher of the two pitches; the
    target's is the mean of its loud windows in log magnitude. Each window keeps its power.
    """
    spectra, model = analysed(source), analysed(target)
    order = max(2, round(0.5 * source.rate / max(_pitch(source), _pitch(target))))
    magnitudes, theirs = spectra.magnitudes, model.magnitudes
    own = true_envelope(magnitudes, order)
    wanted = true_envelope(theirs[loud(theirs)], order).mean(axis=0) if len(theirs) else own
    return spectra.changed(_kept(magnitudes, np.clip(wanted - own, -MOST, MOST) * _column(amount))).sound()


def harmonic(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """Harmonics plus residual (after Serra 1989): each harmonic of the source at the strength it would have in the target.

    A harmonic is what lies nearest to a multiple of the pitch. Its strength is that of the target's resonances at its
    frequency, whatever the pitch; only harmonics that the target leaves out are left out by their number, so that a
    clarinet's missing even harmonics go missing at any pitch. All are means in log magnitude. Without a pitch in either
    sound this is `envelope`.
    """
    spectra, model = analysed(source), analysed(target)
    own, other = (_harmonics(audio, each) for audio, each in ((source, spectra), (target, model)))
    if not own.voiced.any() or not other.voiced.any():
        return envelope(source, target, amount)
    curve = _Resonances(other)
    wanted = curve.at(own.hz[:, None] * np.arange(1, MOST_HARMONICS + 1)) + curve.missing
    change = np.where(own.voiced[:, None], wanted - own.strengths, 0.0)
    number = np.clip(spectra.hz[None, :] / own.hz[:, None], 1, MOST_HARMONICS)
    left = np.minimum(number.astype(np.int64), MOST_HARMONICS - 1)
    share = np.clip((number - left - 0.35) / 0.3, 0, 1)
    low, high = (np.take_along_axis(change, left - 1 + step, axis=1) for step in (0, 1))
    return spectra.changed(
        _kept(
            spectra.magnitudes,
            np.clip(low + (high - low) * share, -_MOST_OF_A_HARMONIC, _MOST_OF_A_HARMONIC) * _column(amount),
        )
    ).sound()


class _Harmonics:
    """The pitch of each window, and the log magnitude of its harmonics against the strongest of them.

    `there` tells which of them lie below half the rate, in windows that have a pitch.
    """

    def __init__(self, hz: Floats, strengths: Floats, rate: int) -> None:
        self.voiced = np.isfinite(hz)
        self.hz = np.where(self.voiced, hz, 100.0)
        self.strengths = strengths
        self.there = self.voiced[:, None] & (self.hz[:, None] * np.arange(1, MOST_HARMONICS + 1) < 0.49 * rate)


class _Resonances:
    """The mean log magnitude of harmonics by their frequency, in sixths of an octave, and those that are missing.

    Attributes:
        missing: ``(MOST_HARMONICS,)``, how much weaker than the mean of its neighbours a harmonic is; 0 where that is
            less than 12 dB, for then it is the resonances' doing.
    """

    def __init__(self, given: _Harmonics) -> None:
        beside = np.pad(given.strengths, ((0, 0), (1, 1)), mode="edge")
        apart = np.where(given.there, given.strengths - (beside[:, :-2] + beside[:, 2:]) / 2, 0.0)
        mean = apart.sum(axis=0) / np.maximum(given.there.sum(axis=0), 1)
        self.missing = np.where(mean < -np.log(10.0) * 12 / 20, mean, 0.0)
        there = given.there & (self.missing == 0)
        octaves = np.log2(given.hz[:, None] * np.arange(1, MOST_HARMONICS + 1))[there]
        cell = np.round(octaves * 6).astype(np.int64)
        first = int(cell.min())
        count = np.bincount(cell - first)
        total = np.bincount(cell - first, weights=given.strengths[there])
        known = np.flatnonzero(count)
        self._octaves, self._values = (known + first) / 6, total[known] / count[known]

    def at(self, hz: Floats) -> Floats:
        """At any frequency; beyond those known it is that of the last."""
        return np.asarray(np.interp(np.log2(hz), self._octaves, self._values))


def _harmonics(audio: Audio, spectra) -> _Harmonics:  # type: ignore[no-untyped-def]
    hz = track_of(audio).at(spectra.seconds)
    magnitudes = spectra.magnitudes
    numbers = np.arange(1, MOST_HARMONICS + 1)
    bins = np.nan_to_num(hz)[:, None] * numbers * spectra.size / spectra.rate
    near = np.clip(np.round(bins).astype(np.int64), 1, magnitudes.shape[1] - 2)
    tops = np.max([np.take_along_axis(magnitudes, near + step, axis=1) for step in (-1, 0, 1)], axis=0)
    tops[bins > magnitudes.shape[1] - 2] = 1e-12
    strengths = np.log(np.maximum(tops, 1e-12))
    strengths = np.maximum(strengths - strengths.max(axis=1, keepdims=True), -np.log(1e4))
    return _Harmonics(hz, strengths, audio.rate)


def track_of(audio: Audio) -> F0Track:
    """The pitch of a sound that sings or plays alone; without pitches where the rate is too low for any."""
    if audio.rate < 4000:
        return F0Track(np.zeros(0), np.zeros(0), np.zeros(0))
    found = track_f0(audio, 60.0, min(USUAL_PITCH, audio.rate / 4))
    high = found.voiced.any() and np.nanpercentile(found.hz, 90) > 0.4 * USUAL_PITCH
    return track_f0(audio, 60.0, min(HIGHEST_PITCH, audio.rate / 4)) if high else found


def _pitch(audio: Audio) -> float:
    hz = track_of(audio).hz
    hz = hz[np.isfinite(hz)]
    return float(np.percentile(hz, 90)) if len(hz) else 300.0


def _kept(magnitudes: Floats, change: Floats) -> Floats:
    """Gains of `change` nepers that leave the power of each window as it is."""
    gains = np.exp(change)
    return np.asarray(gains * (levelled(magnitudes * gains, magnitudes) / np.maximum(magnitudes * gains, 1e-20)))


def _column(amount: Floats | float) -> Floats:
    return np.atleast_1d(np.asarray(amount, dtype=np.float64))[:, None]
