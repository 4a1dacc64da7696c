"""The pitch of a voice over time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.audio import Audio
from studio.errors import KnobError, MissingError
from studio.stretch.overlap import Whole
from studio.stretch.viterbi import best, states
from studio.stretch.yin import MOST, candidates, grid
from studio.tempo import Floats

HOP = 0.01
"""Seconds from one pitch to the next."""

SILENT_DB = -45.0
"""Against the loudest tenth of a second: below it there is no pitch, but what rings and breathes."""


@dataclass(frozen=True, eq=False)
class F0Track:
    """Pitches at rising `times` in seconds: `hz` is NaN where there is none, `confidence` goes from 0 to 1."""

    times: Floats
    hz: Floats
    confidence: Floats

    @property
    def voiced(self) -> NDArray[np.bool_]:
        """Which frames have a pitch."""
        return np.isfinite(self.hz)

    def at(self, seconds: Floats) -> Floats:
        """The pitch at any moment: straight between voiced neighbours, else that of the nearest, NaN if that is none."""
        if not len(self.times):
            return np.full(np.shape(seconds), np.nan)
        right = np.clip(np.searchsorted(self.times, seconds), 0, len(self.times) - 1)
        left = np.maximum(right - 1, 0)
        span = self.times[right] - self.times[left]
        share = np.clip((seconds - self.times[left]) / np.where(span > 0, span, 1), 0, 1)
        one, other = self.hz[left], self.hz[right]
        between = one + (other - one) * share
        return np.where(np.isfinite(between), between, np.where(share < 0.5, one, other))

    def cleaned(self, low_hz: float, high_hz: float) -> F0Track:
        """Without pitches that are none: infinite, negative or outside the range, and with jumps by octaves repaired."""
        with np.errstate(invalid="ignore"):
            possible = np.isfinite(self.hz) & (self.hz >= low_hz) & (self.hz <= high_hz)
        order = np.argsort(self.times, kind="stable")
        hz = np.where(possible, self.hz, np.nan)[order]
        return F0Track(self.times[order], repair_octaves(hz), np.where(possible, self.confidence, 0.0)[order])


Tracker = Callable[[Audio, float, float], F0Track]
"""Finds the pitch of a sound between a lowest and a highest frequency in Hz."""


def track_f0(audio: Audio, low_hz: float = 60.0, high_hz: float = 1000.0, tracker: Tracker | None = None) -> F0Track:
    """The pitch of the middle of all channels, every `HOP` seconds.

    Args:
        tracker: one of `TRACKERS`; the studio's own, `yin`, when None.

    Raises:
        KnobError: a range that is none.
        MissingError: the library the tracker needs is not installed.
    """
    if not 10 <= low_hz < high_hz <= audio.rate / 4:
        raise KnobError(
            f"a pitch from {low_hz:g} to {high_hz:g} Hz.", f"Give a range inside 10 Hz to {audio.rate / 4:g} Hz."
        )
    return (tracker or yin)(audio, low_hz, high_hz).cleaned(low_hz, high_hz)


def yin(audio: Audio, low_hz: float, high_hz: float) -> F0Track:
    """YIN on means of a few frames and many windows at a time, and the best path through what it finds."""
    from scipy.ndimage import uniform_filter1d

    coarse, longest, shortest = grid(audio.rate, low_hz, high_hz)
    rate = audio.rate / coarse
    times = np.arange(0, max(audio.frames, 1), HOP * audio.rate) / audio.rate
    starts = np.round(times * rate).astype(np.int64) - 3 * longest // 2
    powers = _powers(audio)
    loudest = max(float(uniform_filter1d(powers, 10, mode="constant").max()), 1e-12)
    quiet = 1e-7 * 2 * longest * loudest
    lags, depths = np.empty((len(times), MOST)), np.empty((len(times), MOST))
    step = max(1, (1 << 16) // (3 * longest))
    for first in range(0, len(times), step):
        part = slice(first, min(first + step, len(times)))
        found = candidates(_windows(audio, starts[part], 3 * longest, coarse), longest, shortest)
        heard = (found.power > quiet)[:, None]
        lags[part], depths[part] = np.where(heard, found.lags, np.nan), np.where(heard, found.depths, 1.0)
    taken = best(states(rate / lags, depths))
    moments, sung = np.arange(len(times)), taken < MOST
    lag = np.where(sung, lags[moments, taken % MOST], np.nan)
    confidence = np.clip(1 - np.where(sung, depths[moments, taken % MOST], depths[:, 0]), 0, 1)
    # What is compared lies before the middle of the window, the further the shorter the period is.
    middles = times - (longest - np.where(sung, lag, longest)) / 2 / rate
    order = np.argsort(middles, kind="stable")
    hz = F0Track(middles[order], rate / lag[order], confidence).at(times)
    # The windows are long: what has just ended, or not begun, is told by the power of the moment itself.
    sounding = powers > 10 ** (SILENT_DB / 10) * loudest
    return F0Track(times, np.where(sounding, hz, np.nan), np.where(sounding, confidence, 0.0))


def _powers(audio: Audio) -> Floats:
    """The mean power of all channels within `HOP` of each moment."""
    edges = np.round(np.arange(0, max(audio.frames, 1), HOP * audio.rate)).astype(np.int64)
    steps = np.empty(len(edges))
    for first in range(0, len(edges), 4096):
        part = edges[first : first + 4096]
        last = edges[first + 4096] if first + 4096 < len(edges) else audio.frames
        power = np.square(audio.samples[:, part[0] : last], dtype=np.float64).mean(axis=0)
        steps[first : first + 4096] = np.add.reduceat(power, part - part[0]) if power.size else 0.0
    steps /= np.maximum(np.diff(edges, append=audio.frames), 1)
    before = np.concatenate([steps[:1], steps[:-1]])
    return np.asarray((before + steps) / 2)


def _windows(audio: Audio, starts: Whole, size: int, coarse: int) -> Floats:
    """Windows of the middle of all channels, in means of `coarse` frames."""
    first, last = int(starts[0]) * coarse, (int(starts[-1]) + size) * coarse
    low, high = np.clip([first, last], 0, audio.frames)
    piece = np.zeros(last - first)
    piece[low - first : high - first] = audio.samples[:, low:high].mean(axis=0, dtype=np.float64)
    means = piece.reshape(-1, coarse).mean(axis=1)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(means, size)[starts - starts[0]])


def pyin(audio: Audio, low_hz: float, high_hz: float) -> F0Track:
    """Probabilistic YIN (Mauch & Dixon 2014), by librosa, which says where and in which octave there is a pitch.

    Its grid of a tenth of a semitone is left where the studio's own YIN agrees, which is exact to a cent or two.
    """
    import librosa

    hop = max(1, round(HOP * audio.rate))
    size = 1 << max(11, int(np.ceil(np.log2(3 * audio.rate / low_hz))))
    mono = audio.samples.mean(axis=0, dtype=np.float64)
    rough, voiced, chance = librosa.pyin(
        mono, fmin=low_hz, fmax=high_hz, sr=audio.rate, frame_length=size, hop_length=hop
    )
    times = np.arange(len(rough)) * hop / audio.rate
    exact = yin(audio, low_hz, high_hz).at(times)
    with np.errstate(invalid="ignore"):
        agreed = np.abs(np.log2(exact / rough)) < 1 / 24
    return F0Track(times, np.where(voiced, np.where(agreed, exact, rough), np.nan), np.asarray(chance))


def praat(audio: Audio, low_hz: float, high_hz: float) -> F0Track:
    """Praat's autocorrelation (Boersma 1993), through parselmouth."""
    try:
        import parselmouth
    except ImportError:
        raise MissingError("Praat is not installed.", 'pip install "mirepoix[stretch]", or track with yin.') from None
    if audio.seconds < 3 / low_hz + HOP:
        return F0Track(np.zeros(0), np.zeros(0), np.zeros(0))
    sound = parselmouth.Sound(audio.samples.mean(axis=0, dtype=np.float64), audio.rate)
    pitch = sound.to_pitch_ac(time_step=HOP, pitch_floor=low_hz, pitch_ceiling=high_hz)
    found = pitch.selected_array
    return F0Track(pitch.xs(), np.where(found["frequency"] > 0, found["frequency"], np.nan), found["strength"])


