"""Units that play together in real time, with their dials."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.context import RenderContext
from studio.live.clock import LiveClock
from studio.live.live_parameters import LiveParameter
from studio.live.muting import MuteGate
from studio.live.units import Effects, Input, LiveUnit, Round

_LONGEST_WARMING = 2.0
"""Seconds of silence after which a chain has shown how late it is."""

_SETTLED = 16


class LiveVoice:
    """Something that plays block by block; it gives as many frames as it takes, silence first where it has latency.

    Args:
        units: in the order in which they play; the last one is heard.
        dials: its knobs, by address.
        context: rate, channels and tempo, with `clock` as its `song_frame`.
        clock: where in the song it is.
        remarks: what whoever plays it should know.
        files: those that it was made of.
        gates: what mutes its strips, by their names.
    """

    def __init__(
        self,
        units: Sequence[LiveUnit],
        dials: Mapping[str, LiveParameter],
        context: RenderContext,
        clock: LiveClock,
        remarks: Sequence[str] = (),
        files: Collection[Path] = (),
        gates: Mapping[str, MuteGate] | None = None,
    ) -> None:
        self.dials, self.context, self.remarks = dials, context, tuple(remarks)
        self.files, self.gates = tuple(files), gates or {}
        self._units, self._clock, self._turning = tuple(units), clock, tuple(dials.values())
        self._ready = np.zeros((context.channels, 0), np.float32)
        self._count = 0
        self.latency = 0
        """Frames by which it is late, as far as has been found."""

    @property
    def listens(self) -> bool:
        """Whether it plays live input."""
        return any(isinstance(unit, Input) for unit in self._units)

    @property
    def frames(self) -> int | None:
        """How long its loop is; None where it has no end."""
        return self._clock.frames

    @property
    def troubles(self) -> list[str]:
        """What has gone wrong while it played."""
        return [str(unit.failed) for unit in self._units if isinstance(unit, Effects) and unit.failed]

    def warm(self, frames: int) -> None:
        """Make what is made at the first blocks, of `frames` each, and find the latency, before sound waits for it."""
        silence = np.zeros((self.context.channels, frames), np.float32)
        settled = 0
        for _ in range(max(_SETTLED, int(_LONGEST_WARMING * self.context.rate / frames))):
            late = self.latency
            self.process(silence, 0, rolling=False)
            settled = settled + 1 if self.latency == late else 0
            if settled == _SETTLED:
                return

    def process(self, block: Block, frame: int, rolling: bool = True) -> Block:
        """The next block.

        Args:
            block: the live input, of a multiple of `GRID` frames.
            frame: the frame of the song that is due.
            rolling: whether the song goes on; while it does not, it is silent, and what rings rings on.
        """
        frames = block.shape[1]
        for dial in self._turning:
            dial.begin()
        for gate in self.gates.values():
            gate.begin()
        if rolling:
            self._clock.locate(self._count, frame)
        self._count += frames
        due = Round(block, frame if rolling else None)
        for unit in self._units:
            unit.run(due)
        return self._filled(self._units[-1].out, frames)

    def _filled(self, out: Block, frames: int) -> Block:
        self._ready = np.concatenate([self._ready, out], axis=1) if self._ready.shape[1] else out
        missing = frames - self._ready.shape[1]
        if missing > 0:
            self.latency += missing
            silence = np.zeros((self._ready.shape[0], missing), np.float32)
            self._ready = np.concatenate([silence, self._ready], axis=1)
        given, self._ready = self._ready[:, :frames], self._ready[:, frames:]
        return given
