"""Effects that move by themselves."""

from __future__ import annotations

from studio.curves import WAVES
from studio.effects.pedal import Pedal
from studio.errors import KnobError
from studio.knobs import LOG, Live, choice, knob, span
from studio.steps import Effect
from studio.tempo import Time
from studio.units import DEGREES, HZ, MS


class Chorus(Pedal):
    """Thicken a sound with a short delay that an LFO sweeps."""

    rate: Live = knob(1.0, 0.01, 99.0, HZ, taper=LOG, help="speed of the sweep")
    depth: Live = knob(0.25, 0.0, 1.0, help="width of the sweep")
    mix: Live = knob(0.5, 0.0, 1.0, help="effect against the dry sound")
    delay: Live = knob(7.0, 1.0, 99.0, MS, help="centre of the sweep")
    feedback: Live = knob(0.0, -0.95, 0.95, help="how much comes round again; towards flanging")

    pedal = "Chorus"
    turns = {
        "rate": "rate_hz",
        "depth": "depth",
        "mix": "mix",
        "delay": "centre_delay_ms",
        "feedback": "feedback",
    }


class Phaser(Pedal):
    """Sweep notches through the spectrum."""

    rate: Live = knob(0.5, 0.01, 99.0, HZ, taper=LOG, help="speed of the sweep")
    depth: Live = knob(0.5, 0.0, 1.0, help="width of the sweep")
    mix: Live = knob(0.5, 0.0, 1.0, help="effect against the dry sound")
    centre: Live = knob(1_300.0, 20.0, 18_000.0, HZ, taper=LOG, help="middle of the sweep")
    feedback: Live = knob(0.0, -0.95, 0.95, help="how much comes round again")

    pedal = "Phaser"
    turns = {
        "rate": "rate_hz",
        "depth": "depth",
        "mix": "mix",
        "centre": "centre_frequency_hz",
        "feedback": "feedback",
    }


class Tremolo(Effect):
    """Swing the level in time with the song; with `spread` the channels swing apart, up to auto-pan at 180°."""

    period: Time = span("1/8", help="length of one swing")
    depth: Live = knob(0.5, 0.0, 1.0, help="how far down it swings")
    wave: str = choice("sine", *WAVES, help="shape of the swing")
    spread: float = knob(0.0, 0.0, 180.0, DEGREES, help="phase between the channels", live=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.period:
            raise KnobError("a swing of no length.", "Write 1/8, 2 bars or 0.3 s.", path=("period",))
