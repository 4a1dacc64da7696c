"""Neural voices in a recipe: notes sung from a score, as they are performed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from studio.audio import Audio, Block
from studio.context import RenderContext
from studio.errors import within
from studio.knobs import Live, count, file, knob, text
from studio.levels import SILENCE_DB, amplitude
from studio.score import Score
from studio.steps import Instrument
from studio.timbre.controllers import unheard
from studio.timbre.performance import Manner, curves_of, lines_of, outside
from studio.timbre.singing import VOICE_HELP, at_rate, moving
from studio.timbre.voices import find_voice, open_voice, range_of
from studio.units import COUNT, DB, HZ, MS, SEMITONES


class VoiceInstrument(Instrument, step="voice"):
    """Sing the notes of a part with a trained voice, as many at once as there are.

    Velocity is loudness; each note swells and dies as `attack` and `release` say, and begins to tremble after a while.
    Notes that touch are slurred, a key struck again begins anew. Bend with its range, the sustain pedal, modulation (CC 1)
    and pressure (vibrato), volume (CC 7) and expression (CC 11, which is loudness) are performed; what is not is remarked.
    """

    version = 2

    voice: str = file("violin", help=VOICE_HELP)
    towards: str = text("", help="another instrument of the same voice to go to: trumpet of orchestra:violin")
    blend: Live = knob(0.0, 0.0, 1.0, help="from the instrument to the one it goes towards")
    room: float = knob(1.0, 0.0, 1.0, help="how much of the room it was learned in, if there was one", live=False)
    attack: float = knob(40.0, 5.0, 2_000.0, MS, taper="log", help="until a note is loud", live=False)
    release: float = knob(120.0, 10.0, 5_000.0, MS, taper="log", help="until a note that ends is gone", live=False)
    vibrato: float = knob(0.15, 0.0, 2.0, SEMITONES, help="how wide notes tremble", live=False)
    rate: float = knob(5.5, 0.1, 12.0, HZ, help="how fast they tremble", live=False)
    onset: float = knob(250.0, 0.0, 5_000.0, MS, help="how long they stay still before", live=False)
    dynamics: float = knob(30.0, 0.0, 60.0, DB, help="from the softest velocity to the loudest", live=False)
    gain: float = knob(0.0, SILENCE_DB, 24.0, DB, help="level", live=False)
    seed: int = count(0, 0, 1_000_000, unit=COUNT, help="another seed, another breath")

    libraries = ("safetensors", "scipy", "soxr", "torch")

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

    def unplayed(self, score: Score, context: RenderContext) -> Iterator[str]:
        """What of the score it does not play, in words."""
        yield from unheard(score)
        with within("voice"):
            yield from outside(score.notes, *range_of(self.voice, context))

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        from studio.nets.features import FRAMES_PER_SECOND, QUIETEST, Features, hop_of

        with within("voice"):
            voice = open_voice(self.voice, context)
        with within("towards"):
            other = voice.of(self.towards) if self.towards else None
        manner = Manner(
            self.attack / 1000, self.release / 1000, self.vibrato, self.rate, self.onset / 1000, self.dynamics,
            float(voice.card["loudness_mean"]),
        )  # fmt: skip
        lines = lines_of(score, manner.release)
        last = max([float(score.length), *(line.end + manner.release for line in lines)])
        out = np.zeros((1, round((last + 1) * voice.rate)), np.float32)
        for index, line in enumerate(lines):
            curves = curves_of(line, manner, FRAMES_PER_SECOND)
            loud = np.maximum(curves.loudness, QUIETEST)
            given = Features(curves.hz, loud, np.ones(len(loud), bool))
            embedding = voice.embedding(other, moving(self.blend, context, line.start, given.frames))
            made = voice.sing(given, self.seed + index, embedding=embedding, room=0.0).samples[0]
            if curves.level.any():
                frames = np.arange(len(made)) / hop_of(voice.rate)
                made = made * amplitude(np.interp(frames, np.arange(len(loud)), curves.level)).astype(np.float32)
            first = round(line.start * voice.rate)
            out[0, first : first + len(made)] += made[: out.shape[1] - first]
        out = voice.in_room(out, self.room) * np.float32(amplitude(self.gain))
        sound = at_rate(Audio(out, voice.rate), context.rate)
        samples = np.repeat(sound.samples, context.channels, axis=0)
        for start in range(0, samples.shape[1], 65_536):
            yield samples[:, start : start + 65_536]
