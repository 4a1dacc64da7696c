"""Time and pitch: every method of ours and every stretcher that is installed, side by side.

    python -m tests.benchmarks.stretch

Speed is in seconds of sound per second of work, the best of three, on 30 s of a saxophone in mono; lengths are in frames
against what was asked for. Tones: 21 from 110 Hz to 3.5 kHz, stretched to 1.5. Hits: a side stick, stretched to 1.5;
their offset against the place they belong at, with FluidSynth's 2.4 ms of latency in it. Image: the mean coherence of two
channels of a band. Vowel: up four semitones. Back: a band to 1.5 and back again, against itself. Anew: log-mel distance to
the same MIDI played slower, and to the same MIDI played four semitones higher.
"""

from __future__ import annotations

import os

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

import importlib.util
import warnings
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import numpy as np

from studio.audio import Audio, Block
from studio.stretch import stretch
from tests.listening import cents, log_mel_distance_db
from tests.stretch import battery

RATE = battery.RATE
RATIO, SEMITONES = 1.5, 4.0

Stretcher = Callable[[Block, float, float], Block]
"""Takes the sound, the duration ratio and the semitones."""


def _ours(method: str) -> Stretcher:
    def run(samples: Block, ratio: float, semitones: float) -> Block:
        return stretch(Audio(samples, RATE), ratio, semitones=semitones, method=method).samples

    return run


def _then_resampled(longer: Callable[[Block, float], Block]) -> Stretcher:
    """Pitch for those that only know time, as their authors do it."""

    def run(samples: Block, ratio: float, semitones: float) -> Block:
        import soxr

        factor = 2 ** (semitones / 12)
        made = np.atleast_2d(longer(samples, ratio * factor))
        return made if semitones == 0 else soxr.resample(made.T, RATE * factor, RATE).T

    return run


def _pytsmod(name: str, **options: object) -> Stretcher:
    import pytsmod

    return _then_resampled(lambda samples, ratio: getattr(pytsmod, name)(samples, ratio, **options))


def _pytsmod_psola(samples: Block, ratio: float, semitones: float) -> Block:
    import parselmouth
    import pytsmod

    sound = parselmouth.Sound(samples[0].astype(np.float64), RATE)
    hz = sound.to_pitch_ac(time_step=0.01, pitch_floor=75, pitch_ceiling=800).selected_array["frequency"]
    made = pytsmod.tdpsola(
        samples[0].astype(np.float64),
        RATE,
        hz,
        alpha=ratio,
        beta=2 ** (semitones / 12),
        p_hop_size=441,
        p_win_size=1764,
    )
    return made[None]


def _librosa(samples: Block, ratio: float, semitones: float) -> Block:
    import librosa

    slow = samples if ratio == 1 else librosa.effects.time_stretch(samples, rate=1 / ratio)
    return slow if semitones == 0 else librosa.effects.pitch_shift(slow, sr=RATE, n_steps=semitones)


def _audiotsm(name: str) -> Stretcher:
    import audiotsm
    from audiotsm.io.array import ArrayReader, ArrayWriter

    def longer(samples: Block, ratio: float) -> Block:
        writer = ArrayWriter(samples.shape[0])
        getattr(audiotsm, name)(samples.shape[0], speed=1 / ratio).run(ArrayReader(samples), writer)
        return writer.data

    return _then_resampled(longer)


def _pyrubberband(**options: str) -> Stretcher:
    import pyrubberband

    def run(samples: Block, ratio: float, semitones: float) -> Block:
        if ratio == 1:
            return np.atleast_2d(pyrubberband.pitch_shift(samples.T, RATE, semitones, rbargs=dict(options)).T)
        return np.atleast_2d(pyrubberband.time_stretch(samples.T, RATE, 1 / ratio, rbargs=dict(options)).T)

    return run


def _pedalboard(**options: object) -> Stretcher:
    import pedalboard

    return lambda samples, ratio, semitones: pedalboard.time_stretch(
        np.ascontiguousarray(samples), float(RATE), 1 / ratio, semitones, **options
    )


