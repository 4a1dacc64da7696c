"""From a SoundFont to a classifier that tells its instruments apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.provenance import Asset
from studio.training.checkpoints import sound_hash
from studio.training.protocol import Prepared, Training

if TYPE_CHECKING:
    from studio.nets.ears import InstrumentClassifier

ENDING = ".ears"

EACH_SECONDS = 100.0
"""Seconds of phrases for each instrument."""


@dataclass(frozen=True)
class EarsTraining(Training["InstrumentClassifier"]):
    """A classifier of the instruments that a SoundFont plays.

    Attributes:
        font: the SoundFont, by its name or as a file.
        each: seconds of phrases for each instrument.
        programs: the instruments, of `studio.nets.ears.PROGRAMS`; all of them if none are named.
    """

    noun = "a classifier of instruments"
    ending = ENDING
    libraries = ("soxr", "pyfluidsynth")

    seconds: float
    font: str = "gm"
    seed: int = 0
    each: float = EACH_SECONDS
    programs: tuple[str, ...] = ()

    def prepare(self, name: str) -> Prepared[InstrumentClassifier]:
        """Play the phrases.

        Raises:
            StudioError: there is no such SoundFont.
        """
        from studio.nets.ears import PROGRAMS, InstrumentPhrases, Net, train_ears, try_step

        given = InstrumentPhrases.played(self.font, self.each, self.programs or tuple(PROGRAMS), self.seed)
        parts = {"learned": given.sounds, "held out": given.others}
        return Prepared(
            facts=f"{len(given.sounds)} windows of {len(given.classes)} instruments.",
            parameters=sum(each.numel() for each in Net(len(given.classes)).parameters()),
            bytes_each=2,
            try_step=lambda: try_step(given),
            sounds=[Asset(each, sound_hash(sound.numpy().data)) for each, sound in parts.items()],
            settings={"seed": self.seed, "classes": given.classes},
            train=lambda checkpoint, tell: train_ears(
                given, self.seconds, {"source": self.font, "license": "MIT"}, seed=self.seed, checkpoint=checkpoint,
                tell=lambda progress: tell(progress, None),
            ),
            held={},
        )  # fmt: skip
