"""A voice: from pitch and loudness to the strengths of harmonics and of bands of noise, and from these to sound."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from studio.nets.film import Film
from studio.nets.synthesis import audible, filtered_noise, harmonics, phases

EMBEDDING = 16
"""Numbers that say which instrument it is, where a voice knows several."""

ROOM_DECAY = 5.0
"""How much quieter a room is expected to be at its end, in nepers."""


@dataclass(frozen=True)
class DecoderShape:
    """The size of a voice.

    Attributes:
        instruments: that it tells apart; 0 where it was made for one alone.
        room: samples of the echoes it learns.
    """

    rate: int = 44_100
    hop: int = 441
    width: int = 128
    harmonics: int = 100
    bands: int = 65
    instruments: int = 0
    room: int = 0

    def data(self) -> dict[str, int]:
        """Plain data that `parse` reads back as an equal value."""
        return asdict(self)


class Decoder(nn.Module):
    """A GRU between two small networks (after Engel et al., ICLR 2020), and the synthesisers behind it.

    It has no look-ahead: fed frame by frame with its state, it gives what it gives in one go. Where it knows several
    instruments they share all but an embedding, which bends what goes into the GRU and what comes out of it; embeddings between
    those of two instruments are instruments between them.
    """

    def __init__(self, shape: DecoderShape) -> None:
        super().__init__()
        self.shape, width = shape, shape.width
        self.inputs = nn.Sequential(nn.Linear(2, width), nn.LayerNorm(width), nn.LeakyReLU(), nn.Linear(width, width))
        self.memory = nn.GRU(width, width, batch_first=True)
        self.outputs = nn.Sequential(nn.Linear(width + 2, width), nn.LayerNorm(width), nn.LeakyReLU())
        self.strengths = nn.Linear(width, shape.harmonics + 1)
        self.noise = nn.Linear(width, shape.bands)
        with torch.no_grad():
            # Silence at first: noise that starts loud takes over from harmonics and stays.
            self.noise.bias.fill_(-5.0)
        if shape.instruments:
            # Called so in the weights of model files.
            self.colours = nn.Embedding(shape.instruments, EMBEDDING)
            self.entrance, self.exit = Film(EMBEDDING, width), Film(EMBEDDING, width)
        if shape.room:
            self.echoes = nn.Parameter(torch.zeros(shape.room))

    def controls(
        self, pitch: Tensor, loudness: Tensor, embedding: Tensor | None = None, state: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Amplitudes of harmonics ``(batch, frames, harmonics)`` and noise ``(batch, frames, bands)``, and the state.

        Args:
            pitch: ``(batch, frames)``, in octaves from 220 Hz.
            loudness: ``(batch, frames)``, in standard deviations from the mean of the training sound.
            embedding: ``(batch, frames or 1, EMBEDDING)``, where the voice knows several instruments.
        """
        given = torch.stack([pitch, loudness], dim=-1)
        entering = self.inputs(given)
        if embedding is not None:
            entering = self.entrance(entering, embedding)
        remembered, state = self.memory(entering, state)
        hidden = self.outputs(torch.cat([remembered, given], dim=-1))
        if embedding is not None:
            hidden = self.exit(hidden, embedding)
        strengths = self.strengths(hidden)
        hz = 220.0 * torch.exp2(pitch)
        share = torch.softmax(strengths[..., 1:], dim=-1) * audible(hz, self.shape.harmonics, self.shape.rate)
        share = share / share.sum(-1, keepdim=True).clamp_min(1e-7)
        return _positive(strengths[..., :1]) * share, _positive(self.noise(hidden)), state

    def sound(
        self, pitch: Tensor, amplitudes: Tensor, bands: Tensor, white: Tensor, start: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The sound between the first frame and the last, ``(batch, (frames - 1) * hop)``, and the phase behind it."""
        shape = self.shape
        turns, end = phases(220.0 * torch.exp2(pitch), shape.hop, shape.rate, start)
        return harmonics(turns, amplitudes) + filtered_noise(white, bands[:, :-1], shape.hop), end

    def room(self) -> Tensor:
        """What follows one sample of sound, from the next on, ``(room,)``."""
        fading = torch.exp(torch.linspace(0, -ROOM_DECAY, self.shape.room, device=self.echoes.device))
        return 0.05 * self.echoes * fading

    def forward(self, pitch: Tensor, loudness: Tensor, white: Tensor, embedding: Tensor | None = None) -> Tensor:
        """The sound of ``(batch, frames)`` of pitch and loudness in its room, ``(batch, (frames - 1) * hop)``."""
        amplitudes, bands, _ = self.controls(pitch, loudness, embedding)
        dry, _ = self.sound(pitch, amplitudes, bands, white)
        return dry + echoed(dry, self.room())[:, : dry.shape[1]] if self.shape.room else dry


def echoed(dry: Tensor, room: Tensor) -> Tensor:
    """The echoes of sounds ``(batch, frames)`` in a room ``(room,)``, ``(batch, frames + room)``."""
    frames, echoes = dry.shape[1], len(room)
    size = 1 << (frames + echoes - 1).bit_length()
    spectra = torch.fft.rfft(dry, size) * torch.fft.rfft(room, size)
    return torch.nn.functional.pad(torch.fft.irfft(spectra, size)[:, : frames + echoes - 1], (1, 0))


def _positive(value: Tensor) -> Tensor:
    """The modified sigmoid of DDSP: from 1e-7 to 2, and even in loudness."""
    return 2.0 * torch.sigmoid(value) ** 2.302585 + 1e-7


def decoder(shape: DecoderShape, seed: int) -> Decoder:
    """A decoder with fresh weights, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Decoder(shape)


def parameters(model: nn.Module) -> int:
    """How many numbers it learned."""
    return sum(weight.numel() for weight in model.parameters())
