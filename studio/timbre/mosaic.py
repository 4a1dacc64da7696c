"""Mosaics: the source played again with pieces of the target."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.stretch.overlap import cut, hann, window_size
from studio.tempo import Floats
from studio.timbre.hybrid import track_of
from studio.timbre.spectra import analysed

GRAIN = 0.093
NEAREST = 12
"""Pieces of the target among which the path is chosen for each of the source's."""

LEAP = 0.6
"""What it costs to leave the target's own order, in standard deviations of its features."""

LOUDEST = 10.0 ** (30 / 20)
FURTHEST = 12.0
"""Semitones a piece may be transposed to meet the source's pitch."""

BANDS, COEFFICIENTS = 40, 13


def mosaic(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """Concatenative resynthesis (after Schwarz 2006): MFCC, k nearest pieces, and the cheapest path through them.

    The path weighs how like a piece is against how well it goes on from the one before (Viterbi). Pieces take on the
    level of the source, and its pitch where both have one, up to an octave away. The length stays.
    """
    size = window_size(GRAIN, source.rate)
    hop = size // 4
    starts = np.arange(-size + hop, source.frames, hop)
    corpus = np.arange(0, max(target.frames - size, 0) + 1, hop)
    wanted, there = _features(source, starts, size), _features(target, corpus, size)
    mean, spread = there.mean(axis=0), there.std(axis=0) + 1e-6
    path = _path((wanted - wanted.mean(axis=0)) / (wanted.std(axis=0) + 1e-6), (there - mean) / spread)
    middle = size / 2 / source.rate
    own, other = (
        track_of(source).at(starts / source.rate + middle),
        track_of(target).at(corpus[path] / source.rate + middle),
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        semitones = 12 * np.log2(own / other)
    speed = 2 ** (np.where(np.abs(semitones) <= FURTHEST, semitones, 0.0) / 12)
    out = np.zeros((source.channels, source.frames + 2 * size))
    shape = hann(size) / 2
    for first in range(0, len(starts), 256):
        part = slice(first, first + 256)
        grains = _read(target, corpus[path[part]].astype(np.float64) + size / 2, speed[part], size)
        level = _rms(cut(source.samples, starts[part], size)) / np.maximum(_rms(grains), 1e-9)
        grains = grains * (np.minimum(level, LOUDEST)[None, :, None] * shape)
        for grain, start in zip(np.moveaxis(grains, 1, 0), (starts[part] + size).tolist(), strict=True):
            out[:, start : start + size] += grain[:, : out.shape[1] - start]
    return _blended(source, out[:, size : size + source.frames], amount, hop, size)


def bees(source: Audio, target: Audio, amount: Floats | float) -> Audio:
    """Let it Bee (Driedger, Prätzlich & Müller, ISMIR 2015): the source's spectrogram as a sum of the target's spectra.

    Non-negative matrix factorisation with the target's windows as fixed templates (Kullback-Leibler updates), whose
    activations are made sparse in time (no repetition within three windows), sparse in number (at most ten at once)
    and continuous (runs of seven windows); the templates come with their own phases.
    """
    spectra, model = (
        analysed(source, 0.093),
        analysed(Audio(target.samples[:, : CORPUS * target.rate], target.rate), 0.093),
    )
    templates = model.magnitudes.T.astype(np.float32)
    templates /= templates.sum(axis=0, keepdims=True) + 1e-9
    wanted = spectra.magnitudes.T.astype(np.float32) + np.float32(1e-9)
    active = np.random.default_rng(0).random((templates.shape[1], wanted.shape[1]), dtype=np.float32)
    for step in range(ROUNDS):
        weak = np.float32(1 - (step + 1) / ROUNDS)
        active = _continuous(_few(_sparse(active, weak), weak))
        ratio = wanted / (templates @ active + np.float32(1e-9))
        active *= templates.T @ ratio
    scale = 1 / (model.magnitudes.sum(axis=1) + 1e-9)
    values = np.stack([(channel.T * scale) @ active for channel in model.values])
    made = type(spectra)(
        np.ascontiguousarray(np.moveaxis(values, 1, 2)).astype(np.complex64), spectra.size, spectra.rate, spectra.frames
    ).sound()
    return _blended(source, made.samples.astype(np.float64), amount, spectra.hop, spectra.size)


CORPUS = 30
"""Seconds of the target that lend their spectra."""

ROUNDS = 10
_REPEAT, _POLYPHONY, _RUN = 3, 10, 3


def _sparse(active: NDArray[np.float32], weak: np.float32) -> NDArray[np.float32]:
    from scipy.ndimage import maximum_filter1d

    tops = maximum_filter1d(active, 2 * _REPEAT + 1, axis=1)
    return np.where(active < tops, active * weak, active)


def _few(active: NDArray[np.float32], weak: np.float32) -> NDArray[np.float32]:
    if active.shape[0] <= _POLYPHONY:
        return active
    least = np.partition(active, -_POLYPHONY, axis=0)[-_POLYPHONY]
    return np.where(active < least, active * weak, active)


def _continuous(active: NDArray[np.float32]) -> NDArray[np.float32]:
    out = active.copy()
    for step in range(1, _RUN + 1):
        out[step:, step:] += active[:-step, :-step]
        out[:-step, :-step] += active[step:, step:]
    return out


def _features(audio: Audio, starts: NDArray[np.int64], size: int) -> Floats:
    """MFCC without the level: ``(windows, COEFFICIENTS)``."""
    from scipy.fft import dct, rfft

    filters = mel_filters(size, audio.rate)
    out = np.empty((len(starts), COEFFICIENTS))
    for first in range(0, len(starts), 256):
        part = slice(first, first + 256)
        power = np.square(np.abs(rfft(cut(audio.samples, starts[part], size).mean(axis=0) * hann(size))))
        out[part] = dct(np.log(power @ filters.T + 1e-8), norm="ortho", axis=1)[:, 1 : COEFFICIENTS + 1]
    return out


def mel_filters(size: int, rate: int) -> Floats:
    """Triangular filters on the mel scale (O'Shaughnessy), ``(BANDS, bins)``."""
    edges = 700 * (10 ** (np.linspace(0, np.log10(1 + rate / 2 / 700), BANDS + 2)) - 1)
    hz = np.fft.rfftfreq(size, 1 / rate)
    rise = (hz - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - hz) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall))


