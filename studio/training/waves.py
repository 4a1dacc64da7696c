"""From recordings or a SoundFont to a waveform autoencoder."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.audio import Audio
from studio.errors import within
from studio.folders import cache_folder
from studio.timbre.torch_library import need_torch
from studio.timbre.waves import ENDING
from studio.training.diary import Diary, check_ending, check_place, estimated, told
from studio.training.voices import Plan

log = logging.getLogger(__name__)

PREVIEW_SECONDS = 5.0


def learn_waves(
    plan: Plan, out: Path, report: Path | None = None, say: Callable[[str], None] = log.info
) -> dict[str, Any]:
    """Train a waveform autoencoder and write it; what is interrupted goes on when the same plan is given again.

    Args:
        plan: of one instrument.
        report: a folder for a page with losses and previews.
        say: is told before the training what it will take.

    Returns:
        Its card.

    Raises:
        StudioError: there is nothing to learn from, or the file cannot be written.
        Interrupted: the user pressed Ctrl-C.
    """
    check_ending(out, ENDING)
    need_torch()
    from studio.nets.vae import Vae, VaeShape, check_sound, held_out, train_vae, try_step

    check_place(out)
    (instrument,) = plan.instruments
    sound = instrument.sound(plan.rate, plan.seed)
    with within(instrument.name):
        check_sound(sound)
    shape = VaeShape(rate=plan.rate)
    size = sum(each.numel() for each in Vae(shape).parameters())
    checkpoint = cache_folder() / "training" / f"{plan.key}{ENDING}.pt"
    say(f"{sound.seconds / 60:.1f} minutes of sound. {estimated(plan.seconds, size, 4, lambda: try_step(shape))}")
    if checkpoint.exists():
        say("A training of this kind was stopped before: it goes on.")
    about = {"name": out.stem, "source": instrument.source, "license": plan.license}
    diary = Diary(report, plan.seconds)
    held = held_out(sound)
    part = Audio(held.samples[:, : round(PREVIEW_SECONDS * held.rate)], held.rate)
    diary.sound("as it is", part, "held out")
    with told(out.stem, plan.seconds, diary) as tell:
        model = train_vae(
            sound, plan.seconds, about, shape=shape, seed=plan.seed, checkpoint=checkpoint,
            tell=lambda course, waves: tell(course, lambda: waves.sing(part)),
        )  # fmt: skip
    model.save(out)
    checkpoint.unlink(missing_ok=True)
    diary.finish(f"{out.stem}: a waveform autoencoder", model.card)
    return model.card
