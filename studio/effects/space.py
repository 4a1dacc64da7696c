"""Rooms: reverberation and convolution."""

from __future__ import annotations

from pathlib import Path

from studio.audio import Audio
from studio.audiofile import probe
from studio.budgets import check_memory
from studio.context import RenderContext
from studio.effects.pedal import Pedal
from studio.effects.response import read_response
from studio.knobs import Live, file, knob, switch
from studio.steps import Effect
from studio.units import DB, MS


class Reverb(Pedal):
    """A room, after Schroeder and Moorer (JUCE's Freeverb).

    In a chain keep some `dry`; on a send bus write `wet: 1, dry: 0`.
    """

    room_size: Live = knob(0.5, 0.0, 1.0, help="how long it rings")
    damping: Live = knob(0.5, 0.0, 1.0, help="how fast the highs die away")
    wet: Live = knob(0.25, 0.0, 1.0, help="level of the room")
    dry: Live = knob(0.4, 0.0, 1.0, help="level of the sound itself; 0.5 is as loud as it was")
    width: Live = knob(1.0, 0.0, 1.0, help="stereo width of the room")
    freeze: bool = switch(False, help="let the room ring for ever")
    predelay: float = knob(0.0, 0.0, 250.0, MS, help="how long the room waits before it answers", live=False)

    pedal = "Reverb"
    turns = {
        "room_size": "room_size",
        "damping": "damping",
        "wet": "wet_level",
        "dry": "dry_level",
        "width": "width",
        "freeze": "freeze_mode",
    }

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels <= 2

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        # Near its end a long tail comes in single peaks, with silence between them.
        return 1.0 + self.predelay / 1000


class Convolution(Effect):
    """Play the sound through the impulse response of a room, a speaker or anything else.

    The response is brought to unit energy, so that noise comes out as loud as it went in; `gain` trims it.
    """

    version = 2

    file: str = file(help="the impulse response, an audio file")
    mix: Live = knob(0.3, 0.0, 1.0, help="room against the dry sound")
    gain: Live = knob(0.0, -60.0, 36.0, DB, help="level of the room")

    libraries = ("soundfile", "soxr")

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels <= 2

    def response(self, knob: str, context: RenderContext) -> Audio:
        """The room, at its own rate.

        Raises:
            StudioError: it cannot be read, or held in memory.
        """
        path = context.find(self.file)
        _check_memory(path, context)
        return read_response(path)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        rate, _, frames = probe(context.find(self.file))
        return frames / rate + 0.05


def _check_memory(path: Path, context: RenderContext) -> None:
    """Refuse a response that cannot be held in memory, before it is read."""
    rate, channels, frames = probe(path)
    seconds, held = frames / rate, 4 * (min(channels, 2) + context.channels)
    needed = frames * max(held, 4 * channels)
    if rate != context.rate:
        needed += (8 + 4) * context.channels * int(seconds * (rate + context.rate))
    check_memory(needed, f"a response of {seconds:,.0f} s", "Shorten it.")
