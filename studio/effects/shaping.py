"""Effects that listen to what they turn: a transient shaper, a de-esser, a dynamic equaliser and a vocoder."""

from __future__ import annotations

from studio.errors import KnobError
from studio.knobs import LOG, Live, count, knob, port
from studio.steps import Effect
from studio.units import DB, HZ, MS, RATIO


class Transient(Effect):
    """Make hits harder or softer, and what rings behind them longer or shorter, whatever their level.

    Two followers, a quick and a slow one, tell a hit; two that let go quickly and slowly tell what rings.
    """

    attack: Live = knob(6.0, -24.0, 24.0, DB, help="how much louder a full hit becomes")
    sustain: Live = knob(0.0, -24.0, 24.0, DB, help="how much louder what rings behind it becomes")


class DeEsser(Effect):
    """Turn down the hiss of consonants where it stands out, and nothing else.

    It compares the sound above the frequency with the whole, so that loud and soft lines are treated alike.
    """

    frequency: Live = knob(6_000.0, 2_000.0, 16_000.0, HZ, taper=LOG, help="where the hiss begins")
    threshold: Live = knob(-10.0, -40.0, 0.0, DB, help="how loud it may be beside the whole sound")
    most: Live = knob(9.0, 0.0, 30.0, DB, help="how far it is turned down at most")


class DynamicEq(Effect, step="dynamic_eq"):
    """Cut a band only while it is too loud; a bell that follows the level."""

    cutoff: Live = knob(250.0, 20.0, 20_000.0, HZ, taper=LOG, help="centre of the band")
    q: Live = knob(1.0, 0.1, 18.0, taper=LOG, help="narrowness: centre frequency over bandwidth")
    threshold: Live = knob(-30.0, -80.0, 0.0, DB, help="level of the band above which it is cut")
    ratio: Live = knob(3.0, 1.0, 60.0, RATIO, taper=LOG, help="input change over output change")
    attack: Live = knob(5.0, 0.1, 500.0, MS, taper=LOG, help="how fast it acts")
    release: Live = knob(120.0, 1.0, 5_000.0, MS, taper=LOG, help="how fast it lets go")
    most: Live = knob(12.0, 0.0, 36.0, DB, help="how far it is cut at most")
    sidechain: str | None = port(help="the track or bus whose level counts instead")


class Vocoder(Effect):
    """Let a voice speak through this sound: each of its bands is as loud as the same band of the side-chain.

    Put it behind something rich, such as a saw or noise, and name a voice: `vocoder: {sidechain: voice}`.
    """

    sidechain: str | None = port(help="the track or bus that speaks")
    bands: int = count(16, 4, 40, help="how many bands")
    low: float = knob(80.0, 40.0, 1_000.0, HZ, taper=LOG, help="centre of the lowest band", live=False)
    high: float = knob(10_000.0, 2_000.0, 18_000.0, HZ, taper=LOG, help="centre of the highest band", live=False)
    attack: Live = knob(2.0, 0.1, 500.0, MS, taper=LOG, help="how fast a band opens")
    release: Live = knob(25.0, 1.0, 5_000.0, MS, taper=LOG, help="how fast it closes")
    mix: Live = knob(1.0, 0.0, 1.0, help="effect against the dry sound")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.sidechain is None:
            raise KnobError("a vocoder needs a side-chain.", "Write `sidechain: voice`, a track or bus.")


__all__ = ["DeEsser", "DynamicEq", "Transient", "Vocoder"]
