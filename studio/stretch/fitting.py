"""Steps that bring a sound onto the bars of the song."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice
from typing import NamedTuple

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import KnobError, RenderError, within
from studio.knobs import Number, count, knob, span
from studio.records import field
from studio.steps import Transform
from studio.stretch.anchors import Anchor, Anchors
from studio.stretch.loop_analysis import analyse_loop
from studio.stretch.onsets import find_hits
from studio.stretch.stretcher import ALL_LIBRARIES, check_method, libraries_of, stretch
from studio.stretch.stretching import FORMANTS, METHOD
from studio.stretch.timemap import TimeMap, check_ratio
from studio.tempo import Floats, TempoMap, Time
from studio.units import BPM, COUNT, SEMITONES

log = logging.getLogger(__name__)

FINE = 4
"""Anchors a beat, so that a sound follows a tempo that moves inside of beats."""

LONGEST_SECONDS = 4 * 3600


class Warp(Transform):
    """Let moments of a sound fall on bars of the song, and all between them follow the tempo map.

    Each marker is a moment of the sound and the place in the song where it is heard. Before the first and behind
    the last one the sound keeps their tempo; what would come before the start of the song is cut off. Without markers
    the sound is a loop, whose tempo is found as in `fit`, and which begins with the song: of each of its beats the hit that is
    nearest is moved onto the beat of the song.
    """

    version = 4

    markers: tuple[Anchor, ...] = field(
        Anchors(default=(), help="moments of the sound, in seconds, and their places in the song; found if left out")
    )
    from_bpm: float | None = field(
        Number(default=None, unit=BPM, low=20, high=400, help="the tempo of the loop, where there are no markers")
    )
    semitones: float = knob(0.0, -48.0, 48.0, SEMITONES, help="how much higher", live=False)
    formant_semitones: float | None = field(FORMANTS)
    method: str = field(METHOD)

    libraries = (*ALL_LIBRARIES, "soundfile")

    def uses(self) -> tuple[str, ...]:
        """The libraries that count for the knobs as they stand."""
        # Without markers the tempo of the loop is found, in comments of its file as well.
        return (*libraries_of(self.method), *(() if self.markers or self.from_bpm else ("soundfile",)))

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels == 1 or self.method != "praat"

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        check_method(self.method, self.semitones, self.formant_semitones, context.channels, bends=True)
        beats = np.array([float(context.tempo.beat_of(target)) for _, target in self.markers])
        if not (np.diff(beats) > 0).all():
            index = int(np.flatnonzero(np.diff(beats) <= 0)[0]) + 1
            raise KnobError(
                f"the marker at {self.markers[index][1]} does not come after the one at {self.markers[index - 1][1]}.",
                "Put markers in order of time.",
                path=("markers", index),
            )
        last = float(self.markers[-1][0].seconds) if self.markers else 0.0
        if seconds is not None and last > seconds:
            raise KnobError(
                f"a marker at {last:g} s of a sound of {seconds:.3f} s.",
                "Stay inside it.",
                path=("markers", len(self.markers) - 1),
            )

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        self.ready(context, audio.seconds)
        if not self.markers:
            if self.from_bpm:
                own = audio.seconds * self.from_bpm / 60
            else:
                audio, own = _loop_of(audio, context, None)
            return self._through(audio, context, *_played_beats(audio, own))
        seconds = np.array([float(source.seconds) for source, _ in self.markers])
        beats = np.array([float(context.tempo.beat_of(target)) for _, target in self.markers])
        return self._through(audio, context, seconds, beats)

    def _through(self, audio: Audio, context: RenderContext, seconds: Floats, beats: Floats) -> Audio:
        """The sound with its moments, in `seconds`, on `beats` of the song."""
        speed = np.diff(beats) / np.diff(seconds)
        begin = max(0.0, seconds[0] - beats[0] / speed[0])
        audio = Audio(audio.samples[:, round(begin * audio.rate) :], audio.rate)
        seconds = seconds - round(begin * audio.rate) / audio.rate
        first = max(0.0, beats[0] - seconds[0] * speed[0])
        last = beats[-1] + (audio.seconds - seconds[-1]) * speed[-1]
        inside = (seconds > 0) & (seconds < audio.seconds)
        path = _Path(
            np.concatenate([[0.0], seconds[inside], [audio.seconds]]), np.concatenate([[first], beats[inside], [last]])
        )
        lead = round(float(context.tempo.seconds_at(np.array([first]))[0]) * audio.rate)
        time = path.through(audio, context.tempo)
        warped = stretch(
            audio,
            time,
            semitones=self.semitones,
            formant_semitones=self.formant_semitones,
            method=self.method,
        )
        return Audio(np.pad(warped.samples, ((0, 0), (lead, 0))), audio.rate)

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        return True


_NEAR = 0.06
"""Seconds that a hit may lie away from the beat that it is taken for."""


def _played_beats(loop: Audio, beats: float) -> tuple[Floats, Floats]:
    """The moments of a loop at which its beats are played: their hits, or where they should be if none is near."""
    whole = np.append(np.arange(np.ceil(beats)), beats)
    seconds = whole * loop.seconds / beats
    hits = find_hits(loop.samples, loop.rate) / loop.rate
    if hits.size:
        reach = min(_NEAR, loop.seconds / beats / 4)
        nearest = hits[np.abs(hits[:, None] - seconds[None, 1:-1]).argmin(axis=0)]
        seconds[1:-1] = np.where(np.abs(nearest - seconds[1:-1]) < reach, nearest, seconds[1:-1])
    return seconds, whole


class Fit(Transform):
    """Fit a loop to bars of the song, as often as you like, each time onto its own bars of the tempo map.

    Without `bars` it is as many beats of the song as of its own. A loop that is too long for its bars is cut, one that is
    too short is repeated. Its tempo is found when `from_bpm` does not give it: in the name, the chunks and the tags of its
    file when it comes straight from there, by its length and its hits. Where two are about as likely, or it does not last whole beats, `from_bpm` is asked for. With
    `bpm` it is fitted to that tempo instead of the song's: ``fit: {bars: 1, bpm: 120}`` gives a bar of two seconds.
    """

    version = 5

    bars: int | None = field(
        Number(
            default=None,
            low=1,
            high=1024,
            unit=COUNT,
            whole=True,
            help="how long it is to be; as long as it is if left out",
        )
    )
    times: int = count(1, 1, 10_000, help="how often it plays, one after the other")
    at: Time = span("0 s", help="where in the song it starts", position=True)
    bpm: float | None = field(Number(default=None, unit=BPM, low=20, high=400, help="a tempo other than the song's"))
    from_bpm: float | None = field(Number(default=None, unit=BPM, low=20, high=400, help="the tempo of the loop"))
    semitones: float = knob(0.0, -48.0, 48.0, SEMITONES, help="how much higher", live=False)
    formant_semitones: float | None = field(FORMANTS)
    method: str = field(METHOD)

    libraries = (*ALL_LIBRARIES, "soundfile")

    def uses(self) -> tuple[str, ...]:
        """The libraries that count for the knobs as they stand."""
        # Where the tempo of the loop is not given, it is found, in comments of its file as well.
        return (*libraries_of(self.method), *(() if self.from_bpm else ("soundfile",)))

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        check_method(self.method, self.semitones, self.formant_semitones, context.channels, bends=True)
        tempo = self._tempo(context)
        self._check_end(tempo, _exact(seconds * self.from_bpm / 60) if seconds and self.from_bpm else Fraction(0))
        if self.from_bpm is not None:
            with within("from_bpm"):
                beats = tempo.beat_of(self.at)
                check_ratio(self.from_bpm / 60 * float(tempo.second_at(beats + 1) - tempo.second_at(beats)))

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        self.ready(context, audio.seconds)
        tempo = self._tempo(context)
        if self.from_bpm:
            beats = audio.seconds * self.from_bpm / 60
        else:
            first, second = islice(self._starts(tempo, Fraction(0)), 2)
            audio, beats = _loop_of(audio, context, float(second - first) or None)
        self._check_end(tempo, _exact(beats))
        starts = list(self._starts(tempo, _exact(beats)))
        frames = [_frame(tempo, beat, audio.rate) for beat in starts]
        out = np.zeros((audio.channels, frames[-1]), np.float32)
        done: dict[bytes, Audio] = {}
        for index in range(self.times):
            begin, end = float(starts[index]), float(starts[index + 1])
            loop = _looped(audio, beats, end - begin)
            path = _Path(np.array([0.0, loop.seconds]), np.array([begin, end]))
            time = path.through(loop, tempo, frames[index + 1] - frames[index])
            key = time.target.tobytes()
            if key not in done:
                done[key] = self._stretched(loop, time)
            out[:, frames[index] : frames[index + 1]] = done[key].samples
        return Audio(out, audio.rate)

    def _stretched(self, loop: Audio, time: TimeMap) -> Audio:
        return stretch(
            loop,
            time,
            semitones=self.semitones,
            formant_semitones=self.formant_semitones,
            method=self.method,
        )

    def _tempo(self, context: RenderContext) -> TempoMap:
        if self.bpm is None:
            return context.tempo
        meter = context.tempo.meters[0]
        return TempoMap.constant(Fraction(self.bpm), meter.count, meter.unit)

    def _starts(self, tempo: TempoMap, own: Fraction) -> Iterator[Fraction]:
        """The beats on which the loop, of so many beats of its `own`, begins, and the one on which the last ends."""
        first = tempo.beat_of(self.at)
        bar = tempo.bar_of_beat(first)
        for index in range(self.times + 1):
            yield first + index * own if self.bars is None else tempo.beat_of_bar(bar + index * self.bars)

    def _check_end(self, tempo: TempoMap, own: Fraction) -> None:
        *_, last = self._starts(tempo, own)
        if (end := float(tempo.second_at(last))) > LONGEST_SECONDS:
            raise RenderError(f"the loop would play for {end / 3600:.1f} hours.", "Play it less often.")

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        return True


class _Path(NamedTuple):
    """Seconds of a sound and the beats on which they fall; straight lines between."""

    seconds: np.ndarray
    beats: np.ndarray

    def through(self, audio: Audio, tempo: TempoMap, frames: int | None = None) -> TimeMap:
        """The time map of a sound on a tempo map, of exactly so many frames if given."""
        first, last = self.beats[0], self.beats[-1]
        inner = np.arange(np.floor(first * FINE) + 1, np.ceil(last * FINE)) / FINE
        beats = np.union1d(self.beats, inner)
        source = np.interp(beats, self.beats, self.seconds)
        target = tempo.seconds_at(beats)
        target = target - target[0]
        if frames is not None:
            # The bars end where the next begin, which is a whole frame away from it at most.
            target *= frames / audio.rate / target[-1]
        steps = np.diff(source, prepend=-np.inf) * audio.rate > 1
        steps[-1] = True
        pairs = [(float(one), float(other)) for one, other in zip(source[steps], target[steps], strict=True)]
        return TimeMap.through(audio.frames, audio.rate, pairs)


def _exact(beats: float) -> Fraction:
    return Fraction(beats).limit_denominator(1_000_000)


def _loop_of(audio: Audio, context: RenderContext, wanted: float | None) -> tuple[Audio, float]:
    """A loop and how many beats it lasts that is to fill `wanted` of them; silence is taken for just those."""
    loop = analyse_loop(audio, context.origin, wanted)
    if not loop.readings and wanted:
        return audio, wanted
    reading = loop.settled("from_bpm") if loop.readings else loop.best
    log.info("the loop is taken for %s (confidence %.0f %%)", reading, 100 * loop.confidence)
    for remark in loop.remarks:
        log.warning("%s", remark)
    return loop.of(audio), reading.beats


def _looped(audio: Audio, beats: float, wanted: float) -> Audio:
    """So many `wanted` beats of a loop that lasts `beats`."""
    frames = max(1, round(audio.frames * wanted / beats))
    if frames < audio.frames:
        return Audio(audio.samples[:, :frames], audio.rate)
    times = -(-frames // audio.frames)
    if times > 1:
        log.info("the loop is too short for its bars: it is repeated %.2f times", frames / audio.frames)
    return Audio(np.tile(audio.samples, (1, times))[:, :frames], audio.rate)


def _frame(tempo: TempoMap, beat: Fraction, rate: int) -> int:
    """The frame of a beat, rounded half up from the exact second."""
    return int(tempo.second_at(beat) * rate + Fraction(1, 2))
