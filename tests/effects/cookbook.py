"""Second-order filters after Robert Bristow-Johnson's Audio EQ Cookbook, in double precision, as a reference.

https://webaudio.github.io/Audio-EQ-Cookbook/audio-eq-cookbook.html
"""

from __future__ import annotations

import numpy as np

BUTTERWORTH = 0.5**0.5


def section(kind: str, hz: float, q: float, gain_db: float, rate: int) -> list[float]:
    """b0, b1, b2, 1, a1, a2 of a lowpass, highpass, bell, low shelf or high shelf; above 0.49 of the rate it is held there."""
    w = 2 * np.pi * min(hz, 0.49 * rate) / rate
    cos, alpha, a = np.cos(w), np.sin(w) / (2 * q), 10 ** (gain_db / 40)
    if kind in ("lowpass", "highpass"):
        side = -1 if kind == "lowpass" else 1
        b = [(1 + side * cos) / 2, -side * (1 + side * cos), (1 + side * cos) / 2]
        d = [1 + alpha, -2 * cos, 1 - alpha]
    elif kind == "bell":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        d = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    else:
        side, root = (1 if kind == "low shelf" else -1), 2 * np.sqrt(a) * alpha
        more, tilt = a + 1, side * (a - 1) * cos
        b = [a * (more - tilt + root), side * 2 * a * ((a - 1) - side * more * cos), a * (more - tilt - root)]
        d = [more + tilt + root, -side * 2 * ((a - 1) + side * more * cos), more + tilt - root]
    return [float(value / d[0]) for value in (*b, *d)]
