"""Harmonic, percussive and residual parts, each stretched by what suits it."""

from __future__ import annotations

import numpy as np

from studio.audio import Block
from studio.stretch.ola import ola
from studio.stretch.onsets import find_hits
from studio.stretch.separation import separate
from studio.stretch.timemap import TimeMap
from studio.stretch.vocoder import vocoder


def hptsm(samples: Block, time: TimeMap, rate: int, *, before: float = 0.018, after: float = 0.07) -> Block:
    """Stretch by harmonic-percussive separation (Driedger, Müller & Ewert 2014), with a residual.

    The harmonic part goes through the phase-locked vocoder with a long window. The percussive part is moved, not
    stretched: from `before` seconds ahead of each hit to `after` behind it plain overlap-add copies it as it is. The
    residual follows the same path, in longer windows that keep the power of noise.
    """
    if time.is_identity:
        return samples.copy()
    parts = separate(samples, rate)
    held = time.holding(find_hits(parts.percussive + parts.residual, rate), before * rate, after * rate)
    harmonic = vocoder(parts.harmonic, time, rate, window=0.093, transients=False)
    percussive = ola(parts.percussive, held, rate, window=0.0058, transients=False)
    residual = ola(parts.residual, held, rate, window=0.023, transients=False, noise=True)
    return np.asarray(harmonic + percussive + residual, dtype=np.float32)
