"""Filters."""

from __future__ import annotations

from typing import Any

from studio.effects.pedal import Pedal
from studio.knobs import LOG, Live, choice, knob
from studio.units import DB, HZ


def _cutoff(default: float) -> Any:
    return knob(default, 10.0, 20_000.0, HZ, taper=LOG, help="corner frequency")


def _gain(default: float = 0.0) -> Any:
    return knob(default, -36.0, 36.0, DB, help="how much")


def _q() -> Any:
    return knob(0.7071, 0.1, 18.0, taper=LOG, help="narrowness: centre frequency over bandwidth")


class Lowpass(Pedal):
    """Take away the highs above the cutoff, 6 dB per octave."""

    cutoff: Live = _cutoff(8_000.0)

    pedal = "LowpassFilter"
    turns = {"cutoff": "cutoff_frequency_hz"}


class Highpass(Pedal):
    """Take away the lows below the cutoff, 6 dB per octave."""

    cutoff: Live = _cutoff(80.0)

    pedal = "HighpassFilter"
    turns = {"cutoff": "cutoff_frequency_hz"}


class LowShelf(Pedal):
    """Lift or lower everything below the cutoff."""

    cutoff: Live = _cutoff(150.0)
    gain: Live = _gain()
    q: Live = _q()

    pedal = "LowShelfFilter"
    turns = {"cutoff": "cutoff_frequency_hz", "gain": "gain_db", "q": "q"}


class HighShelf(Pedal):
    """Lift or lower everything above the cutoff."""

    cutoff: Live = _cutoff(6_000.0)
    gain: Live = _gain()
    q: Live = _q()

    pedal = "HighShelfFilter"
    turns = {"cutoff": "cutoff_frequency_hz", "gain": "gain_db", "q": "q"}


class Peak(Pedal):
    """Lift or lower a band around the cutoff: a bell."""

    cutoff: Live = _cutoff(1_000.0)
    gain: Live = _gain()
    q: Live = _q()

    pedal = "PeakFilter"
    turns = {"cutoff": "cutoff_frequency_hz", "gain": "gain_db", "q": "q"}


class Ladder(Pedal):
    """A synthesiser's ladder filter: steep, resonant, and warm when driven."""

    cutoff: Live = _cutoff(1_200.0)
    resonance: Live = knob(0.2, 0.0, 1.0, help="emphasis at the cutoff")
    drive: Live = knob(1.0, 1.0, 20.0, taper=LOG, help="how hard the filter is driven")
    passes: str = choice("lowpass", "lowpass", "highpass", "bandpass", help="which side of the cutoff stays")
    slope: str = choice("24 dB", "12 dB", "24 dB", help="steepness per octave")

    pedal = "LadderFilter"
    turns = {"cutoff": "cutoff_hz", "resonance": "resonance", "drive": "drive"}
