"""Melodies whose pitch is known at every moment, what happens to recordings on their way, and how well tracks keep it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.nets.material import Phrases
from studio.steps import Effect, parse_step
from studio.stretch import F0Track
from studio.tempo import Floats
from tests.listening import through

RATE = 44_100
HOP = 0.01

PLAYED = {
    "tuba": (58, 29, 58), "bass": (33, 28, 55), "contrabass": (43, 28, 55), "bassoon": (70, 34, 65),
    "cello": (42, 36, 72), "guitar": (24, 40, 76), "horn": (60, 41, 72), "saxophone": (65, 49, 80),
    "clarinet": (71, 50, 85), "trumpet": (56, 54, 84), "violin": (40, 55, 96), "oboe": (68, 58, 88),
    "flute": (73, 60, 93), "piccolo": (72, 74, 98),
}  # fmt: skip
"""General MIDI program, lowest and highest note: from 41 Hz to 2.3 kHz."""

BEGUN, ALONE = 0.05, 0.15
"""Seconds from the start of a note until it can be heard, and until the note before it cannot."""


class Known(NamedTuple):
    """A sound with its pitch in Hz every `HOP` seconds, NaN where it has none, and how long its note has lasted by then."""

    sound: Audio
    hz: Floats
    since: Floats


@cache
def played(name: str, seconds: float = 20.0, seed: int = 4711) -> Known:
    """Phrases of an instrument in `PLAYED`, tied and apart, from a SoundFont without reverb."""
    program, low, high = PLAYED[name]
    given = Phrases(program, low, high, seconds / 60, RATE, seed, "fluid")
    times = np.arange(round(seconds / HOP)) * HOP
    hz, since = np.full(len(times), np.nan), np.zeros(len(times))
    for note in given.score().notes:
        here = (times >= note.start / 960) & (times < note.end / 960)
        hz[here], since[here] = 440 * 2 ** ((note.pitch - 69) / 12), times[here] - note.start / 960
    return Known(Audio(given.sound().samples[:, : round(seconds * RATE)], RATE), hz, since)


@cache
def tones(low_hz: float = 55.0, high_hz: float = 1760.0, seconds: int = 20) -> Known:
    """Harmonic tones of half a second that tremble by 50 cents six times a second, each of another colour."""
    random = np.random.default_rng(5)
    half, frames = RATE // 2, np.arange(seconds * RATE)
    place = frames % half / RATE
    octaves = np.repeat(random.uniform(0, np.log2(high_hz / low_hz), 2 * seconds), half)
    hz = low_hz * 2 ** (octaves + 50 / 1200 * np.sin(2 * np.pi * 6 * frames / RATE))
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    slope = np.repeat(random.uniform(0.5, 2.0, 2 * seconds), half)
    wave = np.zeros(len(frames))
    for number in range(1, 30):
        wave += np.where(number * hz < 0.45 * RATE, np.sin(number * phase), 0.0) / number**slope
    wave *= 0.2 * np.clip(np.minimum(place, 0.48 - place) / 0.01, 0, 1)
    at = (np.arange(round(seconds / HOP)) * HOP * RATE).round().astype(int)
    return Known(Audio(wave[None].astype(np.float32), RATE), np.where(place < 0.46, hz, np.nan)[at], place[at])


class Score(NamedTuple):
    """How a track compares with what is known.

    Attributes:
        kept: the share of moments within 50 cents, where a note has sounded long enough to be alone.
        early: the same from 50 ms after the start of each note, while the note before it may still sound.
        octaves: the share of the former that is off by about whole octaves.
        lost: the share of them without a pitch.
    """

    kept: float
    early: float
    octaves: float
    lost: float


def judged(track: F0Track, known: Known) -> Score:
    """Compare a track with what is known."""
    found = track.at(np.arange(len(known.hz)) * HOP)
    cents = 1200 * np.log2(found / known.hz)
    begun, alone = (np.isfinite(known.hz) & (known.since >= least) for least in (BEGUN, ALONE))
    near = np.abs(cents) < 50
    octaves = (np.abs(cents - 1200 * np.round(cents / 1200)) < 50) & (np.abs(cents) > 600)
    return Score(*(float(share) for share in
                   (near[alone].mean(), near[begun].mean(), octaves[alone].mean(), np.isnan(found[alone]).mean())))  # fmt: skip


def _noisy(sound: Audio) -> Audio:
    noise = np.random.default_rng(1).standard_normal(sound.samples.shape)
    power = np.square(sound.samples, dtype=np.float64).mean()
    return Audio((sound.samples + noise * np.sqrt(power / 100)).astype(np.float32), sound.rate)


def _through(step: object) -> Callable[[Audio], Audio]:
    def run(sound: Audio) -> Audio:
        effect = parse_step(step)
        assert isinstance(effect, Effect)
        return Audio(through(effect, sound.samples, RenderContext(sound.rate, sound.channels)), sound.rate)

    return run


WORSE: dict[str, Callable[[Audio], Audio]] = {
    "clean": lambda sound: sound,
    "noise, 20 dB": _noisy,
    "room": _through({"reverb": {"room_size": 0.5, "wet": 0.25, "dry": 0.4}}),
    "compressed": _through({"compressor": {"threshold": -40, "ratio": 10, "attack": 1, "release": 50}}),
    "mp3": _through({"mp3": 8}),
}
"""What recordings go through: white noise 20 dB below the whole, a room, a hard compressor, an MP3 of about 85 kbit/s."""
