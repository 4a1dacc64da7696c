"""From recordings or SoundFonts of several instruments to a spectral autoencoder."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from studio.audio import Audio
from studio.errors import KnobError
from studio.folders import cache_folder
from studio.timbre.colours import ENDING, Seen
from studio.timbre.latents import Directions, directions, leanings
from studio.timbre.torch_library import need_torch
from studio.training.diary import Diary, check_ending, check_place, estimated, told
from studio.training.instruments import TrainingSource

log = logging.getLogger(__name__)


def learn_colours(
    instruments: Sequence[TrainingSource],
    out: Path,
    seconds: float,
    *,
    licence: str = "",
    seed: int = 0,
    report: Path | None = None,
    say: Callable[[str], None] = log.info,
) -> dict[str, Any]:
    """Train a spectral autoencoder and write it; what is interrupted goes on when the same is asked for again.

    Its card gets the principal directions of its latents, named after what goes up along them, and the directions in
    which brightness and the like go along.

    Raises:
        StudioError: there is nothing to learn from, or the file cannot be written.
        Interrupted: the user pressed Ctrl-C.
    """
    check_ending(out, ENDING)
    names = [each.name for each in instruments]
    if not names or len(set(names)) < len(names):
        raise KnobError("the instruments need different names, and one at least.", "Write violin=gm:40:55:96 …")
    need_torch()
    from studio.nets.autoencoder import RATE, Autoencoder, AutoencoderShape, Spectral, train_spectral, try_step

    check_place(out)
    sounds = {each.name: each.sounds(RATE, seed) for each in instruments}
    learned = {name: pair[0] for name, pair in sounds.items()}
    held = {name: pair[1] for name, pair in sounds.items()}
    key = hashlib.sha256(repr((instruments, seconds, seed)).encode()).hexdigest()[:40]
    checkpoint = cache_folder() / "training" / f"{key}.pt"
    size = sum(each.numel() for each in Autoencoder(AutoencoderShape(instruments=len(names))).parameters())
    minutes = sum(each.seconds for each in learned.values()) / 60
    say(f"{minutes:.1f} minutes of {len(names)} instruments. {estimated(seconds, size, 2, try_step)}")
    if checkpoint.exists():
        say("A training of this kind was stopped before: it goes on.")
    about = {"name": out.stem, "source": [f"{each.name}={each.source}" for each in instruments], "license": licence}
    diary = Diary(report, seconds)
    first = Audio(held[names[0]].samples[:, : 5 * RATE], RATE)

    def through(model: Spectral, name: str, sound: Audio) -> Audio:
        seen = Seen(sound, model)
        return seen.sound(seen.latents, model.instrument(name))

    with told(out.stem, seconds, diary) as tell:
        model = train_spectral(
            learned, held, seconds, about, seed=seed, checkpoint=checkpoint,
            tell=lambda course, model: tell(course, lambda: through(model, names[0], first)),
        )  # fmt: skip
    described = _described(model, held)
    along = directions(*described)
    model.card["directions"] = along.data()
    model.card["leanings"] = leanings(*described).data()
    model.save(out)
    checkpoint.unlink(missing_ok=True)
    for name in names:
        part = Audio(held[name].samples[:, : 5 * RATE], RATE)
        diary.sound(f"{name} as it is", part)
        diary.sound(f"{name} again", through(model, name, part))
    diary.finish(f"{out.stem}: a spectral autoencoder", {**model.card, **_told(along)})
    return model.card


def _told(along: Directions) -> dict[str, str]:
    """A row for each direction of the report: what it moves most, and how surely."""
    rows = zip(along.names, along.correlations, along.spreads, strict=True)
    return {
        f"direction {number}": f"{name}: correlation {sure:.2f}, spread {spread:.2f}"
        for number, (name, sure, spread) in enumerate(rows, 1)
    }


def _described(model: Any, held: dict[str, Audio]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The latents of all held-out sound, and what can be said of each window."""
    latents, found = [], []
    for sound in held.values():
        seen = Seen(sound, model)
        latents.append(seen.latents)
        found.append(seen.descriptors())
    descriptors = {name: np.concatenate([each[name] for each in found]) for name in found[0]}
    loud = descriptors["loudness"] > descriptors["loudness"].max() - 40
    return np.concatenate(latents, axis=1)[:, loud], {name: values[loud] for name, values in descriptors.items()}
