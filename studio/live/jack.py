"""Playing through JACK."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from studio.context import GRID
from studio.errors import MissingError, RenderError
from studio.floating_point import floating_point_kept
from studio.live.output import LEAVING_SECONDS, LiveOutput
from studio.live.player import LivePlayer
from studio.live.priority import undisturbed
from studio.live.transport import LiveTransport, frame_at
from studio.typed import present

_FRAMES = 1 << 32
"""At how many frames JACK's count of them begins anew."""


class Jack(LiveOutput):
    """A client of the JACK server that runs.

    It leaves by its own callback, which tells JACK that it was the last. JACK's deactivate cancels the thread of a
    callback that is late wherever it stands, and with it whoever waits for the turn of Python that it holds.
    For the same reason JACK calls nothing else of it: what came too late is seen in JACK's count of frames.

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
        self._exit = jack.CallbackExit
        self._due: int | None = None
        self._leaving = False
        self._left = threading.Event()
        self._left.set()
        self._ins: list[Any] = []
        self._outs: list[Any] = []
        super().__init__(int(self._client.samplerate), int(self._client.blocksize))
        if self.period % GRID:
            self.close()
            raise RenderError(f"JACK's period is {self.period} frames.", f"Choose a multiple of {GRID}, such as 128.")

    def close(self) -> None:
        """Let go of the device; it can be called again. A callback that has not left keeps it until the process ends."""
        if self._left.is_set():
            self._client.close()

    @contextmanager
    def playing(self, player: LivePlayer) -> Iterator[None]:
        """Play while it lasts."""
        channels = range(1, player.voice.context.channels + 1)
        self._ins = [self._client.inports.register(f"in_{channel}") for channel in channels if player.voice.listens]
        self._outs = [self._client.outports.register(f"out_{channel}") for channel in channels]
        player.warm(self.period)
        self._player = player
        self._client.set_process_callback(self._process)
        with undisturbed():
            self._client.activate()
            self._left.clear()
            try:
                self._plug()
                yield
            finally:
                self._leaving = True
                self._left.wait(LEAVING_SECONDS)

    def transport(self, player: LivePlayer) -> LiveTransport:
        """What starts, stops and moves the song: JACK's transport where it is followed, else the player."""
        return self if self._follow else player

    @property
    def rolls(self) -> bool:
        """Whether JACK's transport moves."""
        return bool(self._client.transport_state == self._rolling)

    @property
    def seconds(self) -> float:
        """Where JACK's transport is, in seconds."""
        return int(self._client.transport_frame) / self.rate

    def roll(self, on: bool) -> None:
        """Start JACK's transport, or stop it."""
        (self._client.transport_start if on else self._client.transport_stop)()

    def locate(self, seconds: float) -> None:
        """Move JACK's transport to a time, in seconds.

        Raises:
            KnobError: it is none.
        """
        self._client.transport_frame = frame_at(seconds, self.rate)

    def _plug(self) -> None:
        if self._connect:
            for port, target in zip(self._outs, self._physical(is_input=True), strict=False):
                self._client.connect(port, target)
            for source, port in zip(self._physical(is_output=True), self._ins, strict=False):
                self._client.connect(source, port)

    def _physical(self, **kind: bool) -> list[Any]:
        return list(self._client.get_ports(is_physical=True, is_audio=True, **kind))

    def _process(self, frames: int) -> None:
        if self._leaving:
            self._left.set()
            raise self._exit
        now = int(self._client.last_frame_time)
        self._watch.xruns += self._due is not None and now != self._due
        self._due = (now + frames) % _FRAMES
        player = present(self._player)
        self._watch.begin()
        block = np.zeros((len(self._outs), frames), np.float32)
        for channel, port in zip(block, self._ins, strict=False):
            channel[:] = port.get_array()
        frame, rolling = None, True
        if self._follow:
            state, position = self._client.transport_query_struct()
            # Begun as much earlier as the chains are late, so that what is heard is where the transport is.
            frame, rolling = int(position.frame) + player.latency, state == self._rolling
        out = player.process(block, frame, rolling)
        for port, channel in zip(self._outs, out, strict=True):
            port.get_array()[:] = channel
        self._watch.end()
