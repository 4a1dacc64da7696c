"""The latency of a hosted plugin, taken off what it gives first."""

from __future__ import annotations

from studio.audio import Block
from studio.hosting.contract import PluginError


class Lateness:
    """What still comes of a plugin's latency before its sound.

    Args:
        name: what the plugin is called.
        frames: its latency when it begins.
    """

    def __init__(self, name: str, frames: int = 0) -> None:
        self._name, self._frames, self._left = name, frames, frames

    def taken_off(self, block: Block, latency: int) -> Block:
        """What of a block is sound; `latency` is what the plugin says of itself now.

        Raises:
            PluginError: it says something else than when it began.
        """
        if latency != self._frames:
            raise PluginError(f"{self._name} changed its latency from {self._frames} to {latency} frames in mid-song.")
        skipped = min(self._left, block.shape[1])
        self._left -= skipped
        return block[:, skipped:]
