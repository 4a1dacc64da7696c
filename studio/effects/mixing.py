"""What a mixer does: level, pan and width."""

from __future__ import annotations

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.errors import RenderError
from studio.knobs import Live, choice, knob
from studio.levels import SILENCE_DB, amplitude
from studio.steps import Effect, Run
from studio.tempo import Floats
from studio.units import DB

LAWS = ("balance", "-3 dB", "-4.5 dB", "-6 dB")


class Gain(Effect):
    """Make it louder or softer; "-inf dB" is silence."""

    gain: Live = knob(0.0, SILENCE_DB, 36.0, DB, help="how much")

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        return lambda block, now: block * np.asarray(amplitude(now["gain"]), dtype=np.float32)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0


class Invert(Effect):
    """Turn the polarity round."""

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        return lambda block, now: -block

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

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""

        def run(block: Block, now: BlockContext) -> Block:
            if block.shape[0] != 2:
                raise RenderError(f"pan needs stereo, here are {block.shape[0]} channels.", "Take the step out.")
            gains = pan_gains(now["position"], self.law)
            return block * np.stack(np.atleast_1d(*gains)).astype(np.float32)

        return run

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0


def pan_gains(position: Floats | float, law: str) -> tuple[Floats, Floats]:
    """The gains of the left and right channel."""
    right = (np.asarray(position, dtype=np.float64) + 1) / 2
    left = 1 - right
    if law == "balance":
        return np.minimum(1, 2 * left), np.minimum(1, 2 * right)
    if law == "-6 dB":
        return left, right
    cosine, sine = np.cos(right * np.pi / 2), np.sin(right * np.pi / 2)
    if law == "-3 dB":
        return cosine, sine
    return np.sqrt(left * cosine), np.sqrt(right * sine)


class Width(Effect):
    """Widen or narrow a stereo sound: 0 is mono, 1 as it is, 2 twice the difference between the sides.

    A mono file has no sides, and stays as it is.
    """

    width: Live = knob(1.0, 0.0, 2.0, help="how wide")

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels <= 2

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""

        def run(block: Block, now: BlockContext) -> Block:
            if block.shape[0] == 1:
                return block
            if block.shape[0] != 2:
                raise RenderError(f"width needs stereo, here are {block.shape[0]} channels.", "Take the step out.")
            middle = (block[0] + block[1]) / 2
            side = (block[0] - block[1]) / 2 * now["width"]
            return np.stack([middle + side, middle - side]).astype(np.float32)

        return run

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.0
