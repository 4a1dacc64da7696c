"""From recordings or a SoundFont to a voice file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import KnobError, ModelError, within
from studio.provenance import Asset
from studio.timbre.voices import ENDING, VOICES, find_voice
from studio.training.checkpoints import sound_hash
from studio.training.instruments import TrainingSource
from studio.training.protocol import Prepared, Training, check_names, sources_of

if TYPE_CHECKING:
    from studio.nets.voice import Voice


@dataclass(frozen=True)
class VoiceTraining(Training["Voice"]):
    """A voice of one instrument or several.

    Attributes:
        seconds: how long it learns.
        rate: of the voice, in Hz.
        start: a voice to start from, by its name or as a file; nothing to start afresh.
        room_ms: how long the echoes are that it learns apart from the sound itself.
    """

    noun = "a voice"
    ending = ENDING
    libraries = ("scipy", "soundfile", "soxr", "pyfluidsynth")

    instruments: tuple[TrainingSource, ...]
    seconds: float
    rate: int = 44_100
    license: str = ""
    seed: int = 0
    start: str = ""
    room_ms: float = 0.0

    def prepare(self, name: str) -> Prepared[Voice]:
        """Read the sounds, and the voice to start from.

        Raises:
            StudioError: there is too little to learn from, or the voice to start from does not fit.
        """
        from studio.nets.decoder import decoder, parameters
        from studio.nets.voice_training import shape_for, train_voice, try_step

        check_names(self.instruments)
        start = self._start()
        sounds = {each.name: each.material(self.rate, self.seed) for each in self.instruments}
        one = next(iter(sounds.values()))
        if len(sounds) > 1 and start is not None and not start.model.shape.instruments:
            raise KnobError(f"{self.start!r} knows one instrument.", "Start several from a voice that knows several.")
        shape = shape_for(sounds, start, round(self.room_ms / 1000 * self.rate))
        minutes = sum(each.seconds for each in sounds.values()) / 60
        voiced = float(np.mean([each.voiced for each in sounds.values()]))
        alone = self.instruments[0].source
        about = {
            "name": name,
            "source": alone if len(sounds) == 1 else list(sources_of(self.instruments)),
            "license": self.license,
            "seed": self.seed,
            "started_from": start.card["name"] if start else "",
        }
        _, held = one.split()
        return Prepared(
            facts=f"{minutes:.1f} minutes of sound, {voiced:.0%} of it with a pitch.",
            parameters=parameters(decoder(shape, 0)),
            bytes_each=4,
            try_step=lambda: try_step(one, shape),
            sounds=[
                Asset(each, sound_hash(sound.sound.numpy().data, sound.pitch.numpy().data))
                for each, sound in sounds.items()
            ],
            settings={"seed": self.seed, "start": start.card["sha256"] if start else "", "shape": shape.data()},
            train=lambda checkpoint, tell: train_voice(
                sounds, self.seconds, about, seed=self.seed, shape=shape, start=start, checkpoint=checkpoint, tell=tell
            ),
            held={"as it is": Audio(held.sound[None, : 10 * one.rate].numpy(), one.rate)},
        )

    def _start(self) -> Voice | None:
        if not self.start:
            return None
        with within("the voice to start from"):
            voice = VOICES.load(find_voice(self.start, RenderContext(self.rate)))
            if voice.rate != self.rate:
                raise ModelError(
                    f"{self.start!r} sings at {voice.rate} Hz.", f"Train at that rate, or afresh at {self.rate} Hz."
                )
            return voice
