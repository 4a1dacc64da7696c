"""A channel equaliser in one step."""

from __future__ import annotations

from typing import Any

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.effects.biquads import BUTTERWORTH, Cascade, Section, section
from studio.knobs import LOG, Live, knob
from studio.steps import Effect, Run
from studio.units import DB, HZ


def _hz(default: float, help: str) -> Any:
    return knob(default, 10.0, 22_000.0, HZ, taper=LOG, help=help)


def _db(help: str) -> Any:
    return knob(0.0, -24.0, 24.0, DB, help=help)


def _q() -> Any:
    return knob(0.9, 0.1, 18.0, taper=LOG, help="narrowness of the band")


class Eq(Effect):
    """A parametric equaliser: two shelves, two bells, and cuts at both ends (12 dB per octave).

    A band at 0 dB, `low_cut` at its lowest and `high_cut` at its highest leave the sound as it is.
    """

    low: Live = _db("gain of the low shelf")
    low_mid: Live = _db("gain of the lower bell")
    high_mid: Live = _db("gain of the upper bell")
    high: Live = _db("gain of the high shelf")
    low_hz: Live = _hz(110.0, "corner of the low shelf")
    low_mid_hz: Live = _hz(400.0, "centre of the lower bell")
    high_mid_hz: Live = _hz(2_500.0, "centre of the upper bell")
    high_hz: Live = _hz(8_000.0, "corner of the high shelf")
    low_mid_q: Live = _q()
    high_mid_q: Live = _q()
    low_cut: Live = _hz(10.0, "cut everything below")
    high_cut: Live = _hz(22_000.0, "cut everything above")

    libraries = ("scipy",)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        cascade = Cascade(6, context.channels)

        def run(block: Block, now: BlockContext) -> Block:
            out = np.empty_like(block)
            for piece, held in now.cells(*self.parameters()):
                out[:, piece] = cascade(_sections(held, context.rate), block[:, piece])
            return out

        return run


def _sections(held: dict[str, float], rate: int) -> list[Section]:
    """Bands that do nothing are left out exactly, not approximated."""
    idle = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
    shelf = BUTTERWORTH
    return [
        section("highpass", held["low_cut"], BUTTERWORTH, 0, rate) if held["low_cut"] > 10.0 else idle,
        section("low shelf", held["low_hz"], shelf, held["low"], rate) if held["low"] else idle,
        section("bell", held["low_mid_hz"], held["low_mid_q"], held["low_mid"], rate) if held["low_mid"] else idle,
        section("bell", held["high_mid_hz"], held["high_mid_q"], held["high_mid"], rate) if held["high_mid"] else idle,
        section("high shelf", held["high_hz"], shelf, held["high"], rate) if held["high"] else idle,
        section("lowpass", held["high_cut"], BUTTERWORTH, 0, rate) if held["high_cut"] < 22_000.0 else idle,
    ]
