"""The stereo image of a sound: what its channels have in common, and how loud each is against that as it plays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio.audio import Audio, Block
from studio.tempo import Floats

STEP = 0.02
"""Seconds from one look at the levels to the next."""

_WINDOW = 5
"""Looks, about 0.1 s, over which a level is the mean: shorter than a pan, longer than a period."""

_ALIKE = -0.3
"""The correlation below which a channel counts as turned round."""


class Image(NamedTuple):
    """One sound and its pan.

    Attributes:
        middle: ``(frames,)``, the mean of the channels, those that are turned round turned back.
        gains: ``(channels, looks)``: the level of each channel against the middle's, negative where it is turned round,
            every `STEP` seconds.
    """

    middle: Floats
    gains: Floats

    def spread(self, mono: Floats, rate: int) -> Block:
        """A sound ``(frames,)`` on the channels, each as loud against the others as it was."""
        if np.ptp(self.gains) == 0:
            return np.asarray(mono[None] * self.gains[:, :1], np.float32)
        looks = np.arange(self.gains.shape[1]) * round(STEP * rate)
        frames = np.arange(len(mono))
        return np.asarray([mono * np.interp(frames, looks, each) for each in self.gains], np.float32)


def image_of(audio: Audio) -> Image:
    """The stereo image of a sound; in silence it is that of the whole."""
    samples = audio.samples.astype(np.float64)
    power = np.square(samples).mean(axis=1)
    loudest = samples[int(power.argmax())]
    alike = samples @ loudest / np.maximum(np.sqrt(power * power.max()) * audio.frames, 1e-12)
    signs = np.where(alike < _ALIKE, -1.0, 1.0)
    middle = (samples * signs[:, None]).mean(axis=0)
    step = max(1, round(STEP * audio.rate))
    looks = audio.frames // step + 1
    padded = np.pad(np.square(samples), ((0, 0), (step // 2, looks * step - audio.frames)))[:, : looks * step]
    heard = padded.reshape(audio.channels, looks, step).sum(axis=2)
    from scipy.ndimage import uniform_filter1d

    heard = uniform_filter1d(heard, _WINDOW, axis=1, mode="nearest")
    # A trace of the whole image is everywhere, so that a pause says nothing of its own.
    heard = heard + 1e-5 * heard.mean(axis=1, keepdims=True)
    if audio.channels == 1:
        return Image(middle, np.ones((1, looks)))
    level = np.sqrt(power.mean() / max(float(np.square(middle).mean()), 1e-20))
    return Image(middle, level * signs[:, None] * np.sqrt(heard / np.maximum(heard.mean(axis=0), 1e-20)))
