"""Audio: immutable samples with their rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.errors import AudioError
from studio.levels import decibels
from studio.views import view

Block: TypeAlias = NDArray[np.float32]
"""Samples on their way through a step: float32, shape ``(channels, frames)``."""


@dataclass(frozen=True, eq=False)
class Audio:
    """A sound: `samples` are float32 of shape ``(channels, frames)`` and cannot be changed; `rate` is in Hz.

    Full scale is ±1, but nothing clips before a file with fewer bits is written.

    Raises:
        AudioError: no channels, a rate below 1 Hz, or samples that are NaN or infinite.
    """

    samples: Block
    rate: int

    def __post_init__(self) -> None:
        samples = np.array(self.samples, dtype=np.float32, order="C", ndmin=2, copy=True)
        if samples.ndim != 2 or samples.shape[0] == 0:
            raise AudioError(
                f"samples of shape {np.shape(self.samples)} are not a sound.", "Use the shape (channels, frames)."
            )
        if samples.shape[0] > 64:
            raise AudioError(
                f"{samples.shape[0]} channels.", "The shape is (channels, frames): transpose the array first."
            )
        if int(self.rate) < 1:
            raise AudioError(f"a rate of {self.rate} Hz.", "Give the sample rate in Hz, such as 44100.")
        check_finite(samples)
        samples.flags.writeable = False
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "rate", int(self.rate))

    @classmethod
    def silence(cls, seconds: float, rate: int = 44100, channels: int = 2) -> Audio:
        """Silence of so many seconds."""
        return cls(np.zeros((channels, round(seconds * rate)), np.float32), rate)

    @classmethod
    def of(cls, samples: ArrayLike, rate: int) -> Audio:
        """From any array-like of shape ``(frames,)`` or ``(channels, frames)``."""
        return cls(np.asarray(samples, dtype=np.float32), rate)

    @property
    def channels(self) -> int:
        """How many channels it has."""
        return int(self.samples.shape[0])

    @property
    def frames(self) -> int:
        """How many samples each channel has."""
        return int(self.samples.shape[1])

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.frames / self.rate

    @property
    def peak_db(self) -> float:
        """The highest sample in dBFS; minus infinity for silence."""
        return decibels(float(np.max(np.abs(self.samples), initial=0.0)))

    def _repr_html_(self) -> str:
        shown: str = view("still")({"": self})
        return shown

    def __repr__(self) -> str:
        return f"Audio({self.channels} channels, {self.seconds:.3f} s, {self.rate} Hz, peak {self.peak_db:.1f} dBFS)"


def check_finite(samples: NDArray[np.float32], origin: str = "", start: int = 0) -> None:
    """Refuse NaN and infinity, naming the first frame that holds one.

    Raises:
        AudioError: with the channel and the frame.
    """
    with np.errstate(invalid="ignore"):
        if np.isfinite(samples.sum(dtype=np.float64)):
            return
    bad = np.argwhere(~np.isfinite(samples))
    if len(bad):
        channel, frame = bad[np.argmin(bad[:, 1])]
        raise AudioError(
            f"{origin + ': ' if origin else ''}channel {channel + 1} holds {samples[channel, frame]}"
            f" at frame {frame + start}.",
            "Repair the file: NaN and infinity are not sound.",
        )


_CENTRE = 0.5**0.5
_DOWNMIX = {
    # After ITU-R BS.775: centre and surrounds at −3 dB, no low-frequency channel.
    3: [[1, 0, _CENTRE], [0, 1, _CENTRE]],
    4: [[1, 0, _CENTRE, 0], [0, 1, 0, _CENTRE]],
    5: [[1, 0, _CENTRE, _CENTRE, 0], [0, 1, _CENTRE, 0, _CENTRE]],
    6: [[1, 0, _CENTRE, 0, _CENTRE, 0], [0, 1, _CENTRE, 0, 0, _CENTRE]],
    8: [[1, 0, _CENTRE, 0, _CENTRE, 0, _CENTRE, 0], [0, 1, _CENTRE, 0, 0, _CENTRE, 0, _CENTRE]],
}


def interleaved(block: Block) -> Block:
    """A block of shape (channels, frames) as (frames, channels) in one piece of memory, as files hold it.

    Channel by channel: numpy's own way of turning it round takes fifteen times as long.
    """
    if block.T.flags.c_contiguous:
        return block.T
    out = np.empty((block.shape[1], block.shape[0]), block.dtype)
    for channel, samples in enumerate(block):
        out[:, channel] = samples
    return out


def to_channels(block: Block, channels: int) -> Block:
    """Fit a block to a number of channels.

    Mono is copied to every channel; anything to mono is the mean; 3 to 8 channels to stereo follow
    ITU-R BS.775 in WAV order (L R C LFE Ls Rs …).

    Raises:
        AudioError: no rule leads from one layout to the other.
    """
    have = block.shape[0]
    if have == channels:
        return block
    if have == 1:
        return np.repeat(block, channels, axis=0)
    if channels == 1:
        return np.asarray(block.mean(axis=0, keepdims=True, dtype=np.float64), dtype=np.float32)
    if channels == 2 and have in _DOWNMIX:
        return np.asarray(np.array(_DOWNMIX[have], np.float32) @ block, dtype=np.float32)
    raise AudioError(f"{have} channels do not fit into {channels}.", "Convert the file to mono, stereo or 5.1 first.")
