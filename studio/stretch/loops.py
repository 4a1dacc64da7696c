"""How many beats a loop lasts."""

from __future__ import annotations

import logging

import numpy as np

from studio.audio import Audio

log = logging.getLogger(__name__)

_NEAR = 0.06
"""How far, of the whole, a loop may be from the bars it is asked to fill and still be taken for them."""

_USUAL = (65.0, 185.0)
"""Tempos that a loop may have although librosa hears it an octave away."""

_WHOLE = 0.04
"""How far from a whole number of beats."""


def beats_of(audio: Audio, wanted: float) -> float:
    """How many beats a sound lasts, when it is to fill `wanted` of them.

    librosa finds the tempo (an autocorrelated onset envelope, weighed towards 120 bpm), which is often half or twice
    what a musician would say. A sound that lasts about as long as is wanted at any of these that is a usual tempo is
    taken for just that; else its length is brought to whole beats where it is close to them. What was decided is logged.
    """
    found = tempo_of(audio)
    if found is None:
        log.info("no beat was found: the whole sound is taken for %g beats", wanted)
        return wanted
    beats = audio.seconds * found / 60
    whole_bpm = wanted * 60 / audio.seconds
    octaves = [abs(beats * factor / wanted - 1) < _NEAR for factor in (1.0, 0.5, 2.0, 0.25, 4.0)]
    if octaves[0] or (any(octaves) and _USUAL[0] <= whole_bpm <= _USUAL[1]):
        log.info("at %.1f bpm the whole sound lasts %g beats", whole_bpm, wanted)
        return wanted
    whole = max(1, round(beats))
    if abs(beats / whole - 1) < _WHOLE:
        beats = float(whole)
    log.info("at %.1f bpm the sound lasts %g beats", beats * 60 / audio.seconds, beats)
    return beats


def tempo_of(audio: Audio) -> float | None:
    """The tempo of a sound in beats per minute, or None when nothing in it repeats."""
    import librosa
    import soxr

    if audio.seconds < 0.5 or audio.peak_db < -80:
        return None
    mono = np.asarray(soxr.resample(audio.samples.mean(axis=0), audio.rate, _RATE), np.float32)
    # The tempo of a short loop shows only when it is heard several times.
    mono = np.tile(mono, max(1, int(np.ceil(_LISTEN * _RATE / max(len(mono), 1)))))
    onsets = librosa.onset.onset_strength(y=mono, sr=_RATE)
    if not np.any(onsets > 1e-6):
        return None
    return float(np.atleast_1d(librosa.feature.tempo(onset_envelope=onsets, sr=_RATE))[0])


_RATE = 22_050
_LISTEN = 12.0
