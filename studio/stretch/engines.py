"""Stretchers that others wrote, behind the same words, with their traps fenced off.

All take the same time map; a library that can only keep one ratio refuses a map that bends.
"""

from __future__ import annotations

import shutil
import subprocess
from functools import cache
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from studio.audio import Block
from studio.errors import AudioError, KnobError, MissingError
from studio.provenance import behind
from studio.stretch.timemap import TimeMap

KEY_FRAMES = 1024
"""Frames, at least, between two points of a time map that is handed to Rubber Band."""


def rubberband(
    samples: Block, time: TimeMap, rate: int, *, semitones: float = 0.0, keep_formants: bool = False, fine: bool = True
) -> Block:
    """Rubber Band's R3 engine, through pedalboard where the ratio is constant, else through its command line.

    pedalboard's own moving ratios and pitches switch Rubber Band to real-time mode, whose delay moves with the pitch by
    up to 24 ms and whose length is not exact, so they are not used.

    Args:
        fine: the long window; the short one is two and a half times as fast and cleaner on single tones, but softer on
            hits.
    """
    if time.is_identity and semitones == 0:
        return samples.copy()
    if len(time.source) > 2:
        return rubberband_cli(samples, time, rate, semitones=semitones, keep_formants=keep_formants)
    import pedalboard

    stretched = pedalboard.time_stretch(
        np.ascontiguousarray(samples, np.float32),
        float(rate),
        time.frames_in / time.frames_out,
        float(semitones),
        use_long_fft_window=None if fine else False,
        preserve_formants=keep_formants,
    )
    return _fit(stretched, samples, time)


def rubberband_cli(
    samples: Block, time: TimeMap, rate: int, *, semitones: float = 0.0, keep_formants: bool = False
) -> Block:
    """Rubber Band's R3 engine as the command line program `rubberband`, through pyrubberband.

    pyrubberband hands sound over as 16-bit files, which would clip peaks above full scale and drown quiet sounds: the
    peak is brought to half of full scale and back. It also writes into the arguments it is given: they are made anew
    each time.

    Raises:
        MissingError: the program is not installed.
    """
    if time.is_identity and semitones == 0:
        return samples.copy()
    need("rubberband_cli", samples.shape[0])
    import pyrubberband

    peak = float(np.abs(samples).max(initial=0.0))
    if peak == 0:
        return np.zeros((samples.shape[0], time.frames_out), np.float32)
    options = {"--fine": "", "--centre-focus": "", "--ignore-clipping": "", "--pitch": str(float(semitones))}
    if keep_formants:
        options["--formant"] = ""
    margin = _margin(rate)
    quiet = np.pad(samples * np.float32(0.5 / peak), ((0, 0), (0, margin))).T
    points = _key_frames(time)
    end = (time.frames_in + margin, time.frames_out + margin)
    try:
        stretched = pyrubberband.timemap_stretch(quiet, rate, [*points, end], dict(options))
    except (RuntimeError, OSError) as error:
        raise AudioError(f"Rubber Band refused the sound: {error}.", "Stretch with the method hptsm.") from error
    return _fit(np.atleast_2d(stretched.T) * (2 * peak), samples, time)


@behind("pyrubberband", "rubberband")
def rubberband_version() -> str:
    """The version of the program `rubberband`, empty where it is not installed."""
    path = shutil.which("rubberband")
    return _version_of(path, Path(path).stat().st_mtime_ns) if path else ""


@cache
def _version_of(program: str, changed: int) -> str:
    try:
        asked = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (asked.stdout + asked.stderr).strip()[:80]


def need(method: str, channels: int, *, bends: bool = False) -> None:
    """See whether an engine of somebody else's is installed, takes so many channels, and a time map that bends.

    Raises:
        MissingError, AudioError, KnobError: it is not, or does not.
    """
    if method == "signalsmith" and bends:
        raise KnobError("signalsmith keeps one ratio.", "Use hptsm, vocoder, wsola or rubberband for what moves.")
    if method == "rubberband_cli" and shutil.which("rubberband") is None:
        raise MissingError(
            "the program rubberband is not installed.",
            "apt install rubberband-cli or brew install rubberband; or stretch with the method hptsm.",
        )
    for name, title, package in (
        ("signalsmith", "Signalsmith Stretch", "python_stretch"),
        ("praat", "Praat", "parselmouth"),
    ):
        if method == name and find_spec(package) is None:
            raise MissingError(f"{title} is not installed.", 'pip install "mirepoix[stretch]".')
    if method == "praat" and channels != 1:
        raise AudioError(f"Praat's PSOLA is for one channel, not {channels}.", "Use the method psola.")


