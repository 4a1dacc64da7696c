"""More voices from one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import KnobError
from studio.knobs import LOG, Number, Numbers, knob
from studio.levels import SILENCE_DB, amplitude
from studio.midi.picks import Pick
from studio.records import Nested, field
from studio.score import Score
from studio.steps import Transform
from studio.stretch.f0 import HOP
from studio.stretch.melody import Melody, follow, melody, nearest_note, score_of, sounding
from studio.stretch.psola import psola
from studio.stretch.scales import KEY, ladder, scale_kind
from studio.stretch.timemap import TimeMap
from studio.tempo import Floats
from studio.typed import present
from studio.units import COUNT, DB, HZ, MS, SEMITONES

MOST_VOICES = 6

_FURTHEST = 36.0
"""Semitones a voice may be moved; notes of a chord beyond it are sung in the nearest octave."""

_BREATH = 0.03
"""Seconds in which a voice comes in or goes out."""

_GLIDE = 0.02
"""Seconds in which it goes from note to note."""


class Harmonise(Transform):
    """Sing along: more voices made from one, in a scale or on the chords of a part.

    `voices` are intervals as musicians count them, within the scale: 3 is a third above, -3 a third below, 8 an
    octave. With `part` they are the notes the part holds, from low to high, as many as sound. Every voice keeps its
    formants, so that it sounds like the same singer (TD-PSOLA).
    """

    version = 4

    voices: tuple[float, ...] = field(
        Numbers(
            default=(3.0, 5.0), each=Number(low=-15, high=15, unit=COUNT, whole=True), most=MOST_VOICES,
            help="intervals above (or, negative, below) what is sung",
        )
    )  # fmt: skip
    key: str = field(KEY)
    scale: str = field(scale_kind("major"))
    part: Pick | None = field(Nested(of=Pick, default=None, help="a part of the score whose chords are sung"))
    level: float = knob(-6.0, SILENCE_DB, 12.0, DB, help="how loud each voice is", live=False)
    dry: float = knob(0.0, SILENCE_DB, 12.0, DB, help="how loud the singer is", live=False)
    spread: float = knob(0.6, 0.0, 1.0, help="how far the voices stand apart", live=False)
    detune: float = knob(0.06, 0.0, 0.5, SEMITONES, help="how far a voice may be off, each by its own", live=False)
    delay: float = knob(15.0, 0.0, 100.0, MS, help="how late a voice may be, each by its own", live=False)
    formant_semitones: float = knob(0.0, -24.0, 24.0, SEMITONES, help="how much higher the formants", live=False)
    lowest: float = knob(60.0, 20.0, 1_000.0, HZ, taper=LOG, help="the lowest pitch to look for", live=False)
    highest: float = knob(1_000.0, 100.0, 4_000.0, HZ, taper=LOG, help="the highest pitch to look for", live=False)

    libraries = ("scipy",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for index, interval in enumerate(self.voices):
            if interval in (0, -1):
                raise KnobError(
                    f"{interval:g} is no interval.",
                    "1 is the same note, 2 a second, -2 a second below.",
                    path=("voices", index),
                )

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        line = melody(follow(audio, self.lowest, self.highest), ladder(self.key, self.scale))
        voices = self._chords(line, context) if self.part else self._in_scale(line)
        out = audio.samples * np.float32(amplitude(self.dry))
        mono = audio.samples.mean(axis=0, keepdims=True)
        random = np.random.default_rng(0)
        for voice, pan in zip(voices, _pans(len(voices), self.spread), strict=True):
            off, late = random.uniform(-1, 1) * self.detune, random.uniform(0, 1) * self.delay / 1000
            sung = self._sung(mono, audio.rate, line, voice, off, late)
            out += sung * _gains(pan, audio.channels) * np.float32(amplitude(self.level))
        return Audio(out, audio.rate)

    def follows(self, context: RenderContext) -> Score | None:
        """The notes it listens to."""
        return score_of(self.part, context) if self.part else None

    def _in_scale(self, line: Melody) -> list[_Voice]:
        notes, everywhere = ladder(self.key, self.scale), np.ones(len(line.centre))
        voices = []
        for interval in self.voices:
            moves = np.zeros(len(line.centre))
            for first, last in line.notes:
                sung = int(nearest_note(np.median(line.centre[first:last], keepdims=True), notes)[0])
                moves[first:last] = notes[sung + round(interval - np.sign(interval))] - notes[sung]
            voices.append(_Voice(moves, everywhere))
        return voices

    def _chords(self, line: Melody, context: RenderContext) -> list[_Voice]:
        chords = sounding(score_of(present(self.part), context), line.times)
        count = min(MOST_VOICES, max((len(chord) for chord in chords), default=0))
        return [_of_chords(chords, voice, line) for voice in range(count)]

    def _sung(self, mono: np.ndarray, rate: int, line: Melody, voice: _Voice, off: float, late: float) -> np.ndarray:
        moves = _smoothed(voice.moves, _GLIDE) + off
        samples = psola(
            mono,
            TimeMap.constant(mono.shape[1], 1.0),
            rate,
            track=line.track,
            semitones=lambda seconds: np.interp(seconds, line.times, moves),
            formant_semitones=self.formant_semitones,
        )
        seconds = np.arange(mono.shape[1]) / rate
        loud = np.interp(seconds, line.times, _smoothed(voice.sings, _BREATH)).astype(np.float32)
        shift = min(round(late * rate), mono.shape[1])
        return np.pad(samples * loud, ((0, 0), (shift, 0)))[:, : mono.shape[1]]


@dataclass(frozen=True, eq=False)
class _Voice:
    """How many semitones it is from what is sung, and whether it sings (1) or rests (0), every `HOP` seconds."""

    moves: Floats
    sings: Floats


def _of_chords(chords: Sequence[Sequence[int]], voice: int, line: Melody) -> _Voice:
    """The voice that sings the note `voice`, counted from below, of each chord."""
    wanted = np.array([chord[voice] if voice < len(chord) else np.nan for chord in chords], dtype=np.float64)
    moves = wanted - line.centre
    with np.errstate(invalid="ignore"):
        beyond = np.abs(moves) > _FURTHEST
    moves[beyond] -= 12 * np.round(moves[beyond] / 12)
    there = np.isfinite(moves)
    if not there.any():
        return _Voice(np.zeros(len(moves)), np.zeros(len(moves)))
    return _Voice(np.interp(line.times, line.times[there], moves[there]), np.isfinite(wanted).astype(np.float64))


def _smoothed(values: Floats, seconds: float) -> Floats:
    """The mean over `seconds` either way."""
    half = max(1, round(seconds / HOP))
    padded = np.pad(values, half, mode="edge") if len(values) else values
    return np.convolve(padded, np.full(2 * half + 1, 1 / (2 * half + 1)), mode="valid") if len(values) else values


def _pans(voices: int, spread: float) -> Floats:
    """Where voices stand from left (-1) to right (1), the first ones outermost in turn."""
    return spread * np.linspace(-1, 1, voices) if voices > 1 else np.zeros(voices)


def _gains(pan: float, channels: int) -> np.ndarray:
    """One gain a channel, of constant power."""
    if channels != 2:
        return np.ones((channels, 1), np.float32)
    angle = (pan + 1) * np.pi / 4
    return np.array([[np.cos(angle)], [np.sin(angle)]], np.float32) * np.float32(np.sqrt(2))
