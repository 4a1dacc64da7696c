"""Sounds stretched into textures, up to a thousand times."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.budgets import check_memory
from studio.context import RenderContext
from studio.errors import AudioError
from studio.knobs import LOG, count, knob
from studio.steps import Transform
from studio.stretch.stretching import TIMES
from studio.tempo import Floats
from studio.units import MS

MOST = 1000.0
LONGEST_SECONDS = 4 * 3600


class Paulstretch(Transform):
    """Stretch a sound into a texture, up to 1,000 times: what happened at a moment becomes a state that lasts.

    Every moment is heard with its spectrum and phases by chance (Nasca Octavian Paul's method, 2006), so hits dissolve and
    noise stays noise, without the buzz and the repetition of methods that keep the phases. All channels share the chance,
    so the place of a sound between them stays. For ratios up to 16 that keep hits and pitch exact there is `stretch`.
    """

    duration_ratio: float = knob(8.0, 1.0, MOST, TIMES, taper=LOG, help="new length over old", live=False)
    window: float = knob(
        250.0, 20.0, 4_000.0, MS, taper=LOG, help="how much sounds at once; longer is smoother", live=False
    )
    seed: int = count(0, 0, 2**31 - 1, help="which chance")

    libraries = ("scipy",)

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        if seconds is None:
            return
        longer = seconds * self.duration_ratio
        if longer > LONGEST_SECONDS:
            raise AudioError(
                f"the sound would last {longer / 3600:.1f} hours.",
                f"Stretch it {LONGEST_SECONDS / seconds:.0f} times at most, or a part of it.",
                path=("duration_ratio",),
            )

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        from scipy.fft import irfft, next_fast_len, rfft

        self.ready(context, audio.seconds)
        if self.duration_ratio == 1:
            return audio
        size = int(next_fast_len(max(16, round(self.window / 1000 * audio.rate)), real=True))
        size += size % 2
        hop, frames = size // 2, round(audio.frames * self.duration_ratio)
        check_memory(8 * audio.channels * frames, "the stretched sound", "Stretch it less, or a part of it.")
        out = np.zeros((audio.channels, frames + 2 * size), np.float32)
        padded = np.pad(audio.samples, ((0, 0), (size // 2, size)))
        heard, laid = _hann(size), np.sqrt(_hann(size))
        heard /= np.sqrt(np.mean(heard**2))
        chance = np.random.default_rng(self.seed)
        for first in range(0, frames + size, hop):
            # The middle of the window in the output lies where the map points to in the sound.
            middle = min(first / self.duration_ratio, audio.frames)
            piece = padded[:, round(middle) : round(middle) + size]
            phases = np.exp(2j * np.pi * chance.random(size // 2 + 1))
            phases[[0, -1]] = 1.0
            made = irfft(rfft(piece * heard, axis=1) * phases, size, axis=1)
            out[:, first : first + size] += made * laid
        return Audio(out[:, hop : hop + frames], audio.rate)


def _hann(size: int) -> Floats:
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size))
