"""Pitch bends whose range is given in cents, for synthesisers that know whole semitones only."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from studio.score import BEND, CONTROL, Event

_DATA_MSB, _DATA_LSB, _NRPN_LSB, _NRPN_MSB, _RPN_LSB, _RPN_MSB = 6, 38, 98, 99, 100, 101
_RESET = 121
_MIDDLE = 8192
_FULL = 127 / 128
"""A range of n semitones bends FluidSynth by n · 127/128 of them: 1,190.6 cents for twelve."""


@dataclass
class _Wheel:
    """The pitch wheel of one channel: its range, and whether the data entry means it at the moment."""

    semitones: int = 2
    cents: int = 0
    position: int = _MIDDLE
    rpn: tuple[int, int] = (127, 127)
    coarse_given: bool = False
    fine_first: bool = False

    @property
    def whole(self) -> int:
        """The range in whole semitones that reaches as far."""
        return min(127, math.ceil((self.semitones + self.cents / 100) / _FULL)) if self.cents else self.semitones

    def scaled(self, position: int) -> int:
        """Where the wheel must stand in the whole range to bend as far as it is meant to."""
        if not self.cents:
            return position
        share = (self.semitones + self.cents / 100) / (self.whole * _FULL)
        return max(0, min(2 * _MIDDLE - 1, round(_MIDDLE + (position - _MIDDLE) * share)))


def with_bends_in_cents(events: Sequence[Event]) -> list[Event]:
    """The same events, with ranges of cents (RPN 0, data entry LSB) as wider ranges and smaller bends.

    Ranges of whole semitones stay as they are.
    """
    if not any(event.status == CONTROL and event.data[1] == _DATA_LSB and event.data[2] for event in events):
        return list(events)
    wheels: dict[tuple[int, int], _Wheel] = {}
    out: list[Event] = []
    for event in events:
        wheel = wheels.setdefault((event.port, event.channel), _Wheel())
        if event.status == BEND:
            wheel.position = event.data[1] | event.data[2] << 7
            out.append(_bent(event, wheel))
            continue
        if event.status != CONTROL:
            out.append(event)
            continue
        before = (wheel.whole, wheel.scaled(wheel.position))
        event = _controlled(event, wheel)
        out.append(event)
        if event.data[1] == _DATA_LSB and (wheel.whole, wheel.scaled(wheel.position)) != before:
            out.append(event._replace(data=bytes((event.data[0], _DATA_MSB, wheel.whole))))
            out.append(_bent(event, wheel))
        elif event.data[1] == _DATA_MSB and wheel.scaled(wheel.position) != before[1]:
            out.append(_bent(event, wheel))
    return out


def _controlled(event: Event, wheel: _Wheel) -> Event:
    """Follow a controller; the event that says the same to a synthesiser of whole semitones."""
    number, value = event.data[1:3]
    if number in (_RPN_MSB, _RPN_LSB):
        wheel.rpn = (value, wheel.rpn[1]) if number == _RPN_MSB else (wheel.rpn[0], value)
        wheel.coarse_given = wheel.fine_first = False
    elif number in (_NRPN_MSB, _NRPN_LSB):
        wheel.rpn = (127, 127)
    elif number == _RESET:
        wheel.position, wheel.rpn = _MIDDLE, (127, 127)
    elif wheel.rpn == (0, 0) and number == _DATA_LSB:
        wheel.cents, wheel.fine_first = min(value, 99), not wheel.coarse_given
    elif wheel.rpn == (0, 0) and number == _DATA_MSB:
        # A coarse value starts from whole semitones, unless the cents were sent just before it.
        wheel.semitones, wheel.cents = value, wheel.cents if wheel.fine_first else 0
        wheel.coarse_given, wheel.fine_first = True, False
        return event._replace(data=bytes((event.data[0], _DATA_MSB, wheel.whole)))
    return event


def _bent(event: Event, wheel: _Wheel) -> Event:
    position = wheel.scaled(wheel.position)
    return event._replace(data=bytes((BEND << 4 | event.channel, position & 127, position >> 7)))
