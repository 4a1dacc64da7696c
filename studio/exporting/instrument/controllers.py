"""What controllers make of an instrument's sound: it is played at their values, and its levels and vibrato are measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.context import RenderContext
from studio.exporting.samples import CHANNEL_PRESSURE, CONTROLLER_VALUES, KEY_PRESSURE, Controller, Expression
from studio.score import NOTE_OFF, NOTE_ON, Event, Score
from studio.steps import Instrument

NEUTRAL = {1: 0, 10: 64, 11: 127, 66: 0, 67: 0, CHANNEL_PRESSURE: 0, KEY_PRESSURE: 0}
"""Values at which controllers make no difference. Of the volume there is none: what the part sets, it is sampled with."""

_ASKED = {7: CONTROLLER_VALUES, 11: CONTROLLER_VALUES, 10: CONTROLLER_VALUES, 67: (127,)} | dict.fromkeys(
    (1, CHANNEL_PRESSURE, KEY_PRESSURE), (64, 127)
)
_GRID = 0.64
_HELD = 0.56
_LISTENED = (0.12, 0.52)
"""Seconds of each note that are compared."""

_LONG = 2.0
_RESOLUTION = 1500
_SAME_DB, _SAME_CENTS = 0.25, 4.0
"""Smaller differences are those of the instrument from itself."""


def expression(
    instrument: Instrument, key: int, velocity: int, context: RenderContext, channel: int, before: Sequence[bytes]
) -> Expression:
    """Measure an instrument.

    Args:
        instrument: what is played.
        key: the key it is played on, in the middle of its range.
        velocity: how hard.
        context: rate and folder; the tempo is 120 bpm.
        channel: MIDI channel, from 0.
        before: messages that stand in front of all notes.

    Returns:
        For each controller that makes a difference the levels it makes, left and right, and its vibrato.
    """
    asked = [(number, value) for number, values in _ASKED.items() for value in values]
    lengths = [_HELD] * (len(asked) + 1) + [_LONG] * 4
    notes = [(-1, 0), *asked, (-1, 0), (1, 127), (CHANNEL_PRESSURE, 127), (KEY_PRESSURE, 127)]
    sounds = list(_played(instrument, key, velocity, notes, lengths, context, channel, before))
    levels = [_levels(sound, context.rate) for sound in sounds[: len(asked) + 1]]
    still = _course(sounds[len(asked) + 1], key, context.rate)
    shakes = {
        number: _vibrato(_course(sound, key, context.rate) - still)
        for (number, _), sound in zip(notes[len(asked) + 2 :], sounds[len(asked) + 2 :], strict=True)
    }
    controllers = []
    for number, values in _ASKED.items():
        found = {value: levels[1 + asked.index((number, value))] - levels[0] for value in values}
        if number in NEUTRAL:
            found[NEUTRAL[number]] = np.zeros(2)
        cents = shakes.get(number, (0.0, 0.0))[0]
        cents = cents if cents >= _SAME_CENTS else 0.0
        louder = max(np.abs(gain).max() for gain in found.values()) >= _SAME_DB
        if cents or louder:
            gains = _gains(found) if louder else ((1.0, 1.0),) * len(CONTROLLER_VALUES)
            controllers.append(Controller(number, gains, cents))
    rates = [hz for cents, hz in shakes.values() if cents >= _SAME_CENTS]
    return Expression(tuple(controllers), float(np.median(rates)) if rates else 5.5)


def _played(
    instrument: Instrument,
    key: int,
    velocity: int,
    notes: Sequence[tuple[int, int]],
    lengths: Sequence[float],
    context: RenderContext,
    channel: int,
    before: Sequence[bytes],
) -> Iterator[Block]:
    """The same note again and again, each time with one controller (or none: -1) at a value."""
    events, spans, tick = [Event(0, message) for message in before], [], round(_GRID * 2 * _RESOLUTION)
    for (number, value), length in zip(notes, lengths, strict=True):
        start = tick + round(_GRID * _RESOLUTION)
        stop = start + round(length * 2 * _RESOLUTION)
        if number >= 0:
            message = _message(number, value, key, channel)
            at = start if number == KEY_PRESSURE else tick + round(0.2 * _RESOLUTION)
            events.append(Event(at, message))
        events.append(Event(start, bytes((NOTE_ON << 4 | channel, key, velocity))))
        if number == KEY_PRESSURE:
            # The pressure of a key counts for the note that sounds.
            events[-2:] = events[:-3:-1]
        events.append(Event(stop, bytes((NOTE_OFF << 4 | channel, key, 64))))
        tick += round(np.ceil((length + 1.0) / _GRID) * _GRID * 2 * _RESOLUTION)
        if number >= 0:
            neutral = NEUTRAL.get(number, _volume(before, channel))
            events.append(Event(tick - round(0.2 * _RESOLUTION), _message(number, neutral, key, channel)))
        spans.append((start, stop))
    score = Score(tuple(events), _RESOLUTION, context.tempo, end=tick)
    whole = np.concatenate(list(instrument.play(score, context)), axis=1)
    for start, stop in spans:
        first, last = (round(edge / (2 * _RESOLUTION) * context.rate) for edge in (start, stop))
        yield np.pad(whole[:, first:last], ((0, 0), (0, max(0, last - max(first, whole.shape[1])))))


def _message(number: int, value: int, key: int, channel: int) -> bytes:
    if number == CHANNEL_PRESSURE:
        return bytes((0xD0 | channel, value))
    if number == KEY_PRESSURE:
        return bytes((0xA0 | channel, key, value))
    return bytes((0xB0 | channel, number, value))


def _volume(before: Sequence[bytes], channel: int) -> int:
    """The volume that a part sets, or that of General MIDI."""
    found = [message[2] for message in before if message[:2] == bytes((0xB0 | channel, 7))]
    return found[-1] if found else 100


def _levels(sound: Block, rate: int) -> NDArray[np.float64]:
    """Left and right, in dB."""
    piece = sound[:, round(_LISTENED[0] * rate) : round(_LISTENED[1] * rate)].astype(np.float64)
    return np.asarray(10 * np.log10(np.square(piece).mean(axis=1) + 1e-12))


def _gains(found: dict[int, NDArray[np.float64]]) -> tuple[tuple[float, float], ...]:
    """Amplitudes left and right at each of `CONTROLLER_VALUES`, straight in dB between those that were measured."""
    values = sorted(found)
    table = np.stack(
        [np.interp(CONTROLLER_VALUES, values, [found[value][side] for value in values]) for side in (0, 1)]
    )
    gains = np.where(table < -80.0, 0.0, 10 ** (table / 20))
    return tuple((float(left), float(right)) for left, right in gains.T)


def _course(sound: Block, key: int, rate: int) -> NDArray[np.float64]:
    """The course of a tone's pitch in cents about its key, every 10 ms, by the phase of its first partial."""
    from scipy.signal import butter, sosfiltfilt

    mono = sound.mean(axis=0, dtype=np.float64)
    hz = 440.0 * 2 ** ((key - 69) / 12)
    band = butter(2, [hz * 0.8, hz * 1.25], "bandpass", fs=rate, output="sos")
    narrow = sosfiltfilt(band, mono)
    turning = np.exp(-2j * np.pi * hz * np.arange(len(narrow)) / rate) * narrow
    smooth = sosfiltfilt(butter(2, 20.0, fs=rate, output="sos"), np.stack([turning.real, turning.imag]))
    step = round(0.01 * rate)
    phase = np.unwrap(np.arctan2(smooth[1], smooth[0]))[::step]
    return np.asarray(1200 * np.log2(np.maximum(1 + np.gradient(phase, step / rate) / (2 * np.pi * hz), 0.5)))


def _vibrato(course: NDArray[np.float64]) -> tuple[float, float]:
    """Depth in cents and rate in Hz of how a pitch swings, by its strongest swing from 2 to 12 Hz."""
    held = course[len(course) // 3 : -10]
    held = held - held.mean()
    size = 4096
    spectrum = np.abs(np.fft.rfft(held * np.hanning(len(held)), size)) / (np.hanning(len(held)).sum() / 2)
    hz = np.fft.rfftfreq(size, 0.01)
    inside = np.where((hz >= 2.0) & (hz <= 12.0), spectrum, 0.0)
    peak = int(inside.argmax())
    return float(inside[peak]), float(hz[peak])
