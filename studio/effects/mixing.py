"""What a mixer does: level, pan and width."""

from __future__ import annotations

from studio.context import RenderContext
from studio.knobs import Live, choice, knob
from studio.levels import SILENCE_DB
from studio.steps import Effect
from studio.units import DB

LAWS = ("balance", "-3 dB", "-4.5 dB", "-6 dB")


class Gain(Effect):
    """Make it louder or softer; "-inf dB" is silence."""

    gain: Live = knob(0.0, SILENCE_DB, 36.0, DB, help="how much")

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0


class Invert(Effect):
    """Turn the polarity round."""

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0


class Pan(Effect):
    """Place a stereo sound from left (-1) to right (1).

    `balance` leaves the centre as it is and turns the far side down. The other laws are named by the level of
    both channels at the centre: -3 dB keeps the power of a mono sound (sine and cosine), -6 dB its sum, and
    -4.5 dB lies between.
    """

    position: Live = knob(0.0, -1.0, 1.0, help="left to right")
    law: str = choice("balance", *LAWS, help="how loud it is on its way")

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels == 2

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0


class Width(Effect):
    """Widen or narrow a stereo sound: 0 is mono, 1 as it is, 2 twice the difference between the sides.

    A mono file has no sides, and stays as it is.
    """

    width: Live = knob(1.0, 0.0, 2.0, help="how wide")

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels <= 2

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0
