"""Bringing a finished mix to a loudness."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from studio.audio import Block
from studio.effect_chain import EffectChain
from studio.effects.dynamics import Brickwall
from studio.effects.mixing import Gain
from studio.engine.loudness import Loudness, LoudnessMeter
from studio.engine.nodes import PIECE, Node, NodeReader
from studio.levels import SILENCE_DB
from studio.steps import Effect

log = logging.getLogger(__name__)

_TOLERANCE = 0.05
_PASSES = 8
_MOST_GAIN = 36.0


@dataclass(frozen=True, eq=False)
class Mastered(Node):
    """The mix at an integrated loudness in LUFS, its true peaks under a ceiling in dBTP.

    One gain for the whole song; where that lifts peaks over the ceiling a look-ahead true-peak limiter holds
    them, and the gain is searched again until the loudness is within 0.05 LU.
    """

    loudness: float
    ceiling: float

    libraries = ("pedalboard", "pyloudnorm", "scipy")

    def facts(self) -> Any:
        return [self.loudness, self.ceiling]

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        before = self._measured(reader, 0.0, limit=False)
        if before.integrated == float("-inf"):
            log.warning("the mix is silent, so it has no loudness to bring to %.1f LUFS", self.loudness)
            yield from reader.blocks(self.inputs[0])
            return
        gain = min(self.loudness - before.integrated, _MOST_GAIN)
        limit = before.true_peak_db + gain > self.ceiling
        if limit:
            gain = self._searched(reader, gain)
        yield from self._rendered(reader, gain, limit)

    def effects(self, gain: float, limit: bool) -> tuple[Effect, ...]:
        """The gain in dB, and behind it the limiter where it is needed."""
        # The limiter's interpolation differs a little from the meter's, so it aims a little lower.
        ceiling = Brickwall(ceiling=max(SILENCE_DB, self.ceiling - 0.1))
        return (Gain(gain=gain), ceiling) if limit else (Gain(gain=gain),)

    def _searched(self, reader: NodeReader, gain: float) -> float:
        """The gain that, limiter included, gives the loudness, by the secant method."""
        tried: list[tuple[float, float]] = []
        for _ in range(_PASSES):
            missing = self.loudness - self._measured(reader, gain, limit=True).integrated
            if abs(missing) <= _TOLERANCE:
                return gain
            tried.append((gain, missing))
            step = missing
            if len(tried) > 1:
                (gain_a, missing_a), (gain_b, missing_b) = tried[-2:]
                slope = (missing_b - missing_a) / (gain_b - gain_a) if gain_a != gain_b else 0.0
                step = -missing_b / slope if slope < -0.05 else missing
            gain = min(gain + max(-6.0, min(6.0, step)), _MOST_GAIN)
            if gain == tried[-1][0]:
                break
        best, missing = min(tried, key=lambda pair: abs(pair[1]))
        log.warning(
            "the mix cannot be brought to %.1f LUFS under %.1f dBTP; it is %.1f LU off",
            self.loudness,
            self.ceiling,
            missing,
        )
        return best

    def _measured(self, reader: NodeReader, gain: float, limit: bool) -> Loudness:
        meter = LoudnessMeter(self.context.rate, self.context.channels, true_peak=not limit)
        for block in self._rendered(reader, gain, limit):
            meter.push(block)
        return meter.read()

    def _rendered(self, reader: NodeReader, gain: float, limit: bool) -> Iterator[Block]:
        line = EffectChain(self.effects(gain, limit), self.context, PIECE)
        owed = 0
        for block in reader.blocks(self.inputs[0]):
            out = line.push(block)
            owed += block.shape[1] - out.shape[1]
            yield out
        while owed > 0:
            out = line.push(np.zeros((self.context.channels, PIECE), np.float32))[:, :owed]
            owed -= out.shape[1]
            yield out
