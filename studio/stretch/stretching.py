"""Steps that make a sound longer or shorter, higher or lower."""

from __future__ import annotations

from studio.audio import Audio
from studio.context import RenderContext
from studio.curves import Curve
from studio.errors import within
from studio.knobs import LOG, Choice, Live, Number, knob
from studio.records import field
from studio.steps import Transform
from studio.stretch.anchors import Anchor, Anchors
from studio.stretch.psola import psola
from studio.stretch.stretcher import ALL_LIBRARIES, METHODS, check_method, libraries_of, stretch
from studio.stretch.timemap import FASTEST, SLOWEST, OverTime, TimeMap
from studio.tempo import Floats
from studio.units import SEMITONES, Unit

TIMES = Unit("×", "a ratio of durations", {"×": 1.0, "x": 1.0, "%": 0.01}, "2 or 50 %")

METHOD = Choice(default="auto", options=METHODS, help="how; auto listens to the sound and chooses")
INTERVAL = Number(default=0.0, unit=SEMITONES, low=-48.0, high=48.0, live=True, help="how much higher")
FORMANTS = Number(
    default=None,
    unit=SEMITONES,
    low=-48.0,
    high=48.0,
    help="how much higher the formants, 0 keeps them; up to the method",
)


def over_time(value: Curve | float | str, context: RenderContext) -> float | OverTime:
    """A live knob as what the stretcher takes: a number, or a function of the seconds of the sound."""
    if isinstance(value, (int, float, str)):
        return float(value)
    curve = value

    def read(seconds: Floats) -> Floats:
        return curve.values(seconds, context.tempo)

    return read


def path_of(ratio: Curve | float | str, audio: Audio, context: RenderContext) -> TimeMap:
    """The time map of a duration ratio that may move."""
    moving = over_time(ratio, context)
    if callable(moving):
        return TimeMap.curve(audio.frames, audio.rate, moving)
    return TimeMap.constant(audio.frames, moving)


class Stretch(Transform):
    """Make a sound longer or shorter without changing its pitch, or both as you like.

    By one ratio, by a curve over the sound, or through anchors that say which of its moments is heard when.
    """

    version = 4

    duration_ratio: Live = knob(1.0, FASTEST, SLOWEST, TIMES, taper=LOG, help="new length over old")
    semitones: Live = field(INTERVAL)
    formant_semitones: float | None = field(FORMANTS)
    anchors: tuple[Anchor, ...] = field(
        Anchors(default=(), help="moments of the sound and where they are heard, instead of a ratio")
    )
    method: str = field(METHOD)

    libraries = ALL_LIBRARIES

    def uses(self) -> tuple[str, ...]:
        """The libraries that count for the knobs as they stand."""
        return libraries_of(self.method)

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels == 1 or self.method != "praat"

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        check_method(self.method, self.semitones, self.formant_semitones, context.channels)
        pairs = [(float(source.seconds), float(context.tempo.second_of(target))) for source, target in self.anchors]
        if pairs:
            end = pairs[-1][0] if seconds is None else seconds
            with within("anchors"):
                TimeMap.through(max(1, round(end * context.rate)), context.rate, pairs)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        if self.anchors:
            pairs = [(float(source.seconds), float(context.tempo.second_of(target))) for source, target in self.anchors]
            time = TimeMap.through(audio.frames, audio.rate, pairs)
        else:
            time = path_of(self.duration_ratio, audio, context)
        return stretch(
            audio,
            time,
            semitones=over_time(self.semitones, context),
            formant_semitones=self.formant_semitones,
            method=self.method,
        )

    def follows_tempo(self) -> bool:
        """Whether the tempo map has a say in how it sounds."""
        return super().follows_tempo() or any(target.musical for _, target in self.anchors)


class Pitch(Transform):
    """Make a sound higher or lower without changing its length."""

    version = 4

    semitones: Live = field(INTERVAL)
    formant_semitones: float | None = field(FORMANTS)
    method: str = field(METHOD)

    libraries = ALL_LIBRARIES

    def uses(self) -> tuple[str, ...]:
        """The libraries that count for the knobs as they stand."""
        return libraries_of(self.method)

    def takes(self, channels: int) -> bool:
        """Whether a sound of so many channels can go through it."""
        return channels == 1 or self.method != "praat"

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        check_method(self.method, self.semitones, self.formant_semitones, context.channels)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        interval = over_time(self.semitones, context)
        return stretch(audio, semitones=interval, formant_semitones=self.formant_semitones, method=self.method)


class Psola(Transform):
    """Change the pitch, the length and the formants of one voice or instrument, each on its own.

    TD-PSOLA: for singing, speech and instruments that play one note at a time. Formants stay where they are
    unless `formant_semitones` moves them.
    """

    version = 4

    semitones: Live = field(INTERVAL)
    duration_ratio: Live = knob(1.0, FASTEST, SLOWEST, TIMES, taper=LOG, help="new length over old")
    formant_semitones: float = knob(0.0, -48.0, 48.0, SEMITONES, help="how much higher the formants", live=False)

    libraries = ("scipy",)

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        samples = psola(
            audio.samples,
            path_of(self.duration_ratio, audio, context),
            audio.rate,
            semitones=over_time(self.semitones, context),
            formant_semitones=self.formant_semitones,
        )
        return Audio(samples, audio.rate)
