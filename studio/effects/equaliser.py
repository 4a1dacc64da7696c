"""A channel equaliser in one step."""

from __future__ import annotations

from typing import Any

from studio.knobs import LOG, Live, knob
from studio.steps import Effect
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
