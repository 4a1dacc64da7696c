"""Which keys and velocities of an instrument are sampled, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from studio.exporting.samples import KeySpan
from studio.knobs import Number, count, knob, numbers
from studio.records import Record, field
from studio.units import COUNT, HZ, SECONDS, SEMITONES


def _key(help: str) -> Number:
    return Number(default=None, unit=COUNT, low=0, high=127, whole=True, help=help)


class Grid(Record):
    """What is sampled: every `step` semitones from `lowest` to `highest`, at each of `velocities`, held for `seconds`.

    More samples are nearer to the instrument, and make a larger file.
    """

    lowest: int | None = field(_key("the lowest key; the lowest note of the part, or 36 (C2), if not given"))
    highest: int | None = field(_key("the highest key; the highest note of the part, or 84 (C6), if not given"))
    step: int = count(4, 1, 24, unit=SEMITONES, help="from one sampled key to the next")
    velocities: tuple[float, ...] = numbers((40, 84, 127), 1, 127, COUNT, help="velocities that are sampled", most=8)
    seconds: float = knob(3.0, 0.5, 20.0, SECONDS, help="how long each note is held", live=False)
    rate: float = knob(44_100.0, 22_050.0, 96_000.0, HZ, help="rate of the samples", live=False)

    def keys(self, played: Sequence[int], drums: bool) -> list[int]:
        """The sampled keys: a grid, its ends included; of drums every key that is played."""
        low = self.lowest if self.lowest is not None else min(played, default=36)
        high = self.highest if self.highest is not None else max(played, default=84)
        if drums:
            kept = sorted({key for key in played if low <= key <= high})
            return kept or list(range(max(low, 35), min(high, 81) + 1))
        low, high = min(low, high), max(low, high)
        spaces = max(1, -(-(high - low) // self.step))
        return sorted({low + round((high - low) * index / spaces) for index in range(spaces + 1)})


def spans(
    keys: Sequence[int], drums: bool, alike: Callable[[int, int], float] = lambda one, other: 0.0
) -> list[KeySpan]:
    """Each key with those it serves: up to where the next one is nearer in sound.

    Args:
        keys: the sampled keys, rising.
        drums: every key for itself.
        alike: how far two keys are apart in sound; where that says nothing, the middle divides them.

    The outer keys reach to the ends of the keyboard.
    """
    if drums:
        return [KeySpan(key, key, key) for key in keys]
    lows = [0]
    for one, other in pairwise(keys):
        middle = (one + other) / 2
        costs = {
            low: sum(alike(key, one) for key in range(one + 1, low))
            + sum(alike(key, other) for key in range(low, other))
            for low in range(one + 1, other + 1)
        }
        lows.append(min(costs, key=lambda low: (round(costs[low], 3), abs(low - 0.5 - middle))))
    return [KeySpan(low, key, high - 1) for low, key, high in zip(lows, keys, [*lows[1:], 128], strict=True)]
