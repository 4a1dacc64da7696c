"""`python -m tests.gpu`: what the networks do on a GPU against the processor, in at most eight minutes.

It checks that every network gives on the GPU what it gives on the processor, trains each kind on both, side by side, and
times them at work. Run it wherever a GPU is at hand and write the figures down.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from copy import deepcopy
from dataclasses import replace
from multiprocessing import get_context

import numpy as np
import torch

from studio.audio import Audio
from studio.nets.autoencoder import RATE, Spectral, train_spectral
from studio.nets.ears import InstrumentClassifier, InstrumentPhrases, train_ears
from studio.nets.features import Features, features
from studio.nets.live import LiveDecoder
from studio.nets.material import material, phrases
from studio.nets.training import TrainingProgress
from studio.nets.vae import Vae, VaeShape, Waves, train_vae
from studio.nets.voice import Voice
from studio.nets.voice_training import train_voice
from studio.timbre.likeness import shipped_ears
from studio.timbre.spectral import SPECTRALS, Seen
from studio.timbre.torch_library import need_torch
from studio.timbre.voices import VOICES
from tests.listening import rms_db

SAME_DB = -60.0
"""How far the difference of GPU and processor must lie below the sound."""

MINUTE, QUICK = 60.0, 0.2
"""Seconds that each kind is trained."""

KINDS = ("voice", "spectral", "vae", "ears")
TRUMPET, VIOLIN = (56, 58, 80), (40, 58, 88)


def main(arguments: Sequence[str] = ()) -> int:
    """Run it; gives 1 if a network differs between the devices, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tests.gpu", description=__doc__)
    parser.add_argument("--device", help="cuda, mps, or cpu to try the script itself; by default the GPU that is found")
    parser.add_argument("--quick", action="store_true", help="a fifth of a second of training each")
    given = parser.parse_args(list(arguments))
    found = given.device or _found()
    if not found:
        print("no GPU here: nothing was compared. `--device cpu --quick` tries the script itself.")
        return 0
    need_torch()
    device = torch.device(found)
    # TensorFloat-32 has ten bits, which is no better than -60 dB.
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    print(f"Torch {torch.__version__} on {_name(device)}, against one thread of the processor.")
    nulls = compared(device, given.quick)
    print(f"\nThe same sound on both; the difference must lie below {SAME_DB:.0f} dB\n")
    print("| network | difference | |", "| --- | --- | --- |", sep="\n")
    for name, value in nulls.items():
        print(f"| {name} | {value:.0f} dB | {'met' if value < SAME_DB else '**missed**'} |")
    _show_speed(device, given.quick)
    _show_training(device, QUICK if given.quick else MINUTE)
    return int(any(not value < SAME_DB for value in nulls.values()))


def _found() -> str:
    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else ""


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)


def _line(seconds: float) -> Audio:
    """A trumpet's phrases."""
    return phrases(*TRUMPET, seconds / 60, RATE, 7, "fluid")


def _moved(voice: Voice, device: torch.device) -> Voice:
    return replace(voice, model=deepcopy(voice.model).to(device))


def _live(voice: Voice, given: Features) -> np.ndarray:
    decoder = LiveDecoder(voice)
    parts = [decoder.push(given.hz[at : at + 10], given.loudness[at : at + 10]) for at in range(0, given.frames, 10)]
    return np.concatenate(parts)


def _nets(device: torch.device, quick: bool) -> dict[str, tuple[float, Callable[[], np.ndarray]]]:
    """Each network at work on a device: how many seconds of sound it is given, and what comes out."""
    sound = _line(2.0 if quick else 20.0)
    given = features(sound)
    voice = _moved(VOICES.load(VOICES.shipped()["trumpet"]), device)
    orchestra = _moved(VOICES.load(VOICES.shipped()["orchestra"]), device)
    flute, violin = orchestra.of("flute"), orchestra.of("violin")
    blended = flute.embedding(violin, np.linspace(0, 1, given.frames))
    spectral = SPECTRALS.load(SPECTRALS.shipped()["orchestra"])
    spectral = Spectral(deepcopy(spectral.model).to(device), spectral.card)
    torch.manual_seed(0)
    waves = Waves(Vae(VaeShape(rate=RATE, width=8 if quick else 32)).to(device).eval(), {})
    shipped = shipped_ears()
    ears = InstrumentClassifier(deepcopy(shipped.net).to(device), shipped.card)

    def seen() -> np.ndarray:
        found = Seen(sound, spectral)
        return found.sound(found.latents, spectral.instrument("violin")).samples

    seconds = sound.seconds
    return {
        "voice": (seconds, lambda: voice.sing(given).samples),
        "orchestra": (seconds, lambda: flute.sing(given, embedding=blended).samples),
        "live": (seconds, lambda: _live(voice, given)),
        "spectral": (seconds, seen),
        "vae": (seconds, lambda: waves.sing(sound).samples),
        "ears": (seconds, lambda: ears.listen(sound)[0]),
    }


