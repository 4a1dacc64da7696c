"""Where a held note can be gone round in for ever."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block

WINDOW = 0.03
"""Seconds that are compared at both ends of a loop."""

SHORTEST, LONGEST = 0.12, 2.0
"""Seconds a loop may last."""

FADE = 0.08
"""Seconds of cross-fade in front of a loop's end."""


@dataclass(frozen=True)
class Loop:
    """A loop from frame `start` up to, not including, frame `end`; `alike` is the correlation of both ends."""

    start: int
    end: int
    alike: float


def find_loop(samples: Block, rate: int, first: int, last: int) -> Loop | None:
    """The loop between two frames whose ends are most alike; None when there is no room for one.

    The sound behind several ends is compared with the sound behind every start, by normalised correlation; of
    loops that are nearly as good the longest is taken, which repeats itself least.
    """
    mono = samples.mean(axis=0, dtype=np.float64)
    window, shortest = round(WINDOW * rate), round(SHORTEST * rate)
    best: Loop | None = None
    for end in np.linspace(last - (last - first) // 4, last, 6).astype(int).tolist():
        low, high = max(first, end - round(LONGEST * rate)), end - shortest
        if high <= low or low < window:
            continue
        alike = _alike(mono[low - window : high], mono[end - window : end])
        length = (end - low - np.arange(len(alike))) / rate
        score = alike + 0.01 * length
        shift = int(np.argmax(score))
        if best is None or score[shift] > best.alike + 0.01 * (best.end - best.start) / rate:
            best = Loop(low + shift, end, float(alike[shift]))
    return best


def _alike(sound: NDArray[np.float64], piece: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normalised correlation of `piece` with every stretch of `sound` of its length."""
    from scipy.signal import correlate

    size = len(piece)
    along = correlate(sound, piece, "valid", "fft")
    power = np.concatenate([[0.0], np.cumsum(sound**2)])
    power = np.maximum(power[size:] - power[:-size], 0)
    return np.asarray(along / np.sqrt(power * np.sum(piece**2) + 1e-18))


def crossfaded(samples: Block, loop: Loop, rate: int) -> Block:
    """The sound up to the loop's end, which goes over into what is in front of the loop's start.

    Ends that are alike are faded by amplitude, others by power, so that the level stays in both cases.
    """
    out = samples[:, : loop.end].copy()
    fade = min(round(FADE * rate), loop.start, loop.end - loop.start)
    share = (np.arange(fade) + 0.5) / fade
    rise = share if loop.alike > 0.5 else np.sin(share * np.pi / 2)
    fall = 1 - share if loop.alike > 0.5 else np.cos(share * np.pi / 2)
    before = samples[:, loop.start - fade : loop.start]
    out[:, loop.end - fade :] = out[:, loop.end - fade :] * fall + before * rise
    return out.astype(np.float32)
