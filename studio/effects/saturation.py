"""Distortion in the amplitudes."""

from __future__ import annotations

from studio.effects.pedal import Pedal
from studio.knobs import Live, knob
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
