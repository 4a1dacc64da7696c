"""Pitch trackers on notes whose pitch is known, as they are and after a hard journey, and a voice that sings them after it."""

from __future__ import annotations

import os

for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")

from collections.abc import Callable

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.steps import Transform, parse_step
from studio.stretch import F0Track, track_f0
from studio.stretch.f0 import praat
from tests.benchmarks.table import seconds
from tests.stretch.known_pitch import HOP, PLAYED, RATE, WORSE, Known, judged, played, tones

LOW, HIGH = 35.0, 2500.0
EACH = 8
SUNG = ("cello", "saxophone", "violin", "oboe", "flute")


def main() -> None:
    import torch

    torch.set_num_threads(1)
    _tracked()
    _sung()


def _tracked() -> None:
    known = [tones(seconds=EACH), *(played(name, float(EACH)) for name in PLAYED)]
    worse = {way: [worsen(each.sound) for each in known] for way, worsen in WORSE.items()}
    print(
        f"\nPitch within 50 cents on {len(known)} sounds of {EACH} s, {LOW:g} Hz to {HIGH:g} Hz: notes that sound alone, in"
        "\nbrackets from 50 ms after their start\n"
    )
    print(f"| | {' | '.join(worse)} | × real time |", "| --- |" + " --- |" * (len(worse) + 1), sep="\n")
    for name, track in TRACKERS.items():
        track(Audio(known[0].sound.samples[:, :RATE], RATE))
        cells, busy = [], 0.0
        for sounds in worse.values():
            found: list[F0Track] = []
            busy += seconds(lambda track=track, sounds=sounds, found=found: found.extend(map(track, sounds)))
            scores = np.array([judged(each, truth) for each, truth in zip(found, known, strict=True)])
            cells.append(f"{scores[:, 0].mean():.1%} ({scores[:, 1].mean():.1%})")
        speed = EACH * len(known) * len(worse) / busy
        print(f"| {name} | {' | '.join(cells)} | {speed:.0f} |", flush=True)
    print(
        f"\nOurs, from 50 to 2,200 Hz, as a voice is driven: {_speed(lambda sound: track_f0(sound, 50.0, 2200.0)):.0f} ×"
        f" real time; librosa.pyin there: {_speed(lambda sound: _pyin(sound, 50.0, 2200.0)):.1f} ×."
    )


def _speed(track: Callable[[Audio], F0Track]) -> float:
    sound = tones(seconds=EACH).sound
    return EACH / min(seconds(lambda: track(sound)) for _ in range(3))


def _pyin(sound: Audio, low_hz: float = LOW, high_hz: float = HIGH) -> F0Track:
    import librosa

    hz, _, chance = librosa.pyin(
        sound.samples[0], fmin=low_hz, fmax=high_hz, sr=RATE, frame_length=4096, hop_length=round(HOP * RATE)
    )
    return F0Track(np.arange(len(hz)) * HOP, hz, chance)


def _librosa_yin(sound: Audio) -> F0Track:
    import librosa

    hz = librosa.yin(sound.samples[0], fmin=LOW, fmax=HIGH, sr=RATE, frame_length=4096, hop_length=round(HOP * RATE))
    return F0Track(np.arange(len(hz)) * HOP, hz, np.ones(len(hz)))


TRACKERS: dict[str, Callable[[Audio], F0Track]] = {
    "track_f0: YIN and Viterbi": lambda sound: track_f0(sound, LOW, HIGH),
    "librosa.pyin": _pyin,
    "librosa.yin, always voiced": _librosa_yin,
    "Praat's autocorrelation": lambda sound: track_f0(sound, LOW, HIGH, praat),
}


def _sung() -> None:
    print("\n`sing: trumpet` of the same: pitch of the result within 50 cents of the notes that were played\n")
    print(f"| source | {' | '.join(WORSE)} |", "| --- |" + " --- |" * len(WORSE), sep="\n")
    step = parse_step({"sing": {"voice": "trumpet", "octave": "0"}})
    assert isinstance(step, Transform)
    for name in SUNG:
        known = played(name, float(EACH))
        cells = [_kept(step, worsen(known.sound), known) for worsen in WORSE.values()]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _kept(step: Transform, source: Audio, known: Known) -> str:
    score = judged(track_f0(step.apply(source, RenderContext(source.rate)), LOW, HIGH), known)
    return f"{score.kept:.1%} ({score.early:.1%})"
