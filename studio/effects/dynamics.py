"""Compressors, gates and limiters.

The detectors are pedalboard's (JUCE's). With a side-chain they hear another signal than the one they turn down.
"""

from __future__ import annotations

from typing import Any

from studio.effects.pedal import Pedal
from studio.errors import KnobError
from studio.knobs import LOG, Live, knob, port, switch
from studio.units import DB, MS, RATIO


def _attack(default: float) -> Any:
    return knob(default, 0.1, 500.0, MS, taper=LOG, help="how fast it acts")


def _release(default: float) -> Any:
    return knob(default, 1.0, 5_000.0, MS, taper=LOG, help="how fast it lets go")


class Compressor(Pedal):
    """Turn down what is above the threshold, by the ratio.

    With a side-chain it listens to another track or bus. `link` turns all channels down together, so the
    stereo image holds still; without it, it is pedalboard's Compressor to the bit.
    """

    threshold: Live = knob(-18.0, -80.0, 0.0, DB, help="level above which it acts")
    ratio: Live = knob(3.0, 1.0, 60.0, RATIO, taper=LOG, help="input change over output change")
    attack: Live = _attack(8.0)
    release: Live = _release(120.0)
    makeup: Live = knob(0.0, -24.0, 36.0, DB, help="gain afterwards")
    knee: Live = knob(0.0, 0.0, 36.0, DB, help="over how many dB around the threshold it sets in")
    sidechain: str | None = port(help="the track or bus it listens to")
    link: bool = switch(True, help="one gain for all channels")

    pedal = "Compressor"
    turns = {"threshold": "threshold_db", "ratio": "ratio", "attack": "attack_ms", "release": "release_ms"}


class Ducker(Pedal):
    """Step back while another track or bus sounds, by no more than the depth."""

    sidechain: str | None = port(help="the track or bus that makes room for itself")
    depth: Live = knob(9.0, 0.0, 60.0, DB, help="how far it steps back")
    threshold: Live = knob(-30.0, -80.0, 0.0, DB, help="level of the other from which it acts")
    attack: Live = _attack(5.0)
    release: Live = _release(180.0)

    pedal = "Compressor"
    turns = {"threshold": "threshold_db", "attack": "attack_ms", "release": "release_ms"}

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sidechain is None:
            raise KnobError("a ducker needs a side-chain.", "Write `sidechain: kick`, a track or bus.")


class Gate(Pedal):
    """Turn down what is below the threshold: pedalboard's NoiseGate, with a side-chain and linked channels."""

    threshold: Live = knob(-45.0, -100.0, 0.0, DB, help="level below which it closes")
    ratio: Live = knob(10.0, 1.0, 60.0, RATIO, taper=LOG, help="how steeply it closes")
    attack: Live = _attack(1.0)
    release: Live = _release(120.0)
    hold: Live = knob(0.0, 0.0, 2_000.0, MS, help="how long it stays open behind the last that opened it")
    sidechain: str | None = port(help="the track or bus it listens to")
    link: bool = switch(True, help="one gain for all channels")

    pedal = "NoiseGate"
    turns = {"threshold": "threshold_db", "ratio": "ratio", "attack": "attack_ms", "release": "release_ms"}


class Limiter(Pedal):
    """JUCE's two-context limiter: it holds the level under the threshold and then makes up for it."""

    threshold: Live = knob(-6.0, -60.0, 0.0, DB, help="level it holds")
    release: Live = knob(100.0, 1.0, 5_000.0, MS, taper=LOG, help="how fast it lets go")

    pedal = "Limiter"
    turns = {"threshold": "threshold_db", "release": "release_ms"}


class Brickwall(Pedal):
    """A look-ahead limiter that lets no sample, or with `true_peak` no peak between samples, above the ceiling."""

    ceiling: Live = knob(-1.0, -60.0, 0.0, DB, help="highest level that comes out")
    release: Live = knob(100.0, 1.0, 5_000.0, MS, taper=LOG, help="how fast it lets go")
    lookahead: float = knob(5.0, 0.1, 20.0, MS, help="how early it sees a peak; this is its latency", live=False)
    true_peak: bool = switch(True, help="watch the waveform between the samples too")

    pedal = "BrickwallLimiter"
    turns = {"ceiling": "ceiling_db", "release": "release_ms", "lookahead": "lookahead_ms", "true_peak": "true_peak"}
