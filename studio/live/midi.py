"""Turning dials by MIDI controllers, which are learned by moving them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Self

from studio.errors import MissingError, RecipeError
from studio.live.live_parameters import Dials

Control = tuple[int, int]
"""Channel (0 to 15) and number of a controller."""


class MidiMap:
    """Which controller turns which dial.

    Args:
        dials: gives the dials as they are now.
        bound: what is bound from the start.
    """

    def __init__(self, dials: Callable[[], Dials], bound: dict[Control, str] | None = None) -> None:
        self._dials = dials
        self.bound: dict[Control, str] = dict(bound or {})
        self._learning: str | None = None

    def learn(self, address: str) -> None:
        """Bind a dial to the next controller that moves."""
        self._learning = address

    def take(self, data: Sequence[int]) -> None:
        """Act on a MIDI message; what is no controller is passed over."""
        if len(data) != 3 or data[0] >> 4 != 0xB:
            return
        control = (data[0] & 15, data[1])
        if self._learning is not None:
            self.bound[control] = self._learning
            self._learning = None
        dial = self._dials().get(self.bound.get(control, ""))
        if dial is not None:
            dial.slide(min(127, data[2]) / 127)


def parse_bindings(words: Sequence[str]) -> dict[Control, str]:
    """Bindings as the command line gives them: ``chorus.rate=21``, or ``chorus.rate=2:21`` on channel 2.

    Raises:
        RecipeError: one of them is none.
    """
    bound: dict[Control, str] = {}
    for word in words:
        address, _, where = word.rpartition("=")
        channel, _, number = where.rpartition(":")
        channel = channel or "1"
        if not address or not (channel.isdecimal() and number.isdecimal()):
            raise RecipeError(f"{word!r} binds no controller.", "Write chorus.rate=21, or chorus.rate=2:21.")
        if not (1 <= int(channel) <= 16 and int(number) <= 127):
            raise RecipeError(f"{word!r}: there is no such controller.", "Channels go from 1 to 16, numbers to 127.")
        bound[int(channel) - 1, int(number)] = address
    return bound


class MidiInput:
    """A virtual MIDI input that feeds a map: the system's own, or JACK's where the system has none.

    Raises:
        MissingError: python-rtmidi is not installed, or this system has no MIDI.
    """

    def __init__(self, controls: MidiMap, name: str = "studio") -> None:
        try:
            import rtmidi
        except ImportError:
            raise MissingError("MIDI needs the package python-rtmidi.", "pip install 'mirepoix[live]'") from None
        self._port: Any = None
        for api in rtmidi.get_compiled_api():
            with suppress(SystemError, rtmidi.SystemError, rtmidi.RtMidiError, NotImplementedError):
                self._port = rtmidi.MidiIn(api, name=name)
                self._port.open_virtual_port("control")
                self._port.set_callback(lambda event, _: controls.take(event[0]))
                return
        raise MissingError("this system gives no MIDI input.", "Start JACK, or leave --midi out.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._port.cancel_callback()
        self._port.close_port()
        self._port.delete()
