"""The published autoencoder as a baseline: STFT magnitudes with context, through an LSTM, with the phases of the source.

After Gabrielli, Cella, Vesperini, Droghini, Principi & Squartini, "Deep learning for timbre modification and transfer: an
evaluation study" (AES 144, 2018; work of 2017): it learns to give one instrument back and is then fed with another.
Sizes are ours where the paper leaves them open.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from studio.audio import Audio
from studio.nets.autoencoder import BINS, WINDOW_SECONDS
from studio.nets.training import train
from studio.timbre.spectra import analysed, levelled

CONTEXT = 3
"""Windows it sees at a time."""


class Published(nn.Module):
    """Encoder and decoder are an LSTM each, with the latents between them."""

    def __init__(self, latents: int = 16, width: int = 160) -> None:
        super().__init__()
        self.into = nn.LSTM(CONTEXT * BINS, width, batch_first=True)
        self.latents = nn.Linear(width, latents)
        self.out = nn.LSTM(latents, width, batch_first=True)
        self.spectrum = nn.Linear(width, BINS)

    def forward(self, spectra: Tensor) -> Tensor:
        """Spectra ``(batch, windows, BINS)`` again."""
        padded = nn.functional.pad(spectra, (0, 0, CONTEXT - 1, 0))
        seen = torch.cat([padded[:, step : step + spectra.shape[1]] for step in range(CONTEXT)], dim=2)
        remembered, _ = self.into(seen)
        made: Tensor = self.spectrum(self.out(torch.tanh(self.latents(remembered)))[0])
        return made


def trained(sounds: list[Tensor], seconds: float, seed: int = 0) -> Published:
    """Trained on spectra ``(windows, BINS)`` of sounds by their mean square."""
    torch.manual_seed(seed)
    model = Published()
    with torch.no_grad():
        model.spectrum.bias.copy_(torch.cat(sounds).float().mean(dim=0))

    def loss(step: int) -> Tensor:
        random = np.random.default_rng([seed, step])
        drawn = []
        for index in random.integers(0, len(sounds), 32).tolist():
            start = int(random.integers(0, max(1, len(sounds[index]) - 64)))
            drawn.append(sounds[index][start : start + 64])
        given = torch.stack(drawn).float()
        return (model(given) - given).square().mean()

    train(model, loss, lambda: float(loss(0).detach()), seconds, rate=2e-3)
    return model.eval()


def magnitudes(audio: Audio) -> Tensor:
    """Each window's magnitudes against its strongest bin, as the published method has them."""
    found = torch.tensor(analysed(audio, WINDOW_SECONDS).magnitudes[:, :BINS], dtype=torch.float32)
    return found / found.amax(dim=1, keepdim=True).clamp_min(1e-6)


def transferred(source: Audio, model: Published) -> Audio:
    """A sound through a model that was trained on another: its phases and loudness, the model's magnitudes."""
    spectra = analysed(source, WINDOW_SECONDS)
    own = spectra.magnitudes
    with torch.inference_mode():
        made = model(magnitudes(source)[None])[0].clamp_min(0).double().numpy()
    whole = np.zeros_like(own)
    whole[:, :BINS] = made
    return spectra.changed(levelled(whole, own) / np.maximum(own, 1e-9)).sound()
