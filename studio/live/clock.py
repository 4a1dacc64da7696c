"""Where the song is while it is played in a loop."""

from __future__ import annotations


class LiveClock:
    """Says to which frame of the song a frame belongs that chains count from their start, as `RenderContext.place`.

    Args:
        frames: how long the loop is; without one the song goes on for ever.
    """

    def __init__(self, frames: int | None = None) -> None:
        self.frames = frames
        self._origin = 0

    def __call__(self, count: int) -> int:
        return self._wrapped(count + self._origin)

    def locate(self, count: int, frame: int) -> None:
        """From now on, frame `count` belongs to `frame` of the song."""
        self._origin = frame - count

    def since(self, frame: int, count: int) -> int:
        """How many frames ago `frame` was when `count` is now."""
        return self._wrapped(self(count) - frame)

    def _wrapped(self, frame: int) -> int:
        return frame % self.frames if self.frames else frame
