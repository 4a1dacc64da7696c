"""Compressors, gates and limiters.

The detectors are pedalboard's (JUCE's). To listen to another signal than the one they turn down, they are fed
the other signal's magnitude; what they make of it, divided by it, is the gain.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.effects.pedal import Pedal, live
from studio.errors import KnobError
from studio.knobs import LOG, Live, knob, port, switch
from studio.levels import amplitude
from studio.steps import Run
from studio.units import DB, MS, RATIO

if TYPE_CHECKING:
    from pedalboard import Plugin

_FLOOR = np.float32(1e-6)
"""The detectors never hear less than this, so that their gain can always be told."""


def _attack(default: float) -> Any:
    return knob(default, 0.1, 500.0, MS, taper=LOG, help="how fast it acts")


def _release(default: float) -> Any:
    return knob(default, 1.0, 5_000.0, MS, taper=LOG, help="how fast it lets go")


def _gain_of(pedal: Pedal, context: RenderContext) -> Run:
    """A run that gives, instead of the sound, the one gain a pedal has for all channels of what it hears."""
    detector = live(pedal.make(context), context, pedal.settings)

    def run(block: Block, now: BlockContext) -> Block:
        heard = now.side("sidechain")
        key = np.abs(block if heard is None else heard).max(axis=0, keepdims=True)
        key = np.maximum(key, _FLOOR)
        return np.asarray(detector(key, now) / key)

    return run


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
    sidechain: str | None = port(help="the track or bus it listens to")
    link: bool = switch(True, help="one gain for all channels")

    pedal = "Compressor"
    turns = {"threshold": "threshold_db", "ratio": "ratio", "attack": "attack_ms", "release": "release_ms"}

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        if self.sidechain is None and not self.link:
            plain = super().open(context)
            return lambda block, now: np.asarray(plain(block, now) * amplitude(now["makeup"]), dtype=np.float32)
        gain = _gain_of(self, context)
        return lambda block, now: np.asarray(block * gain(block, now) * amplitude(now["makeup"]), dtype=np.float32)


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

    def make(self, context: RenderContext) -> Plugin:
        """The processor, at rest."""
        plugin = super().make(context)
        plugin.ratio = 20.0  # type: ignore[attr-defined]
        return plugin

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        gain = _gain_of(self, context)

        def run(block: Block, now: BlockContext) -> Block:
            deepest = amplitude(-np.asarray(now["depth"]))
            return np.asarray(block * np.maximum(gain(block, now), deepest), dtype=np.float32)

        return run


class Gate(Pedal):
    """Turn down what is below the threshold: pedalboard's NoiseGate, with a side-chain and linked channels."""

    threshold: Live = knob(-45.0, -100.0, 0.0, DB, help="level below which it closes")
    ratio: Live = knob(10.0, 1.0, 60.0, RATIO, taper=LOG, help="how steeply it closes")
    attack: Live = _attack(1.0)
    release: Live = _release(120.0)
    sidechain: str | None = port(help="the track or bus it listens to")
    link: bool = switch(True, help="one gain for all channels")

    pedal = "NoiseGate"
    turns = {"threshold": "threshold_db", "ratio": "ratio", "attack": "attack_ms", "release": "release_ms"}

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        if self.sidechain is None and not self.link:
            return super().open(context)
        gain = _gain_of(self, context)
        return lambda block, now: np.asarray(block * gain(block, now), dtype=np.float32)


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
