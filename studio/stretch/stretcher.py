"""Time and pitch of a sound, by any method, in the same words."""

from __future__ import annotations

import logging
from collections.abc import Callable

import numpy as np

from studio.audio import Audio, Block
from studio.errors import KnobError, nearest
from studio.stretch import engines
from studio.stretch.content import choose
from studio.stretch.envelope import move_envelope
from studio.stretch.f0 import track_f0
from studio.stretch.hptsm import hptsm
from studio.stretch.ola import ola
from studio.stretch.psola import psola
from studio.stretch.resample import read_at, to_length
from studio.stretch.timemap import OverTime, TimeMap, bend, semitones_at
from studio.stretch.vocoder import vocoder
from studio.stretch.wsola import wsola
from studio.tempo import Floats

log = logging.getLogger(__name__)

TIME_METHODS: dict[str, Callable[[Block, TimeMap, int], Block]] = {
    "ola": ola,
    "wsola": wsola,
    "vocoder": vocoder,
    "hptsm": hptsm,
}
"""Methods that change the time; pitch follows by reading what they make faster or slower."""

METHODS = ("auto", *TIME_METHODS, "psola", "rubberband", "rubberband_cli", "signalsmith", "praat")


def stretch(
    audio: Audio,
    time: TimeMap | float = 1.0,
    *,
    semitones: float | OverTime = 0.0,
    formant_semitones: float | None = None,
    method: str = "auto",
) -> Audio:
    """A sound at another tempo, another pitch, or both, with exactly the length the time map asks for.

    The same input gives the same bits, and what asks for no change gives the input's.

    Args:
        time: a map, or the duration ratio: 2 makes the sound twice as long.
        semitones: a number, or a curve over the seconds of the input.
        formant_semitones: where the formants go; 0 keeps them where they are. None leaves them to the method:
            `psola` and `praat` keep them, with all others they move with the pitch.
        method: one of `METHODS`; `auto` listens to the sound and logs what it chose and why.

    Raises:
        KnobError: a method, ratio, interval or curve that is none, or a wish the method cannot fulfil.
        AudioError: there is no sound, or the map belongs to a sound of another length.
        MissingError: the method's library is not installed.
    """
    if method not in METHODS:
        raise KnobError(f"there is no stretching method {method!r}.", nearest(method, METHODS))
    if not isinstance(time, TimeMap):
        time = TimeMap.constant(audio.frames, time)
    elif time.frames_in != audio.frames:
        raise KnobError(
            f"the time map is for {time.frames_in} frames, the sound has {audio.frames}.", "Make a map for this sound."
        )
    curve = semitones_at(semitones, _seconds(time, audio.rate))
    if formant_semitones is not None:
        semitones_at(formant_semitones, np.zeros(1))
    level = bool((curve == curve[0]).all())
    pitch: float | OverTime = float(curve[0]) if level else semitones
    if time.is_identity and pitch == 0 and not formant_semitones:
        return audio
    if method == "auto":
        method, reason = choose(audio)
        log.info("stretching with %s: %s", method, reason)
    return Audio(_by(method, audio, time, pitch, formant_semitones), audio.rate)


def _seconds(time: TimeMap, rate: int) -> Floats:
    return np.append(np.arange(0, time.frames_in, 64.0), time.frames_in) / rate


def _by(method: str, audio: Audio, time: TimeMap, pitch: float | OverTime, formants: float | None) -> Block:
    samples, rate = audio.samples, audio.rate
    if method == "psola":
        return psola(samples, time, rate, semitones=pitch, formant_semitones=formants or 0.0)
    if method in TIME_METHODS:
        return _resampled(TIME_METHODS[method], audio, time, pitch, formants)
    _check_wish(method, pitch, formants)
    engine = _ENGINES[method]
    if callable(pitch) or formants:
        return _resampled(engine, audio, time, pitch, formants)
    if method in _KEEPERS:
        return engine(samples, time, rate, semitones=pitch, keep_formants=formants == 0)
    return engine(samples, time, rate, semitones=pitch)


