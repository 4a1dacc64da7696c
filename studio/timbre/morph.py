"""Morphs: sounds on the way from the source to the target, window by window."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.tempo import Floats
from studio.timbre.spectra import Complex, Spectra, analysed, as_long_as, levelled

SMOOTH = 12
"""Bins over which the target's spectrum is evened out before it is blended in."""


def stft(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """STFT morph (after Serra's stftMorph): both magnitudes blended in decibels, with the phases of the source.

    The target's spectra are evened out along the frequencies, as they lie at the same time, and have the power of the
    source's windows.
    """
    spectra = analysed(source)
    other = analysed(as_long_as(target, source.frames)).magnitudes
    magnitudes = spectra.magnitudes
    window = np.hanning(2 * SMOOTH + 3)[1:-1]
    padded = np.pad(np.log(other + 1e-9), ((0, 0), (SMOOTH, SMOOTH)), mode="edge")
    smooth = np.zeros(magnitudes.shape)
    for offset, weight in enumerate(window / window.sum()):
        smooth += weight * padded[:, offset : offset + magnitudes.shape[1]]
    wanted = levelled(np.exp(smooth), magnitudes)
    floor = 1e-6 * magnitudes.max(axis=1, keepdims=True) + 1e-12
    gains = np.exp((np.log(wanted + floor) - np.log(magnitudes + floor)) * np.atleast_1d(amount)[:, None])
    return spectra.changed(levelled(magnitudes * gains, magnitudes) / np.maximum(magnitudes, 1e-20)).sound()


def transport(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """Optimal transport of spectra (Henderson & Solomon, DAFx 2019): partials glide from the one pitch to the other.

    Each spectrum is cut into masses, a partial each, where the reassigned frequency crosses its bin. The masses of
    source and target, which come at the same time, are matched in order of frequency, which is the optimal transport
    on a line; matched pieces of both are placed between their frequencies, with phases that run on at that frequency.
    """
    spectra, other = analysed(source), analysed(as_long_as(target, source.frames))
    amounts = np.broadcast_to(np.atleast_1d(np.asarray(amount, dtype=np.float64)), spectra.values.shape[1:2])
    made = np.zeros_like(spectra.values)
    for channel in range(len(made)):
        made[channel] = _transported(spectra, other, channel, amounts)
    return Spectra(made, spectra.size, spectra.rate, spectra.frames).sound()


def _transported(source: Spectra, target: Spectra, channel: int, amounts: Floats) -> Complex:
    bins = source.values.shape[2]
    made = np.zeros(source.values.shape[1:], np.complex64)
    turns = [_true_bins(each.values[channel], each.size, each.hop) for each in (source, target)]
    phases = np.zeros(bins)
    advance = 2 * np.pi * source.hop / source.size
    for window, amount in enumerate(amounts.tolist()):
        one, two = source.values[channel, window], target.values[channel, window]
        if amount == 0.0 or not _sounds(two) or not _sounds(one):
            made[window] = one
            phases = np.angle(one)
            continue
        masses, others = _masses(one, turns[0][window]), _masses(two, turns[1][window])
        left, right, weight = _plan(masses.weights, others.weights)
        bin_position = (1 - amount) * masses.centres[left] + amount * others.centres[right]
        centre = np.clip(np.round(bin_position).astype(np.int64), 0, bins - 1)
        phase = phases[centre] + advance * bin_position
        moved = np.zeros(bins, np.complex128)
        for own, spectrum, scale in ((masses, one, 1 - amount), (others, two, amount)):
            index = left if own is masses else right
            share = np.sqrt(weight / own.weights[index]) * scale * (own.power / own.level)
            _lay(moved, spectrum, own, index, centre, phase, share)
        power = np.sqrt(np.square(np.abs(one)).sum() / max(np.square(np.abs(moved)).sum(), 1e-20))
        made[window] = moved * power
        phases = np.angle(made[window])
    return made


class _Masses:
    """Pieces of a spectrum: first and last bin, share of the power, and centre as a reassigned bin."""

    def __init__(self, edges: np.ndarray, power: Floats, centres: Floats) -> None:
        self.first, self.last = edges[:-1], edges[1:]
        summed = np.add.reduceat(power, self.first)
        total = summed.sum()
        self.weights = np.maximum(summed / total, 1e-12)
        self.weights /= self.weights.sum()
        self.power, self.level = 1.0, float(np.sqrt(total))
        self.centres = np.add.reduceat(power * centres, self.first) / np.maximum(summed, 1e-30)


def _sounds(spectrum: Complex) -> bool:
    return bool(np.square(np.abs(spectrum)).sum() > 1e-10)


def _true_bins(values: Complex, size: int, hop: int) -> Floats:
    """The frequency of each bin, in bins, from how far its phase went since the window before."""
    bins = np.arange(values.shape[1])
    expected = 2 * np.pi * hop * bins / size
    step = np.diff(np.angle(values), axis=0, prepend=np.angle(values[:1]))
    off = step - expected
    off -= 2 * np.pi * np.round(off / (2 * np.pi))
    return np.asarray(np.clip(bins + off * size / (2 * np.pi * hop), bins - 2, bins + 2))


def _masses(spectrum: Complex, true: Floats) -> _Masses:
    power = np.square(np.abs(spectrum).astype(np.float64)) + 1e-20
    # A piece ends where, going up, bins stop being drawn down to their partial and begin to be drawn up to the next.
    rising = true > np.arange(len(power))
    cuts = np.flatnonzero(~rising[:-1] & rising[1:]) + 1
    return _Masses(np.concatenate([[0], cuts, [len(power)]]), power, true)


def _plan(one: Floats, two: Floats) -> tuple[np.ndarray, np.ndarray, Floats]:
    """Which masses meet, and how much of them, when both are poured out from low to high."""
    ends, others = np.cumsum(one), np.cumsum(two)
    ends[-1] = others[-1] = 1.0
    edges = np.union1d(ends, others)
    starts = np.concatenate([[0.0], edges[:-1]])
    middle = (starts + edges) / 2
    left = np.minimum(np.searchsorted(ends, middle), len(one) - 1)
    right = np.minimum(np.searchsorted(others, middle), len(two) - 1)
    return left, right, edges - starts


def _lay(
    out: np.ndarray,
    spectrum: Complex,
    own: _Masses,
    index: np.ndarray,
    centre: np.ndarray,
    phase: Floats,
    share: Floats,
) -> None:
    """Add the pieces `index` of a spectrum around new centres, turned to new phases."""
    first, last = own.first[index], own.last[index]
    counts = last - first
    piece = np.repeat(np.arange(len(index)), counts)
    source = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts) + np.repeat(first, counts)
    old = np.clip(np.round(own.centres[index]).astype(np.int64), 0, len(spectrum) - 1)
    target = source + (centre - old)[piece]
    turned = phase - np.angle(spectrum[old])
    inside = (target >= 0) & (target < len(out))
    values = spectrum[source] * (share * np.exp(1j * turned))[piece]
    np.add.at(out, target[inside], values[inside])
