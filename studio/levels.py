"""Decibels and amplitudes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SILENCE_DB = -90.0
"""The bottom of every fader: at or below it the gain is exactly zero, and "-inf dB" means it."""


def amplitude(db: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """The factor of a level in dB; exactly 0 at `SILENCE_DB` and below."""
    level = np.asarray(db, dtype=np.float64)
    return np.where(level <= SILENCE_DB, 0.0, 10.0 ** (level / 20.0))


def decibels(factor: float) -> float:
    """The level of a factor in dB; minus infinity for 0."""
    return float(20.0 * np.log10(factor)) if factor > 0 else float("-inf")
