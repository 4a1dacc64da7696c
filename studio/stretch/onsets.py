"""Where hits are."""

from __future__ import annotations

import numpy as np

from studio.audio import Block
from studio.tempo import Floats

STEP = 64
"""Frames, at 44.1 kHz, between two looks at the energy."""


def find_hits(samples: Block, rate: int, *, rise_db: float = 9.0, apart: float = 0.03) -> Floats:
    """The frames at which all channels together suddenly become louder by at least `rise_db`.

    The energy of the first difference, which weighs the highs, over 6 ms is compared with that of the 12 ms before
    (an energy detector after Masri & Bateman 1996); a hit is the steepest place within `apart` seconds, moved back to
    where the rise begins.
    """
    step = max(1, round(STEP * rate / 44_100))
    energy = _energy(samples, step)
    if len(energy) < 8:
        return np.zeros(0)
    summed = np.concatenate([np.zeros(9), np.cumsum(energy), np.full(4, energy.sum())])
    total = summed[8:]
    now = total[4:] - total[:-4]
    past = (total[:-4] - summed[: len(total) - 4]) / 2
    floor = max(float(energy.max()) * 4e-5, 1e-12)
    rise = 10 * np.log10((now + floor) / (past + floor))
    reach = max(1, round(apart * rate / step))
    from scipy.ndimage import maximum_filter1d

    tops = np.flatnonzero((rise >= rise_db) & (rise == maximum_filter1d(rise, 2 * reach + 1)))
    tops = tops[np.diff(tops, prepend=-reach - 1) > reach]
    loudest = np.lib.stride_tricks.sliding_window_view(np.append(energy, np.zeros(4)), 4)[
        np.minimum(tops, len(energy) - 1)
    ]
    begins = (loudest > 0.1 * loudest.max(axis=1, keepdims=True)).argmax(axis=1) if len(tops) else tops
    return np.asarray((tops + begins) * float(step))


def _energy(samples: Block, step: int) -> Floats:
    """The energy of the first difference in pieces of `step` frames, over all channels."""
    pieces = samples.shape[1] // step
    energy = np.zeros(pieces)
    for channel in samples:
        rough = np.diff(channel[: pieces * step], prepend=channel[:1]).reshape(-1, step)
        energy += np.einsum("ps,ps->p", rough, rough, dtype=np.float64)
    return energy
