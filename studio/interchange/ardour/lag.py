"""By how much Ardour's gains come late, and lanes that allow for it."""

from __future__ import annotations

import numpy as np

from studio.interchange.lane import Lane

LAG_SECONDS, _LAG_FRAMES = 1 / 156.825, 252
"""It smooths their automation with a low pass of 25 Hz (`Amp::run`), and gives some frames more, measured at 44.1, 48
and 96 kHz. Points are written that much earlier, so that the sound moves when it should."""


def earlier(lane: Lane, rate: int) -> Lane:
    """The lane earlier by what Ardour will be late; what would lie before the song is cut."""
    straight, lag = lane.straight(), _lag(rate)
    start = float(straight.at(np.array([lag]))[0])
    moved = [(second - lag, value) for second, value in zip(straight.seconds, straight.values, strict=True)]
    kept = [(0.0, start), *((second, value) for second, value in moved if second > 0)]
    return Lane(tuple(second for second, _ in kept), tuple(value for _, value in kept))


def later(lane: Lane, rate: int) -> Lane:
    """The lane as it is heard; its first line goes on backwards to the start."""
    lag = _lag(rate)
    seconds, values = [second + lag for second in lane.seconds], list(lane.values)
    if len(seconds) > 1 and lane.seconds[0] == 0.0 and seconds[1] > seconds[0]:
        slope = (values[1] - values[0]) / (seconds[1] - seconds[0])
        seconds[0], values[0] = 0.0, max(0.0, values[0] - slope * lag)
    return Lane(tuple(seconds), tuple(values), lane.held)


def _lag(rate: int) -> float:
    return LAG_SECONDS + _LAG_FRAMES / rate
