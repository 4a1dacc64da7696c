"""An instrument as samples: what is known of each, whoever plays them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from studio.audio import Block

RELEASES = (0.0, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28)
"""Seconds after which the level of a note that was let go is known."""


@dataclass(frozen=True)
class KeySpan:
    """The keys that one sampled key serves."""

    low: int
    key: int
    high: int


@dataclass(frozen=True)
class Zone:
    """One sample: for which keys and what velocity it stands, and how it is played.

    Attributes:
        span: the keys it serves, and the one it was played at.
        velocity: the velocity it was played at.
        samples: `(channels, frames)`; mono where both sides are the same. With a loop it ends at the loop's end.
        loop: the frame to go back to from the end; None for a sound that ends of itself.
        decay: dB a second by which the sound falls from the loop's start on, which is taken out of the samples there.
        release: level in dB at each of `RELEASES` after the note is let go; all 0 for sounds that nothing can stop.
    """

    span: KeySpan
    velocity: int
    samples: Block
    loop: int | None
    decay: float
    release: tuple[float, ...]

    @property
    def peak(self) -> float:
        """The highest level of the sample, as a factor."""
        return float(np.abs(self.samples).max())


CHANNEL_PRESSURE, KEY_PRESSURE = 128, 129
"""The numbers by which pressure stands among the controllers of MIDI."""

CONTROLLER_VALUES = (0, 16, 32, 48, 64, 80, 96, 112, 127)
"""Values of a controller at which the level it makes is known."""


@dataclass(frozen=True)
class Controller:
    """What a controller makes of the sound.

    Attributes:
        number: of MIDI, or `CHANNEL_PRESSURE` or `KEY_PRESSURE`.
        gains: amplitudes left and right, at each of `CONTROLLER_VALUES`, against the instrument as it was sampled.
        cents: depth of the vibrato it makes, turned up.
    """

    number: int
    gains: tuple[tuple[float, float], ...]
    cents: float = 0.0


@dataclass(frozen=True)
class Expression:
    """What an instrument hears between notes; `vibrato_hz` is the rate of its vibrato."""

    controllers: tuple[Controller, ...] = ()
    vibrato_hz: float = 5.5


@dataclass(frozen=True)
class Sampled:
    """An instrument as samples."""

    zones: tuple[Zone, ...]
    rate: int
    velocities: tuple[int, ...]
    correlated: bool
    """Whether neighbouring velocities are the same sound at other levels, so that amplitudes add up between them."""

    soft: float
    """The power of velocity that amplitude follows under the softest sample."""

    expression: Expression = Expression()

    @cached_property
    def digest(self) -> str:
        """A hash of all that is heard."""
        digest = hashlib.blake2b(
            repr((self.rate, self.velocities, self.correlated, self.soft, self.expression)).encode(), digest_size=16
        )
        for zone in self.zones:
            digest.update(repr((zone.span, zone.velocity, zone.loop, zone.decay, zone.release)).encode())
            digest.update(zone.samples.tobytes())
        return digest.hexdigest()

    @property
    def seconds(self) -> float:
        """How long all samples together are."""
        return float(sum(zone.samples.shape[1] for zone in self.zones) / self.rate)
