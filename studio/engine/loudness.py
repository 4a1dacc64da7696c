"""Loudness and true peak, block by block.

ITU-R BS.1770-4: K-weighting (pyloudnorm's filters), 400 ms blocks overlapping by 75 %, absolute gate at
-70 LUFS and relative gate at -10 LU; true peak by sixteenfold oversampling, where the standard asks for four.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio, Block
from studio.levels import decibels
from studio.tempo import Floats

_HOPS_PER_BLOCK = 4
_ABSOLUTE_GATE = -70.0
_RELATIVE_GATE = -10.0
_OVERSAMPLING = 16
_TAPS = 48
_FILTERS = ((_TAPS, 7.0), (20, 5.0))
"""Taps a phase, and the shape of the Kaiser window: one filter that is flat to 0.9 of half the rate, and one as resamplers
mostly have it (scipy's `resample_poly`). At the very top they differ, and a peak that either finds is one."""

_CHUNK, _PIECE = 16_384, 32
"""Frames that are looked at in one go, and frames whose peaks are told apart."""

_BETWEEN = 10 ** (1.5 / 20)
_SMALL = 250_000


@dataclass(frozen=True)
class Loudness:
    """What a meter shows: LUFS, dBFS, dBTP; and short-term LUFS (3 s) every 100 ms."""

    integrated: float
    peak_db: float
    true_peak_db: float
    short_term: tuple[float, ...] = ()


class LoudnessMeter:
    """Feed it a song block by block, then read it."""

    def __init__(self, rate: int, channels: int, true_peak: bool = True) -> None:
        self._forward, self._back = _k_weighting(rate)
        self._state = np.zeros((channels, len(self._back) - 1))
        self._hop = round(rate * 0.1)
        self._rest = np.zeros((channels, 0))
        self._energies: list[float] = []
        self._peak = 0.0
        self._true_peak = _TruePeak(channels) if true_peak else None

    def push(self, block: Block) -> None:
        """Measure a block of shape (channels, frames)."""
        from scipy.signal import lfilter

        self._peak = max(self._peak, float(np.max(np.abs(block), initial=0.0)))
        if self._true_peak is not None:
            self._true_peak.push(block)
        for start in range(0, block.shape[1], 65_536):
            # Pieces that fit the processor's cache are filtered four times faster.
            piece = block[:, start : start + 65_536].astype(np.float64)
            weighted, self._state = lfilter(self._forward, self._back, piece, axis=1, zi=self._state)
            self._gather(weighted)

    def _gather(self, weighted: Floats) -> None:
        if self._rest.shape[1]:
            weighted = np.concatenate([self._rest, weighted], axis=1)
        hops = weighted.shape[1] // self._hop
        for hop in range(hops):
            # Each on its own and laid out alike, so that rounding does not depend on how the sound was cut.
            samples = np.ascontiguousarray(weighted[:, hop * self._hop : (hop + 1) * self._hop]).ravel()
            self._energies.append(float(np.square(samples).sum()))
        self._rest = weighted[:, hops * self._hop :]

    def gain_to(self, lufs: float) -> float:
        """The gain in dB that brings what was heard to a loudness; more passes the gates then, which is reckoned in.

        NaN if nothing that was heard has a loudness.
        """
        power = _windows(np.array(self._energies), _HOPS_PER_BLOCK) / (_HOPS_PER_BLOCK * self._hop)
        gain = 0.0
        for _ in range(40):
            heard = _gated(power * 10 ** (gain / 10))
            gain = gain + lufs - heard if np.isfinite(heard) else math.nan
        return gain

    def read(self) -> Loudness:
        """The sound in blocks of shape (channels, frames) of any length."""
        energy = np.array(self._energies)
        return Loudness(
            integrated=_gated(_windows(energy, _HOPS_PER_BLOCK) / (_HOPS_PER_BLOCK * self._hop)),
            peak_db=decibels(self._peak),
            true_peak_db=decibels(max(self._peak, self._true_peak.read() if self._true_peak else 0.0)),
            short_term=tuple(np.round(_lufs(_windows(energy, 30) / (30 * self._hop)), 1).tolist()),
        )


def measure(audio: Audio) -> Loudness:
    """The loudness of a sound."""
    meter = LoudnessMeter(audio.rate, audio.channels)
    meter.push(audio.samples)
    return meter.read()


@cache
def _k_weighting(rate: int) -> tuple[Floats, Floats]:
    """The coefficients of both filters as one, which is three times as fast and off by 10⁻¹⁰ of the sound."""
    from pyloudnorm import Meter as Definition

    shelf, highpass = Definition(rate)._filters.values()
    return np.convolve(shelf.b, highpass.b), np.convolve(shelf.a, highpass.a)


def _windows(energy: Floats, hops: int) -> Floats:
    """Sums of `hops` neighbours."""
    if len(energy) < hops:
        return np.zeros(0)
    running = np.concatenate([[0.0], np.cumsum(energy)])
    return np.asarray(running[hops:] - running[:-hops])


def _lufs(power: Floats) -> Floats:
    with np.errstate(divide="ignore"):
        return np.maximum(-0.691 + 10 * np.log10(np.maximum(power, 0.0)), -120.0)


def _gated(power: Floats) -> float:
    loud = power[_lufs(power) > _ABSOLUTE_GATE]
    if not len(loud):
        return float("-inf")
    loud = loud[_lufs(loud) > _lufs(loud.mean(keepdims=True)) + _RELATIVE_GATE]
    return float(_lufs(loud.mean(keepdims=True))[0])


class _TruePeak:
    """The highest value between the samples, by sixteenfold oversampling with Kaiser-windowed sincs.

    The sound is looked at in chunks of one size counted from its start, so the result does not depend on how it was
    cut. Only places that could hold something higher than the highest so far are looked at closely: no value between
    samples is above the samples around it by more than the filter can lift them, nor above a fourfold oversampling of
    them by more than 1.5 dB (for a band-limited signal the bound is 1 / cos(π / 8), 0.7 dB).
    """

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, _TAPS - 1), np.float32)
        self._highest = 0.0

    def push(self, block: Block) -> None:
        self._held = np.concatenate([self._held, block], axis=1)
        ready = (self._held.shape[1] - _TAPS + 1) // _CHUNK * _CHUNK
        for start in range(0, ready, _CHUNK):
            self._highest = _highest(self._held[:, start : start + _CHUNK + _TAPS - 1], self._highest)
        if ready:
            self._held = self._held[:, ready:].copy()

    def read(self) -> float:
        """The highest value so far, with silence behind the last sample."""
        ahead = _CHUNK - (self._held.shape[1] - _TAPS + 1)
        return _highest(np.pad(self._held, ((0, 0), (0, ahead))), self._highest)


