"""The shipped voices on phrases they never heard, and melodies of others sung by the trumpet beside the classical methods."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

from studio.audio import Audio
from studio.context import RenderContext
from studio.nets.features import features
from studio.nets.material import Phrases, phrases
from studio.steps import Transform, parse_step
from studio.timbre import METHODS, compare, transfer
from studio.timbre.transferring import MODELS
from studio.timbre.voices import VOICES
from tests.benchmarks.sung import in_tune, nearness, pure_tone
from tests.benchmarks.table import seconds

UNHEARD = 4711
PROGRAMS = {
    "violin": (40, 55, 96), "cello": (42, 36, 72), "flute": (73, 60, 93), "oboe": (68, 58, 88), "trumpet": (56, 54, 84),
    "saxophone": (65, 49, 80), "choir": (52, 48, 79), "lead": (81, 40, 88),
}  # fmt: skip


def main() -> None:
    import torch

    torch.set_num_threads(1)
    print("\nEach voice on 20 s of phrases it never heard, from their pitch and loudness\n")
    heads = (
        "voice", "multi-resolution STFT", "log-mel, dB", "loudness, dB", "in tune", "a pure tone is", "× real time",
        "parameters", "kB",
    )  # fmt: skip
    print(f"| {' | '.join(heads)} |", "| --- |" + " --- |" * (len(heads) - 1), sep="\n")
    paths = VOICES.shipped()
    orchestra = paths.pop("orchestra")
    names = [(name, VOICES.load(path), path) for name, path in paths.items()]
    names += [(f"orchestra:{name}", VOICES.load(orchestra).of(name), orchestra) for name in paths]
    for name, voice, path in names:
        program, low, high = PROGRAMS[name.removeprefix("orchestra:")]
        given_notes = Phrases(program, low, high, 20 / 60, voice.rate, UNHEARD, "fluid")
        sound = given_notes.sound()
        given = given_notes.features(sound)
        made = voice.sing(given)
        speed = sound.seconds / seconds(lambda voice=voice, given=given: voice.sing(given))
        near, most = nearness(made, sound), in_tune(pure_tone(given, voice.rate), given)
        print(
            f"| {name} | {near.spectral:.2f} | {near.log_mel:.1f} | {near.loudness:.2f} | {in_tune(made, given):.1%} |"
            f" {most:.1%} | {speed:.0f} | {voice.card['parameters']} | {path.stat().st_size / 1000:.0f} |",
            flush=True,
        )
    _sung()


def _sung() -> None:
    rate = 44_100
    target = phrases(56, 54, 84, 30 / 60, rate, UNHEARD, "fluid")
    print(
        "\nMelodies as a trumpet: the Fréchet distance to it cut by, as ears have it and by log-mel cepstra; the pitch kept\n"
    )
    heads = ("sing: trumpet", "spectral: trumpet", *METHODS, "pitch kept by a pure tone")
    print(f"| source | {' | '.join(heads)} |", "| --- |" + " --- |" * len(heads), sep="\n")
    for name in ("flute", "violin", "oboe"):
        program, low, high = PROGRAMS[name]
        source = phrases(program, max(low, 58), min(high, 82), 20 / 60, rate, UNHEARD + 1, "fluid")
        before = compare(source, source, target)
        results = [_by(method, source) for method in MODELS]
        results += [transfer(source, target, method) for method in METHODS]
        cells = []
        for result in results:
            figures = compare(result, source, target)
            cuts = (1 - getattr(figures, name) / getattr(before, name) for name in ("ears_target", "frechet_target"))
            cells.append(" / ".join(f"{each:.0%}" for each in (*cuts, figures.pitch_kept)))
        cells.append(f"{compare(pure_tone(features(source), rate), source, target).pitch_kept:.0%}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _by(method: str, source: Audio) -> Audio:
    step = parse_step({"transfer": {"target": "trumpet", "method": method}})
    assert isinstance(step, Transform)
    return step.apply(source, RenderContext(source.rate))
