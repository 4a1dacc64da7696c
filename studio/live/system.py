"""Playing through the system's own audio, by pedalboard's AudioStream, where there is no JACK."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from studio.errors import MissingError, RenderError, nearest
from studio.live.output import LEAVING_SECONDS, LiveOutput
from studio.live.player import LivePlayer
from studio.live.priority import ahead, undisturbed

PERIOD = 512
"""Frames of a buffer: sound is made for the next one while one is played."""


class System(LiveOutput):
    """A device of the system's audio.

    Args:
        rate: in Hz, as the song has it; the device may take another.
        device: its name; None for the system's choice.
        period: frames of a buffer.
        listens: whether its input is heard too.

    Raises:
        MissingError: there is no such device.
        RenderError: it cannot be opened.
    """

    def __init__(self, rate: int, device: str | None = None, *, period: int = PERIOD, listens: bool = False) -> None:
        from pedalboard.io import AudioStream

        outputs = AudioStream.output_device_names
        output = _chosen(device, outputs, AudioStream.default_output_device_name, "output")
        entry = None
        if listens:
            entry = _chosen(device, AudioStream.input_device_names, AudioStream.default_input_device_name, "input")
        try:
            self._stream: Any = AudioStream(
                entry, output, sample_rate=rate, buffer_size=period, num_input_channels=2, num_output_channels=2
            )
        except (ValueError, RuntimeError) as error:
            raise RenderError(f"{output!r} cannot be opened: {error}", "Choose another: --device NAME.") from None
        self._stream.ignore_dropped_input = True
        super().__init__(round(self._stream.sample_rate), period)
        self._listens, self._running = listens, False

    def close(self) -> None:
        """Let go of the device; it can be called again."""
        self._stream.close()

    @contextmanager
    def playing(self, player: LivePlayer) -> Iterator[None]:
        """Play while it lasts."""
        player.warm(self.period)
        self._player, self._running = player, True
        thread = threading.Thread(target=self._play, args=(player,), daemon=True, name="sound")
        with undisturbed(), self._stream:
            thread.start()
            try:
                yield
            finally:
                self._running = False
                thread.join(LEAVING_SECONDS)

    def _play(self, player: LivePlayer) -> None:
        ahead(2)
        silence = np.zeros((2, self.period), np.float32)
        while self._running:
            block = self._stream.read(self.period) if self._listens else silence
            self._watch.begin()
            out = player.process(block)
            self._watch.end()
            self._watch.xruns += self._watch.last > self.period / self.rate
            # Waits until the device has room for it, which is what keeps time.
            self._stream.write(out, self._stream.sample_rate)


def _chosen(device: str | None, there: list[str], usual: str | None, what: str) -> str:
    if not there:
        raise MissingError(
            f"no JACK server runs, and this system has no audio {what}.",
            "Start JACK, such as jackd -d alsa (or -d dummy for other programs to listen to), or connect a device.",
        )
    if device is not None and device not in there:
        raise MissingError(f"there is no audio {what} {device!r}.", nearest(device, there))
    return device or usual or there[0]
