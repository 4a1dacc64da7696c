"""A voice that sings along: pitch and loudness as the sound comes in, and the decoder's sound as it goes out."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.nets.features import QUIETEST, hop_of, loudness_of, loudness_window
from studio.nets.inference import inference
from studio.nets.synthesis import audible, harmonics, noise_pieces, phases
from studio.nets.voice import Voice
from studio.stretch.viterbi import Path, states
from studio.stretch.yin import MOST, candidates, grid
from studio.tempo import Floats

Samples = NDArray[np.float32]

HELD = 25
"""Frames, a quarter of a second, for which the last pitch is held: longer than a consonant."""


class LiveFeatures:
    """Pitch and loudness of one voice, frame by frame.

    The loudness is that of `features`. The pitch is at the end of the best path so far, which may yet turn out to lead
    elsewhere; where there is none, the last one is held. What had no pitch for `HELD` frames, or never had one, is
    silence: noise and what is too low are nothing to sing along with.

    Args:
        rate: Hz of the sound.
        low_hz, high_hz: the pitches to look for; the lowest sets how long the window is.
    """

    def __init__(self, rate: int, low_hz: float = 80.0, high_hz: float = 2_000.0) -> None:
        self.rate, self.hop = rate, hop_of(rate)
        self._coarse, self._longest, self._shortest = grid(rate, low_hz, high_hz)
        span = 3 * self._longest * self._coarse
        self._before = max(span // 2, loudness_window(rate) // 2)
        self.look = max(span - span // 2, loudness_window(rate) // 2)
        """Frames of sound behind a moment that its pitch and loudness are read from."""
        self._span = span
        self._heard = np.zeros(self._before, np.float32)
        self._path = Path()
        self._hz, self._without = 220.0, HELD

    def push(self, piece: Samples) -> tuple[Floats, Floats]:
        """Pitches in Hz and loudnesses in dB(A) of the moments that can be judged now, a hundredth of a second apart."""
        self._heard = np.concatenate([self._heard, piece])
        count = max(0, (len(self._heard) - self._before - self.look) // self.hop + 1)
        if not count:
            return np.zeros(0), np.zeros(0)
        middles = self._before + self.hop * np.arange(count)
        loud = loudness_of(self._windows(middles, loudness_window(self.rate)), self.rate)
        windows = self._windows(middles, self._span).reshape(count, -1, self._coarse).mean(axis=2)
        found = candidates(windows, self._longest, self._shortest)
        possible = np.where(loud[:, None] > QUIETEST, self.rate / self._coarse / found.lags, np.nan)
        hz = np.empty(count)
        for index, moment in enumerate(zip(*states(possible, found.depths), strict=True)):
            taken = self._path.push(*moment)
            self._without += 1
            if taken < MOST:
                self._hz, self._without = float(possible[index, taken]), 0
            hz[index] = self._hz
            if self._without >= HELD:
                loud[index] = QUIETEST
        self._heard = self._heard[count * self.hop :]
        return hz, loud

    def _windows(self, middles: NDArray[np.int64], size: int) -> Floats:
        views = np.lib.stride_tricks.sliding_window_view(self._heard, size)
        return views[middles - size // 2].astype(np.float64)


class LiveDecoder:
    """The decoder of a voice at work: frames in, sound out, the same whatever the pieces.

    At another rate than the voice's the harmonics end at the half of that rate, and the bands of noise lie where they
    lay. The room it was learned in is not heard.

    Args:
        towards: another instrument of the same model, to go to while it sings.
    """

    def __init__(self, voice: Voice, rate: int | None = None, seed: int = 0, towards: Voice | None = None) -> None:
        self._voice, self._towards = voice, towards
        self.rate = rate or voice.rate
        self.hop = hop_of(self.rate)
        shape = voice.model.shape
        self._taps = 2 * (shape.bands - 1)
        self.late = self._taps // 2
        """Frames of sound by which it comes late, besides the one frame that it needs to know where to go."""
        self._state: Tensor | None = None
        self._last: tuple[Tensor, Tensor, Tensor] | None = None
        self._phase: Tensor | None = None
        self._tail = torch.zeros(1, self._taps, device=voice.device)
        self._waiting = torch.zeros(1, self.late, device=voice.device)
        self._random = torch.Generator().manual_seed(seed)
        self._begun = False

    def push(self, hz: Floats, loud: Floats, blend: float = 0.0) -> Samples:
        """The sound up to the newest frame, less `late`; the first frame alone gives nothing."""
        if not len(hz):
            return np.zeros(0, np.float32)
        with inference():
            embedding = self._voice.embedding(self._towards, blend)
            pitch, amplitudes, bands, self._state = self._voice.controls(hz, loud, embedding, self._state)
            if self.rate != self._voice.rate:
                amplitudes = amplitudes * audible(220 * torch.exp2(pitch), amplitudes.shape[2], self.rate)
            frames = (pitch, amplitudes, self._resampled(bands))
            if self._last is not None:
                frames = tuple(torch.cat(pair, dim=1) for pair in zip(self._last, frames, strict=True))  # type: ignore[assignment]
            self._last = tuple(frame[:, -1:] for frame in frames)  # type: ignore[assignment]
            made = self._sound(*frames)
        if not self._begun and made.shape[1]:
            made, self._begun = made[:, self.late :], True
        return np.asarray(made[0].cpu().numpy())

    def _sound(self, pitch: Tensor, amplitudes: Tensor, bands: Tensor) -> Tensor:
        frames = pitch.shape[1] - 1
        if not frames:
            return pitch.new_zeros(1, 0)
        turns, self._phase = phases(220 * torch.exp2(pitch), self.hop, self.rate, self._phase)
        white = (torch.rand(1, frames * self.hop, generator=self._random) * 2 - 1).to(pitch.device)
        laid = noise_pieces(white, bands[:, :-1], self.hop)
        laid[:, : self._taps] += self._tail
        self._tail = laid[:, frames * self.hop :]
        tones = torch.cat([self._waiting, harmonics(turns, amplitudes)], dim=1)
        self._waiting = tones[:, frames * self.hop :]
        return tones[:, : frames * self.hop] + laid[:, : frames * self.hop]

    def _resampled(self, bands: Tensor) -> Tensor:
        """Bands that lie evenly up to the half of this rate, from those up to the half of the voice's."""
        if self.rate == self._voice.rate:
            return bands
        count = bands.shape[2]
        position = torch.arange(count, device=bands.device) * (self.rate / self._voice.rate)
        left = position.long().clamp(max=count - 2)
        share = position - left
        made = bands[..., left] * (1 - share) + bands[..., left + 1] * share
        return made.clamp_min(0.0) * (position <= count - 1)
