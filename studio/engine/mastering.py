"""Bringing a finished mix to a loudness."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from studio.audio import Block
from studio.effect_chain import EffectChain
from studio.effects.dynamics import Brickwall
from studio.effects.mixing import Gain
from studio.engine.loudness import LoudnessMeter
from studio.engine.nodes import PIECE, Node, NodeReader
from studio.levels import SILENCE_DB
from studio.steps import Effect

_TOLERANCE = 0.02
"""LU; dither and the quantisation of the file may add to it."""

_CLEAR = 0.02
"""dB that true peaks stay below the ceiling, for dither and for meters whose filters ripple."""

_PASSES = 12
_MOST_GAIN = 60.0
_ONE_GAIN = 30.0
"""dB that one fader is asked to turn at most."""

_FIRST_UNDER = 0.25
"""dB by which the limiter's idea of a true peak (fourfold oversampling) mostly falls short of ours."""


@dataclass(frozen=True)
class Setting:
    """How the mix is treated: a gain in dB, the limiter `under` dB below the ceiling if any, and a trim behind it."""

    gain: float
    under: float | None = None
    trim: float = 0.0


@dataclass(frozen=True, eq=False)
class Mastered(Node):
    """The mix at an integrated loudness in LUFS, its true peaks under a ceiling in dBTP.

    One gain for the whole song; where that lifts peaks over the ceiling a look-ahead true-peak limiter holds
    them, and its gain and ceiling are searched until the loudness is within 0.02 LU and no true peak, oversampled
    sixteenfold, is above the ceiling. Where both cannot be had the ceiling holds.
    """

    loudness: float
    ceiling: float
    start: int = 0
    """The frame of the mix from which on it is heard; what comes before only leads there."""

    libraries = ("pedalboard", "pyloudnorm", "scipy")

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return [self.loudness, self.ceiling, _TOLERANCE, _CLEAR, *([self.start] if self.start else [])]

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        meter = self._heard(reader, Setting(0.0))
        before, gain = meter.read(), meter.gain_to(self.loudness)
        setting = Setting(0.0 if math.isnan(gain) else min(gain, _MOST_GAIN))
        if before.true_peak_db + setting.gain > self.ceiling - _CLEAR:
            setting = self._searched(reader, setting.gain)
        yield from self._rendered(reader, setting)

    def effects(self, setting: Setting) -> tuple[Effect, ...]:
        """The gain, and behind it the limiter where it is needed."""
        if setting.under is None:
            return tuple(_gains(setting.gain))
        ceiling = Brickwall(ceiling=max(SILENCE_DB, self.ceiling - setting.under))
        return (*_gains(setting.gain), ceiling, *([Gain(gain=setting.trim)] if setting.trim else []))

    def limited(self, gain: float) -> tuple[Effect, ...]:
        """The effects with a given gain and the limiter where it mostly ends up, for what cannot be searched."""
        return self.effects(Setting(gain, _FIRST_UNDER))

    def _searched(self, reader: NodeReader, gain: float) -> Setting:
        """The gain (by the secant method) and the ceiling that, limiter included, give the loudness under the ceiling."""
        under = _FIRST_UNDER
        tried: list[tuple[float, float, Setting]] = []
        missed: list[tuple[float, float]] = []
        for _ in range(_PASSES):
            setting = Setting(gain, under)
            heard = self._heard(reader, setting).read()
            missing, over = self.loudness - heard.integrated, heard.true_peak_db - (self.ceiling - _CLEAR)
            if abs(missing) <= _TOLERANCE and over <= 0:
                return setting
            tried.append((max(over, 0.0), missing, setting))
            missed = [*missed[-1:], (gain, missing)]
            step = missing
            if len(missed) > 1:
                (gain_a, missing_a), (gain_b, missing_b) = missed
                slope = (missing_b - missing_a) / (gain_b - gain_a) if gain_a != gain_b else 0.0
                step = -missing_b / slope if slope < -0.05 else missing
            if over > 0 or (len(tried) == 1 and over < -2 * _CLEAR):
                # How far the limiter falls short depends on the sound, and no level is to be given away. With another
                # ceiling the loudness is another one too: what was learnt about the gain is void.
                under, missed = max(0.0, under + over + _CLEAR), []
            gain = min(gain + max(-6.0, min(6.0, step)), _MOST_GAIN)
            if (gain, under) == (setting.gain, setting.under):
                break
        over, _, best = min(tried, key=lambda one: abs(one[1]) + one[0])
        return replace(best, trim=-over)

    def _heard(self, reader: NodeReader, setting: Setting) -> LoudnessMeter:
        meter = LoudnessMeter(self.context.rate, self.context.channels)
        for block in self._rendered(reader, setting):
            meter.push(block)
        return meter

    def _rendered(self, reader: NodeReader, setting: Setting) -> Iterator[Block]:
        early = self.start
        for block in self._processed(reader, setting):
            yield block[:, early:]
            early -= min(early, block.shape[1])

    def _processed(self, reader: NodeReader, setting: Setting) -> Iterator[Block]:
        line = EffectChain(self.effects(setting), self.context, PIECE)
        owed = 0
        for block in reader.blocks(self.inputs[0]):
            out = line.push(block)
            owed += block.shape[1] - out.shape[1]
            yield out
        while owed > 0:
            out = line.push(np.zeros((self.context.channels, PIECE), np.float32))[:, :owed]
            owed -= out.shape[1]
            yield out


def _gains(total: float) -> Iterator[Effect]:
    """A gain in dB as faders in a row, since none goes all the way."""
    while abs(total) > _ONE_GAIN:
        step = math.copysign(_ONE_GAIN, total)
        yield Gain(gain=step)
        total -= step
    yield Gain(gain=total)
