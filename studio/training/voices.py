"""From recordings or a SoundFont to a voice file."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import KnobError, ModelError, within
from studio.folders import cache_folder
from studio.timbre.torch_library import need_torch
from studio.timbre.voices import ENDING, VOICES, find_voice
from studio.training.diary import Diary, check_ending, check_place, estimated, told
from studio.training.instruments import TrainingSource

if TYPE_CHECKING:
    from studio.nets.voice import Voice

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Plan:
    """What a voice is learned from, and for how long.

    Attributes:
        start: a voice to start from, by its name or as a file; nothing to start afresh.
        room_ms: how long the echoes are that it learns apart from the sound itself.
    """

    instruments: tuple[TrainingSource, ...]
    seconds: float
    rate: int = 44_100
    license: str = ""
    seed: int = 0
    start: str = ""
    room_ms: float = 0.0

    @property
    def key(self) -> str:
        """A name for its half-learned state: the same for the same plan."""
        facts = sorted((name, str(value)) for name, value in asdict(self).items())
        return hashlib.sha256(repr(facts).encode()).hexdigest()[:40]


def learn(plan: Plan, out: Path, report: Path | None = None, say: Callable[[str], None] = log.info) -> dict[str, Any]:
    """Train a voice and write it; what is interrupted goes on when the same plan is given again.

    Args:
        report: a folder for a page with losses and previews.
        say: is told before the training what it will take.

    Returns:
        The card of the voice.

    Raises:
        StudioError: there is nothing to learn from, or the file cannot be written.
        Interrupted: the user pressed Ctrl-C.
    """
    check_ending(out, ENDING)
    names = [each.name for each in plan.instruments]
    if not names or len(set(names)) < len(names):
        raise KnobError("the instruments need different names, and one at least.", "Write violin=gm:40:55:96 …")
    need_torch()
    from studio.nets.decoder import decoder, parameters
    from studio.nets.voice_training import shape_for, train_voice, try_step

    check_place(out)
    start = _start(plan)
    sounds = {each.name: each.material(plan.rate, plan.seed) for each in plan.instruments}
    one = sounds[names[0]]
    if len(names) > 1 and start is not None and not start.model.shape.instruments:
        raise KnobError(f"{plan.start!r} knows one instrument.", "Start several from a voice that knows several.")
    shape = shape_for(sounds, start, round(plan.room_ms / 1000 * plan.rate))
    checkpoint = cache_folder() / "training" / f"{plan.key}.pt"
    minutes = sum(each.seconds for each in sounds.values()) / 60
    voiced = float(np.mean([each.voiced for each in sounds.values()]))
    say(f"{minutes:.1f} minutes of sound, {voiced:.0%} of it with a pitch. "
        f"{estimated(plan.seconds, parameters(decoder(shape, 0)), 4, lambda: try_step(one, shape))}")  # fmt: skip
    if checkpoint.exists():
        say("A training of this kind was stopped before: it goes on.")
    sources = [each.source if len(names) == 1 else f"{each.name}={each.source}" for each in plan.instruments]
    about = {
        "name": out.stem,
        "source": sources[0] if len(names) == 1 else sources,
        "license": plan.license,
        "seed": plan.seed,
        "started_from": start.card["name"] if start else "",
    }
    diary = Diary(report, plan.seconds * 0.8)
    _, held = one.split()
    diary.sound("as it is", Audio(held.sound[None, : 10 * one.rate].numpy(), one.rate), "held out")
    with told(out.stem, plan.seconds * 0.8, diary) as tell:
        voice = train_voice(
            sounds, plan.seconds, about, seed=plan.seed, shape=shape, start=start, checkpoint=checkpoint, tell=tell
        )
    voice.save(out)
    checkpoint.unlink(missing_ok=True)
    diary.finish(f"{out.stem}: a voice", voice.card)
    return voice.card


def _start(plan: Plan) -> Voice | None:
    if not plan.start:
        return None
    with within("the voice to start from"):
        voice = VOICES.load(find_voice(plan.start, RenderContext(plan.rate)))
        if voice.rate != plan.rate:
            raise ModelError(
                f"{plan.start!r} sings at {voice.rate} Hz.", f"Train at that rate, or afresh at {plan.rate} Hz."
            )
        return voice
