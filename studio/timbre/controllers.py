"""What the controllers of a part say, as curves over its seconds: bend, pedal, modulation, volume and expression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from studio.score import BEND, CONTROL, POLY_PRESSURE, PRESSURE, Score
from studio.tempo import Floats

MODULATION, DATA, VOLUME, EXPRESSION, DATA_FINE, PEDAL = 1, 6, 7, 11, 38, 64
_SILENCED, _RESET, _RELEASED = 120, 121, 123
_PARAMETER_OF_VENDOR, _PARAMETER = (98, 99), (100, 101)

USUAL = {MODULATION: 0, VOLUME: 100, EXPRESSION: 127, PEDAL: 0}
"""Where the controllers of General MIDI stand at first."""

HEARD = frozenset((*USUAL, DATA, DATA_FINE, *_PARAMETER, _SILENCED, _RESET, _RELEASED, 0, 32))
"""Controllers that are played, and those that choose banks, which no voice has."""

NAMES = {
    2: "breath (CC 2)", 5: "portamento (CC 5, 65)", 65: "portamento (CC 5, 65)", 8: "balance (CC 8)", 10: "pan (CC 10)",
    66: "the sostenuto pedal (CC 66)", 67: "the soft pedal (CC 67)", 68: "the legato pedal (CC 68)",
    91: "reverb (CC 91)", 93: "chorus (CC 93)", 74: "brightness (CC 74)", 71: "resonance (CC 71)",
}  # fmt: skip

Channel = tuple[int, int]
"""A port and a channel."""


@dataclass
class Steps:
    """A value that is held from each change to the next."""

    first: float
    seconds: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def put(self, second: float, value: float) -> None:
        """From a second on it is this."""
        self.seconds.append(second)
        self.values.append(value)

    def at(self, seconds: Floats) -> Floats:
        """What it is at some seconds."""
        indices = np.searchsorted(self.seconds, seconds, side="right")
        return np.array([self.first, *self.values])[indices]


class Controls:
    """The controllers of one channel.

    Attributes:
        bend: semitones, the range by RPN 0 and the tuning by RPN 1 and 2 in it.
        shake: 0 to 1, from modulation and pressure.
        ended: the seconds at which all notes are told to end.
    """

    def __init__(self) -> None:
        self.bend, self.shake = Steps(0.0), Steps(0.0)
        self.of = {number: Steps(float(value)) for number, value in USUAL.items()}
        self.ended: list[float] = []
        self._wheel, self._range, self._coarse, self._fine = 0.0, 2.0, 0.0, 0.0
        self._modulation = self._pressure = 0
        self._parameter: list[int | None] = [None, None]
        self._data = [0, 0]

    def control(self, second: float, number: int, value: int) -> None:
        """Take a control change."""
        if number in self.of:
            self.of[number].put(second, value)
        if number == MODULATION:
            self._modulation = value
            self._shaken(second)
        elif number in _PARAMETER:
            self._parameter[number - _PARAMETER[0]] = value
            self._data = [0, 0]
        elif number in _PARAMETER_OF_VENDOR:
            self._parameter = [None, None]
        elif number in (DATA, DATA_FINE):
            self._data[number == DATA_FINE] = value
            self._set_parameter(second)
        elif number in (_SILENCED, _RELEASED):
            self.ended.append(second)
        elif number == _RESET:
            for other in (MODULATION, EXPRESSION, PEDAL):
                self.of[other].put(second, USUAL[other])
            self._modulation = self._pressure = 0
            self._shaken(second)
            self.wheel(second, 0.0)

    def wheel(self, second: float, share: float) -> None:
        """Turn the pitch wheel: -1 to 1."""
        self._wheel = share
        self.bend.put(second, self._wheel * self._range + self._coarse + self._fine)

    def press(self, second: float, value: int) -> None:
        """Press all keys harder."""
        self._pressure = value
        self._shaken(second)

    def _shaken(self, second: float) -> None:
        self.shake.put(second, min(1.0, (self._modulation + self._pressure) / 127))

    def _set_parameter(self, second: float) -> None:
        coarse, fine = self._data
        if self._parameter == [0, 0]:
            self._range = coarse + fine / 100
        elif self._parameter == [1, 0]:
            self._fine = ((coarse << 7 | fine) - 8192) / 8192
        elif self._parameter == [2, 0]:
            self._coarse = float(coarse - 64)
        self.wheel(second, self._wheel)

    def down_until(self, second: float) -> float:
        """The second at which the pedal that is down at `second` comes up; `second` itself where it is up."""
        pedal = self.of[PEDAL]
        if pedal.at(np.array([second]))[0] < 64:
            return second
        up = (when for when, value in zip(pedal.seconds, pedal.values, strict=True) if when > second and value < 64)
        return next(up, np.inf)


def controls_of(score: Score) -> dict[Channel, Controls]:
    """The controllers of each port and channel of a score."""
    found: dict[Channel, Controls] = {}
    for event, second in zip(score.events, score.seconds.tolist(), strict=True):
        if event.status not in (CONTROL, BEND, PRESSURE):
            continue
        own = found.setdefault((event.port, event.channel), Controls())
        if event.status == CONTROL:
            own.control(second, event.data[1], event.data[2])
        elif event.status == BEND:
            own.wheel(second, ((event.data[2] << 7 | event.data[1]) - 8192) / 8192)
        else:
            own.press(second, event.data[1])
    return found


def unheard(score: Score) -> Iterator[str]:
    """What a score asks of a voice that no voice does, with how often."""
    counts: Counter[str] = Counter()
    for event in score.events:
        if event.status == POLY_PRESSURE:
            counts["pressure on single keys"] += 1
        elif event.status == CONTROL and event.data[1] not in HEARD | {*_PARAMETER_OF_VENDOR}:
            counts[NAMES.get(event.data[1], f"CC {event.data[1]}")] += 1
    for name, count in counts.items():
        yield f"a voice does not play {name}: {count} event{'s' * (count > 1)} left out."
