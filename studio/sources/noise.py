"""Noise: hiss, rumble, wind and the crackle of a worn record."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import KnobError
from studio.knobs import choice, count, knob, span
from studio.levels import amplitude
from studio.steps import Source
from studio.tempo import Floats, Time
from studio.units import DB

_BLOCK = 65_536


class Noise(Source):
    """Make noise: white (even), pink (−3 dB per octave), brown (−6 dB per octave) or crackle (sparse clicks).

    Levels are RMS; crackle's is the level of a typical click. The same seed gives the same noise.
    """

    colour: str = choice("pink", "white", "pink", "brown", "crackle", help="its spectrum")
    length: Time = span("8 bars", help="how long it lasts")
    level: float = knob(-40.0, -80.0, 0.0, DB, help="its level", live=False)
    seed: int = count(0, 0, 2**31 - 1, help="another seed is another noise")

    libraries = ("scipy",)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.length:
            raise KnobError("a noise of no length.", "Write 8 bars or 30 s.", path=("length",))

    def read(self, context: RenderContext) -> Iterator[Block]:
        """The sound in blocks of shape (channels, frames) of any length."""
        left = max(1, context.tempo.frame_of(self.length, context.rate))
        random = np.random.default_rng(self.seed)
        colour = _Colour(self.colour, context.rate, context.channels)
        gain = float(amplitude(self.level))
        while left:
            # Always draw whole blocks, so that a longer noise begins like a shorter one.
            frames = min(left, _BLOCK)
            yield (colour(random)[:, :frames] * gain).astype(np.float32)
            left -= frames


class _Colour:
    """White noise through the filter of a colour, at an RMS of 1."""

    # Paul Kellet's three-pole approximation of −3 dB per octave, at 44.1 kHz within 0.5 dB above 40 Hz.
    _PINK_POLES = np.array([0.99765, 0.96300, 0.57000])
    _PINK_GAINS = np.array([0.0990460, 0.2965164, 1.0526913])
    _PINK_DIRECT = 0.1848

    def __init__(self, colour: str, rate: int, channels: int) -> None:
        self._colour, self._rate, self._channels = colour, rate, channels
        self._state = np.zeros((3, channels, 1))
        # Poles keep their frequencies, and their gains there, at other rates.
        self._poles = self._PINK_POLES ** (44_100 / rate)
        self._gains = self._PINK_GAINS * (1 - self._poles) / (1 - self._PINK_POLES)
        crossed = np.outer(self._gains, self._gains) / (1 - np.outer(self._poles, self._poles))
        power = self._PINK_DIRECT**2 + 2 * self._PINK_DIRECT * self._gains.sum() + crossed.sum()
        self._level = 1 / float(np.sqrt(power))

    def __call__(self, random: np.random.Generator) -> Floats:
        white = random.standard_normal((self._channels, _BLOCK))
        if self._colour == "white":
            return np.asarray(white)
        if self._colour == "crackle":
            clicks = random.random((1, _BLOCK)) < 6.0 / self._rate
            return self._pole(0, 0.85, np.where(clicks, white, 0.0))
        if self._colour == "brown":
            pole = float(np.exp(-2 * np.pi * 20 / self._rate))
            return self._pole(0, pole, white) * float(np.sqrt(1 - pole**2))
        pink = white * self._PINK_DIRECT
        for index, (pole, gain) in enumerate(zip(self._poles.tolist(), self._gains.tolist(), strict=True)):
            pink += gain * self._pole(index, pole, white)
        return np.asarray(pink * self._level)

    def _pole(self, index: int, pole: float, signal: Floats) -> Floats:
        from scipy.signal import lfilter

        out, self._state[index] = lfilter([1.0], [1.0, -pole], signal, axis=1, zi=self._state[index])
        return np.asarray(out)
