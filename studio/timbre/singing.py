"""Neural voices in a recipe: a sound sung anew."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Audio
from studio.context import RenderContext
from studio.errors import AudioError, within
from studio.knobs import Live, choice, file, knob, text
from studio.steps import Transform
from studio.stretch.stretching import over_time
from studio.tempo import Floats
from studio.timbre.image import image_of
from studio.timbre.voices import find_voice, open_voice
from studio.units import HZ, SEMITONES

if TYPE_CHECKING:
    from studio.nets.features import Features
    from studio.nets.voice import Voice

log = logging.getLogger(__name__)

VOICE_HELP = "a voice: violin, trumpet, …, orchestra:flute, or a file made by `studio train`"

_HEARD = 45.0
"""dB below the loudest frame that still count as sound."""


class Sing(Transform):
    """Sing a melody anew with a trained voice: its pitch and loudness drive harmonics and noise (DDSP).

    One voice or instrument at a time goes in; of chords it sings the line that the pitch tracker hears. Its loudness is
    brought to what the voice knows, and back again at the end; it stays where it was between left and right. Its octave
    is moved where the voice is not at home otherwise, unless `octave` says how far. A voice that knows several
    instruments goes from one `towards` another as `blend` says.
    """

    version = 3

    voice: str = file("violin", help=VOICE_HELP)
    towards: str = text("", help="another instrument of the same voice to go to: trumpet of orchestra:violin")
    blend: Live = knob(0.0, 0.0, 1.0, help="from the instrument to the one it goes towards")
    octave: str = choice("auto", "auto", "-2", "-1", "0", "1", "2", help="octaves to move; auto brings it into range")
    semitones: float = knob(0.0, -24.0, 24.0, SEMITONES, help="how much higher", live=False)
    quantise: float = knob(0.0, 0.0, 1.0, help="how far each pitch goes to the nearest semitone", live=False)
    room: float = knob(1.0, 0.0, 1.0, help="how much of the room it was learned in, if there was one", live=False)
    amount: float = knob(1.0, 0.0, 1.0, help="the voice against the dry sound", live=False)
    lowest: float = knob(50.0, 20.0, 1_000.0, HZ, taper="log", help="the lowest pitch to look for", live=False)
    highest: float = knob(2_200.0, 100.0, 4_000.0, HZ, taper="log", help="the highest pitch to look for", live=False)

    libraries = ("safetensors", "scipy", "soxr", "torch")

    def apply(self, audio: Audio, context: RenderContext) -> Audio:
        """The sound changed: `Audio` of shape (channels, frames) at the rate of `context` in, the same out."""
        if audio.peak_db < -90 or self.amount == 0:
            return audio
        with within("voice"):
            voice = open_voice(self.voice, context)
        image = image_of(audio)
        given, lift = self._features(
            at_rate(Audio(image.middle[None].astype(np.float32), audio.rate), voice.rate), voice
        )
        with within("towards"):
            other = voice.of(self.towards) if self.towards else None
        embedding = voice.embedding(other, moving(self.blend, context, 0.0, given.frames))
        made = at_rate(voice.sing(given, embedding=embedding, room=self.room), audio.rate).samples[0, : audio.frames]
        sung = image.spread(np.pad(made, (0, audio.frames - len(made))), audio.rate)
        mixed = audio.samples * (1 - self.amount) + sung * np.float32(self.amount * 10 ** (-lift / 20))
        return Audio(np.asarray(mixed, np.float32), audio.rate)

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("voice"):
            voice = open_voice(self.voice, context)
        with within("towards"):
            if self.towards:
                voice.of(self.towards)

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        with within("voice"):
            yield find_voice(self.voice, context)

    def _features(self, sound: Audio, voice: Voice) -> tuple[Features, float]:
        """What the voice is to sing, and by how many dB it was made louder for it."""
        from studio.nets.features import QUIETEST, Features, features

        found = features(sound, self.lowest, self.highest)
        heard = found.loudness > found.loudness.max() - _HEARD
        clear = float(found.voiced[heard].mean())
        if clear < 0.25:
            raise AudioError(
                f"one pitch at a time is heard in only {clear:.0%} of the sound.",
                "A voice sings one line: give it one instrument alone, or use `transfer`.",
            )
        pitch = np.log2(found.hz / 220)
        if self.quantise:
            nearest = np.round(pitch * 12) / 12
            pitch = pitch + self.quantise * (nearest - pitch)
        pitch = pitch + self.semitones / 12
        octaves = self._octaves(pitch[found.voiced & heard], voice)
        # Silence is what is silent, not what is quietest: a sound need not have any.
        silent = found.loudness < QUIETEST + 1
        lift = float(voice.card["loudness_mean"] - found.loudness[heard].mean())
        loud = np.where(silent, QUIETEST, found.loudness + lift)
        return Features(220 * np.exp2(pitch + octaves), loud, found.voiced), lift

    def _octaves(self, pitch: Floats, voice: Voice) -> int:
        if self.octave != "auto":
            return int(self.octave)
        best = octaves_home(pitch, voice.card["lowest_octave"], voice.card["highest_octave"])
        if best:
            log.info("the melody is moved by %+d octaves, to where the voice is at home", best)
        return best


MOVE_COST = 0.15
"""What an octave costs: a melody is moved by one if that brings more than this share of it home."""


def octaves_home(pitch: Floats, low: float, high: float) -> int:
    """How many octaves to move a melody into a range, so that few notes lie outside and it is not moved far.

    What lies outside counts by how far it does: half an octave and more in full, a tenth not at all.

    Args:
        pitch: ``(frames,)`` in octaves.
        low, high: the range, in octaves.
    """
    if not len(pitch):
        return 0

    def cost(move: int) -> float:
        away = np.maximum(low - (pitch + move), pitch + move - high) - 0.1
        return float(np.clip(away / 0.4, 0, 1).mean()) + MOVE_COST * abs(move)

    return min(range(-4, 5), key=lambda move: (cost(move), abs(move)))


def moving(blend: Live, context: RenderContext, start: float, frames: int) -> Floats | float:
    """A knob at each of so many frames from a second on."""
    from studio.nets.features import FRAMES_PER_SECOND

    share = over_time(blend, context)
    return share(start + np.arange(frames) / FRAMES_PER_SECOND) if callable(share) else share


def at_rate(audio: Audio, rate: int) -> Audio:
    """One channel at another rate."""
    import soxr

    mono = audio.samples.mean(axis=0)
    if audio.rate != rate:
        mono = soxr.resample(mono, audio.rate, rate)
    return Audio(np.asarray(mono, np.float32)[None], rate)