def check_method(
    method: str, semitones: object, formant_semitones: float | None, channels: int, *, bends: bool = False
) -> None:
    """See whether a method can do what is asked of it, and is there.

    Args:
        method: one of `METHODS`.
        semitones: a number, or anything else that moves.
        formant_semitones: as `stretch` takes it.
        channels: how many the sound has.
        bends: whether the sound is stretched through anchors, and not by one ratio.

    Raises:
        KnobError, AudioError: it cannot.
        MissingError: its library is not installed.
    """
    if method in _ENGINES:
        moving: OverTime = lambda seconds: seconds  # noqa: E731
        pitch = float(semitones) if isinstance(semitones, (int, float)) else moving
        _check_wish(method, pitch, formant_semitones)
        engines.need(method, channels, bends=bends)


def _check_wish(method: str, pitch: float | OverTime, formants: float | None) -> None:
    if method == "praat" and callable(pitch):
        raise KnobError("praat takes one interval, not a curve.", "Use psola for a pitch that moves.")
    if method not in _KEEPERS and (formants or (formants == 0 and method == "signalsmith")):
        raise KnobError(f"{method} cannot move formants.", "Leave formant_semitones out, or use psola or rubberband.")


LIBRARIES = ("scipy", "soxr")
"""Distributions that every method may use."""

ENGINE_LIBRARIES: dict[str, tuple[str, ...]] = {
    "rubberband": ("pedalboard", "pyrubberband"),
    "rubberband_cli": ("pyrubberband",),
    "signalsmith": ("python-stretch",),
    "praat": ("praat-parselmouth",),
}
"""Those that stand behind the engines of others."""

ALL_LIBRARIES = tuple(dict.fromkeys((*LIBRARIES, *(each for name in ENGINE_LIBRARIES.values() for each in name))))


def libraries_of(method: str) -> tuple[str, ...]:
    """The distributions that a method's sound depends on."""
    return (*LIBRARIES, *ENGINE_LIBRARIES.get(method, ()))


_KEEPERS = ("rubberband", "rubberband_cli")
"""Engines that can hold formants by themselves."""

_ENGINES: dict[str, Callable[..., Block]] = {
    "rubberband": engines.rubberband,
    "rubberband_cli": engines.rubberband_cli,
    "signalsmith": engines.signalsmith,
    "praat": engines.praat,
}


def _resampled(
    method: Callable[[Block, TimeMap, int], Block],
    audio: Audio,
    time: TimeMap,
    pitch: float | OverTime,
    formants: float | None,
) -> Block:
    """Pitch by stretching to another length and reading that faster or slower; formants by moving the envelope back."""
    if pitch == 0 and not formants:
        return method(audio.samples, time, audio.rate)
    bent = bend(time, audio.rate, pitch)
    longer = method(audio.samples, time.then(bent), audio.rate)
    if formants is not None:
        at = np.clip(bent.source_of(np.arange(longer.shape[1], dtype=np.float64)), 0, time.frames_out)
        interval = semitones_at(pitch, np.clip(time.source_of(at), 0, audio.frames) / audio.rate)
        longer = move_envelope(longer, audio.rate, 2 ** ((interval - formants) / 12), _smallest_period(audio))
    if len(bent.source) == 2:
        return to_length(longer, time.frames_out)
    return read_at(longer, bent.target_of(np.arange(time.frames_out, dtype=np.float64)))


def _smallest_period(audio: Audio) -> float:
    """The period of a voice's highest pitches in its first ten seconds; of A4 where there is none."""
    if audio.rate < 4000:
        return 1 / 440
    start = Audio(audio.samples[:, : 10 * audio.rate], audio.rate)
    track = track_f0(start, 60.0, min(1000.0, audio.rate / 4))
    return 1 / float(np.nanpercentile(track.hz, 90)) if track.voiced.mean() > 0.3 else 1 / 440
