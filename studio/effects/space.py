"""Rooms: reverberation and convolution."""

from __future__ import annotations

import numpy as np

from studio.audio import Block
from studio.audiofile import probe, read_audio
from studio.effects.pedal import Pedal, fed, pedalboard_version
from studio.errors import within
from studio.knobs import Live, file, knob, switch
from studio.levels import amplitude
from studio.line import Aligned
from studio.stage import Moment, Stage
from studio.steps import Effect, Run
from studio.units import DB

_PARTITION = 4096
_UNIT = 8.0
"""JUCE brings the louder channel of a response to an energy of 1/64; this is the way from there to 1."""


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

    def memory(self, stage: Stage) -> float:
        # Near its end a long tail comes in single peaks, with silence between them.
        return 1.0


class Convolution(Effect):
    """Play the sound through the impulse response of a room, a speaker or anything else.

    The response is brought to unit energy, so that noise comes out as loud as it went in; `gain` trims it.
    """

    file: str = file(help="the impulse response, an audio file")
    mix: Live = knob(0.3, 0.0, 1.0, help="room against the dry sound")
    gain: Live = knob(0.0, -60.0, 36.0, DB, help="level of the room")

    def engine(self) -> str:
        return pedalboard_version()

    def open(self, stage: Stage) -> Run:
        import pedalboard

        with within("file"):
            response = read_audio(stage.find(self.file), stage.rate, stage.channels)
        plugin = pedalboard.Convolution(response.samples, mix=1.0, sample_rate=stage.rate)
        convolve, dry = fed(plugin, stage, _PARTITION), Aligned(stage.channels)

        def run(block: Block, now: Moment) -> Block:
            mix = now["mix"]
            room = _level(block, _UNIT * amplitude(now["gain"]) * mix)
            dry.push(_level(block, 1 - np.asarray(mix)))
            wet = convolve(room, now)
            return wet + dry.pull(wet.shape[1])

        return run

    def memory(self, stage: Stage) -> float:
        rate, _, frames = probe(stage.find(self.file))
        return frames / rate + _PARTITION / stage.rate


def _level(block: Block, factor: object) -> Block:
    return np.asarray(block * np.asarray(factor), dtype=np.float32)
