"""Spectral autoencoders: the shipped one beside PCA and the published LSTM, and the published experiment on pitch."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from collections.abc import Callable

import numpy as np
import torch

from studio.audio import Audio
from studio.context import RenderContext
from studio.nets.autoencoder import FLOOR, RATE, distance, learnable
from studio.nets.ears import PROGRAMS
from studio.nets.material import phrases
from studio.score import Note, Score
from studio.sources.soundfont import SoundFont
from studio.steps import Transform, parse_step
from studio.stretch import track_f0
from studio.tempo import Floats, TempoMap
from studio.timbre.spectral import SPECTRALS
from tests.benchmarks.published import magnitudes, trained, transferred
from tests.benchmarks.table import seconds

UNHEARD, TRAINING = 9000, 60.0
RANGES = {
    "violin": (40, 55, 96), "cello": (42, 36, 72), "flute": (73, 60, 93), "oboe": (68, 58, 88), "trumpet": (56, 54, 84),
    "saxophone": (65, 49, 80), "choir": (52, 48, 79), "lead": (81, 40, 88),
}  # fmt: skip
CLASSES = (
    "violin",
    "cello",
    "flute",
    "oboe",
    "clarinet",
    "trumpet",
    "alto saxophone",
    "choir",
    "drawbar organ",
    "piano",
)
FILES, NOTES = 5, 20


def main() -> None:
    torch.set_num_threads(1)
    _distances()
    _pitches()
    _followed()


def _distances() -> None:
    model = SPECTRALS.load(SPECTRALS.shipped()["orchestra"])
    learned = [learnable(phrases(*RANGES[name], 1.0, RATE, 1, "fluid")) for name in RANGES]
    unheard = {name: learnable(phrases(*RANGES[name], 20 / 60, RATE, UNHEARD, "fluid")).float() for name in RANGES}
    rows = torch.cat(learned).float()
    mean = rows.mean(dim=0)
    axes = torch.linalg.svd((rows - mean)[::3], full_matrices=False)[2][:16]
    lstm = trained(learned, TRAINING)
    names = list(model.card["instruments"])

    def ours(name: str, given: torch.Tensor) -> torch.Tensor:
        return model.model(given[None], torch.tensor([names.index(name)]))[0][0]

    ways: dict[str, Callable[[str, torch.Tensor], torch.Tensor]] = {
        "PCA": lambda name, given: (given - mean) @ axes.T @ axes + mean,
        f"LSTM as published, {TRAINING:.0f} s": lambda name, given: lstm(given[None])[0],
        f"orchestra, {model.card['trained_seconds']:.0f} s": ours,
    }
    print(
        f"\nLog-spectral distance in dB at 16 latents, phrases never heard, bins {FLOOR:.0f} dB below the level are silent\n"
    )
    print(f"| | mean | {' | '.join(unheard)} |", "| --- |" + " --- |" * (1 + len(unheard)), sep="\n")
    for way, work in ways.items():
        with torch.inference_mode():
            found = [float(distance(work(name, given), given).mean()) for name, given in unheard.items()]
        print(f"| {way} | {np.mean(found):.2f} | {' | '.join(f'{value:.2f}' for value in found)} |", flush=True)


def _melody(seed: int) -> Score:
    random = np.random.default_rng(seed)
    pitches = np.clip(np.cumsum(random.integers(-5, 6, NOTES)) + 67, 60, 79)
    notes = [Note(480 * index, 480 * index + 440, int(pitch), 96) for index, pitch in enumerate(pitches)]
    return Score((), 480, TempoMap.constant(100)).with_notes(notes)


def _pitches() -> None:
    trumpet = phrases(*RANGES["trumpet"], 1.0, RATE, 1, "fluid")
    published = trained([magnitudes(trumpet)], TRAINING)
    ways: dict[str, Callable[[Audio], Audio]] = {
        "the source itself": lambda sound: sound,
        f"LSTM as published, trained on the trumpet for {TRAINING:.0f} s": lambda sound: transferred(sound, published),
        "spectral: trumpet": _step({"transfer": {"target": "trumpet", "method": "spectral"}}),
        "sing: trumpet": _step({"sing": {"voice": "trumpet", "octave": "0"}}),
    }
    lost = dict.fromkeys(ways, 0)
    busy = dict.fromkeys(ways, 0.0)
    total = 0.0
    for name in CLASSES:
        for index in range(FILES):
            score = _melody(100 + index)
            step = SoundFont("fluid", program=PROGRAMS[name][0], reverb=0.0, chorus=0.0)
            source = Audio(np.concatenate(list(step.play(score, RenderContext(rate=RATE, channels=1))), axis=1), RATE)
            total += source.seconds
            for way, work in ways.items():
                out: list[Audio] = []
                busy[way] += seconds(lambda work=work, source=source, out=out: out.append(work(source)))
                lost[way] += _lost(out[-1], source, score)
    print(
        f"\nThe pitch experiment of 2017: {FILES} melodies of {NOTES} notes on {len(CLASSES)} instruments, made a trumpet\n"
    )
    print("| | notes lost | × real time |\n| --- | --- | --- |")
    for way, count in lost.items():
        speed = "" if way == "the source itself" else f"{total / busy[way]:.0f}"
        print(f"| {way} | {count / (FILES * NOTES * len(CLASSES)):.1%} | {speed} |", flush=True)


def _lost(sound: Audio, source: Audio, score: Score) -> int:
    """Notes whose pitch, the median of their middle, is more than half a semitone off both the source's and the key's.

    An organ stop that sounds an octave below its keys is not lost by staying there, nor by coming up.
    """
    tracks = [track_f0(each, 50.0, 1500.0) for each in (sound, source)]
    count = 0
    for note in score.notes:
        at = np.linspace(note.start + 120, note.start + 400, 24) / 800
        found, wanted = (track.at(at) for track in tracks)
        if np.isfinite(wanted).sum() < 6:
            continue
        if np.isfinite(found).sum() < 6:
            count += 1
            continue
        either = np.array([np.nanmedian(wanted), 440 * 2 ** ((note.pitch - 69) / 12)])
        count += bool(np.abs(1200 * np.log2(np.nanmedian(found) / either)).min() > 50)
    return count


def _followed() -> None:
    time = np.arange(4 * RATE) / RATE
    ways = {
        "spectral: trumpet": _step({"transfer": {"target": "trumpet", "method": "spectral"}}),
        "sing: trumpet": _step({"sing": {"voice": "trumpet", "octave": "0"}}),
    }
    pitches = {
        "glissando over two octaves": 220 * 2 ** (time / 2),
        "vibrato, 50 cents at 6 Hz": 440 * 2 ** (50 / 1200 * np.sin(2 * np.pi * 6 * time)),
    }
    print("\nMoving pitch followed: median off, in cents\n\n| | " + " | ".join(pitches) + " |\n| --- | --- | --- |")
    for way, work in ways.items():
        cells = []
        for hz in pitches.values():
            out = work(Audio(_tone(hz), RATE))
            track = track_f0(out, 100.0, 2000.0)
            wanted = np.interp(track.times, time, hz)
            inner = (track.times > 0.3) & (track.times < 3.7)
            cells.append(f"{np.nanmedian(np.abs(1200 * np.log2(track.hz / wanted))[inner]):.1f}")
        print(f"| {way} | {' | '.join(cells)} |", flush=True)


def _tone(hz: Floats) -> np.ndarray:
    phase = 2 * np.pi * np.cumsum(hz) / RATE
    wave = sum(np.sin(number * phase) / number for number in range(1, 9))
    return (0.2 * np.asarray(wave))[None].astype(np.float32)


def _step(data: object) -> Callable[[Audio], Audio]:
    step = parse_step(data)
    assert isinstance(step, Transform)
    return lambda sound: step.apply(sound, RenderContext(sound.rate, sound.channels))
