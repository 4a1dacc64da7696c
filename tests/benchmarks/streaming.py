"""What neural steps cost live: real-time factors with their latency, and the samples a second of the waveform autoencoder."""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch

from studio.audio import Audio
from studio.context import RenderContext
from studio.effect_chain import EffectChain
from studio.nets.live import LiveDecoder, LiveFeatures
from studio.nets.material import phrases
from studio.nets.streaming import StreamingModule, real_time_factor
from studio.nets.vae import Vae, VaeShape, Waves
from studio.steps import Effect, parse_step
from studio.timbre.voices import VOICES
from tests.benchmarks.table import Row, seconds, show

RATE = 44_100


def main() -> None:
    torch.set_num_threads(1)
    _live()
    _waves()


def _live() -> None:
    sound = phrases(65, 55, 75, 0.15, RATE, 3, "fluid").samples
    features, decoder = LiveFeatures(RATE), LiveDecoder(VOICES.load(VOICES.shipped()["trumpet"]))
    hop, place = features.hop, 0
    heard: list[tuple[np.ndarray, np.ndarray]] = []

    def listen() -> None:
        nonlocal place
        heard.append(features.push(sound[0, place : place + hop]))
        place += hop

    ears = real_time_factor(listen, hop / RATE, 400)
    frames = iter([pair for pair in heard if len(pair[0])])
    voice = real_time_factor(lambda: decoder.push(*next(frames)), hop / RATE, 300)
    effect = parse_step({"sing_live": "trumpet"})
    assert isinstance(effect, Effect)
    rows = [
        Row("pitch and loudness, a frame of 10 ms", f"{ears:.3f}"),
        Row("decoder, a frame of 10 ms", f"{voice:.3f}"),
    ]
    for block in (64, 256, 1024):
        line, first = EffectChain([effect], RenderContext(RATE, 1)), 0
        line.push(sound[:, :RATE])

        def push(line: EffectChain = line, block: int = block) -> None:
            nonlocal first
            line.push(sound[:, first : first + block])
            first += block

        count = 3 * RATE // block
        whole = seconds(lambda push=push, count=count: [push() for _ in range(count)])
        rows.append(
            Row(
                f"sing_live, blocks of {block}",
                f"{whole * RATE / (count * block):.3f}",
                "< 0.2",
                whole * RATE / (count * block) < 0.2,
            )
        )
    late = (features.look + hop + decoder.late) / RATE * 1000
    rows.append(Row("latency of sing_live (DDSP-VST: 64 ms)", f"{late:.1f} ms", "< 64 ms", late < 64))
    show("A voice that sings along: real-time factors on one core", rows)


def _waves() -> None:
    print("\nThe waveform autoencoder with random weights, one core, 44.1 kHz (RAVE's paper: 985 kHz on a CPU)\n")
    print(
        "| | parameters | offline, MHz | a block of its ratio: real-time factor | latency, ms |\n| --- | --- | --- | --- | --- |"
    )
    for name, shape in (
        ("narrow, ratio 512", VaeShape(width=16)),
        ("as it is, ratio 512", VaeShape()),
        ("as large as RAVE's raspberry, ratio 2048", VaeShape(width=12, strides=(4, 4, 4, 2), latents=16)),
        ("as large as RAVE v1, ratio 2048", VaeShape(width=43, strides=(4, 4, 4, 2), latents=64)),
    ):  # fmt: skip
        waves = Waves(Vae(shape).eval(), {})
        sound = Audio(np.random.default_rng(0).standard_normal((1, 5 * RATE)).astype(np.float32) * 0.1, RATE)
        waves.sing(Audio(sound.samples[:, :RATE], RATE))
        taken = min(seconds(lambda waves=waves, sound=sound: waves.sing(sound)) for _ in range(2))
        stream, piece = StreamingModule(waves.model), torch.zeros(1, 1, shape.ratio)
        factor = real_time_factor(lambda stream=stream, piece=piece: stream.push(piece), shape.ratio / RATE)
        count = sum(each.numel() for each in waves.model.parameters())
        late = (waves.model.late + shape.ratio) / RATE * 1000
        print(
            f"| {name} | {count / 1e6:.2f} M | {sound.frames / taken / 1e6:.2f} | {factor:.3f} | {late:.1f} |",
            flush=True,
        )
