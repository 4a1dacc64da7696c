"""A chain that plays block by block, whose knobs are turned and which is swapped while it runs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.audio import Audio, Block
from studio.errors import StudioError
from studio.line import Line
from studio.live.dials import Dial, with_dials
from studio.stage import GRID, Stage
from studio.steps import Effect, Step

FADE_SECONDS = 0.03
"""How long an old chain fades into a new one."""


class Voice:
    """A chain with its dials; it gives as many frames as it takes, silence first where the chain has latency."""

    def __init__(self, chain: Sequence[Step], stage: Stage) -> None:
        steps, self.dials = with_dials(chain)
        effects = [step for step in steps if isinstance(step, Effect)]
        self._line, self._stage = Line(effects, stage), stage
        self._ready = np.zeros((stage.channels, 0), np.float32)
        self._position = 0
        self.latency = 0
        """Frames by which it is late, as far as has been found."""

    def process(self, block: Block) -> Block:
        """The next block, of a multiple of `GRID` frames."""
        frames, rate = block.shape[1], self._stage.rate
        for each in self.dials.values():
            each.begin(self._position / rate, (self._position + frames) / rate)
        self._position += frames
        out = self._line.push(block)
        self._ready = np.concatenate([self._ready, out], axis=1) if self._ready.shape[1] else out
        missing = frames - self._ready.shape[1]
        if missing > 0:
            self.latency += missing
            silence = np.zeros((self._ready.shape[0], missing), np.float32)
            self._ready = np.concatenate([silence, self._ready], axis=1)
        given, self._ready = self._ready[:, :frames], self._ready[:, frames:]
        return given


@dataclass(frozen=True)
class Trouble:
    """What went wrong while playing; the sound goes on, dry."""

    message: str


class Player:
    """Plays input or a loop through a chain.

    Args:
        chain: its effects; transforms, which need a whole sound, are refused by whoever builds it.
        stage: rate, channels and tempo.
        loop: the sound to play over and over; None for the input.
    """

    def __init__(self, chain: Sequence[Step], stage: Stage, loop: Audio | None = None) -> None:
        self.stage, self.loop = stage, loop
        self._voice: Voice | None = Voice(chain, stage)
        self._dials = self._voice.dials
        self._old: Voice | None = None
        self._next: Voice | None = None
        self._faded = 0
        self._place = 0
        self._lock = threading.Lock()
        self.troubles: list[Trouble] = []

    @property
    def dials(self) -> dict[str, Dial]:
        """The dials of the chain that is heard, or about to be."""
        return self._dials

    @property
    def latency(self) -> int:
        """Frames by which the chain is late."""
        return self._voice.latency if self._voice else 0

    def swap(self, chain: Sequence[Step], keep: bool = True) -> None:
        """Fade into another chain; with `keep`, knobs of the same address stay where they are turned."""
        voice = Voice(chain, self.stage)
        silence = np.zeros((self.stage.channels, GRID), np.float32)
        if keep:
            for address, dial in voice.dials.items():
                if address in self._dials and self._dials[address].kind == dial.kind:
                    dial.target = self._dials[address].target
        voice.process(silence)  # what is made at the first block is made here, not while the sound waits
        with self._lock:
            self._dials, self._next = voice.dials, voice

    def process(self, block: Block, place: int | None = None, rolling: bool = True) -> Block:
        """The next block.

        Args:
            block: the input, which a loop takes the place of.
            place: the frame of the song that is due, by the transport; counted on when None.
            rolling: whether the transport moves; while it does not, a loop is silent.
        """
        if self.loop is not None:
            block = self._looped(block.shape[1], place) if rolling else np.zeros_like(block)
        if self._next is not None and self._old is None and self._lock.acquire(blocking=False):
            self._old, self._voice, self._next, self._faded = self._voice, self._next, None, 0
            self._lock.release()
        out = self._through(self._voice, block)
        if self._old is not None:
            out = self._crossed(self._through(self._old, block), out)
        return out

    def _through(self, voice: Voice | None, block: Block) -> Block:
        if voice is None:
            return block
        try:
            return voice.process(block)
        except StudioError as error:
            self.troubles.append(Trouble(str(error)))
            if voice is self._voice:
                self._voice = None
            return block

    def _crossed(self, old: Block, new: Block) -> Block:
        length = int(FADE_SECONDS * self.stage.rate)
        gains = np.clip((self._faded + np.arange(new.shape[1])) / length, 0, 1)
        gains = (gains * gains * (3 - 2 * gains)).astype(np.float32)
        self._faded += new.shape[1]
        if self._faded >= length:
            self._old = None
        return np.asarray(old + (new - old) * gains, dtype=np.float32)

    def _looped(self, frames: int, place: int | None) -> Block:
        assert self.loop is not None
        start = self._place if place is None else place
        self._place = start + frames
        index = (start + np.arange(frames)) % self.loop.frames
        return self.loop.samples[:, index]
