"""The sound of poor machines."""

from __future__ import annotations

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.effects.pedal import fed
from studio.errors import RenderError
from studio.knobs import LOG, choice, knob
from studio.steps import Effect, Run, Transform
from studio.units import HZ

_PIECE = 1024
_QUALITIES = {
    "hold": "ZeroOrderHold",
    "linear": "Linear",
    "cubic": "CatmullRom",
    "lagrange": "Lagrange",
    "sinc": "WindowedSinc",
    "fast sinc": "WindowedSinc8",
}


def _quality(name: str) -> object:
    from pedalboard import Resample

    return getattr(Resample.Quality, _QUALITIES[name])


class Resample(Effect):
    """Run at a low sample rate, as an early sampler did, and come back."""

    rate: float = knob(12_000.0, 1_000.0, 48_000.0, HZ, taper=LOG, help="the rate it is lowered to", live=False)
    quality: str = choice("hold", *_QUALITIES, help="how the gaps are filled; hold is the grittiest")

    libraries = ("pedalboard",)

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        import pedalboard

        plugin = pedalboard.Resample(self.rate, _quality(self.quality))  # type: ignore[arg-type]
        return fed(plugin, context, _PIECE)


class Mp3(Effect):
    """Encode as MP3 and decode again, losses and all."""

    quality: float = knob(4.0, 0.0, 9.999, help="LAME's variable-rate quality: 0 is best, 9.999 worst", live=False)

    libraries = ("pedalboard",)

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels <= 2

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """The encoder says no to a rate or a quality only when it is given sound."""
        import pedalboard

        try:
            silence = np.zeros((context.channels, _PIECE), np.float32)
            pedalboard.MP3Compressor(self.quality)(silence, context.rate)
        except (ValueError, RuntimeError) as error:
            raise RenderError(f"the encoder refuses: {error}", "Set another quality or rate.") from None

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        import pedalboard

        return fed(pedalboard.MP3Compressor(self.quality), context, _PIECE)


class Gsm(Transform):
    """A telephone call: GSM full rate, mono, 8 kHz.

    A transform, because pedalboard's codec forgets its first frame whenever it is called anew.
    """

    quality: str = choice("fast sinc", *_QUALITIES, help="how it is resampled")

    libraries = ("pedalboard",)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        import pedalboard

        plugin = pedalboard.GSMFullRateCompressor(_quality(self.quality))  # type: ignore[arg-type]
        return Audio(plugin.process(audio.samples, audio.rate), audio.rate)
