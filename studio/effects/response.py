"""Impulse responses: read from a file, and brought to the rate of a render as a plugin brings them to its host's.

The resampler is ours, since a plugin has to have the very same one: a polyphase low-pass, a sinc of 96 zero crossings on
either side under a Kaiser window (beta 12: 118 dB down), its cut-off at 0.96 of the lower Nyquist frequency.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from studio.audio import Audio, Block, to_channels
from studio.audiofile import read_audio

CROSSINGS, BETA, CUTOFF = 96, 12.0, 0.96


def read_response(path: Path) -> Audio:
    """A response at its own rate, in one or two channels.

    Raises:
        AudioError: it cannot be read.
    """
    audio = read_audio(path)
    return audio if len(audio.samples) <= 2 else Audio(to_channels(audio.samples, 2), audio.rate)


def resampled(samples: Block, source: int, target: int) -> Block:
    """Samples at `source` Hz as samples at `target` Hz, the first at the same time."""
    if source == target:
        return samples
    from scipy.signal import resample_poly

    common = math.gcd(source, target)
    up, down = target // common, source // common
    most = max(up, down)
    offsets = np.arange(-CROSSINGS * most, CROSSINGS * most + 1) / most
    taps = CUTOFF / most * np.sinc(CUTOFF * offsets) * np.kaiser(len(offsets), BETA)
    return np.asarray(resample_poly(samples.astype(np.float64), up, down, axis=1, window=taps), dtype=np.float32)
