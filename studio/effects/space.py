"""Rooms: reverberation and convolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studio.audio import Audio, Block, to_channels
from studio.audiofile import probe
from studio.budgets import check_memory
from studio.context import BlockContext, RenderContext
from studio.effect_chain import Fifo
from studio.effects.convolver import Convolver
from studio.effects.pedal import Pedal
from studio.effects.response import read_response, resampled
from studio.errors import within
from studio.knobs import Live, file, knob, switch
from studio.levels import amplitude
from studio.steps import Effect, Run
from studio.units import DB

_PARTITION = 4096
_CHUNK = 1 << 22
"""Frames that are looked at at a time."""

_FAINT = 1e-8
"""A response of less energy is not brought up: it is as good as silent."""


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

    pedal = "Reverb"
    turns = {
        "room_size": "room_size",
        "damping": "damping",
        "wet": "wet_level",
        "dry": "dry_level",
        "width": "width",
        "freeze": "freeze_mode",
    }

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        # Near its end a long tail comes in single peaks, with silence between them.
        return 1.0


class Convolution(Effect):
    """Play the sound through the impulse response of a room, a speaker or anything else.

    The response is brought to unit energy, so that noise comes out as loud as it went in; `gain` trims it.
    """

    version = 2

    file: str = file(help="the impulse response, an audio file")
    mix: Live = knob(0.3, 0.0, 1.0, help="room against the dry sound")
    gain: Live = knob(0.0, -60.0, 36.0, DB, help="level of the room")

    libraries = ("scipy", "soundfile", "soxr")

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        with within("file"):
            path = context.find(self.file)
            _check_memory(path, context)
            response = read_response(path)
            taps = resampled(to_channels(response.samples, context.channels), response.rate, context.rate)
            convolver = Convolver(taps, _PARTITION, _root_of_energy(taps))
        dry = Fifo(context.channels)

        def run(block: Block, now: BlockContext) -> Block:
            mix = now["mix"]
            dry.push(_level(block, 1 - np.asarray(mix)))
            wet = convolver.push(_level(block, amplitude(now["gain"]) * mix))
            return wet + dry.pull(wet.shape[1])

        return run

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
        return frames / rate + _PARTITION / context.rate


def _level(block: Block, factor: object) -> Block:
    return np.asarray(block * np.asarray(factor), dtype=np.float32)


def _check_memory(path: Path, context: RenderContext) -> None:
    """Refuse a response that cannot be held in memory, before it is read."""
    rate, channels, frames = probe(path)
    seconds, held = frames / rate, 4 * (min(channels, 2) + context.channels)
    needed = frames * max(held, 4 * channels)
    if rate != context.rate:
        needed += (8 + 4) * context.channels * int(seconds * (rate + context.rate))
    check_memory(needed, f"a response of {seconds:,.0f} s", "Shorten it.")


def _root_of_energy(taps: Block) -> float:
    """What a response is divided by, so that its louder channel has an energy of 1."""
    energies = np.zeros(len(taps))
    for start in range(0, taps.shape[1], _CHUNK):
        energies += np.square(taps[:, start : start + _CHUNK].astype(np.float64)).sum(axis=1)
    energy = float(energies.max())
    return float(np.sqrt(energy)) if energy >= _FAINT else 1.0
