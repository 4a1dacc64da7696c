"""Waveform similarity overlap-add, with one lag for all channels."""

from __future__ import annotations

import numpy as np

from studio.audio import Block
from studio.stretch.ola import lay
from studio.stretch.overlap import Whole, whole, window_size
from studio.stretch.timemap import TimeMap
from studio.tempo import Floats


def wsola(samples: Block, time: TimeMap, rate: int, *, window: float = 0.046, tolerance: float = 0.0125) -> Block:
    """Stretch by WSOLA (Verhelst & Roelands 1993).

    Each window may leave its aim by up to `tolerance` seconds, to where it looks most like what the window before
    would have gone on with. The likeness is the normalised cross-correlation of all channels together, so they
    move as one and keep their phases: the stereo image stays. While the continuation itself lies within the
    tolerance it is taken, being its own best likeness; the sound is then copied as it is. Where it has left, the likest
    place on the far side of the aim is sought, so that hits are early as often as late and jumps are few.

    Args:
        window: seconds, brought to a power of two of frames.
    """
    if time.is_identity:
        return samples.copy()
    size = window_size(window, rate)
    hop, reach = size // 2, max(1, round(tolerance * rate))
    wanted = whole(time.source_of(np.arange(0, time.frames_out + hop, hop, dtype=np.float64))) - hop
    return lay(samples, _starts(samples, wanted, size, reach), size, time.frames_out)


_COARSE = 4
"""The likeness is first searched in means of this many frames."""


def _starts(samples: Block, wanted: Whole, size: int, reach: int) -> Whole:
    """Where each window begins, decided one after the other."""
    hop = size // 2
    margin = size + 2 * reach + 2 * _COARSE
    padded = _padded(samples, margin, int(wanted[-1]) + 2 * margin)
    coarse = padded[:, : padded.shape[1] // _COARSE * _COARSE].reshape(len(padded), -1, _COARSE).mean(axis=2)
    starts = wanted.copy()
    position = int(wanted[0])
    for index, target in enumerate(wanted.tolist()[1:], 1):
        position += hop
        ahead = position - target
        if abs(ahead) > reach:
            low, high = sorted((target + margin, target + margin - (reach if ahead > 0 else -reach)))
            here = position + margin
            near = _COARSE * _likest(coarse, here // _COARSE, low // _COARSE, high // _COARSE, size // _COARSE)
            near += here % _COARSE
            low, high = max(low, near - 2 * _COARSE), min(high, near + 2 * _COARSE)
            position = _likest(padded, here, low, max(low, high), size) - margin
        starts[index] = position
    return starts


def _likest(samples: Block | Floats, pattern: int, low: int, high: int, size: int) -> int:
    """The start from `low` to `high` whose `size` frames are most like those from `pattern` on."""
    likeness, power = np.zeros(high - low + 1), np.zeros(high - low + 1)
    for channel in samples:
        region = channel[low : high + size]
        likeness += np.correlate(region, channel[pattern : pattern + size])
        energy = np.concatenate(([0.0], np.cumsum(np.square(region, dtype=np.float64))))
        power += energy[size:] - energy[:-size]
    likeness /= np.sqrt(np.maximum(power, 1e-12))
    middle = (high - low) / 2
    likeness -= 1e-9 * np.abs(np.arange(high - low + 1) - middle)
    return low + int(np.argmax(likeness))


def _padded(samples: Block, margin: int, end: int) -> Floats:
    """The sound with silence around it, so that every window lies inside."""
    return np.pad(samples, ((0, 0), (margin, max(margin, end - samples.shape[1]))))
