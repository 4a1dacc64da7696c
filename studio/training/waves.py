"""From recordings or a SoundFont to a waveform autoencoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.audio import Audio
from studio.errors import within
from studio.provenance import Asset
from studio.timbre.waves import ENDING
from studio.training.checkpoints import sound_hash
from studio.training.instruments import TrainingSource
from studio.training.protocol import Prepared, Training

if TYPE_CHECKING:
    from studio.nets.vae import Waves

PREVIEW_SECONDS = 5.0


@dataclass(frozen=True)
class WaveformTraining(Training["Waves"]):
    """A waveform autoencoder of one source.

    Attributes:
        seconds: how long it learns.
        rate: of the model, in Hz.
    """

    noun = "a waveform autoencoder"
    ending = ENDING
    libraries = ("scipy", "soundfile", "soxr", "pyfluidsynth")

    source: TrainingSource
    seconds: float
    rate: int = 44_100
    license: str = ""
    seed: int = 0

    def prepare(self, name: str) -> Prepared[Waves]:
        """Read the sound.

        Raises:
            StudioError: there is less than ten seconds of it.
        """
        from studio.nets.vae import Vae, VaeShape, check_sound, held_out, train_vae, try_step

        sound = self.source.sound(self.rate, self.seed)
        with within(self.source.name):
            check_sound(sound)
        shape = VaeShape(rate=self.rate)
        about = {"name": name, "source": self.source.source, "license": self.license}
        held = held_out(sound)
        part = Audio(held.samples[:, : round(PREVIEW_SECONDS * held.rate)], held.rate)
        return Prepared(
            facts=f"{sound.seconds / 60:.1f} minutes of sound.",
            parameters=sum(each.numel() for each in Vae(shape).parameters()),
            bytes_each=4,
            try_step=lambda: try_step(shape),
            sounds=[Asset(self.source.name, sound_hash(sound.samples.data))],
            settings={"seed": self.seed, "shape": shape.data()},
            train=lambda checkpoint, tell: train_vae(
                sound, self.seconds, about, shape=shape, seed=self.seed, checkpoint=checkpoint,
                tell=lambda progress, waves: tell(progress, lambda: waves.sing(part)),
            ),
            held={"as it is": part},
        )  # fmt: skip
