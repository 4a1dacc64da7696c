"""Waveform autoencoders at work: sounds of any rate and channels as their latents, and back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Audio
from studio.tempo import Floats
from studio.timbre.model_registry import ModelRegistry
from studio.timbre.scripted import back, resampled

if TYPE_CHECKING:
    from studio.nets.vae import Waves

ENDING = ".vae"


class Waveform:
    """A waveform autoencoder as `latent` plays it: each channel goes through it alone."""

    def __init__(self, waves: Waves) -> None:
        self._waves = waves

    def encode(self, audio: Audio) -> list[Floats]:
        """The latents of each channel, ``(latents, blocks)``."""
        return [self._waves.encode(channel).astype(np.float64) for channel in resampled(audio, self._waves.rate)]

    def decode(self, latents: list[Floats], like: Audio) -> Audio:
        """The sound of latents, of the rate, channels and length of another."""
        frames = resampled(like, self._waves.rate).shape[1]
        made = np.concatenate([self._waves.decode(each.astype(np.float32), frames).samples for each in latents])
        return Audio(back(made, self._waves.rate, like), like.rate)


def _read(path: Path) -> Waveform:
    from studio.nets.vae import Waves

    return Waveform(Waves.load(path))


WAVEFORMS = ModelRegistry("waveform autoencoder", "models", ENDING, _read)
