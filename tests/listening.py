"""Measurements on sound, for assertions a musician would understand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.audio import Block
from studio.context import RenderContext
from studio.steps import Effect


def db(amplitude: float) -> float:
    """An amplitude in dB; silence is -400."""
    return 20 * float(np.log10(max(amplitude, 1e-20)))


def null_db(one: ArrayLike, other: ArrayLike) -> float:
    """The peak of the difference of two sounds of the same length, in dBFS."""
    one, other = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    assert one.shape == other.shape, f"{one.shape} against {other.shape}"
    return db(float(np.abs(one - other).max(initial=0.0)))


def rms_db(samples: ArrayLike) -> float:
    """The root mean square of all samples, in dBFS."""
    return db(float(np.sqrt(np.mean(np.square(np.asarray(samples, dtype=np.float64))))))


def peak_db(samples: ArrayLike) -> float:
    """The highest sample, in dBFS."""
    return db(float(np.abs(np.asarray(samples)).max(initial=0.0)))


def cents(one_hz: float, other_hz: float) -> float:
    """The interval from the second frequency to the first."""
    return 1200 * float(np.log2(one_hz / other_hz))


def pitch_hz(samples: ArrayLike, rate: int) -> float:
    """The frequency of the strongest partial, by a parabola through the log spectrum's peak."""
    mono = np.atleast_2d(np.asarray(samples, dtype=np.float64)).mean(axis=0)
    size = 1 << (len(mono) * 4 - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), size))
    top = int(np.argmax(spectrum[1:-1])) + 1
    left, middle, right = np.log(spectrum[top - 1 : top + 2] + 1e-30)
    return float(top + 0.5 * (left - right) / (left - 2 * middle + right)) * rate / size


def gain_db_at(response: ArrayLike, hz: float, rate: int) -> float:
    """The magnitude of an impulse response at one frequency."""
    impulse = np.asarray(response, dtype=np.float64)
    return db(abs(np.sum(impulse * np.exp(-2j * np.pi * hz / rate * np.arange(len(impulse))))))


def log_mel_distance_db(one: ArrayLike, other: ArrayLike, rate: int, bands: int = 64) -> float:
    """The mean absolute difference of two sounds' log-mel spectrograms, where either is above -80 dB."""
    first, second = (_mel(np.asarray(sound, dtype=np.float64).mean(axis=0), rate, bands) for sound in (one, other))
    heard = np.maximum(first, second) > -80
    return float(np.abs(first - second)[heard].mean())


def _mel(mono: NDArray[np.float64], rate: int, bands: int) -> NDArray[np.float64]:
    size, hop = 2048, 512
    windows = np.lib.stride_tricks.sliding_window_view(mono, size)[::hop] * np.hanning(size)
    power = (np.abs(np.fft.rfft(windows, axis=1)) / (size / 4)) ** 2
    mel = 2595 * np.log10(1 + np.fft.rfftfreq(size, 1 / rate) / 700)
    edges = np.linspace(mel[1], mel[-1], bands + 2)
    weights = np.stack([np.interp(mel, edges[band : band + 3], [0, 1, 0]) for band in range(bands)])
    return np.asarray(10 * np.log10(power @ weights.T + 1e-10))


def through(effect: Effect, block: Block, context: RenderContext, cuts: tuple[int, ...] = (), tail: int = 0) -> Block:
    """A sound through one effect, cut at `cuts`, with `tail` frames of silence after it; latency is taken up."""
    from studio.effect_chain import EffectChain

    padded = np.pad(block, ((0, 0), (0, tail)))
    line = EffectChain([effect], context)
    edges = [0, *cuts, padded.shape[1]]
    pieces = [line.push(padded[:, begin:end]) for begin, end in pairwise(edges)]
    out = np.concatenate(pieces, axis=1)
    while out.shape[1] < padded.shape[1]:
        more = line.push(np.zeros((block.shape[0], 4096), np.float32))
        out = np.concatenate([out, more], axis=1)
    return out[:, : padded.shape[1]]


def sine(hz: float, seconds: float = 1.0, level: float = 0.5, rate: int = 44_100, channels: int = 2) -> Block:
    """A sine on all channels."""
    wave = level * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)
    return np.repeat(wave[None].astype(np.float32), channels, axis=0)


def white(seconds: float = 1.0, level: float = 0.2, rate: int = 44_100, channels: int = 2, seed: int = 1) -> Block:
    """Gaussian noise, different on each channel."""
    noise = np.random.default_rng(seed).standard_normal((channels, round(seconds * rate)))
    return (noise * level).astype(np.float32)


def impulse(frames: int = 44_100, level: float = 1.0, channels: int = 2, at: int = 0) -> Block:
    """A single sample on all channels."""
    block = np.zeros((channels, frames), np.float32)
    block[:, at] = level
    return block


__all__ = [
    "cents", "db", "gain_db_at", "impulse", "log_mel_distance_db", "null_db", "peak_db", "pitch_hz",
    "rms_db", "sine", "through", "white",
]  # fmt: skip
