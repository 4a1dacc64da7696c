"""What models are learned from: recordings of an instrument, or a SoundFont that plays it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Audio
from studio.errors import KnobError, within

if TYPE_CHECKING:
    from studio.nets.material import Material, Phrases

DATA_MINUTES = 4.0
"""Minutes a SoundFont plays."""

HELD_SECONDS = 20.0
_HELD_SEED = 4711


@dataclass(frozen=True)
class TrainingSource:
    """A name, and a folder of recordings or a SoundFont's program in a range: ``gm:40:55:96``."""

    name: str
    source: str

    @classmethod
    def parse(cls, text: str) -> TrainingSource:
        """Read ``violin=gm:40:55:96`` or ``mine=recordings/``.

        Raises:
            KnobError: it has no name, or no source.
        """
        name, equals, source = text.partition("=")
        if not equals or not name.strip() or not source.strip():
            raise KnobError(f"{text!r} is no instrument.", "Write name=folder, or violin=gm:40:55:96.")
        return cls(name.strip(), source.strip())

    @property
    def played(self) -> bool:
        """Whether a SoundFont plays it."""
        return not Path(self.source).is_dir()

    def material(self, rate: int, seed: int) -> Material:
        """All of its sound with what is known of it: of notes that are played, the pitch.

        Raises:
            StudioError: there is too little of it, or it has no pitch.
        """
        from studio.nets.material import material, recordings

        with within(self.name):
            if not self.played:
                return material(recordings(Path(self.source), rate))
            given = self._phrases(rate, DATA_MINUTES, seed)
            sound = given.sound()
            return material([sound], [given.features(sound)])

    def sound(self, rate: int, seed: int) -> Audio:
        """All of its sound, end to end.

        Raises:
            StudioError: there is none of it.
        """
        from studio.nets.material import recordings

        with within(self.name):
            if self.played:
                return self._phrases(rate, DATA_MINUTES, seed).sound()
            return Audio(np.concatenate([each.samples for each in recordings(Path(self.source), rate)], axis=1), rate)

    def sounds(self, rate: int, seed: int) -> tuple[Audio, Audio]:
        """What is trained on, and what is held out.

        Raises:
            StudioError: there is none of it.
        """
        from studio.nets.material import HELD_OUT

        whole = self.sound(rate, seed)
        if self.played:
            return whole, self._phrases(rate, HELD_SECONDS / 60, seed + _HELD_SEED).sound()
        border = round(whole.frames * (1 - HELD_OUT))
        return Audio(whole.samples[:, :border], rate), Audio(whole.samples[:, border:], rate)

    def _phrases(self, rate: int, minutes: float, seed: int) -> Phrases:
        from studio.nets.material import Phrases

        program, low, high = self._range()
        font, colon, number = program.rpartition(":")
        if not colon or not number.isdecimal() or int(number) > 127:
            raise KnobError(f"{program!r} is no program of a SoundFont.", "Write gm:40, or file.sf2:0.")
        return Phrases(int(number), low, high, minutes, rate, seed, font)

    def _range(self) -> tuple[str, int, int]:
        parts = self.source.rsplit(":", 2)
        if len(parts) != 3 or not parts[1].isdecimal() or not parts[2].isdecimal():
            raise KnobError(
                f"{self.source!r} is neither a folder nor a range of a program.",
                "Write gm:40:55:96, lowest to highest.",
            )
        low, high = int(parts[1]), int(parts[2])
        if not 0 <= low <= high - 5 <= 122:
            raise KnobError(f"a range from {low} to {high}.", "Give half an octave at least, inside 0 to 127.")
        return parts[0], low, high
