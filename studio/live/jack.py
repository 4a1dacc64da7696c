"""Playing through JACK."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from studio.context import GRID
from studio.errors import MissingError, RenderError
from studio.floating_point import floating_point_kept
from studio.live.output import LiveOutput
from studio.live.player import LivePlayer
from studio.live.priority import ahead, undisturbed
from studio.typed import present


class Jack(LiveOutput):
    """A client of the JACK server that runs.

    Args:
        name: of the client.
        follow: whether JACK's transport says where in the song it is.
        connect: whether it is plugged into the system's ports.

    Raises:
        MissingError: JACK-Client is not installed, or no JACK server runs.
        RenderError: the server's period is none that chains can be played at.
    """

    def __init__(self, name: str = "studio", *, follow: bool = False, connect: bool = True) -> None:
        try:
            with floating_point_kept():
                import jack
        except (ImportError, OSError):
            raise MissingError(
                "live playing through JACK needs it and the package JACK-Client.",
                "pip install 'mirepoix[live]', and install jackd2.",
            ) from None
        # What the library has to say on its own goes to nobody: what matters of it is raised.
        jack.set_error_function(lambda said: None)
        jack.set_info_function(lambda said: None)
        try:
            self._client: Any = jack.Client(name, no_start_server=True)
        except jack.JackError:
            raise MissingError("no JACK server runs.", "Start one, such as: jackd -d alsa") from None
        self._follow, self._connect, self._rolling = follow, connect, jack.ROLLING
        self._ins: list[Any] = []
        self._outs: list[Any] = []
        super().__init__(int(self._client.samplerate), int(self._client.blocksize))
        if self.period % GRID:
            self.close()
            raise RenderError(f"JACK's period is {self.period} frames.", f"Choose a multiple of {GRID}, such as 128.")

    def close(self) -> None:
        """Let go of the device; it can be called again."""
        self._client.close()

    @contextmanager
    def playing(self, player: LivePlayer) -> Iterator[None]:
        """Whether sound is being asked for."""
        channels = range(1, player.voice.context.channels + 1)
        self._ins = [self._client.inports.register(f"in_{channel}") for channel in channels if player.voice.listens]
        self._outs = [self._client.outports.register(f"out_{channel}") for channel in channels]
        player.warm(self.period)
        self._player = player
        self._client.set_process_callback(self._process)
        self._client.set_xrun_callback(self._late)
        with undisturbed():
            self._client.activate()
            self._plug()
            try:
                yield
            finally:
                self._client.deactivate()

    def _plug(self) -> None:
        if self._connect:
            for port, target in zip(self._outs, self._physical(is_input=True), strict=False):
                self._client.connect(port, target)
            for source, port in zip(self._physical(is_output=True), self._ins, strict=False):
                self._client.connect(source, port)

    def _physical(self, **kind: bool) -> list[Any]:
        return list(self._client.get_ports(is_physical=True, is_audio=True, **kind))

    def _late(self, delay: float) -> None:
        # JACK says so on a thread of its own, which keeps Python for as long as it is put to sleep in here.
        ahead()
        self._watch.xruns += 1

    def _process(self, frames: int) -> None:
        player = present(self._player)
        self._watch.begin()
        block = np.zeros((len(self._outs), frames), np.float32)
        for channel, port in zip(block, self._ins, strict=False):
            channel[:] = port.get_array()
        place, rolling = None, True
        if self._follow:
            state, position = self._client.transport_query_struct()
            # Begun as much earlier as the chains are late, so that what is heard is where the transport is.
            place, rolling = int(position.frame) + player.latency, state == self._rolling
        out = player.process(block, place, rolling)
        for port, channel in zip(self._outs, out, strict=True):
            port.get_array()[:] = channel
        self._watch.end()
