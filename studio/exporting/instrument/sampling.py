"""An instrument played note by note, and what was learned of each: its loop, how it dies away, how it lets go.

All notes are played in one go, on a grid of 0.64 s, on which FluidSynth's clocks of milliseconds and of 64 frames fall
together at 44.1 and 48 kHz, so every note begins alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.context import RenderContext
from studio.errors import RenderError
from studio.exporting.instrument.controllers import expression
from studio.exporting.instrument.grid import Grid, spans
from studio.exporting.instrument.loops import crossfaded, find_loop
from studio.exporting.samples import RELEASES, KeySpan, Sampled, Zone
from studio.exporting.target import PlayedBy
from studio.score import DRUM_CHANNEL, NOTE_OFF, NOTE_ON, Event, Score
from studio.steps import Instrument
from studio.tempo import TempoMap

GRID = 0.64
TAIL = 2.4
"""Seconds that are listened to after a note is let go."""

_SHORT = 0.25
_COMPARED = 0.5
_SAME = 0.98
"""Correlation of two velocities from which on they are one sound at two levels."""

_GONE = -75.0
"""A sound that is so much softer than its loudest moment, in dB, is over."""

_RESOLUTION = 1500


def sampled(
    playing: PlayedBy, grid: Grid, folder: Path = Path(), say: Callable[[str], None] = lambda phrase: None
) -> Sampled:
    """Sample an instrument.

    Args:
        playing: what is played, on which channel, behind which messages; its keys say how far the grid goes.
        grid: which notes, and for how long.
        folder: what relative paths mean to the instrument.
        say: is told what is going on.

    Raises:
        RenderError: nothing sounds.
    """
    rate, drums, instrument = round(grid.rate), playing.drums, playing.instrument
    channel, before = playing.channel, playing.setting
    context = RenderContext(rate, 2, TempoMap.constant(120), folder)
    keys = grid.keys(playing.keys, drums)
    velocities = tuple(sorted({round(velocity) for velocity in grid.velocities}))
    say(f"sampling {len(keys)} keys at {len(velocities)} velocities")
    sampled_spans = spans(keys, drums, TimbreDistance(instrument, keys, velocities[-1], context, channel, before))
    wanted = [(span.key, velocity) for span, velocity in product(sampled_spans, velocities)]
    long = list(_notes(instrument, wanted, grid.seconds, context, channel, before))
    short = dict(zip(sampled_spans, _notes(instrument, [(s.key, velocities[-1]) for s in sampled_spans], _SHORT, context, channel, before), strict=True))  # fmt: skip
    layers = {
        span: long[index * len(velocities) : (index + 1) * len(velocities)] for index, span in enumerate(sampled_spans)
    }
    layers = {span: sounds for span, sounds in layers.items() if max(np.abs(sound).max() for sound in sounds) > 1e-5}
    if not layers:
        raise RenderError("the instrument makes no sound on the keys that were sampled.", "Give other keys.")
    kept, correlated, soft = _layers(velocities, list(layers.values()), rate)
    zones = []
    for span, sounds in layers.items():
        release = _release(short[span], sounds[-1], rate)
        zones += [_zone(span, velocities[index], sounds[index], rate, grid.seconds, release) for index in kept]
    say("playing its controllers")
    middle = keys[len(keys) // 2]
    heard = expression(instrument, middle, velocities[-1], context, channel, before)
    return Sampled(tuple(zones), rate, tuple(velocities[index] for index in kept), correlated, soft, heard)


def _layers(velocities: Sequence[int], layers: Sequence[Sequence[Block]], rate: int) -> tuple[list[int], bool, float]:
    """Which velocities are needed, whether those are alike, and the power of velocity that amplitude follows.

    One that is the same sound as the next louder one, only softer, can be made of that.
    """
    first, slopes = round(_COMPARED * rate), [2.0]
    kept, alike = [len(velocities) - 1], [1.0]
    for index in reversed(range(len(velocities) - 1)):
        pairs = [(sounds[index][:, :first], sounds[kept[0]][:, :first]) for sounds in layers]
        found = [_correlation(*pair) for pair in pairs]
        ratio = np.log(velocities[kept[0]] / velocities[index])
        slopes += [float(np.log(_rms(loud) / _rms(low)) / ratio) for low, loud in pairs]
        if np.quantile(found, 0.1) < _SAME:
            kept.insert(0, index)
            alike += found
    soft = float(np.clip(np.median(slopes[1:] or slopes), 0.25, 4.0))
    return kept, bool(np.median(alike) > 0.5), soft


class TimbreDistance:
    """How far two keys are apart in sound: the mean difference of the levels of their first twelve partials, in dB.

    SoundFonts go from one recording to the next between two keys, with a step in timbre and level.
    """

    def __init__(
        self,
        instrument: Instrument,
        keys: Sequence[int],
        velocity: int,
        context: RenderContext,
        channel: int,
        before: Sequence[bytes],
    ) -> None:
        every = range(keys[0], keys[-1] + 1)
        self._levels: dict[int, NDArray[np.float64]] = {}
        if channel == DRUM_CHANNEL or len(keys) < 2:
            return
        notes = _notes(instrument, [(key, velocity) for key in every], _SHORT, context, channel, before, tail=0.1)
        for key, sound in zip(every, notes, strict=True):
            self._levels[key] = _partials(
                sound[:, : round(_SHORT * context.rate)], 440 * 2 ** ((key - 69) / 12), context.rate
            )

    def __call__(self, one: int, other: int) -> float:
        a, b = self._levels[one], self._levels[other]
        count = min(len(a), len(b))
        return float(np.abs(a[:count] - b[:count]).mean()) if count else 0.0


def _partials(sound: Block, hz: float, rate: int) -> NDArray[np.float64]:
    """Levels in dB of the partials of a tone, as far as there are any below 16 kHz."""
    mono = sound.mean(axis=0, dtype=np.float64)
    power = np.abs(np.fft.rfft(mono * np.hanning(len(mono)))) ** 2 / (len(mono) / 4) ** 2
    levels = []
    for number in range(1, 13):
        middle = number * hz * len(mono) / rate
        if number * hz > min(16_000, 0.45 * rate):
            break
        levels.append(10 * np.log10(power[int(middle * 0.97) : int(middle * 1.03) + 2].sum() + 1e-10))
    return np.array(levels)


def _notes(
    instrument: Instrument,
    notes: Sequence[tuple[int, int]],
    held: float,
    context: RenderContext,
    channel: int,
    before: Sequence[bytes],
    tail: float = TAIL,
) -> Iterator[Block]:
    """Each note alone, from its start to the end of its tail."""
    ticks = round(np.ceil((held + tail) / GRID) * GRID * 2 * _RESOLUTION)
    lead = round(GRID * 2 * _RESOLUTION)
    events = [Event(0, data) for data in before]
    for index, (key, velocity) in enumerate(notes):
        start = lead + index * ticks
        events.append(Event(start, bytes((NOTE_ON << 4 | channel, key, velocity))))
        events.append(Event(start + round(held * 2 * _RESOLUTION), bytes((NOTE_OFF << 4 | channel, key, 64))))
    score = Score(tuple(events), _RESOLUTION, context.tempo, end=lead + len(notes) * ticks)
    frames, wanted = round(ticks / (2 * _RESOLUTION) * context.rate), 0
    waiting, skip = np.zeros((2, 0), np.float32), round(GRID * context.rate)
    for block in instrument.play(score, context):
        waiting = np.concatenate([waiting, block], axis=1)
        while waiting.shape[1] >= skip + frames and wanted < len(notes):
            yield waiting[:, skip : skip + frames]
            waiting, skip, wanted = waiting[:, skip + frames :], 0, wanted + 1
    for _ in range(wanted, len(notes)):
        yield np.pad(waiting[:, skip : skip + frames], ((0, 0), (0, max(0, skip + frames - waiting.shape[1]))))[
            :, :frames
        ]
        waiting, skip = waiting[:, skip + frames :], 0


def _zone(span: KeySpan, velocity: int, sound: Block, rate: int, held: float, release: tuple[float, ...]) -> Zone:
    samples = sound[:, : round(held * rate)]
    over = _over(sound, rate)
    endless = not any(level < 0 for level in release)
    if over < samples.shape[1] or endless:
        kept = sound[:, : max(over, 64)]
        return Zone(span, velocity, _narrow(_faded(kept, rate)), None, 0.0, release)
    first = round(0.35 * held * rate)
    decay = _decay(samples, rate, first)
    falling = np.ones(samples.shape[1])
    falling[first:] = 10 ** (decay * np.arange(samples.shape[1] - first) / rate / 20)
    steady = (samples * falling).astype(np.float32)
    loop = find_loop(steady, rate, first, samples.shape[1])
    if loop is None:
        return Zone(span, velocity, _narrow(_faded(samples, rate)), None, 0.0, release)
    # Up to the loop the sound is as it was; from there on the player lets it fall.
    level = 10 ** (-decay * (loop.start - first) / rate / 20)
    whole = crossfaded(steady, loop, rate) * np.float32(level)
    whole[:, : loop.start] = samples[:, : loop.start]
    return Zone(span, velocity, _narrow(whole), loop.start, decay, release)


def _levels(sound: Block, rate: int) -> NDArray[np.float64]:
    """The level in dB of every piece of 10 ms."""
    size = round(0.01 * rate)
    whole = sound[:, : sound.shape[1] // size * size].astype(np.float64)
    power = np.square(whole).reshape(len(sound), -1, size).mean(axis=(0, 2))
    return np.asarray(10 * np.log10(power + 1e-14))


def _over(sound: Block, rate: int) -> int:
    """The frame behind which the sound is over."""
    levels = _levels(sound, rate)
    loud = np.flatnonzero(levels > levels.max() + _GONE)
    return int(min((loud[-1] + 2) * round(0.01 * rate), sound.shape[1]))


def _decay(samples: Block, rate: int, first: int) -> float:
    """By how many dB a second a held note falls from a frame on; 0 for one that stays or swells."""
    levels = _levels(samples[:, first:], rate)
    slope = float(np.polyfit(np.arange(len(levels)) * 0.01, levels, 1)[0]) if len(levels) > 4 else 0.0
    return -slope if slope < -0.5 else 0.0


def _release(short: Block, long: Block, rate: int) -> tuple[float, ...]:
    """The level after a note is let go, against that of one that is held on."""
    let_go, held = _levels(short, rate), _levels(long, rate)
    first = round(_SHORT / 0.01)
    frames = min(len(let_go), len(held)) - first
    fall = np.minimum(let_go[first : first + frames] - held[first : first + frames], 0.0)
    sounding = held[first : first + frames] > held.max() + _GONE
    fall = np.minimum.accumulate(np.where(sounding, fall, 0.0))
    if fall.min() > -6.0:
        return (0.0,) * len(RELEASES)
    seconds = np.arange(frames) * 0.01
    return tuple(float(max(level, -120.0)) for level in np.interp(RELEASES, seconds, fall - fall[0]))


def _faded(samples: Block, rate: int) -> Block:
    """Its last 5 ms fade out, so that nothing clicks."""
    out = samples.copy()
    fade = min(round(0.005 * rate), out.shape[1])
    out[:, out.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return out


def _narrow(samples: Block) -> Block:
    """As one channel, where both are the same."""
    return samples[:1] if np.array_equal(samples[0], samples[1]) else samples


def _rms(sound: Block) -> float:
    return max(float(np.sqrt(np.square(sound, dtype=np.float64).mean())), 1e-9)


def _correlation(one: Block, other: Block) -> float:
    a, b = one.mean(axis=0, dtype=np.float64), other.mean(axis=0, dtype=np.float64)
    return float(np.dot(a, b) / np.sqrt(np.dot(a, a) * np.dot(b, b) + 1e-18))
