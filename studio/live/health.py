"""How live playing goes: what a period took, and how often one was late."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

_KEPT = 1 << 18
"""Periods whose times are remembered: eleven minutes of 128 frames at 48 kHz."""


@dataclass(frozen=True)
class Health:
    """How it went: periods played, those that came too late, and the times in ms."""

    periods: int
    xruns: int
    median_ms: float
    late_ms: float
    """What one period of a thousand takes longer than."""

    slowest_ms: float
    period_ms: float
    latency_ms: float
    """From input to output: buffers and the chain's own; what the sound card adds it knows itself (`jack_lsp -l`)."""


class Watch:
    """Takes the time of every period; it allocates nothing while it does."""

    def __init__(self) -> None:
        self._times = np.zeros(_KEPT, np.float32)
        self.periods = self.xruns = 0
        self._begun = 0.0

    def begin(self) -> None:
        """A period is due."""
        self._begun = time.perf_counter()

    def end(self) -> None:
        """It is done."""
        self._times[self.periods % _KEPT] = time.perf_counter() - self._begun
        self.periods += 1

    @property
    def last(self) -> float:
        """Seconds that the last period took."""
        return float(self._times[(self.periods - 1) % _KEPT])

    def health(self, period: float, latency: float) -> Health:
        """How it has gone so far, given the seconds of a period and of the way from input to output."""
        taken = self._times[: min(self.periods, _KEPT)] * 1000 if self.periods else np.zeros(1)
        median, late, slowest = (round(float(np.quantile(taken, part)), 3) for part in (0.5, 0.999, 1.0))
        return Health(
            self.periods, self.xruns, median, late, slowest, round(period * 1000, 3), round(latency * 1000, 3)
        )