def _path(wanted: Floats, there: Floats) -> NDArray[np.int64]:
    """The cheapest way through the nearest pieces."""
    from scipy.spatial import cKDTree

    count = min(NEAREST, len(there))
    distance, near = cKDTree(there).query(wanted, k=count)
    distance, near = distance.reshape(len(wanted), count), near.reshape(len(wanted), count)
    cost, back = distance[0], np.zeros((len(wanted), count), np.int64)
    for index in range(1, len(wanted)):
        follows = np.minimum(near[index - 1] + 1, len(there) - 1)
        apart = np.linalg.norm(there[follows][:, None] - there[near[index]][None], axis=2) / np.sqrt(there.shape[1])
        leap = np.where(follows[:, None] == near[index][None], 0.0, LEAP + apart)
        total = cost[:, None] + leap
        back[index] = total.argmin(axis=0)
        cost = total.min(axis=0) + distance[index]
    path = np.empty(len(wanted), np.int64)
    choice = int(cost.argmin())
    for index in range(len(wanted) - 1, -1, -1):
        path[index] = near[index, choice]
        choice = int(back[index, choice])
    return path


def _read(audio: Audio, middles: Floats, speed: Floats, size: int) -> Floats:
    """Pieces of `size` frames around `middles`, read at `speed`, ``(channels, pieces, size)``."""
    at = middles[:, None] + (np.arange(size) - size / 2) * speed[:, None]
    at = np.clip(at, 0, max(audio.frames - 2, 0))
    left = at.astype(np.int64)
    share = at - left
    right = np.minimum(left + 1, audio.frames - 1)
    return np.asarray(audio.samples[:, left] * (1 - share) + audio.samples[:, right] * share)


def _rms(pieces: Floats) -> Floats:
    return np.asarray(np.sqrt(np.square(pieces).mean(axis=(0, 2))))


def _blended(source: Audio, made: Floats, amount: Floats | float, hop: int, size: int) -> Audio:
    """The way from source to result, as a crossfade."""
    share = np.atleast_1d(np.asarray(amount, dtype=np.float64))
    if len(share) > 1:
        share = np.interp(np.arange(source.frames), (np.arange(len(share)) - 3) * hop + size / 2, share)
    return Audio((source.samples * (1 - share) + made * share).astype(np.float32), source.rate)