def _python_stretch(cheaper: bool) -> Stretcher:
    import python_stretch

    def run(samples: Block, ratio: float, semitones: float) -> Block:
        stretcher = python_stretch.Signalsmith.Stretch()
        stretcher.preset(samples.shape[0], float(RATE), cheaper)
        stretcher.setTimeFactor(1 / ratio)
        stretcher.setTransposeSemitones(semitones)
        return stretcher.process(np.ascontiguousarray(samples))

    return run


def _psola(samples: Block, ratio: float, semitones: float) -> Block:
    import psola

    mono = samples[0].astype(np.float64)
    if ratio != 1:
        mono = psola.vocode(mono, RATE, constant_stretch=1 / ratio)
    return mono[None]


PEERS: dict[str, tuple[str, Callable[[], Stretcher]]] = {
    "PyTSMod OLA": ("pytsmod", lambda: _pytsmod("ola")),
    "PyTSMod WSOLA": ("pytsmod", lambda: _pytsmod("wsola")),
    "PyTSMod vocoder": ("pytsmod", lambda: _pytsmod("phase_vocoder")),
    "PyTSMod vocoder, locked": ("pytsmod", lambda: _pytsmod("phase_vocoder", phase_lock=True)),
    "PyTSMod HPTSM": ("pytsmod", lambda: _pytsmod("hptsm")),
    "PyTSMod TD-PSOLA + Praat f0": ("pytsmod", lambda: _pytsmod_psola),
    "librosa": ("librosa", lambda: _librosa),
    "audiotsm WSOLA": ("audiotsm", lambda: _audiotsm("wsola")),
    "audiotsm vocoder": ("audiotsm", lambda: _audiotsm("phasevocoder")),
    "pyrubberband R2": ("pyrubberband", lambda: _pyrubberband()),
    "pyrubberband R3": ("pyrubberband", lambda: _pyrubberband(**{"--fine": ""})),
    "pedalboard R3": ("pedalboard", lambda: _pedalboard()),
    "pedalboard R3, short window": ("pedalboard", lambda: _pedalboard(use_long_fft_window=False)),
    "pedalboard R2": ("pedalboard", lambda: _pedalboard(high_quality=False)),
    "python-stretch": ("python_stretch", lambda: _python_stretch(False)),
    "python-stretch, cheaper": ("python_stretch", lambda: _python_stretch(True)),
    "psola": ("psola", lambda: _psola),
}
OURS = {f"our {name}": _ours(name) for name in ("auto", "ola", "wsola", "vocoder", "hptsm", "psola")}
OURS["Praat, through us"] = _ours("praat")
ONE_CHANNEL = ("PyTSMod TD-PSOLA + Praat f0", "Praat, through us", "psola")
ONLY_TIME = ("psola",)


class Row(NamedTuple):
    name: str
    slower: str
    higher: str
    length: str
    tones: str
    hits: str
    image: str
    vowel: str
    back: str
    anew: str


HEAD = Row(
    "", "× real time, slower", "higher", "length", "tones: spur dB median / worst, worst cents",
    "hits: ms (sd) / pre-echo dB / span ms", "image", "vowel: cents / HNR dB lost / envelope dB", "back dB",
    "anew dB: slower / higher",
)  # fmt: skip


def measure(name: str, run: Stretcher) -> Row:
    """One row of the table; a cell that fails holds the error's name."""
    alone = name in ONE_CHANNEL
    return Row(
        name,
        _cell(lambda: _speed(run, RATIO, 0.0)),
        "–" if name in ONLY_TIME else _cell(lambda: _speed(run, 1.0, SEMITONES)),
        _cell(lambda: _length(run)),
        _cell(lambda: _tones(run)),
        _cell(lambda: _hits(run)),
        "–" if alone else _cell(lambda: f"{battery.stereo_image(run(battery.mix(), RATIO, 0.0)).coherence:.2f}"),
        "–" if name in ONLY_TIME else _cell(lambda: _vowel(run)),
        "–" if alone else _cell(lambda: _back(run)),
        _cell(lambda: _anew(run, name not in ONLY_TIME)),
    )


