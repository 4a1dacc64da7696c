"""Spectral autoencoders at work: a sound in the timbre of an instrument the model knows, and sounds as latents."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Audio
from studio.stretch.f0 import F0Track
from studio.tempo import Floats
from studio.timbre.hybrid import track_of
from studio.timbre.model_registry import ModelRegistry
from studio.timbre.spectra import Spectra, analysed

if TYPE_CHECKING:
    from torch import Tensor

    from studio.nets.autoencoder import Spectral

ENDING = ".spectral"

_MOST_DB = 35.0
_NOISE_BINS = 5.0
_WIDE = 1.5
"""Distances of harmonics over which a change is even: what lies between them stays the source's, and so does its pitch."""
_TOP = 48
"""Highest bins of the model whose change all that lies above them shares."""


def _read(path: Path) -> Spectral:
    from studio.nets.autoencoder import Spectral

    return Spectral.load(path)


SPECTRALS = ModelRegistry("model", "models", ENDING, _read)


class Seen:
    """A sound as a spectral autoencoder sees it.

    Attributes:
        latents: ``(latents, windows)``.
    """

    def __init__(self, source: Audio, model: Spectral) -> None:
        import torch

        from studio.nets.autoencoder import RATE, WINDOW_SECONDS

        self._source, self._model = source, model
        self._spectra: Spectra = analysed(_at(source, RATE), WINDOW_SECONDS)
        self._magnitudes = self._spectra.magnitudes / np.sqrt(source.channels)
        latents, self._level = model.encode(torch.tensor(self._magnitudes, dtype=torch.float32))
        self.latents = latents.double().numpy().T

    @cached_property
    def _track(self) -> F0Track:
        return track_of(self._source)

    @cached_property
    def _harmonic_bins(self) -> Floats:
        """The bins of each window over which a change is even; `_NOISE_BINS` for a distance where there is no pitch."""
        pitch = self._track.at(self._spectra.seconds) / self._spectra.hz[1]
        return _WIDE * np.where(np.isfinite(pitch), pitch, _NOISE_BINS)

    def instrument(self, name: str) -> Tensor:
        """The embedding of an instrument the model knows."""
        return self._model.instrument(name)

    def nearest(self) -> str:
        """The instrument as which the sound comes back most like itself."""
        import torch

        from studio.nets.autoencoder import distance, scaled

        given = scaled(torch.tensor(self._magnitudes, dtype=torch.float32))[0]
        found: dict[str, float] = {}
        for name in self._model.card["instruments"]:
            made = self._model.decode(self._torch(self.latents), self._level, self._model.instrument(name))
            found[str(name)] = float((distance(scaled(made)[0], given) * self._level[:, 0]).sum())
        return min(found, key=lambda name: found[name])

    def descriptors(self) -> dict[str, Floats]:
        """What can be said of each window.

        Loudness in dB; brightness, the centroid, in octaves; pitch in octaves, its median where there is none; fullness,
        the mean level of all bins in dB against the whole; noisiness, the spectral flatness, in dB.
        """
        power = np.square(self._magnitudes[:, 1:]) + 1e-12
        hz = self._spectra.hz[1:]
        total = power.sum(axis=1)
        pitch = self._track.at(self._spectra.seconds)
        there = np.isfinite(pitch)
        pitch = np.where(there, pitch, np.median(pitch[there]) if there.any() else 220.0)
        return {
            "loudness": 10 * np.log10(total),
            "brightness": np.log2((power * hz).sum(axis=1) / total),
            "pitch": np.log2(pitch),
            "fullness": 10 * np.log10(power / total[:, None] + 1e-4).mean(axis=1),
            "noisiness": 10 * (np.log10(power).mean(axis=1) - np.log10(power.mean(axis=1))),
        }

    def sound(self, latents: Floats, instrument: Tensor, amount: Floats | float = 1.0) -> Audio:
        """The sound of other latents, in the timbre of an embedding, at the rate and of the length of the source.

        What lies above the model's bins changes as its highest bins do on the average.
        """
        from studio.nets.autoencoder import FLOOR

        made = self._model.decode(self._torch(latents), self._level, instrument).double().numpy()
        bins = made.shape[1]
        # At its floor the model says only that there is no more than this.
        low = made <= 1.2 * 10 ** (-FLOOR / 20) * self._level.numpy()
        made = np.where(low, np.minimum(made, self._magnitudes[:, :bins]), made)
        own, wanted = (_around(np.square(each), self._harmonic_bins) for each in (self._magnitudes[:, :bins], made))
        change = 10 * np.log10(np.maximum(wanted, 1e-18) / np.maximum(own, 1e-18))
        change = np.clip(change, -_MOST_DB, _MOST_DB)
        above = np.repeat(change[:, -_TOP:].mean(axis=1, keepdims=True), self._magnitudes.shape[1] - bins, axis=1)
        change = np.concatenate([change, np.minimum(above, 0.0)], axis=1) * np.atleast_1d(amount)[:, None]
        gains = 10 ** (change / 20)
        power = np.square(self._magnitudes).sum(axis=1), np.square(self._magnitudes * gains).sum(axis=1)
        gains *= np.sqrt(power[0] / np.maximum(power[1], 1e-20))[:, None]
        sound = self._spectra.changed(gains).sound()
        if sound.rate == self._source.rate:
            return sound
        back = _at(sound, self._source.rate).samples[:, : self._source.frames]
        back = np.pad(back, ((0, 0), (0, self._source.frames - back.shape[1])))
        return Audio(back, self._source.rate)

    @staticmethod
    def _torch(latents: Floats) -> Tensor:
        import torch

        return torch.tensor(np.ascontiguousarray(latents.T), dtype=torch.float32)


def _around(power: Floats, width: Floats) -> Floats:
    """The power in so many bins around each bin, ``(windows, bins)``, with one width a window."""
    half = np.maximum(np.round((width - 1) / 2), 0).astype(np.int64)[:, None]
    total = np.cumsum(np.pad(power, ((0, 0), (1, 0))), axis=1)
    bins = np.arange(power.shape[1])
    low, high = np.maximum(bins - half, 0), np.minimum(bins + half + 1, power.shape[1])
    return np.asarray(np.take_along_axis(total, high, axis=1) - np.take_along_axis(total, low, axis=1))


def _at(audio: Audio, rate: int) -> Audio:
    """All channels at another rate."""
    if audio.rate == rate:
        return audio
    import soxr

    return Audio(np.asarray(soxr.resample(audio.samples.T, audio.rate, rate).T, np.float32), rate)
