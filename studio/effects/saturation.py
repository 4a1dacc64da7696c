"""Distortion in the amplitudes."""

from __future__ import annotations

from studio.effects.pedal import Pedal
from studio.knobs import Live, knob
from studio.steps import Effect
from studio.units import BITS, DB


class Distortion(Pedal):
    """Soft clipping through a hyperbolic tangent."""

    drive: Live = knob(12.0, 0.0, 60.0, DB, help="gain into the curve")

    pedal = "Distortion"
    turns = {"drive": "drive_db"}


class Clip(Pedal):
    """Hard clipping at a threshold."""

    threshold: Live = knob(-6.0, -60.0, 0.0, DB, help="where the waveform is cut off")

    pedal = "Clipping"
    turns = {"threshold": "threshold_db"}


class Bitcrush(Pedal):
    """Fewer bits for each sample, fractions of a bit included."""

    depth: Live = knob(8.0, 0.1, 32.0, BITS, help="bits that stay")

    pedal = "Bitcrush"
    turns = {"depth": "bit_depth"}


class Saturation(Effect):
    """Push it as a valve or a tape is pushed, at four times the sample rate, so that no mirror images of highs come back.

    `bias` moves the curve off its middle, which adds the even harmonics that are called warm.
    """

    drive: Live = knob(9.0, 0.0, 48.0, DB, help="gain into the curve")
    bias: Live = knob(0.2, 0.0, 1.0, help="how far the curve is off its middle")
    output: Live = knob(-3.0, -36.0, 12.0, DB, help="gain behind the curve")
    mix: Live = knob(1.0, 0.0, 1.0, help="effect against the dry sound")
