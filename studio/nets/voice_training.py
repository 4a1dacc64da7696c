"""Training voices: first on the strengths of harmonics, then on sound."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from studio.audio import Audio
from studio.nets.checkpoint import Checkpoint
from studio.nets.decoder import DecoderShape, decoder, parameters
from studio.nets.features import QUIETEST
from studio.nets.losses import spectral
from studio.nets.material import Material
from studio.nets.training import TrainingProgress, best_device, finished, train
from studio.nets.voice import Voice
from studio.nets.voice_card import KIND, VERSION

BATCH, FRAMES = 8, 100
WINDOWS = (4096, 2048, 1024, 512, 256, 128)
PRETRAINING = 0.2
"""The share of the time in which the strengths of harmonics are learned from those that were analysed."""


def train_voice(
    sounds: Mapping[str, Material],
    seconds: float,
    about: dict[str, Any],
    *,
    seed: int = 0,
    shape: DecoderShape | None = None,
    start: Voice | None = None,
    pretraining: float = PRETRAINING,
    device: torch.device | None = None,
    checkpoint: Checkpoint | None = None,
    tell: Callable[[TrainingProgress, Callable[[], Audio] | None], None] = lambda progress, preview: None,
) -> Voice:
    """Train a voice for so many seconds, first on strengths of harmonics, then on sound; on a GPU if there is one.

    Args:
        sounds: of each instrument, by its name; several share all but their embedding.
        about: goes into the card: a name, where the sound comes from, its licence.
        shape: by default that of `shape_for`.
        start: a voice to start from, of the same rate; what it learned of any instrument helps with another.
        pretraining: the share of the time that goes to the strengths of harmonics.
        device: where to train, by default where it is fastest.
        checkpoint: where to go on from when the training is interrupted.
        tell: is told how far it has come, with what gives ten seconds of held-out sound as it sings them now.
    """
    on = device or best_device()
    pairs = {name: sound.to(on).split() for name, sound in sounds.items()}
    one = next(iter(sounds.values()))
    shape = shape or shape_for(sounds, start)
    ranges = {name: heard_range(learned) for name, (learned, _) in pairs.items()}
    card = {
        "kind": KIND,
        "version": VERSION,
        "shape": shape.data(),
        "tracker": "yin",
        **({"instruments": ranges} if len(sounds) > 1 else next(iter(ranges.values()))),
        "data_seconds": round(sum(sound.seconds for sound in sounds.values()), 1),
        "parameters": 0,
        **about,
    }
    whole = Voice(decoder(shape, seed).to(on), card)
    model = whole.model
    card["parameters"] = parameters(model)
    voices = [whole.of(name) for name in whole.instruments]
    learned = [pair[0] for pair in pairs.values()]
    if start is not None:
        _go_on_from(voices, start)

    def drawn(step: int, count: int, frames: int) -> list[tuple[int, int]]:
        """Which instrument, and from which frame on: each gets its turn."""
        random = np.random.default_rng((seed, step))
        turns = [(step * count + slot) % len(learned) for slot in range(count)]
        return [(turn, int(random.integers(0, max(1, learned[turn].frames - frames)))) for turn in turns]

    def given(starts: list[tuple[int, int]], frames: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Pitch, loudness and embedding from those starts on."""
        parts = [(turn, slice(start, start + frames + 1)) for turn, start in starts]
        pitch = torch.stack([learned[turn].pitch[span] for turn, span in parts])
        loud = torch.stack([voices[turn].scaled(learned[turn].loudness[span]) for turn, span in parts])
        if not shape.instruments:
            return pitch, loud, None
        return pitch, loud, model.colours(torch.tensor([turn for turn, _ in parts], device=on))[:, None]

    wanted_strengths = [strengths(sound, shape.harmonics) for sound in learned]

    def harmonic_loss(step: int) -> Tensor:
        frames, floor = 2 * FRAMES, 1e-5
        starts = drawn(step, 2 * BATCH, frames)
        goal = torch.stack([wanted_strengths[turn][start : start + frames + 1] for turn, start in starts])
        made, _, _ = model.controls(*given(starts, frames))
        return ((made + floor).log() - (goal + floor).log()).abs().mean()

    # The echoes of what was before a piece that is drawn are not its own: where there is a room, it sounds first.
    before = -(-shape.room // shape.hop)

    def loss(step: int) -> Tensor:
        frames = before + FRAMES
        starts = drawn(step, BATCH, frames)
        pitch, loud, embedding = given(starts, frames)
        first, last = before * shape.hop, frames * shape.hop
        wanted = torch.stack([learned[turn].part(start, start + frames).sound for turn, start in starts])
        random = torch.Generator().manual_seed(step)
        white = torch.rand(wanted.shape, generator=random).to(on) * 2 - 1
        made = model(pitch, loud, white, embedding)
        picked = int(np.random.default_rng(step).integers(3))
        return spectral(made[:, first:last], wanted[:, first:last], (WINDOWS[picked], WINDOWS[picked + 3]), 2)

    def judge() -> float:
        model.eval()
        found = [
            judged(voice, held, max(6.0, 20.0 / len(voices)))
            for voice, (_, held) in zip(voices, pairs.values(), strict=True)
        ]
        model.train()
        return float(np.mean(found))

    def preview() -> Audio:
        held = next(iter(pairs.values()))[1]
        return Audio(made_of(voices[0], held.part(0, min(held.frames, 1000))).cpu().numpy(), one.rate)

    # Without this, noise can take over what harmonics are for.
    state = checkpoint.state("sound", model) if checkpoint is not None else None
    earlier: float
    if state is not None:
        earlier = state["progress"]["before"]
    else:
        earlier = train(
            model,
            harmonic_loss,
            lambda: float(harmonic_loss(0).detach()),
            seconds * pretraining,
            rate=3e-3,
            checkpoint=checkpoint,
            phase="harmonics",
            tell=lambda progress: tell(progress, None),
            every=min(15.0, max(seconds * pretraining / 3, 0.1)),
            mixed=False,
        ).seconds
    progress = train(
        model,
        loss,
        judge,
        max(0.0, seconds - earlier),
        checkpoint=checkpoint,
        phase="sound",
        before=earlier,
        tell=lambda progress: tell(progress, preview),
        every=min(15.0, seconds / 12) * max(1, len(sounds) / 2),
        # Sines that are summed in half precision hiss.
        mixed=False,
    )
    model.cpu().eval()
    card.update(
        {
            **progress.card(),
            "spectral_loss": round(progress.best, 4),
        }
    )
    return whole if len(voices) > 1 else whole.of(whole.instruments[0])


def shape_for(sounds: Mapping[str, Material], start: Voice | None = None, room: int = 0) -> DecoderShape:
    """The size of a voice for instruments: as the sound needs it, or as the voice has it that it starts from.

    Args:
        room: samples of the echoes to learn.
    """
    if start is not None:
        return replace(start.model.shape, instruments=len(sounds) if start.model.shape.instruments else 0, room=room)
    one = next(iter(sounds.values()))
    return DecoderShape(rate=one.rate, hop=one.hop, instruments=len(sounds) if len(sounds) > 1 else 0, room=room)


def heard_range(sound: Material) -> dict[str, float]:
    """How loud a sound is and how much that changes, in dB(A), and its range, in octaves from 220 Hz."""
    heard = sound.loudness > QUIETEST + 10
    octaves = sound.pitch[heard]
    octaves = octaves[:: max(1, len(octaves) // 100_000)]
    return {
        "loudness_mean": float(sound.loudness[heard].mean()),
        "loudness_spread": float(sound.loudness[heard].std()) + 1e-3,
        "lowest_octave": float(torch.quantile(octaves, 0.01)),
        "highest_octave": float(torch.quantile(octaves, 0.99)),
    }


def _go_on_from(voices: list[Voice], start: Voice) -> None:
    """Take over what another voice learned; an embedding that it does not have begins amid those it has."""
    model = voices[0].model
    known = {
        name: weight for name, weight in start.model.state_dict().items() if name not in ("colours.weight", "echoes")
    }
    model.load_state_dict(model.state_dict() | known)
    if model.shape.instruments:
        with torch.no_grad():
            model.colours.weight[:] = start.model.colours.weight.mean(0)


def try_step(sound: Material, shape: DecoderShape, device: torch.device | None = None) -> None:
    """Do what one step of a training does, where it will be done, on a voice that is thrown away."""
    on = device or best_device()
    model = decoder(shape, 0).to(on)
    pitch, loud, wanted = (each.to(on) for each in sound.draw(0, BATCH, FRAMES))
    embedding = model.colours.weight[:1, None] if shape.instruments else None
    white = torch.rand(wanted.shape, device=on) * 2 - 1
    made = model(pitch, (loud - loud.mean()) / (loud.std() + 1e-3), white, embedding)
    spectral(made, wanted, (WINDOWS[0], WINDOWS[3]), 2).backward()  # type: ignore[no-untyped-call]
    finished(on)


def judged(voice: Voice, held: Material, longest: float = 20.0) -> float:
    """The multi-resolution distance on held-out sound."""
    part = held.part(0, min(held.frames, round(longest * 100)))
    return float(spectral(made_of(voice, part), part.sound[None], WINDOWS))


def made_of(voice: Voice, part: Material) -> Tensor:
    """What a voice makes of the pitch and loudness of a sound, ``(1, frames)``."""
    white = torch.rand(1, part.frames * part.hop, generator=torch.Generator().manual_seed(1)) * 2 - 1
    white = white.to(part.sound.device)
    with torch.inference_mode():
        made: Tensor = voice.model(part.pitch[None], voice.scaled(part.loudness)[None], white, voice.embedding())
        return made


def strengths(sound: Material, count: int) -> Tensor:
    """The amplitude of each harmonic at each frame, ``(frames + 1, count)``: that of the spectrum near its frequency.

    It works through `PIECE` frames at a time, so that an hour of sound needs little more memory than what it gives.
    """
    size = 2048 if sound.rate < 30_000 else 4096
    window = torch.hann_window(size, device=sound.sound.device)
    numbers = torch.arange(1, count + 1, device=sound.sound.device)
    padded = torch.nn.functional.pad(sound.sound, (size // 2, size // 2 + sound.hop))
    out = []
    for first in range(0, sound.frames + 1, PIECE):
        last = min(first + PIECE, sound.frames + 1)
        part = padded[first * sound.hop : (last - 1) * sound.hop + size]
        spectrum = torch.stft(part, size, sound.hop, window=window, center=False, return_complex=True).abs().T
        bins = 220.0 * torch.exp2(sound.pitch[first:last, None]) * numbers * size / sound.rate
        near = bins.round().long().clamp(2, spectrum.shape[1] - 3)
        tops = torch.stack([spectrum.gather(1, near + step) for step in (-1, 0, 1)]).amax(0)
        out.append(tops * (bins < 0.485 * size) * (2 / window.sum()))
    return torch.cat(out)


PIECE = 2000
"""Frames whose spectra are held at a time."""
