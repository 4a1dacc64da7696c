"""What a transfer kept of its source, and how near it came to each parent."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.stretch.f0 import F0Track
from studio.stretch.melody import melody
from studio.stretch.onsets import find_hits
from studio.tempo import Floats
from studio.timbre.hybrid import track_of
from studio.timbre.likeness import frechet, likeness
from studio.timbre.mosaic import BANDS, mel_filters
from studio.timbre.spectra import Spectra, analysed, loud

CLOSE_CENTS = 50.0
CLOSE_SECONDS = 0.05
FLOOR = 1e-5


@dataclass(frozen=True)
class Figures:
    """Figures of one transfer; a distance is in dB, smaller is nearer.

    Attributes:
        octaves: by how many the result as a whole is higher than the source; the figures of the pitch are those after
            such a move, which is a choice and no mistake.
        pitch_cents: the median distance of the pitch from the source's; NaN without a pitch in either.
        pitch_kept: the share of the source's pitched moments whose pitch is within 50 cents.
        onsets_kept: the F-measure, within 50 ms, of where notes begin: hits, and in a melody changes of pitch, for slurred
            notes have no hits.
        loudness_db: the RMS distance of the loudness contour, after the mean, where the source is heard.
        log_mel_source, log_mel_target: the mean distance of mean log-mel spectra, after the level.
        frechet_source, frechet_target: the Fréchet distance of Gaussians fitted to log-mel cepstra, after the level.
        ears_source, ears_target: the Fréchet distance to ears that tell instruments apart (see `likeness`).
        ears_bins: the divergence in bits of how those ears sort the result's windows from how they sort the target's.
            These three are NaN without torch.
    """

    octaves: int
    pitch_cents: float
    pitch_kept: float
    onsets_kept: float
    loudness_db: float
    log_mel_source: float
    log_mel_target: float
    frechet_source: float
    frechet_target: float
    ears_source: float
    ears_target: float
    ears_bins: float

    def data(self) -> dict[str, float | None]:
        """Plain data; what does not apply is None."""
        return {name: round(value, 4) if np.isfinite(value) else None for name, value in asdict(self).items()}


def compare(result: Audio, source: Audio, target: Audio) -> Figures:
    """The figures of a result that is as long as its source."""
    tracks = track_of(result), track_of(source)
    spectra = [analysed(each) for each in (result, source, target)]
    mels = [_log_mel(each) for each in spectra]
    log_mel = [float(np.abs(mels[0].mean(axis=0) - other.mean(axis=0)).mean()) for other in mels[1:]]
    apart = [frechet(_cepstra(mels[0]), _cepstra(other)) for other in mels[1:]]
    heard = _heard(result, source, target)
    return Figures(
        *_pitch(*tracks),
        _onsets((result, source), tracks),
        _loudness(spectra[0], spectra[1]),
        *(log_mel[0], log_mel[1]),
        *(apart[0], apart[1]),
        *heard,
    )


def _heard(result: Audio, source: Audio, target: Audio) -> tuple[float, float, float]:
    missing = float("nan")
    if find_spec("torch") is None or find_spec("safetensors") is None:
        return missing, missing, missing
    one, other = likeness(result, source), likeness(result, target)
    return (one.frechet if one else missing, *((other.frechet, other.divergence) if other else (missing, missing)))


def _pitch(result: F0Track, source: F0Track) -> tuple[int, float, float]:
    count = min(len(result.hz), len(source.hz))
    sung = source.voiced[:count]
    if not sung.any():
        return 0, float("nan"), float("nan")
    both = sung & result.voiced[:count]
    if not both.any():
        return 0, float("nan"), 0.0
    away = np.log2(result.hz[:count][both] / source.hz[:count][both])
    octaves = round(float(np.median(away)))
    cents = np.abs(1200 * (away - octaves))
    return octaves, float(np.median(cents)), float((cents <= CLOSE_CENTS).sum() / sung.sum())


MELODIC = 0.5
"""The share of a sound that has a pitch, from which on it is a melody."""


def _onsets(sounds: tuple[Audio, Audio], tracks: tuple[F0Track, F0Track]) -> float:
    heard, wanted = (find_hits(each.samples, each.rate) / each.rate for each in sounds)
    if all(len(track.hz) and track.voiced.mean() > MELODIC for track in tracks):
        heard, wanted = (_begun(hits, track) for hits, track in zip((heard, wanted), tracks, strict=True))
    if not len(heard) and not len(wanted):
        return 1.0
    near = _matched(heard, wanted)
    return 2 * near / (len(heard) + len(wanted))


def _begun(hits: Floats, track: F0Track) -> Floats:
    """Where notes begin: changes of pitch, and hits that are none of those."""
    steps = np.array([track.times[first] for first, _ in melody(track, np.arange(128)).notes])
    if not len(steps):
        return hits
    alone = [hit for hit in hits.tolist() if np.abs(steps - hit).min() > CLOSE_SECONDS]
    return np.sort(np.concatenate([steps, alone]))


def _matched(heard: Floats, wanted: Floats) -> int:
    """How many pairs there are, each moment in one of them at most."""
    count = index = 0
    for moment in wanted.tolist():
        while index < len(heard) and heard[index] < moment - CLOSE_SECONDS:
            index += 1
        if index < len(heard) and heard[index] <= moment + CLOSE_SECONDS:
            count, index = count + 1, index + 1
    return count


def _loudness(result: Spectra, source: Spectra) -> float:
    levels = [10 * np.log10(np.square(each.magnitudes).sum(axis=1) + 1e-12) for each in (result, source)]
    heard = loud(source.magnitudes, 50.0)
    if not heard.any():
        return 0.0
    off = (levels[0] - levels[1])[heard]
    return float(np.sqrt(np.square(off - off.mean()).mean()))


def _log_mel(spectra: Spectra) -> Floats:
    """Log-mel spectra in dB of the windows that are heard, each brought to the same power."""
    magnitudes = spectra.magnitudes
    power = np.square(magnitudes[loud(magnitudes, 40.0)]) @ mel_filters(spectra.size, spectra.rate).T
    power /= power.sum(axis=1, keepdims=True) + 1e-20
    return np.asarray(10 * np.log10(power + FLOOR))


def _cepstra(mels: Floats) -> NDArray[np.float64]:
    from scipy.fft import dct

    return np.asarray(dct(mels, norm="ortho", axis=1)[:, : BANDS // 2])
