"""How many beats a loop lasts, how sure that is, and what else it might be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.audio import Audio
from studio.audiofile import probe
from studio.errors import AudioError
from studio.stretch.loop_hints import LoopHint, hints_in, looped_part
from studio.stretch.pulse import Pulse, pulse_of
from studio.tempo import Floats

SURE = 0.7
"""The confidence from which a reading is taken without a question."""

SLOWEST_BPM, FASTEST_BPM = 50.0, 200.0
"""Tempos that are looked for where the file names none."""

_USUAL_BPM, _OCTAVES = 115.0, 0.42
"""The tempo of most loops, and by how many octaves (a standard deviation) others are away from it."""

_PHRASE, _ODD_PHRASE, _BARS, _ODD = 0.0, -1.7, -2.2, -3.2
"""The log odds of 4·2ⁿ beats, of half a bar and of 3 or 6 bars, of other whole bars, and of other whole beats."""

_PARTIAL = -3.5
"""The log odds that a sound does not last whole beats."""

_TAGGED, _BARE, _WANTED = 4.0, 3.0, 1.4
"""How much a tempo that the file states, a number in its name, and the length that is asked for add to the log odds."""

_STRESS = 2.0
"""The weight of what tells a tempo from its double."""

_FILLED = 1.0
"""How much it counts that there is something between the beats; where there is nothing, half the tempo is as likely."""

_FEWEST, _CLEAREST = 1.3, 20.0
"""The hits below which there is no beat, and from which more of them make it no surer."""

_FAINT, _FAINT_DB = 0.1, 2.0
"""A beat is heard only if its tempo explains the hits so much better than most tempos, and one rises so far (noise, by
chance, rises by up to 1.8 dB)."""

_FAINT_CONFIDENCE = 0.5

_DOUBLED_BPM, _SPARSE, _BACKED = 130.0, 0.04, 0.05
"""From this tempo on, eighths may as well be sixteenths at half of it, unless a share of the hits falls on sixteenths of its
own, or its snare is on 2 and 4."""

_STEP = 0.02
"""How finely lengths that are no whole number of beats are tried."""


@dataclass(frozen=True)
class LoopReading:
    """One way to hear a loop: so many quarter notes, at a tempo in beats per minute, and its share of belief (0 to 1)."""

    beats: float
    bpm: float
    share: float

    def __str__(self) -> str:
        return f"{self.beats:.4g} beats at {self.bpm:.4g} bpm"


@dataclass(frozen=True)
class LoopAnalysis:
    """What a loop was taken for.

    Attributes:
        seconds: how long it is.
        readings: the ways to hear it, the most likely first; none for silence and for less than 0.1 s.
        meter: beats of a bar.
        confidence: from 0 to 1, how sure the first reading is.
        remarks: what the file says that does not agree with its sound, in sentences.
        swing: where the second eighth lies in its beat, 0.5 for straight ones; None where there are none.
        start: the second at which the loop begins in the sound; what is before it and behind its length belongs to none.
    """

    seconds: float
    readings: tuple[LoopReading, ...]
    meter: int
    confidence: float
    remarks: tuple[str, ...] = ()
    swing: float | None = None
    start: float = 0.0

    def of(self, audio: Audio) -> Audio:
        """The loop alone, out of the sound that was analysed (at any rate)."""
        first = round(self.start * audio.rate)
        last = min(audio.frames, round((self.start + self.seconds) * audio.rate))
        return audio if (first, last) == (0, audio.frames) else Audio(audio.samples[:, first:last], audio.rate)

    @property
    def sure(self) -> bool:
        """Whether the first reading can be taken without a question."""
        return bool(self.readings) and self.confidence >= SURE

    @property
    def best(self) -> LoopReading:
        """The most likely reading.

        Raises:
            AudioError: there is none, for the sound is silent, or less than 0.1 s long.
        """
        if not self.readings:
            raise AudioError("the loop is silent or too short: it has no tempo.", "Say how fast it is meant to be.")
        return self.readings[0]

    def settled(self, knob: str) -> LoopReading:
        """The most likely reading, if it is sure.

        Args:
            knob: what to set to say the tempo, for the error.

        Raises:
            AudioError: it is not; the two best readings are named.
        """
        if self.sure:
            return self.best
        readings = " or ".join(str(each) for each in (self.best, *self.readings[1:2]))
        why = "".join(f" {each}" for each in self.remarks)
        raise AudioError(
            f"it is not clear how many beats the loop of {self.seconds:.3f} s lasts: {readings}"
            f" (confidence {self.confidence:.0%}).{why}",
            "Say its tempo: " + " or ".join(f"`{knob}: {each.bpm:.5g}`" for each in self.readings[:2]) + ".",
        )


def analyse_loop(audio: Audio, file: Path | None = None, wanted: float | None = None) -> LoopAnalysis:
    """Read a loop from what its file says, from its length and from its hits.

    Every whole number of beats at a usual tempo is weighed: loops last mostly 4, 8, 16 … beats at 80 to 160 bpm; the
    hits, bent to a circle, fall on the beats and their parts; a tempo that the file names counts where it gives whole
    beats. Lengths of no whole number of beats are weighed as well, so that a partial bar or a tail is noticed.
    Sixteenths at 70 bpm and eighths at 140 in half time are the same sound: there the usual tempo decides. The shares
    of belief are the softmax of the log odds; the confidence is the best one's against the second, lower where no beat
    is heard and the file names no tempo.

    Args:
        audio: the loop, once round, from its first beat.
        file: where it comes from unchanged, if it does.
        wanted: beats that it is to fill, which count for it where it would do so at a usual tempo, and which a sound
            without a clear beat is taken for.

    Raises:
        AudioError: the file cannot be read.
    """
    start, audio = _part(audio, file)
    pulse = pulse_of(audio)
    if not pulse.rises.size:
        return LoopAnalysis(audio.seconds, (), 4, 0.0, start=start)
    hints = hints_in(file) if file is not None else ()
    odds, remarks, named = _odds(pulse, hints, wanted)
    beats = np.array(list(odds))
    log_odds = np.array(list(odds.values()))
    shares = np.exp(log_odds - log_odds.max())
    shares /= shares.sum()
    order = np.argsort(-shares, kind="stable")
    readings = tuple(
        LoopReading(float(beats[at]), float(beats[at]) * 60 / audio.seconds, float(shares[at])) for at in order[:8]
    )
    best = readings[0]
    confidence = best.share / sum(each.share for each in readings[:2])
    if best.beats not in named | {wanted} and not _clear(pulse, best.beats):
        confidence = min(confidence, _FAINT_CONFIDENCE)
        remarks.append("No clear beat is heard in it.")
    if best.beats not in named and best.beats % 1:
        confidence = min(confidence, _FAINT_CONFIDENCE)
        remarks.append("It does not last whole beats: a bar may be cut off, or a tail left on.")
    if best.beats not in named | {wanted} and _perhaps_doubled(pulse, best):
        confidence = min(confidence, _FAINT_CONFIDENCE)
        remarks.append(f"Its eighths may as well be sixteenths at {best.bpm / 2:.4g} bpm.")
        half = next((each for each in readings[1:] if each.beats == best.beats / 2), None)
        if half is not None:
            readings = (best, half, *(each for each in readings[1:] if each is not half))
    meter = _meter(best.beats, pulse, hints)
    return LoopAnalysis(audio.seconds, readings, meter, confidence, tuple(remarks), pulse.swing(best.beats), start)


def _part(audio: Audio, file: Path | None) -> tuple[float, Audio]:
    """The second at which the loop begins, and the loop: the part that the file loops if that is most of it."""
    part = looped_part(file) if file is not None else None
    if file is None or part is None:
        return 0.0, audio
    rate, _, frames = probe(file)
    first, last = part
    if first > 0.05 * frames or last - first < frames / 2 or last > frames:
        return 0.0, audio
    return first / rate, LoopAnalysis((last - first) / rate, (), 4, 0.0, start=first / rate).of(audio)


def _perhaps_doubled(pulse: Pulse, reading: LoopReading) -> bool:
    """Whether nothing but the usual tempo speaks against half as many beats."""
    return (
        reading.bpm >= _DOUBLED_BPM
        and reading.beats >= 4
        and pulse.sixteenths(reading.beats) < _SPARSE
        and pulse.backbeat(reading.beats) < _BACKED
    )


def _odds(
    pulse: Pulse, hints: Sequence[LoopHint], wanted: float | None
) -> tuple[dict[float, float], list[str], set[float]]:
    """The log odds of each number of beats, what the file says wrongly, and the numbers that it names."""
    seconds = pulse.seconds
    low, high = seconds * SLOWEST_BPM / 60, seconds * FASTEST_BPM / 60
    whole = {float(beats) for beats in range(max(1, int(np.ceil(low))), max(1, int(high)) + 1)}
    stated: dict[float, float] = {}
    remarks: list[str] = []
    for hint in hints:
        beats, agrees = _told(hint, seconds)
        if agrees:
            stated[beats] = max(stated.get(beats, 0.0), _TAGGED if hint.tagged else _BARE)
            whole.add(beats)
        elif hint.tagged:
            remarks.append(
                f"The file says {hint.bpm:.4g} bpm{f' and {hint.beats} beats' if hint.beats else ''} ({hint.where}), at"
                f" which it would last {seconds * hint.bpm / 60:.2f} beats: that is not believed without its hits."
            )
    tried = np.array(sorted(whole))
    odds = dict(zip(tried.tolist(), (_phrasing(tried) + _heard(pulse, tried)).tolist(), strict=True))
    for beats, weight in stated.items():
        odds[beats] += weight
    if wanted is not None and wanted in odds and 65 <= wanted * 60 / seconds <= 185:
        odds[wanted] += _WANTED
    between = np.arange(max(low, 1.0), high, _STEP)
    between = between[np.abs(between - np.round(between)) > 0.1]
    if len(between):
        heard = _heard(pulse, between) + _PARTIAL
        # A tail moves the end, not the beats: what the file says may be true although the length is not whole.
        for hint in hints:
            if hint.tagged:
                heard[np.abs(between * 60 / seconds / hint.bpm - 1) < 0.005] -= _PARTIAL / 2
        top = int(np.argmax(heard))
        odds[round(float(between[top]), 2)] = float(heard[top])
    return odds, remarks, set(stated)


def _told(hint: LoopHint, seconds: float) -> tuple[float, bool]:
    """The whole beats that a hint means, and whether they agree with the length of the sound."""
    beats = seconds * hint.bpm / 60
    whole = float(max(1, round(beats)))
    if hint.tagged:
        # A tempo may be rounded to a whole number, and an end cut a few milliseconds off.
        agrees = abs(beats - whole) <= min(max(0.12, 0.006 * whole), 0.35, 0.08 * whole)
    else:
        agrees = _phrasing(np.array([whole]))[0] == _PHRASE and abs(beats / whole - 1) < 0.005
    return whole, bool(agrees and (hint.beats is None or hint.beats == whole))


def _phrasing(beats: Floats) -> Floats:
    """The log odds of whole numbers of beats before anything is heard."""
    kinds = np.full(len(beats), _ODD)
    kinds[beats % 4 == 0] = _BARS
    for odd in (2, 6, 12, 24, 48):
        kinds[beats == odd] = _ODD_PHRASE
    kinds[(beats >= 4) & (np.log2(beats) % 1 == 0)] = _PHRASE
    return kinds


def _heard(pulse: Pulse, beats: Floats) -> Floats:
    """The log odds of numbers of beats by their tempo and by the hits."""
    away = np.log2(beats * 60 / pulse.seconds / _USUAL_BPM) / _OCTAVES
    fits = min(pulse.hits, _CLEAREST) * pulse.grid(beats) + _STRESS * pulse.stress(beats)
    one, two, four = (pulse.on(part * beats) for part in (1, 2, 4))
    fits += _FILLED * np.clip(2 * np.maximum(two, four) - 2 * one, 0.0, 1.0)
    return np.asarray(fits - away**2 / 2)


def _clear(pulse: Pulse, beats: float) -> bool:
    """Whether hits are heard, and a number of beats explains them much better than most others do."""
    if pulse.hits < _FEWEST or float(pulse.rises.max()) < _FAINT_DB:
        return False
    others = np.arange(0.5, 2.0, 0.01) * beats
    return float(pulse.grid(np.array([beats]))[0] - np.median(pulse.grid(others))) >= _FAINT


def _meter(beats: float, pulse: Pulse, hints: Sequence[LoopHint]) -> int:
    """The beats of a bar: the file's where it gives whole bars, else four unless only three do, or fit better."""
    for hint in hints:
        if hint.meter and beats % hint.meter == 0:
            return hint.meter
    if beats % 3 or (beats % 4 == 0 and float(np.diff(pulse.on(np.array([beats / 4, beats / 3])))[0]) < 0.1):
        return 4
    return 3
