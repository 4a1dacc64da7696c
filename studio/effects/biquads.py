"""Second-order filters, after Robert Bristow-Johnson's Audio EQ Cookbook, run in double precision.

https://webaudio.github.io/Audio-EQ-Cookbook/audio-eq-cookbook.html
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block

Section = tuple[float, ...]
"""A second-order section: b0, b1, b2, 1, a1, a2."""

BUTTERWORTH = 0.5**0.5


@lru_cache(maxsize=1024)
def section(kind: str, hz: float, q: float, gain_db: float, rate: int) -> Section:
    """One section: `kind` is lowpass, highpass, bell, low shelf or high shelf.

    Frequencies above 0.49 of the rate are held there.
    """
    w = 2 * np.pi * min(hz, 0.49 * rate) / rate
    cos, alpha, a = np.cos(w), np.sin(w) / (2 * q), 10 ** (gain_db / 40)
    if kind == "lowpass":
        b, d = [(1 - cos) / 2, 1 - cos, (1 - cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]
    elif kind == "highpass":
        b, d = [(1 + cos) / 2, -1 - cos, (1 + cos) / 2], [1 + alpha, -2 * cos, 1 - alpha]
    elif kind == "bell":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        d = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    else:
        side, root = (1 if kind == "low shelf" else -1), 2 * np.sqrt(a) * alpha
        b = [
            a * ((a + 1) - side * (a - 1) * cos + root),
            side * 2 * a * ((a - 1) - side * (a + 1) * cos),
            a * ((a + 1) - side * (a - 1) * cos - root),
        ]
        d = [
            (a + 1) + side * (a - 1) * cos + root,
            -side * 2 * ((a - 1) + side * (a + 1) * cos),
            (a + 1) + side * (a - 1) * cos - root,
        ]
    return tuple(float(value / d[0]) for value in (*b, *d))


class Cascade:
    """Sections in a row, with their state; they may change from call to call."""

    def __init__(self, sections: int, channels: int) -> None:
        self._state = np.zeros((sections, channels, 2))

    def __call__(self, sections: Sequence[Section], block: Block) -> NDArray[np.float64]:
        from scipy.signal import sosfilt

        out, self._state = sosfilt(np.array(sections), block.astype(np.float64), axis=1, zi=self._state)
        return np.asarray(out)
