"""Latent hands in a recipe: a sound encoded by a model, edited as a few numbers a frame, and decoded."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np

from studio.audio import Audio
from studio.audiofile import read_audio, stream_audio
from studio.context import RenderContext
from studio.errors import AudioError, KnobError, RecipeError, within
from studio.knobs import Live, count, file, knob, text
from studio.steps import Transform
from studio.stretch.stretching import over_time
from studio.tempo import Floats
from studio.timbre import latents as hands
from studio.timbre import waves
from studio.timbre.attributes import attributes
from studio.timbre.latents import Directions, directions
from studio.timbre.scripted import ENDING, Scripted, load_scripted
from studio.timbre.spectral import SPECTRALS, Seen
from studio.trust import require_trust
from studio.units import COUNT, MS

log = logging.getLogger(__name__)


class _ModelStep(Transform, abstract=True):
    """A step whose model may be a program."""

    @classmethod
    def parse(cls, data: object) -> Self:
        """As any step; a document that claims trust is told whose business that is."""
        if isinstance(data, Mapping) and "trusted" in data:
            with within("trusted"):
                raise RecipeError(
                    "a document cannot say that a program may run; only you can, outside it.",
                    f"Take `trusted` out. If you trust whoever made the model: studio trust {data.get('model', 'FILE')}",
                )
        return super().parse(data)

    def programs(self) -> Iterator[str]:
        model = str(getattr(self, "model"))  # noqa: B009
        if model.endswith(ENDING):
            yield f"the model {model}, once you trust it: studio trust FILE"


class Latent(_ModelStep):
    """Encode a sound, edit its latents, decode it: for spectral and waveform autoencoders, RAVE and nn~ files.

    The edits come in the order of the knobs. `first` to `fourth` go along the directions in which the latents vary
    most, as the model's card names them; a model without a card learns them from the sound. `toward` is another sound
    to go to; `dry` and `wet` are one sound without and with an effect, whose difference is added `effect` times.
    """

    version = 2

    model: str = file("orchestra", help="a spectral autoencoder, shipped or a file; or a .vae or .ts file")
    instrument: str = text("", help="what a spectral autoencoder decodes to; empty finds what the sound is most like")
    first: Live = knob(0.0, -6.0, 6.0, help="along the first direction, in standard deviations")
    second: Live = knob(0.0, -6.0, 6.0, help="along the second")
    third: Live = knob(0.0, -6.0, 6.0, help="along the third")
    fourth: Live = knob(0.0, -6.0, 6.0, help="along the fourth")
    brightness: Live = knob(0.0, -6.0, 6.0, help="along the direction that brightness goes with")
    pitch: Live = knob(0.0, -6.0, 6.0, help="along the direction that pitch goes with")
    scale: float = knob(1.0, -4.0, 4.0, help="deviations from the mean, times", live=False)
    shift: float = knob(0.0, -6.0, 6.0, help="all latents up, in standard deviations", live=False)
    shuffle: float = knob(0.0, 0.0, 1.0, help="the share of latents that change places", live=False)
    gate: float = knob(0.0, 0.0, 6.0, help="deviations below so many standard deviations are none", live=False)
    fold: float = knob(0.0, 0.0, 6.0, help="deviations beyond so many turn back; 0 is off", live=False)
    echo: float = knob(0.0, 0.0, 0.95, help="how strongly deviations come again", live=False)
    time: float = knob(250.0, 10.0, 4_000.0, MS, taper="log", help="after how long they do", live=False)
    destructo: float = knob(0.0, 0.0, 1.0, help="frames stick and deviations go in steps", live=False)
    toward: str = file("", help="another sound to go to")
    blend: Live = knob(0.5, 0.0, 1.0, help="how far to go there")
    dry: str = file("", help="a sound without an effect")
    wet: str = file("", help="the same with it")
    effect: float = knob(1.0, -4.0, 4.0, help="how much of that effect", live=False)
    seed: int = count(0, 0, 1_000_000, unit=COUNT, help="another seed, another shuffle")
    attributes: Mapping[str, Any] = attributes()

    libraries = ("safetensors", "scipy", "soundfile", "soxr", "torch")

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        with within("model"):
            path = self._path(context)
            if path.suffix == ENDING:
                require_trust(path)
            yield path
        for name in ("toward", "dry", "wet"):
            if getattr(self, name):
                with within(name):
                    yield context.find(getattr(self, name))

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        if bool(self.dry) != bool(self.wet):
            raise KnobError("an effect is the difference of two sounds.", "Give both `dry` and `wet`.")
        if self.attributes and not self.model.endswith(ENDING):
            with within("attributes"):
                raise KnobError("only nn~ models have attributes.", f"Take them out, or give a {ENDING} file.")
        for name in ("toward", "dry", "wet"):
            if getattr(self, name):
                with within(name):
                    next(stream_audio(context.find(getattr(self, name))))
        with within("model"):
            path = self._path(context)
            if path.suffix == ENDING:
                _with(load_scripted(path), self.attributes)
            elif path.suffix == waves.ENDING:
                waves.WAVEFORMS.load(path)
            else:
                model = SPECTRALS.load(path)
                with within("instrument"):
                    if self.instrument:
                        model.instrument(self.instrument)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        if bool(self.dry) != bool(self.wet):
            raise KnobError("an effect is the difference of two sounds.", "Give both `dry` and `wet`.")
        if audio.peak_db < -90:
            return audio
        with within("model"):
            path = self._path(context)
            if path.suffix == ENDING:
                return self._signals(audio, _with(load_scripted(path), self.attributes), context)
            if path.suffix == waves.ENDING:
                return self._signals(audio, waves.WAVEFORMS.load(path), context)
            model = SPECTRALS.load(path)
        seen = Seen(audio, model)
        with within("instrument"):
            instrument = self.instrument or seen.nearest()
            embedding = model.instrument(instrument)
        if not self.instrument:
            log.info("decoded as %s, which it is most like", instrument)
        known = Directions.parse(model.card["directions"]) if "directions" in model.card else None
        seconds = np.arange(seen.latents.shape[1]) * audio.seconds / max(seen.latents.shape[1], 1)
        found = seen.latents
        if self.brightness != 0 or self.pitch != 0:
            found = self._leaned(found, Directions.parse(model.card["leanings"]), seconds, context)
        edited = self._edited(found, known, seconds, context, lambda sound: Seen(sound, model).latents)
        return seen.sound(edited, embedding)

    def _leaned(self, latents: Floats, along: Directions, seconds: Floats, context: RenderContext) -> Floats:
        for name in ("brightness", "pitch"):
            amount = _over(over_time(getattr(self, name), context), seconds)
            latents = hands.moved(latents, along, along.names.index(name), amount)
        return latents

    def _signals(self, audio: Audio, model: Scripted | waves.Waveform, context: RenderContext) -> Audio:
        if self.brightness != 0 or self.pitch != 0:
            raise KnobError("the model does not know what is bright or high.", "Use `first` to `fourth`.")
        signals = model.encode(audio)
        edited = []
        for latents in signals:
            seconds = np.arange(latents.shape[1]) * audio.seconds / max(latents.shape[1], 1)
            edited.append(self._edited(latents, None, seconds, context, lambda sound: model.encode(sound)[0]))
        return model.decode(edited, audio)

    def _edited(
        self,
        latents: Floats,
        known: Directions | None,
        seconds: Floats,
        context: RenderContext,
        encoded: Callable[[Audio], Floats],
    ) -> Floats:
        found = np.asarray(latents, dtype=np.float64)
        along = known or directions(found, most=4)
        for index, name in enumerate(("first", "second", "third", "fourth")):
            amount = _over(over_time(getattr(self, name), context), seconds)
            if np.any(amount) and index < len(along.spreads):
                found = hands.moved(found, along, index, amount)
        if self.scale != 1:
            found = hands.scaled(found, self.scale)
        if self.shift:
            found = hands.shifted(found, self.shift)
        if self.shuffle:
            found = hands.shuffled(found, self.shuffle, self.seed)
        if self.gate:
            found = hands.gated(found, self.gate)
        if self.fold:
            found = hands.folded(found, self.fold)
        if self.echo:
            step = seconds[1] if len(seconds) > 1 else 1.0
            found = hands.echoed(found, self.echo, max(1, round(self.time / 1000 / step)))
        if self.destructo:
            found = hands.destroyed(found, self.destructo, self.seed)
        if self.toward:
            other = encoded(self._read("toward", context))
            found = hands.between(found, other, _over(over_time(self.blend, context), seconds))
        if self.dry:
            change = hands.effect_vector(encoded(self._read("dry", context)), encoded(self._read("wet", context)))
            log.info("%.0f%% of the effect is not one step in one direction, and is left out", 100 * change.leakage)
            found = found + self.effect * change.vector[:, None]
        return found

    def _read(self, name: str, context: RenderContext) -> Audio:
        with within(name):
            sound = read_audio(context.find(getattr(self, name)), context.rate)
            if sound.seconds < 0.1 or sound.peak_db < -90:
                raise AudioError("the sound is silent or shorter than a tenth of a second.", "Give another.")
            return sound

    def _path(self, context: RenderContext) -> Path:
        named = self.model.endswith((ENDING, waves.ENDING))
        return context.find(self.model) if named else SPECTRALS.find(self.model, context)


def _with(model: Scripted, given: Mapping[str, Any]) -> Scripted:
    with within("attributes"):
        return model.with_attributes(given)


class Torchscript(_ModelStep):
    """Send a sound through a model that somebody exported for nn~ or RAVE, as a .ts file.

    Such a file is a program. It runs once you have said that you trust it (`studio trust FILE`), in a process of its own
    without network or files to write, where the system can hold it so. Its rate, channels and ratios are what it says;
    each channel goes through a model at rest. `attributes` sets what whoever exported it left to set, by name.
    """

    model: str = file(help="the .ts file")
    piece: float = knob(
        0.0, 0.0, 60_000.0, MS, help="the length of the pieces it is fed in; 0 is the whole sound", live=False
    )
    mix: float = knob(1.0, 0.0, 1.0, help="the result against the dry sound", live=False)
    method: str = text("", help="one of its methods; by default `forward`, else `encode` and then `decode`")
    attributes: Mapping[str, Any] = attributes()

    libraries = ("safetensors", "soxr", "torch")

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        with within("model"):
            path = context.find(self.model)
            require_trust(path)
            yield path

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("model"):
            model = load_scripted(context.find(self.model))
        self._set(model)

    def _set(self, model: Scripted) -> Scripted:
        with within("method"):
            if self.method:
                model.sounding(self.method)
        return _with(model, self.attributes)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        with within("model"):
            model = load_scripted(context.find(self.model))
        model = self._set(model)
        with within("model"):
            if self.method or "forward" in model.methods:
                made = model.sound(audio, self.piece / 1000, self.method or "forward")
            else:
                made = model.decode(model.encode(audio, self.piece / 1000), audio, self.piece / 1000)
        samples = audio.samples * np.float32(1 - self.mix) + made.samples * np.float32(self.mix)
        return Audio(samples, audio.rate)


def _over(value: Callable[[Floats], Floats] | float, seconds: Floats) -> Floats:
    """A knob at each of some moments."""
    found = value(seconds) if callable(value) else np.full(len(seconds), float(value))
    return np.asarray(found, dtype=np.float64)
