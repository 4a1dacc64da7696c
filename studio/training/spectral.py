"""From recordings or SoundFonts of several instruments to a spectral autoencoder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.audio import Audio
from studio.provenance import Asset
from studio.timbre.latents import Directions, directions, leanings
from studio.timbre.spectral import ENDING, Seen
from studio.training.checkpoints import sound_hash
from studio.training.instruments import TrainingSource
from studio.training.protocol import Prepared, Training, check_names, sources_of

if TYPE_CHECKING:
    from studio.nets.autoencoder import Spectral

PREVIEW_SECONDS = 5


@dataclass(frozen=True)
class SpectralTraining(Training["Spectral"]):
    """A spectral autoencoder of several instruments.

    Its card gets the principal directions of its latents, named after what goes up along them, and the directions in
    which brightness and the like go along.
    """

    noun = "a spectral autoencoder"
    ending = ENDING
    libraries = ("scipy", "soundfile", "soxr", "pyfluidsynth")

    instruments: tuple[TrainingSource, ...]
    seconds: float
    license: str = ""
    seed: int = 0

    def prepare(self, name: str) -> Prepared[Spectral]:
        """Read the sounds.

        Raises:
            StudioError: there is too little of one of them.
        """
        from studio.nets.autoencoder import RATE, Autoencoder, AutoencoderShape, train_spectral, try_step

        check_names(self.instruments)
        sounds = {each.name: each.sounds(RATE, self.seed) for each in self.instruments}
        learned = {name: pair[0] for name, pair in sounds.items()}
        held = {name: pair[1] for name, pair in sounds.items()}
        parts = {name: Audio(sound.samples[:, : PREVIEW_SECONDS * RATE], RATE) for name, sound in held.items()}
        first = next(iter(parts))
        shape = AutoencoderShape(instruments=len(sounds))
        about = {"name": name, "source": list(sources_of(self.instruments)), "license": self.license}
        minutes = sum(each.seconds for each in learned.values()) / 60

        def finished(model: Spectral) -> Spectral:
            described = _described(model, held)
            model.card["directions"] = directions(*described).data()
            model.card["leanings"] = leanings(*described).data()
            return model

        def shown(model: Spectral) -> Iterator[tuple[str, Audio]]:
            for name, part in parts.items():
                yield f"{name} as it is", part
                yield f"{name} again", _through(model, name, part)

        return Prepared(
            facts=f"{minutes:.1f} minutes of {len(sounds)} instruments.",
            parameters=sum(each.numel() for each in Autoencoder(shape).parameters()),
            bytes_each=2,
            try_step=try_step,
            sounds=[Asset(name, sound_hash(one.samples.data, other.samples.data)) for name, (one, other) in sounds.items()],
            settings={"seed": self.seed, "shape": shape.data()},
            train=lambda checkpoint, tell: finished(
                train_spectral(
                    learned, held, self.seconds, about, seed=self.seed, checkpoint=checkpoint,
                    tell=lambda progress, model: tell(progress, lambda: _through(model, first, parts[first])),
                )
            ),
            held={},
            shown=shown,
            rows=lambda model: _told(Directions.parse(model.card["directions"])),
        )  # fmt: skip


def _through(model: Spectral, name: str, sound: Audio) -> Audio:
    """A sound as the model gives it back, as one of its instruments."""
    seen = Seen(sound, model)
    return seen.sound(seen.latents, model.instrument(name))


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
