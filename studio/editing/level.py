"""Level of a whole sound."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.knobs import knob
from studio.levels import amplitude
from studio.steps import Transform
from studio.units import DB


class Normalise(Transform):
    """Bring the highest sample to a level; silence stays silent."""

    keeps_time = True

    peak: float = knob(-1.0, -60.0, 0.0, DB, help="level of the highest sample", live=False)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        highest = float(np.max(np.abs(audio.samples), initial=0.0))
        if not highest:
            return audio
        return Audio(audio.samples * np.float32(amplitude(self.peak) / highest), audio.rate)
