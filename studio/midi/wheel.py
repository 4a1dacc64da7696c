"""How far the pitch wheel bends at each moment."""

from __future__ import annotations

import numpy as np

from studio.score import BEND, CONTROL, Score
from studio.tempo import Floats


def bends_at(score: Score, seconds: Floats) -> Floats:
    """The semitones by which the notes of a score are bent at each of some seconds; of several channels, their sum.

    A range is what RPN 0 says, in semitones and cents; two semitones where it says nothing.
    """
    out = np.zeros(len(seconds))
    for port, channel in {(event.port, event.channel) for event in score.events if event.status == BEND}:
        moments, bends = [0.0], [0.0]
        rpn, coarse, fine, position = [127, 127], 2, 0, 0.0
        for event in score.events:
            if (event.port, event.channel) != (port, channel) or event.status not in (BEND, CONTROL):
                continue
            if event.status == BEND:
                position = ((event.data[1] | event.data[2] << 7) - 8192) / 8192
            elif event.data[1] in (101, 100):
                rpn[101 - event.data[1]] = event.data[2]
            elif event.data[1] in (99, 98):
                rpn = [127, 127]
            elif event.data[1] == 6 and rpn == [0, 0]:
                coarse, fine = event.data[2], 0
            elif event.data[1] == 38 and rpn == [0, 0]:
                fine = event.data[2]
            moments.append(event.tick / score.resolution)
            bends.append(position * (coarse + fine / 100))
        at = score.tempo.seconds_at(np.array(moments))
        out += np.array(bends)[np.searchsorted(at, np.asarray(seconds) + 1e-6, "right").clip(1) - 1]
    return out
