"""What kind of sound it is, and which method suits it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from studio.audio import Audio
from studio.stretch.f0 import HOP, F0Track, track_f0
from studio.stretch.onsets import find_hits
from studio.stretch.separation import separate

LOOK = 4.0
"""Seconds of each excerpt that is looked at."""

EXCERPTS = 3


class MethodChoice(NamedTuple):
    """A method, and why."""

    method: str
    reason: str


def choose(audio: Audio) -> MethodChoice:
    """The method that suits a sound, from three excerpts of it.

    One voice, spoken or sung, or one instrument alone goes to `psola`, tones without hits to `vocoder`, everything else to `hptsm`: of all
    methods measured it comes closest to a band that plays the song at the other tempo.
    """
    excerpts = [excerpt for excerpt in _excerpts(audio) if excerpt.peak_db > -70]
    if not excerpts:
        return MethodChoice("ola", "it is silent")
    if audio.seconds < _SHORTEST:
        return MethodChoice(
            "wsola",
            "it is too short to tell: "
            + (f"{audio.seconds * 1000:.0f} ms" if audio.seconds >= 0.001 else f"{audio.frames} frames"),
        )
    seconds = sum(excerpt.seconds for excerpt in excerpts)
    hits = sum(len(find_hits(excerpt.samples, excerpt.rate, rise_db=15.0)) for excerpt in excerpts) / seconds
    voiced = clear_pitch(audio)
    if voiced > 0.7 and _narrow(excerpts) and all(map(_alone, excerpts)):
        return MethodChoice("psola", f"one pitch at a time in {voiced:.0%} of it: a voice or an instrument alone")
    spoken = float(np.mean([_spoken(excerpt) for excerpt in excerpts]))
    if spoken > 0.5 and _narrow(excerpts):
        return MethodChoice("psola", "its pitch glides, with noise between: a voice that speaks")
    tones = _tones(excerpts[0])
    if hits < 0.2 and tones > 0.7:
        return MethodChoice(
            "vocoder", f"{hits:.1f} hits a second, {tones:.0%} of the power in tones: they swell and fade"
        )
    kind = "a mix of tones and hits" if tones > 0.3 else "percussive"
    return MethodChoice("hptsm", f"{hits:.1f} hits a second, {tones:.0%} of the power in tones: {kind}")


def clear_pitch(audio: Audio) -> float:
    """The share of what is heard that has one clear pitch, from three excerpts of it."""
    excerpts = [excerpt for excerpt in _excerpts(audio) if excerpt.peak_db > -70]
    return float(np.mean([_voiced(excerpt) for excerpt in excerpts])) if excerpts else 0.0


_SHORTEST = 0.1
_SURE = 0.85
"""The confidence of a pitch that has the sound to itself."""


def _excerpts(audio: Audio) -> list[Audio]:
    """Pieces of `LOOK` seconds, evenly spread, or the whole if that is not longer."""
    length = round(LOOK * audio.rate)
    if audio.frames <= EXCERPTS * length:
        return [audio]
    starts = np.linspace(0, audio.frames - length, EXCERPTS + 2)[1:-1].astype(int)
    return [Audio(audio.samples[:, start : start + length], audio.rate) for start in starts]


def _spoken(excerpt: Audio) -> bool:
    """Whether it is speech, judged where there is a pitch: consonants and breath say nothing against a voice.

    Where it has a pitch lies most of its power, that pitch is fairly clear, and it glides: by more than `_GLIDE` cents
    from one hundredth of a second to the next as often as not, as no instrument's with fixed notes does. In a room and in
    noise less of it is heard and less clearly; then it must glide by more. What lies lower than voices is a drum.
    """
    if excerpt.rate < 4000:
        return False
    track = track_f0(excerpt, 60.0, min(1000.0, excerpt.rate / 4))
    voiced = track.voiced
    steps = np.abs(np.diff(1200 * np.log2(track.hz)))
    steps = steps[np.isfinite(steps)]
    if voiced.mean() < 0.25 or len(steps) < 20 or np.nanpercentile(track.hz, 25) < _LOWEST_VOICE_HZ:
        return False
    glide, clear, share = (
        float(np.median(steps)),
        float(np.median(track.confidence[voiced])),
        _sung_power(excerpt, track),
    )
    if voiced.mean() > 0.35 and share > 0.7 and clear > 0.78:
        return glide > _GLIDE
    return share > 0.55 and clear > 0.73 and glide > _NOISY_GLIDE


_GLIDE, _NOISY_GLIDE = 4.0, 8.0
_LOWEST_VOICE_HZ = 75.0


def _sung_power(excerpt: Audio, track: F0Track) -> float:
    """The share of the power that lies where there is a pitch."""
    step = max(1, round(HOP * excerpt.rate))
    middle = excerpt.samples.mean(axis=0, dtype=np.float64)
    count = min(len(middle) // step, len(track.hz))
    power = np.square(middle[: count * step]).reshape(count, step).sum(axis=1)
    return float(power[track.voiced[:count]].sum() / max(float(power.sum()), 1e-20))


def _alone(excerpt: Audio) -> bool:
    """Whether nothing loud is heard beside what has the pitch, as drums would be."""
    if excerpt.rate < 4000:
        return False
    return _sung_power(excerpt, track_f0(excerpt, 60.0, min(1000.0, excerpt.rate / 4))) > 0.84


def _voiced(excerpt: Audio) -> float:
    """The share of what is heard that has one clear pitch."""
    if excerpt.rate < 4000:
        return 0.0
    track = track_f0(excerpt, 60.0, min(1000.0, excerpt.rate / 4))
    step = max(1, round(0.01 * excerpt.rate))
    mono = np.square(excerpt.samples[:, : excerpt.frames // step * step], dtype=np.float64).sum(axis=0)
    power = mono.reshape(-1, step).sum(axis=1)
    heard = power > 1e-3 * power.max()
    count = min(len(heard), len(track.hz))
    return float((track.confidence[:count] > _SURE)[heard[:count]].mean())


def _tones(excerpt: Audio) -> float:
    """The share of the power that stands still."""
    start = excerpt.samples[:, : round(LOOK * excerpt.rate)]
    power = float(np.square(start, dtype=np.float64).sum())
    return float(np.square(separate(start, excerpt.rate).harmonic, dtype=np.float64).sum()) / max(power, 1e-12)


def _narrow(excerpts: list[Audio]) -> bool:
    """Whether all channels tell the same, at least 12 dB above what tells them apart."""
    for excerpt in excerpts:
        middle = excerpt.samples.mean(axis=0, dtype=np.float64)
        apart = np.square(excerpt.samples - middle, dtype=np.float64).mean()
        if apart > 0.06 * np.square(middle).mean():
            return False
    return True