def _highest(chunk: Block, known: float) -> float:
    """The highest value between samples of a chunk (its first taps belong to the one before), or `known` if higher."""
    fine, coarse, lift = _interpolators()
    pieces = np.lib.stride_tricks.sliding_window_view(chunk, _PIECE + _TAPS - 1, axis=1)[:, ::_PIECE]
    pieces = pieces.reshape(-1, _PIECE + _TAPS - 1)
    tops = np.abs(pieces).max(axis=1)
    known = max(known, float(tops.max()))
    pieces = pieces[tops * lift > known]
    if not len(pieces):
        return known
    between = _tops(pieces, coarse)
    known = max(known, float(between.max()))
    close = pieces[between * _BETWEEN > known]
    return max(known, float(_tops(close, fine).max(initial=0.0)))


def _tops(pieces: Block, interpolator: Block) -> Block:
    """The highest value between the samples of each piece.

    In products so small that the linear algebra library does not call up its threads, which would fight the engine's.
    """
    rows = max(1, _SMALL // interpolator.size)
    stacks = np.zeros((-(-len(pieces) // rows), rows, pieces.shape[1]), np.float32)
    stacks.reshape(-1, pieces.shape[1])[: len(pieces)] = pieces
    tops: Block = np.abs(stacks @ interpolator).max(axis=2).ravel()[: len(pieces)]
    return tops


@cache
def _interpolators() -> tuple[NDArray[np.float32], NDArray[np.float32], float]:
    """What a piece is multiplied with to have 16 or 4 values a sample, and the most that can add to its samples."""
    phases = np.concatenate([_windowed_sinc(*each) for each in _FILTERS], axis=1)
    fine = np.zeros((_PIECE + _TAPS - 1, _PIECE, phases.shape[1]))
    for frame in range(_PIECE):
        fine[frame : frame + _TAPS, frame] = phases
    coarse = fine[:, :, : _OVERSAMPLING : _OVERSAMPLING // 4]
    lift = float(np.abs(phases).sum(axis=0).max())
    flat = (_PIECE + _TAPS - 1, -1)
    return fine.reshape(flat).astype(np.float32), coarse.reshape(flat).astype(np.float32), lift


def _windowed_sinc(taps: int, beta: float) -> Floats:
    """The phases of an interpolator of so many taps a phase, of shape (_TAPS, _OVERSAMPLING), the last tap first."""
    reach = taps // 2 * _OVERSAMPLING
    window = np.kaiser(2 * reach + 1, beta) * np.sinc(np.arange(-reach, reach + 1) / _OVERSAMPLING)
    whole = np.zeros(_TAPS * _OVERSAMPLING + 1)
    middle = _TAPS // 2 * _OVERSAMPLING
    whole[middle - reach : middle + reach + 1] = window * (_OVERSAMPLING / window.sum())
    return whole[:-1].reshape(_TAPS, _OVERSAMPLING)[::-1]
