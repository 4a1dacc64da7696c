"""The verb: a sound in the timbre of another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from studio.audio import Audio
from studio.audiofile import read_audio, stream_audio
from studio.context import RenderContext
from studio.errors import AudioError, KnobError, nearest, within
from studio.knobs import Live, choice, file, knob
from studio.steps import Transform, parse_step
from studio.stretch.overlap import window_size
from studio.stretch.stretching import over_time
from studio.tempo import Floats
from studio.timbre import hybrid, morph, mosaic, partials
from studio.timbre.spectra import OVERLAP, WINDOW
from studio.timbre.spectral import SPECTRALS, Seen
from studio.timbre.voices import find_voice, open_voice
from studio.typed import expect

MODELS = ("sing", "spectral")
"""Methods whose target is a trained model: a voice, or an instrument of a spectral autoencoder."""

METHODS: dict[str, Callable[[Audio, Audio, Floats | float], Audio]] = {
    "envelope": hybrid.envelope,
    "harmonic": hybrid.harmonic,
    "stft": morph.stft,
    "transport": morph.transport,
    "hps": partials.hps,
    "mosaic": mosaic.mosaic,
    "bees": mosaic.bees,
}

LONG_WINDOWS = {"mosaic": mosaic.GRAIN, "bees": mosaic.GRAIN}

SHORTEST = 0.1


def transfer(
    source: Audio, target: Audio, method: str = "envelope", amount: float | Callable[[Floats], Floats] = 1.0
) -> Audio:
    """The source in the timbre of the target, as long as the source.

    Args:
        source: any sound.
        target: any sound at the same rate; as a model, of 0.1 s at least.
        method: `envelope` and `harmonic` are hybrids, `stft`, `transport` and `hps` morphs, `mosaic` and `bees` mosaics.
        amount: from 0, the source, to 1; or a function of the seconds of the source.

    Raises:
        KnobError: no such method.
        AudioError: the sounds do not fit each other, or one is too short or silent.
    """
    if method not in METHODS:
        raise KnobError(f"there is no method of transfer {method!r}.", nearest(method, (*METHODS, *MODELS)))
    if source.rate != target.rate:
        raise AudioError(f"rates of {source.rate} and {target.rate} Hz.", "Resample one of them.")
    if target.seconds < SHORTEST:
        raise AudioError(f"the target lasts {target.seconds * 1000:.0f} ms.", "Give a tenth of a second at least.")
    if target.peak_db < -90:
        raise AudioError("the target is silent.", "Give a sound to take the timbre from.")
    if source.peak_db < -90 or (not callable(amount) and amount == 0):
        return source
    if target.channels != source.channels:
        target = Audio(np.repeat(target.samples.mean(axis=0, keepdims=True), source.channels, axis=0), target.rate)
    share: Floats | float
    if callable(amount):
        size = window_size(LONG_WINDOWS.get(method, WINDOW), source.rate)
        hop = size // OVERLAP
        starts = np.arange(-(OVERLAP - 1) * hop, source.frames, hop)
        share = np.clip(amount(np.maximum(starts + size / 2, 0) / source.rate), 0, 1)
    else:
        share = amount
    return METHODS[method](source, target, share)


class Transfer(Transform):
    """Give a sound the timbre of another.

    The hybrids `envelope` and `harmonic` keep the melody and inherit the target's resonances, or the strength of its
    harmonics; the morphs `stft`, `transport` and `hps` go from one to the other as both play on; the mosaics `mosaic` and
    `bees` play the source again with pieces of the target. Of a voice lower than the target, `envelope`, `harmonic` and
    `spectral` lose part of the melody to breath and noise (men's and women's speech keeps 95 to 100 % of its pitch towards a
    cello, 63 to 98 % towards a violin, whose range lies above it); `sing` keeps it. For `sing` the target is a voice, for `spectral` an
    instrument that the model `orchestra` knows, or ``model.spectral:instrument``.
    """

    version = 3

    target: str = file(help="an audio file, the sound whose timbre is taken; or a trained voice or instrument")
    method: str = choice("envelope", *METHODS, *MODELS, help="how")
    amount: Live = knob(1.0, 0.0, 1.0, help="from the source to the result")

    libraries = ("safetensors", "scipy", "soundfile", "soxr", "torch")

    def uses(self) -> tuple[str, ...]:
        """The libraries that count for the knobs as they stand."""
        neural = () if self.method in MODELS else ("safetensors", "torch")
        return tuple(each for each in self.libraries if each not in neural)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        if self.method in MODELS:
            with within("target"):
                return by_model(audio, self.target, self.method, over_time(self.amount, context), context)
        with within("target"):
            target = read_audio(context.find(self.target), audio.rate)
        return transfer(audio, target, self.method, over_time(self.amount, context))

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("target"):
            if self.method == "sing":
                open_voice(self.target, context)
            elif self.method == "spectral":
                name, instrument = _model_and_instrument(self.target)
                SPECTRALS.load(SPECTRALS.find(name, context)).instrument(instrument)
            else:
                next(stream_audio(context.find(self.target)))

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        with within("target"):
            if self.method == "sing":
                yield find_voice(self.target, context)
            elif self.method == "spectral":
                yield SPECTRALS.find(_model_and_instrument(self.target)[0], context)
            else:
                yield context.find(self.target)


def by_model(
    source: Audio, target: str, method: str, amount: float | Callable[[Floats], Floats], context: RenderContext
) -> Audio:
    """The source in the timbre of a trained model, as long as the source.

    Args:
        target: for `sing` a voice, for `spectral` an instrument of `orchestra`, or ``model.spectral:instrument``.
        amount: from 0, the source, to 1; or a function of the seconds of the source.

    Raises:
        StudioError: there is no such model, or for `sing` the source is no melody.
    """
    if source.peak_db < -90 or (not callable(amount) and amount == 0):
        return source
    if method == "sing":
        made = expect(Transform, parse_step({"sing": target}))
        sung = made.apply(source, context).samples
        if not callable(amount) and amount == 1:
            return Audio(sung, source.rate)
        share = amount(np.arange(source.frames) / source.rate) if callable(amount) else amount
        return Audio((source.samples + (sung - source.samples) * np.clip(share, 0, 1)).astype(np.float32), source.rate)
    name, instrument = _model_and_instrument(target)
    seen = Seen(source, SPECTRALS.load(SPECTRALS.find(name, context)))
    windows = seen.latents.shape[1]
    moving = amount(np.arange(windows) * source.seconds / max(windows, 1)) if callable(amount) else amount
    return seen.sound(seen.latents, seen.instrument(instrument), np.clip(moving, 0, 1))


def _model_and_instrument(target: str) -> tuple[str, str]:
    name, colon, instrument = target.rpartition(":")
    return (name, instrument) if colon else ("orchestra", instrument)