def _margin(rate: int) -> int:
    """Silence behind the sound, so that the program has a last key frame and enough to work on."""
    return rate // 4


def _key_frames(time: TimeMap) -> list[tuple[int, int]]:
    """Whole points of the map, at least `KEY_FRAMES` apart, the end among them; a point at 0 makes Rubber Band give up."""
    points: list[tuple[int, int]] = []
    last = (0, 0)
    for source, target in zip(time.source[1:-1].tolist(), time.target[1:-1].tolist(), strict=True):
        if min(source - last[0], target - last[1], time.frames_in - source, time.frames_out - target) >= KEY_FRAMES:
            last = (round(source), round(target))
            points.append(last)
    return [*points, (time.frames_in, time.frames_out)]


def signalsmith(samples: Block, time: TimeMap, rate: int, *, semitones: float = 0.0) -> Block:
    """Signalsmith Stretch, through python-stretch, which gives garbage unless its array is contiguous.

    Raises:
        MissingError: python-stretch is not installed.
        KnobError: the map bends.
    """
    if time.is_identity and semitones == 0:
        return samples.copy()
    need("signalsmith", samples.shape[0], bends=len(time.source) > 2)
    import python_stretch

    stretcher = python_stretch.Signalsmith.Stretch()
    stretcher.preset(samples.shape[0], float(rate))
    stretcher.setTimeFactor(time.frames_in / time.frames_out)
    stretcher.setTransposeSemitones(float(semitones))
    padded = np.pad(samples, ((0, 0), (0, max(0, _SHORTEST - samples.shape[1]))))
    stretched: NDArray[Any] = np.asarray(stretcher.process(np.ascontiguousarray(padded, dtype=np.float32)))
    return _fit(stretched, samples, time)


_SHORTEST = 1 << 13
"""Frames Signalsmith Stretch needs to work on."""


def praat(samples: Block, time: TimeMap, rate: int, *, semitones: float = 0.0) -> Block:
    """Praat's PSOLA, through parselmouth, seeded so that it repeats: a cross-check of the studio's own.

    Raises:
        MissingError: parselmouth is not installed.
        AudioError: more than one channel, or a sound too short to have a pitch.
    """
    if time.is_identity and semitones == 0:
        return samples.copy()
    need("praat", samples.shape[0])
    if time.frames_in < 3 * rate / _PRAAT_LOW:
        raise AudioError("the sound is too short for Praat to find a pitch in.", "Use the method psola.")
    import parselmouth
    from parselmouth.praat import call, run

    run("random_initializeWithSeedUnsafelyButPredictably (5489)")
    sound = parselmouth.Sound(samples[0].astype(np.float64), rate)
    work = call(sound, "To Manipulation", 0.01, _PRAAT_LOW, _PRAAT_HIGH)
    _set_durations(call, work, time, rate)
    if semitones:
        pitch = call(work, "Extract pitch tier")
        call(pitch, "Multiply frequencies", sound.xmin, sound.xmax, 2 ** (semitones / 12))
        call([pitch, work], "Replace pitch tier")
    return _fit(np.asarray(call(work, "Get resynthesis (overlap-add)").values), samples, time)


_PRAAT_LOW, _PRAAT_HIGH = 60.0, 800.0


def _set_durations(call: Any, work: Any, time: TimeMap, rate: int) -> None:
    """A duration tier with the slopes of the map, level between points at least a hundredth of a second apart."""
    tier = call(work, "Extract duration tier")
    last = 0.0
    edges = [0.0]
    for source in time.source[1:-1].tolist():
        if source - last >= rate / 100:
            edges.append(source)
            last = source
    edges.append(float(time.frames_in))
    for begin, end in pairwise(edges):
        ratio = float(np.diff(time.target_of(np.array([begin, end])))[0]) / (end - begin)
        for moment in (begin + 0.001, end - 0.001):
            call(tier, "Add point", moment / rate, ratio)
    call([tier, work], "Replace duration tier")


def _fit(stretched: NDArray[Any], samples: Block, time: TimeMap) -> Block:
    """Exactly the frames the map asks for."""
    out = np.zeros((samples.shape[0], time.frames_out), np.float32)
    kept = min(stretched.shape[1], time.frames_out)
    out[:, :kept] = stretched[:, :kept]
    return out
