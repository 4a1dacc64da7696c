"""The phase vocoder with identity phase locking, with one rotation for all channels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.stretch.onsets import find_hits
from studio.stretch.overlap import Whole, batches, cut, hann, overlap_add, whole, window_size
from studio.stretch.timemap import TimeMap
from studio.tempo import Floats

OVERLAP = 4
"""Windows that cover each frame of the output."""


def vocoder(samples: Block, time: TimeMap, rate: int, *, window: float = 0.046, transients: bool = True) -> Block:
    """Stretch by a phase vocoder with identity phase locking (Laroche & Dolson 1999).

    Each spectral peak is rotated so that it goes on where the output before it left off, and takes the bins around it
    along unchanged. Peaks are found in the sum of the channels' magnitudes and the rotation is measured on all
    channels together, so every channel turns by the same angle and the stereo image stays.

    Args:
        window: seconds, brought to a power of two of frames.
        transients: keep hits in time as they are, and let all phases start anew on each (after Röbel 2003).
    """
    if time.is_identity:
        return samples.copy()
    size = window_size(window, rate)
    hop = size // OVERLAP
    resets = np.zeros(0)
    if transients:
        hits = find_hits(samples, rate)
        time = time.holding(hits, 0.5 * size, 0.5 * size)
        resets = time.target_of(hits)
    centres = np.arange(-hop, time.frames_out + 2 * hop, hop, dtype=np.float64)
    starts = whole(time.source_of(centres)) - size // 2
    anew = np.zeros(len(centres), bool)
    anew[np.clip(np.searchsorted(centres, resets - hop), 0, len(centres) - 1)] = True
    frames = _frames(samples, starts, anew, size)
    return overlap_add(frames, hop, -hop - size // 2, samples.shape[0], time.frames_out)


def _frames(samples: Block, starts: Whole, anew: NDArray[np.bool_], size: int) -> Iterator[Floats]:
    """The windows of the output, batch by batch."""
    from scipy.fft import irfft, rfft

    hop = size // OVERLAP
    shape = hann(size)
    level = shape / (np.square(shape).sum() / hop)
    last: Floats | None = None
    before = np.zeros((samples.shape[0], 1, size // 2 + 1), np.complex128)
    for part in batches(len(starts), size, samples.shape[0]):
        here = rfft(cut(samples, starts[part], size) * shape)
        earlier = rfft(cut(samples, starts[part] - hop, size) * shape)
        before = np.concatenate([before[:, -1:], here[:, :-1]], axis=1)
        turned = np.einsum("cnb,cnb->nb", before, earlier.conj())
        rotation, last = rotations(np.abs(here).sum(axis=0), turned, anew[part], last)
        before = here[:, -1:].copy()
        here *= rotation
        yield irfft(here, size) * level


def rotations(
    magnitudes: Floats, turned: NDArray[np.complex128], anew: NDArray[np.bool_], last: Floats | None
) -> tuple[NDArray[np.complex128], Floats]:
    """What to multiply every bin of a batch of spectra with, and the angles of the last of them for the next batch.

    A peak goes on from the peak in whose region it lay one window before: its turn is that peak's turn, plus the
    phase between the window before and the window one hop earlier in the input.

    Args:
        magnitudes: of all channels together, shape ``(windows, bins)``.
        turned: window before times conjugate of the window one hop earlier, summed over channels, same shape.
        anew: the windows at which all turns begin from zero.
        last: the angles the batch before ended with.
    """
    peaks = _peaks(magnitudes)
    row, column = np.nonzero(peaks)
    owner = _owners(peaks, column)
    first = np.searchsorted(row, np.arange(len(peaks) + 1))
    steps = np.angle(turned[row, column])
    angles = np.zeros(len(row))
    for window in np.flatnonzero(~anew).tolist():
        here = slice(first[window], first[window + 1])
        if window:
            angles[here] = angles[owner[window - 1, column[here]]] + steps[here]
        elif last is not None:
            angles[here] = last[column[here]] + steps[here]
    angles %= 2 * np.pi
    return np.exp(1j * angles)[owner], angles[owner[-1]]


def _peaks(magnitudes: Floats) -> NDArray[np.bool_]:
    """Bins louder than their two neighbours on either side; the first and last always, so that there are peaks."""
    peaks = np.ones(magnitudes.shape, bool)
    for distance in (1, 2):
        low, high = magnitudes[:, :-distance], magnitudes[:, distance:]
        peaks[:, distance:] &= high > low
        peaks[:, :-distance] &= low >= high
    peaks[:, [0, -1]] = True
    return peaks


def _owners(peaks: NDArray[np.bool_], column: Whole) -> NDArray[np.intp]:
    """For each bin the number of the nearest peak, counted through all windows."""
    number = np.cumsum(peaks).reshape(peaks.shape) - 1
    after = np.minimum(number + 1, len(column) - 1)
    bins = np.arange(peaks.shape[1])
    return np.where(column[after] - bins < bins - column[number], after, number) if len(column) > 1 else number
