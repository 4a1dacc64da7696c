"""The spectral envelope: what makes a vowel or an instrument sound like itself at any pitch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from studio.audio import Block
from studio.stretch.overlap import batches, cut, hann, overlap_add, window_size
from studio.tempo import Floats

ROUNDS = 8
"""Steps of the true envelope; more change it by less than a decibel on voices."""

MOST_DB = 30.0
"""How far a bin may be lifted or lowered."""


def move_envelope(samples: Block, rate: int, factors: Floats, smallest_period: float) -> Block:
    """The same partials under an envelope squeezed or spread along the frequencies.

    What the envelope says at a frequency times its factor is made to hold at the frequency. One gain serves all
    channels.

    Args:
        factors: by how much to move at each frame of the sound; 1 leaves it.
        smallest_period: seconds; partials closer than its inverse do not count as envelope.
    """
    from scipy.fft import irfft, rfft

    size = window_size(0.046, rate)
    hop = size // 4
    shape = hann(size)
    level = shape / (np.square(shape).sum() / hop)
    starts = np.arange(-size // 2 - hop, samples.shape[1] + hop - size // 2 + 1, hop)
    moves = factors[np.clip(starts + size // 2, 0, len(factors) - 1)]
    order = max(2, round(0.5 * smallest_period * rate))

    def windows() -> Iterator[Floats]:
        for part in batches(len(starts), size, samples.shape[0]):
            spectra = rfft(cut(samples, starts[part], size) * shape)
            envelope = true_envelope(np.abs(spectra).sum(axis=0), order)
            change = _along(envelope, moves[part]) - envelope
            limit = MOST_DB * np.log(10) / 20
            spectra *= np.exp(np.clip(change, -limit, limit))
            yield irfft(spectra, size) * level

    return overlap_add(windows(), hop, int(starts[0]), samples.shape[0], samples.shape[1])


def true_envelope(magnitudes: Floats, order: int) -> Floats:
    """The logarithm of the smooth curve that rests on the tops of each spectrum (Röbel & Rodet 2005).

    The cepstrum is cut behind `order` frames, again and again, each time of the spectrum lifted to the curve before.
    """
    from scipy.fft import irfft, rfft

    floor = 1e-5 * magnitudes.max(axis=1, keepdims=True) + 1e-9
    target = np.log(np.maximum(magnitudes, floor))
    size = 2 * (magnitudes.shape[1] - 1)
    lifter = np.zeros(size)
    taper = 0.5 + 0.5 * np.cos(np.pi * np.arange(order + 1) / (order + 1))
    lifter[: order + 1] = np.minimum(1, 2 * taper)
    lifter[size - order :] = lifter[order:0:-1]
    lifted = target
    curve = target
    for _ in range(ROUNDS):
        curve = rfft(irfft(lifted, size) * lifter).real
        lifted = np.maximum(target, curve)
    return np.asarray(curve)


def _along(envelope: Floats, factors: Floats) -> Floats:
    """Each row read at its bins times its factor, level beyond the last."""
    last = envelope.shape[1] - 1
    at = np.minimum(np.arange(last + 1) * factors[:, None], last)
    left = np.minimum(at.astype(np.int64), last - 1)
    low = np.take_along_axis(envelope, left, axis=1)
    high = np.take_along_axis(envelope, left + 1, axis=1)
    return np.asarray(low + (high - low) * (at - left))
