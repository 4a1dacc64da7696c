"""A client of JACK that hears what others play, and knows what the server says came late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from studio.audio import Block


class Ear:
    """What was heard, block by block, with the transport's frame at the start of each.

    Attributes:
        client: the client of JACK, not plugged into anything.
        late: which blocks the server says came late, with their neighbours: silence, or old sound, by the machine's fault.
    """

    def __init__(self, client: Any, channels: int) -> None:
        self.client, self.late = client, set[int]()
        self.frames, self.blocks = list[int](), list[Block]()
        self._ports = [client.inports.register(f"in_{channel}") for channel in range(1, channels + 1)]
        client.set_process_callback(self._hear)
        client.set_xrun_callback(self._miss)

    def _hear(self, frames: int) -> None:
        _, position = self.client.transport_query_struct()
        self.frames.append(int(position.frame))
        self.blocks.append(np.stack([port.get_array() for port in self._ports]))

    def _miss(self, delay: float) -> None:
        self.late.update(range(len(self.blocks) - 2, len(self.blocks) + 3))


@contextmanager
def ear(channels: int = 2) -> Iterator[Ear]:
    """An ear that is open until the end of the block; it can be plugged in when the block begins."""
    import jack

    client = jack.Client("ear", no_start_server=True)
    heard = Ear(client, channels)
    client.activate()
    try:
        yield heard
    finally:
        client.deactivate()
        client.close()