def compared(device: torch.device, quick: bool) -> dict[str, float]:
    """By how many dB what each network gives on a device differs from what it gives on the processor."""
    there, here = (_nets(each, quick) for each in (device, torch.device("cpu")))
    nulls = {}
    for name in here:
        one, other = there[name][1](), here[name][1]()
        nulls[name] = max(rms_db(one - other) - rms_db(other), -200.0)
    return nulls


def _show_speed(device: torch.device, quick: bool) -> None:
    print("\nAt work, × real time (the second of two runs)\n")
    print("| network | there | processor |", "| --- | --- | --- |", sep="\n")
    there, here = (_nets(each, quick) for each in (device, torch.device("cpu")))
    for name in here:
        print(
            f"| {name} | {_speed(*there[name]):.0f} × real time | {_speed(*here[name]):.0f} × real time |", flush=True
        )


def _speed(seconds: float, work: Callable[[], np.ndarray]) -> float:
    work()
    began = time.perf_counter()
    work()
    return seconds / (time.perf_counter() - began)


def _show_training(device: torch.device, seconds: float) -> None:
    print(f"\n{seconds:g} s of training each, on both at the same time\n")
    print(
        "| kind | steps there | loss there | steps, processor | loss, processor |", "| --- |" + " --- |" * 4, sep="\n"
    )
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        others = {kind: pool.submit(trained, kind, "cpu", seconds) for kind in KINDS}
        for kind in KINDS:
            mine, other = trained(kind, str(device), seconds), others[kind].result()
            print(f"| {kind} | {mine[0]} | {mine[1]:.3f} | {other[0]} | {other[1]:.3f} |", flush=True)
            for where, skipped in (("there", mine[2]), ("the processor", other[2])):
                if skipped:
                    print(f"\n{kind}: {skipped} steps on {where} had no finite gradient.\n")


def trained(kind: str, where: str, seconds: float) -> tuple[int, float, int]:
    """Train a network of some kind for so long: steps, the least loss on held-out sound, and steps skipped."""
    need_torch()
    device, quick = torch.device(where), seconds < 10
    heard: list[TrainingProgress] = []

    def tell(progress: TrainingProgress, *_: object) -> None:
        heard.append(progress)

    length = 12.0 if quick else 120.0
    if kind == "voice":
        sound = phrases(*TRUMPET, length / 60, RATE, 1, "fluid")
        train_voice({"trumpet": material([sound])}, seconds, {"name": "trumpet"}, device=device, tell=tell)
    elif kind == "spectral":
        sounds = [
            {
                name: phrases(*what, part / 60, RATE, seed, "fluid")
                for name, what in (("trumpet", TRUMPET), ("violin", VIOLIN))
            }
            for part, seed in ((length, 1), (length / 6, 2))
        ]
        train_spectral(*sounds, seconds, {}, device=device, tell=tell)
    elif kind == "vae":
        width = 8 if quick else 32
        train_vae(
            phrases(*TRUMPET, length / 60, RATE, 1, "fluid"),
            seconds,
            {},
            shape=VaeShape(width=width),
            device=device,
            tell=tell,
        )
    else:
        played = InstrumentPhrases.played("fluid", length / 3, ("trumpet", "violin", "flute", "piano"))
        train_ears(played, seconds, {}, device=device, tell=tell)
    last = heard[-1]
    return last.steps, last.best, last.skipped


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
