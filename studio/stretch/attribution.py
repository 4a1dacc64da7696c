"""A sound taken apart into events that add up to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio, Block
from studio.budgets import check_memory
from studio.stretch.onsets import find_hits
from studio.stretch.overlap import hann, window_size
from studio.stretch.separation import separate
from studio.tempo import Floats

MOST_EVENTS = 1024

_LONG, _SHORT = 0.093, 0.023
"""Seconds of the windows for what sings and for all else."""

_SLOPE = 6
"""Windows from which the decay of a bin is read."""

_FASTEST, _SLOWEST = 0.5, 1.0
"""What a bin keeps from one window to the next: at least, and at most."""

_BYTES = 160
"""Bytes of memory for a frame of a channel, about."""

_GONE = 1e-4
"""The share of a bin below which an event has no part in it any more."""

Masks = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SoundEvent:
    """One event: the frame of the sound at which it begins, where its onset is, and its own sound, tail included."""

    first: int
    onset: int
    samples: Block


def take_apart(audio: Audio, onsets: Floats | None = None) -> tuple[SoundEvent, ...]:
    """The events of a sound, one for each onset, which add up to it below −120 dB.

    Attribution forward in time: at each onset what sounded before goes on to decay in every bin of the spectrum as it did,
    and what is more than that belongs to the new event. Masks add up to one. What sings is attributed in windows of
    93 ms, all else in windows of 23 ms. What is before the first onset belongs to the first event.

    Args:
        onsets: their frames; found when None.
    """
    if onsets is None:
        onsets = find_hits(audio.samples, audio.rate)
    places = np.unique(np.clip(np.round(np.asarray(onsets, np.float64)), 0, max(0, audio.frames - 1)).astype(np.int64))
    places = places[:MOST_EVENTS] if len(places) else np.zeros(1, np.int64)
    check_memory(_BYTES * audio.channels * audio.frames, "taking the sound apart", "Take a shorter piece of it.")
    parts = separate(audio.samples, audio.rate)
    layers = [
        _attributed(block, places, window_size(seconds, audio.rate))
        for block, seconds in ((parts.harmonic, _LONG), (audio.samples - parts.harmonic, _SHORT))
    ]
    events = []
    for index, onset in enumerate(places.tolist()):
        pieces = [layer[index] for layer in layers]
        first = max(0, min(at for at, _ in pieces))
        last = min(audio.frames, max(at + piece.shape[1] for at, piece in pieces))
        sound = np.zeros((audio.channels, max(last - first, 1)))
        for at, piece in pieces:
            low, high = max(at, first), min(at + piece.shape[1], last)
            sound[:, low - first : high - first] += piece[:, low - at : high - at]
        events.append(SoundEvent(first, onset, sound.astype(np.float32)))
    return tuple(events)


def _attributed(samples: Block, places: NDArray[np.int64], size: int) -> list[tuple[int, Floats]]:
    """For each onset the frame at which its share of the sound begins, and the share."""
    from scipy.fft import irfft, rfft

    hop, channels, frames = size // 4, *samples.shape
    shape = np.sqrt(hann(size))
    starts = np.arange(-size + hop, frames, hop)
    padded = np.pad(samples.astype(np.float64), ((0, 0), (size, size)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, size, axis=1)[:, starts + size] * shape
    spectra = rfft(windows, axis=2)
    level = np.abs(spectra).sum(axis=0).astype(np.float32)
    shares = _shares(level, starts, places, size)
    out = []
    for first, mask in shares:
        count = len(mask)
        made = irfft(spectra[:, first : first + count] * mask, size, axis=2) * (shape / 2)
        laid = np.zeros((channels, (count + 3) * hop))
        for quarter in range(4):
            piece = made[:, :, quarter * hop : (quarter + 1) * hop].reshape(channels, -1)
            laid[:, quarter * hop : quarter * hop + piece.shape[1]] += piece
        out.append((int(starts[first]), laid))
    return out


def _shares(level: Masks, starts: NDArray[np.int64], places: NDArray[np.int64], size: int) -> list[tuple[int, Masks]]:
    """For each onset the window at which it begins and its share of every bin from there on; all add up to one."""
    count = len(level)
    # A window belongs to what begins in it once a quarter of it lies behind the onset.
    begins = np.clip(np.searchsorted(starts + size * 3 // 4, places), 0, count - 1)
    begins[0] = 0
    ends = np.append(begins[1:], count)
    alive: dict[int, list[Masks]] = {}
    current: dict[int, Masks] = {}
    for index, (begin, end) in enumerate(zip(begins.tolist(), ends.tolist(), strict=True)):
        old = _kept(level, begin, end) if index else np.zeros((end - begin, level.shape[1]), np.float32)
        alive[index] = []
        # Who has which share of every bin when the next one begins.
        following: dict[int, Masks] = {}
        rest = np.ones_like(old)
        for before, share in current.items():
            mask = old * share
            mask[mask < _GONE] = 0.0
            if mask.any():
                alive[before].append(mask)
                following[before] = mask[-1]
                rest -= mask
        alive[index].append(rest)
        if end > begin:
            current = following | {index: rest[-1]}
    return [(int(begins[index]), np.concatenate(alive[index])) for index in range(len(places))]


def _kept(level: Masks, begin: int, end: int) -> Masks:
    """From an onset to the next, the share of each bin that what sounded before would have by itself."""
    before = np.log(level[max(0, begin - _SLOPE) : begin] + 1e-9)
    if len(before) >= 2:
        moments = np.arange(len(before)) - (len(before) - 1) / 2
        slope = (moments @ before) / (moments @ moments)
    else:
        slope = np.full(level.shape[1], np.log(0.9))
    keep = np.clip(np.exp(slope), _FASTEST, _SLOWEST)
    last = np.exp(before[-1]) if len(before) else np.zeros(level.shape[1])
    expected = last * keep ** np.arange(1, end - begin + 1)[:, None]
    return np.asarray(np.minimum(1.0, np.square(expected / (level[begin:end] + 1e-9))), np.float32)
