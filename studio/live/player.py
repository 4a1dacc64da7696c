"""What is heard: a voice, and the fade into the next one when the recipe changes."""

from __future__ import annotations

from collections import deque

import numpy as np

from studio.audio import Block
from studio.context import GRID
from studio.live.live_parameters import Dials, keep_turned
from studio.live.muting import Muting
from studio.live.transport import frame_at
from studio.live.voice import LiveVoice

FADE_SECONDS = 0.03
"""How long an old voice fades into a new one."""


class LivePlayer:
    """Plays a voice, which may be swapped while it runs. It is its own `Transport` where nobody else's is followed.

    Attributes:
        muting: which strips are muted and soloed.
    """

    def __init__(self, voice: LiveVoice) -> None:
        self._voice = self._newest = voice
        self._old: LiveVoice | None = None
        self._faded = self._frame = 0
        self._frames = GRID
        self._jumps = deque[int](maxlen=1)
        self._rolls = True
        self.muting = Muting(voice.gates)

    @property
    def voice(self) -> LiveVoice:
        """The voice that is heard, or about to be."""
        return self._newest

    @property
    def dials(self) -> Dials:
        """Its dials."""
        return self._newest.dials

    @property
    def latency(self) -> int:
        """Frames by which the voice is late."""
        return self._voice.latency

    @property
    def troubles(self) -> list[str]:
        """What has gone wrong in the voice that is heard; its sound goes on dry."""
        return self._voice.troubles

    @property
    def rolls(self) -> bool:
        """Whether the song moves by itself."""
        return self._rolls

    @property
    def seconds(self) -> float:
        """Where in the song it is, in seconds."""
        frame = self._jumps[0] if self._jumps else self._frame
        length = self._newest.frames
        return (frame % length if length else frame) / self._newest.context.rate

    def roll(self, on: bool) -> None:
        """Start the song, or stop it where it is: what rings rings on."""
        self._rolls = on

    def locate(self, seconds: float) -> None:
        """Move to a time, in seconds from the song's start.

        Raises:
            KnobError: it is none.
        """
        self._jumps.append(frame_at(seconds, self._newest.context.rate))

    def warm(self, frames: int) -> None:
        """Get ready for blocks of so many frames."""
        self._frames = frames
        self._voice.warm(frames)

    def swap(self, voice: LiveVoice) -> None:
        """Fade into another voice; knobs that both have, with the same value in the recipe, stay where they are turned."""
        keep_turned(self.dials, voice.dials)
        self.muting.put(voice.gates)
        voice.warm(self._frames)
        # Hands do not rest meanwhile.
        keep_turned(self.dials, voice.dials)
        self.muting.take(voice.gates)
        self._newest = voice

    def process(self, block: Block, frame: int | None = None, rolling: bool = True) -> Block:
        """The next block.

        Args:
            block: the live input.
            frame: the frame of the song that is due, by somebody else's transport; by its own when None.
            rolling: whether the transport moves; while it does not, the song is silent.
        """
        if frame is None:
            frame, rolling = self._jumps.pop() if self._jumps else self._frame, self._rolls
        self._frame = frame + block.shape[1] if rolling else frame
        newest = self._newest
        if newest is not self._voice and self._old is None:
            self._old, self._voice, self._faded = self._voice, newest, 0
        out = self._voice.process(block, frame, rolling)
        return out if self._old is None else self._crossed(self._old.process(block, frame, rolling), out)

    def _crossed(self, old: Block, new: Block) -> Block:
        length = int(FADE_SECONDS * self._voice.context.rate)
        gains = np.clip((self._faded + np.arange(new.shape[1])) / length, 0, 1)
        gains = (gains * gains * (3 - 2 * gains)).astype(np.float32)
        self._faded += new.shape[1]
        if self._faded >= length:
            self._old = None
        return np.asarray(old + (new - old) * gains, dtype=np.float32)
