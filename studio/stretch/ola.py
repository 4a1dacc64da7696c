"""Overlap-add: the sound in short windows, set further apart or closer together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from studio.audio import Block
from studio.stretch.onsets import find_hits
from studio.stretch.overlap import Whole, batches, cut, hann, overlap_add, whole, window_size
from studio.stretch.timemap import TimeMap
from studio.tempo import Floats


def ola(
    samples: Block, time: TimeMap, rate: int, *, window: float = 0.093, transients: bool = True, noise: bool = False
) -> Block:
    """Stretch by plain overlap-add (Allen & Rabiner 1977; Driedger & Müller 2016, section 2).

    Exact wherever the map runs at the input's own speed, so with hits held it is a method for percussive sound. Tones
    suffer.

    Args:
        window: seconds, brought to a power of two of frames.
        transients: keep hits as they are; the time between them takes up the difference.
        noise: suit noise: windows are scattered a little where they would repeat, lest it buzz, and windows that do not
            continue each other are crossfaded with equal power.
    """
    if time.is_identity:
        return samples.copy()
    size = window_size(window, rate)
    hop = size // 2
    if transients:
        time = time.holding(find_hits(samples, rate), hop, hop)
    middles = time.source_of(np.arange(0, time.frames_out + hop, hop, dtype=np.float64))
    if noise:
        slower = np.clip(time.ratio_at(middles) - 1, 0, 2)
        middles += slower * hop * (np.random.default_rng(0).random(len(middles)) - 0.5)
    starts = whole(middles) - hop
    return lay(samples, starts, size, time.frames_out, noise=noise)


def lay(samples: Block, starts: Whole, size: int, frames: int, *, noise: bool = False) -> Block:
    """Windows beginning at `starts` of the input, laid half their size apart; the first half window is cut off."""
    hop = size // 2
    shape = hann(size)

    def windows() -> Iterator[Floats]:
        for part in batches(len(starts), size, samples.shape[0]):
            pieces = cut(samples, starts[part], size)
            pieces *= _equal_power(starts, part, shape) if noise else shape
            yield pieces

    return overlap_add(windows(), hop, -hop, samples.shape[0], frames)


def _equal_power(starts: Whole, part: slice, shape: Floats) -> Floats:
    """A window for each of a part: halves of `shape` where neighbours continue each other, else their square roots."""
    hop = len(shape) // 2
    joined = np.diff(starts, prepend=starts[0], append=starts[-1]) == hop
    before, after = joined[part.start : part.stop, None], joined[part.start + 1 : part.stop + 1, None]
    root = np.sqrt(shape)
    return np.hstack([np.where(before, shape[:hop], root[:hop]), np.where(after, shape[hop:], root[hop:])])
