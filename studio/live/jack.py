"""Playing through JACK."""

from __future__ import annotations

import gc
import sys
import time
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from studio.errors import MissingError, RenderError
from studio.live.player import Player
from studio.live.priority import SWITCH_SECONDS, ahead
from studio.stage import GRID


@dataclass(frozen=True)
class Health:
    """How it went: periods played, those that came too late, and the times in ms."""

    periods: int
    xruns: int
    slowest_ms: float
    period_ms: float
    latency_ms: float
    """From input to output: a period each way, and the chain's own; what the sound card adds, JACK knows: `jack_lsp -l`."""


class Jack:
    """A JACK client that plays a `Player`.

    Args:
        player: what plays.
        name: of the client.
        follow: whether JACK's transport says where in the loop it is.
        connect: whether it is plugged into the system's ports.

    Raises:
        MissingError: JACK-Client is not installed, or no JACK server runs.
        RenderError: the server's rate or period is none that the chain can be played at.
    """

    def __init__(self, player: Player, name: str = "studio", *, follow: bool = False, connect: bool = True) -> None:
        try:
            import jack
        except (ImportError, OSError):
            raise MissingError(
                "live playing needs JACK and the package JACK-Client.",
                "pip install 'mirepoix[live]', and install jackd2.",
            ) from None
        try:
            self._client: Any = jack.Client(name, no_start_server=True)
        except jack.JackError:
            raise MissingError("no JACK server runs.", "Start one, such as: jackd -d alsa") from None
        self._player, self._follow, self._connect = player, follow, connect
        self._rolling = jack.ROLLING
        self.xruns = self.periods = 0
        self._switch = 0.0
        self._slowest = 0.0
        self._check()
        channels = range(player.stage.channels)
        ins = channels if player.listens else ()
        self._ins = [self._client.inports.register(f"in_{channel + 1}") for channel in ins]
        self._outs = [self._client.outports.register(f"out_{channel + 1}") for channel in channels]
        self._client.set_process_callback(self._process)
        self._client.set_xrun_callback(self._late)

    @staticmethod
    def rate() -> int:
        """The sample rate of the server that runs.

        Raises:
            MissingError: see `Jack`.
        """
        try:
            import jack

            client = jack.Client("studio-rate", no_start_server=True)
        except (ImportError, OSError):
            raise MissingError("live playing needs JACK-Client.", "pip install 'mirepoix[live]'") from None
        except jack.JackError:
            raise MissingError("no JACK server runs.", "Start one, such as: jackd -d alsa") from None
        rate = int(client.samplerate)
        client.close()
        return rate

    def _check(self) -> None:
        client, stage = self._client, self._player.stage
        if client.samplerate != stage.rate:
            raise RenderError(
                f"JACK runs at {client.samplerate} Hz, the song at {stage.rate} Hz.",
                f"Start JACK with -r {stage.rate}, or write `rate: {client.samplerate}` in the recipe.",
            )
        if client.blocksize % GRID:
            raise RenderError(
                f"JACK's period is {client.blocksize} frames.", f"Choose a multiple of {GRID}, such as 128."
            )

    def __enter__(self) -> Self:
        self._player.warm(self._client.blocksize)
        self._switch = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_SECONDS)
        ahead()
        gc.collect()
        gc.freeze()
        gc.disable()
        self._client.activate()
        if self._connect:
            for port, target in zip(self._outs, self._physical(is_input=True), strict=False):
                self._client.connect(port, target)
            for source, port in zip(self._physical(is_output=True), self._ins, strict=False):
                self._client.connect(source, port)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.deactivate()
        self._client.close()
        gc.enable()
        gc.unfreeze()
        sys.setswitchinterval(self._switch)

    def _physical(self, **kind: bool) -> list[Any]:
        return list(self._client.get_ports(is_physical=True, is_audio=True, **kind))

    def _late(self, delay: float) -> None:
        self.xruns += 1

    def _process(self, frames: int) -> None:
        begun = time.perf_counter()
        block = np.zeros((len(self._outs), frames), np.float32)
        for channel, port in zip(block, self._ins, strict=False):
            channel[:] = port.get_array()
        place, rolling = None, True
        if self._follow:
            state, position = self._client.transport_query_struct()
            # Begun as much earlier as the chains are late, so that what is heard is where the transport is.
            place, rolling = int(position.frame) + self._player.latency, state == self._rolling
        out = self._player.process(block, place, rolling)
        for port, channel in zip(self._outs, out, strict=True):
            port.get_array()[:] = channel
        self.periods += 1
        self._slowest = max(self._slowest, time.perf_counter() - begun)

    def health(self) -> Health:
        """How it has gone so far."""
        client = self._client
        period = client.blocksize / client.samplerate * 1000
        chain = self._player.latency / client.samplerate * 1000
        return Health(
            self.periods,
            self.xruns,
            round(self._slowest * 1000, 3),
            round(period, 3),
            round(2 * period + chain, 3),
        )