def _cell(measured: Callable[[], str]) -> str:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return measured()
    except Exception as error:
        return type(error).__name__


def _speed(run: Stretcher, ratio: float, semitones: float) -> str:
    line = battery.sax_line()
    best = np.inf
    for _ in range(3):
        begin = perf_counter()
        run(line, ratio, semitones)
        best = min(best, perf_counter() - begin)
    return f"{line.shape[1] / RATE / best:.0f}"


def _length(run: Stretcher) -> str:
    line = battery.sax_line()[:, : 4 * RATE + 1]
    return f"{run(line, RATIO, 0.0).shape[1] - round(RATIO * line.shape[1]):+d}"


def _tones(run: Stretcher) -> str:
    made = [run(battery.tone(hz), RATIO, 0.0) for hz in battery.TONES]
    spurs = [battery.spur_db(sound, hz) for sound, hz in zip(made, battery.TONES, strict=True)]
    off = max(abs(cents(battery.strongest_hz(sound), hz)) for sound, hz in zip(made, battery.TONES, strict=True))
    return f"{np.median(spurs):.0f} / {max(spurs):.0f}, {off:.1f}"


def _hits(run: Stretcher) -> str:
    made = run(battery.hits(), RATIO, 0.0)
    report = battery.hit_report(made, np.array(battery.HIT_SECONDS) * RATIO)
    return f"{report.offset_ms:.1f} ({report.spread_ms:.1f}) / {report.pre_echo_db:.0f} / {report.span_ms:.0f}"


def _vowel(run: Stretcher) -> str:
    voice = battery.vowel()
    made = run(voice, 1.0, SEMITONES)
    lost = battery.hnr_db(voice) - battery.hnr_db(made)
    change = battery.envelope_change_db(voice, made)
    return f"{battery.pitch_error_cents(made, SEMITONES)[0]:.1f} / {lost:.1f} / {change:.1f}"


def _back(run: Stretcher) -> str:
    there = run(battery.mix(), RATIO, 0.0)
    back = run(np.asarray(there, np.float32), 1 / RATIO, 0.0)
    return f"{_distance(back, battery.mix()):.2f}"


def _anew(run: Stretcher, higher: bool) -> str:
    line = battery.sax_line()[:, : 10 * RATE]
    slow = _distance(run(line, RATIO, 0.0), battery.sax_line(10.0 * RATIO, battery.BPM / RATIO))
    if not higher:
        return f"{slow:.2f} / –"
    return (
        f"{slow:.2f} / {_distance(run(line, 1.0, SEMITONES), battery.sax_line(10.0, battery.BPM, int(SEMITONES))):.2f}"
    )


def _distance(one: Block, other: Block) -> float:
    frames = min(one.shape[1], other.shape[1])
    return log_mel_distance_db(one[:, :frames], other[:, :frames], RATE)


def _played() -> Row:
    """What the best stretcher could reach: the music played slower."""
    report = battery.hit_report(battery.hits(battery.BPM / RATIO), np.array(battery.HIT_SECONDS) * RATIO)
    hits = f"{report.offset_ms:.1f} ({report.spread_ms:.1f}) / {report.pre_echo_db:.0f} / {report.span_ms:.0f}"
    image = f"{battery.stereo_image(battery.mix()).coherence:.2f}"
    return Row("played anew", "", "", "+0", "", hits, image, "", "0.00", "0.00 / 0.00")


def main() -> None:
    """Print the table."""
    absent = sorted({module for module, _ in PEERS.values() if importlib.util.find_spec(module) is None})
    stretchers = dict(OURS)
    for name, (module, make) in PEERS.items():
        if module not in absent:
            stretchers[name] = make()
    print(f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}", sep="\n")
    print(f"| {' | '.join(_played())} |")
    for name, run in stretchers.items():
        print(f"| {' | '.join(measure(name, run))} |", flush=True)
    if absent:
        print(f"Not installed: {', '.join(absent)}.")


if __name__ == "__main__":
    main()
