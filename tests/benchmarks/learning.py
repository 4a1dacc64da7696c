"""What four minutes of training give for an instrument that was never heard, beside the published recipe and what needs no training."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from studio.audio import Audio
from studio.nets.features import QUIETEST, Features, hop_of
from studio.nets.material import Material, Phrases, material
from studio.timbre import METHODS, transfer
from studio.timbre.voices import VOICES
from tests.benchmarks.sung import in_tune, nearness

RATE, SECONDS, UNHEARD = 44_100, 240.0, 4711
CLARINET = (71, 50, 89)
FLUTE = 73


def main() -> None:
    import torch

    from studio.nets.decoder import DecoderShape
    from studio.nets.voice_training import train_voice

    torch.set_num_threads(1)
    played = Phrases(*CLARINET, 4.0, RATE, 0, "fluid")
    sound = played.sound()
    sounds = {"clarinet": material([sound], [played.features(sound)])}
    unheard = Phrases(*CLARINET, 20 / 60, RATE, UNHEARD, "fluid")
    wanted = unheard.sound()
    given = unheard.features(wanted)
    print("\nA clarinet after 4 minutes of training on 4 minutes of sound, one thread, on phrases it never heard\n")
    print(
        "| what | multi-resolution STFT | log-mel, dB | loudness, dB | in tune | steps |",
        "| --- |" + " --- |" * 5,
        sep="\n",
    )

    def row(what: str, made: Audio, steps: object = "") -> None:
        near = nearness(made, wanted)
        print(
            f"| {what} | {near.spectral:.2f} | {near.log_mel:.1f} | {near.loudness:.2f} | {in_tune(made, given):.1%} | {steps} |",
            flush=True,
        )

    orchestra = VOICES.load(VOICES.shipped()["orchestra"])
    for what, start, shape, pretraining in (
        ("ours, from the orchestra", orchestra, None, 0.2),
        ("ours, afresh", None, None, 0.2),
        ("as published: GRU of 512, sound alone", None, DecoderShape(width=512), 0.0),
    ):
        voice = train_voice(sounds, SECONDS, {"name": "clarinet"}, shape=shape, start=start, pretraining=pretraining)
        row(what, voice.sing(given, follow=what.startswith("ours")), voice.card["steps"])
    row("static mean spectrum", static(sounds["clarinet"], given))
    flute = Phrases(FLUTE, *CLARINET[1:], 20 / 60, RATE, UNHEARD, "fluid").sound()
    for method in METHODS:
        row(f"a flute that plays the same, by {method}", transfer(flute, sound, method))


def static(learned: Material, given: Features) -> Audio:
    """The mean strength of each harmonic at the loudness that is asked for."""
    import torch

    from studio.nets.synthesis import audible, harmonics, phases
    from studio.nets.voice_training import strengths

    found = strengths(learned, 100)
    heard = learned.loudness > QUIETEST + 40
    levels = 10 ** (learned.loudness[heard] / 20)
    share = (found[heard] / levels[:, None]).median(0).values
    hz = torch.tensor(given.hz)[None]
    loud = torch.tensor(10 ** (given.loudness / 20), dtype=torch.float32)[None, :, None]
    turns, _ = phases(hz, hop_of(RATE), RATE)
    made = harmonics(turns, loud * share * audible(hz, 100, RATE).float())
    return Audio(np.asarray(made.numpy()), RATE)