TRACKERS: dict[str, Tracker] = {"yin": yin, "pyin": pyin, "praat": praat}
"""`yin` is the studio's own and fast; `pyin` is librosa's, more careful and twenty times slower; `praat` is Praat's."""

_AROUND = 15
"""Neighbours on either side that say in which octave a pitch lies."""


def repair_octaves(hz: Floats) -> Floats:
    """Pitches that stray from their neighbours by about whole octaves, brought back; NaN stays NaN.

    The neighbourhood is the median, in octaves, of up to `_AROUND` voiced windows on either side; what strays must also
    lie nearer to its next neighbours on both sides once it is brought back, so a leap of a melody stays.
    """
    voiced = np.flatnonzero(np.isfinite(hz) & (hz > 0))
    if len(voiced) < 5:
        return hz.copy()
    octaves = np.log2(hz[voiced])
    reach = min(_AROUND, (len(voiced) - 1) // 2)
    padded = np.pad(octaves, reach, mode="reflect")
    usual = np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    away = np.round(octaves - usual)
    stray = (away != 0) & (np.abs(octaves - usual - away) < 0.1)
    for neighbour in _neighbours(~stray):
        distance = octaves - octaves[neighbour]
        stray &= (np.abs(distance - away) < np.abs(distance)) | stray[neighbour]
    repaired = hz.copy()
    repaired[voiced[stray]] = 2 ** (octaves[stray] - away[stray])
    return repaired


def _neighbours(sound: NDArray[np.bool_]) -> tuple[Whole, Whole]:
    """For each frame the nearest one that is `sound` before it and behind it; at the ends the one on the other side."""
    frames = np.arange(len(sound))
    before = np.maximum.accumulate(np.where(sound, frames, -1))
    behind = np.minimum.accumulate(np.where(sound, frames, len(sound))[::-1])[::-1]
    before, behind = np.where(before < 0, behind, before), np.where(behind == len(sound), before, behind)
    return np.clip(before, 0, len(sound) - 1), np.clip(behind, 0, len(sound) - 1)
