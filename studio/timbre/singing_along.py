"""A voice that sings along while the sound is played: `sing` without waiting for the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Block
from studio.context import BlockContext, RenderContext
from studio.errors import within
from studio.knobs import Live, file, knob, text
from studio.levels import SILENCE_DB, amplitude
from studio.steps import Effect, Run
from studio.tempo import Floats
from studio.timbre.singing import VOICE_HELP
from studio.timbre.voices import find_voice, open_voice
from studio.units import DB, HZ, SEMITONES

if TYPE_CHECKING:
    from studio.nets.live import LiveDecoder, LiveFeatures


class SingLive(Effect):
    """Sing along with a melody as it is played, with a trained voice, about 40 ms behind it.

    What `sing` learns from the whole sound is told here: `input` is how loud the melody is on average, which is brought
    to what the voice knows, and back again; the octave is `semitones`. Through a consonant the last pitch is held; what
    has no pitch for longer, such as noise or what lies below `lowest`, is not sung.
    """

    version = 3

    voice: str = file("violin", help=VOICE_HELP)
    towards: str = text("", help="another instrument of the same voice to go to: trumpet of orchestra:violin")
    blend: Live = knob(0.0, 0.0, 1.0, help="from the instrument to the one it goes towards")
    semitones: Live = knob(0.0, -36.0, 36.0, SEMITONES, help="how much higher")
    input: float = knob(-25.0, -70.0, 0.0, DB, help="the loudness of the melody where it sounds, in dB(A)", live=False)
    gain: Live = knob(0.0, SILENCE_DB, 24.0, DB, help="level of the voice")
    mix: Live = knob(1.0, 0.0, 1.0, help="the voice against the dry sound")
    lowest: float = knob(80.0, 40.0, 1_000.0, HZ, taper="log", help="the lowest pitch to look for", live=False)
    highest: float = knob(2_200.0, 100.0, 4_000.0, HZ, taper="log", help="the highest pitch to look for", live=False)

    libraries = ("safetensors", "scipy", "torch")

    def assets(self, context: RenderContext) -> Iterator[Path]:
        """The files whose content the sound depends on."""
        with within("voice"):
            yield find_voice(self.voice, context)

    def tail_seconds(self, context: RenderContext) -> float:
        """The longest silence, in seconds, behind which more sound can still come."""
        return 0.5

    def open(self, context: RenderContext) -> Run:
        """Begin a run with all state at rest; it takes and gives blocks of shape (channels, frames)."""
        with within("voice"):
            voice = open_voice(self.voice, context)
        with within("towards"):
            other = voice.of(self.towards) if self.towards else None
        from studio.nets.live import LiveDecoder, LiveFeatures

        features = LiveFeatures(context.rate, self.lowest, min(self.highest, context.rate / 4))
        decoder = LiveDecoder(voice, context.rate, towards=other)
        return _Singing(features, decoder, float(voice.card["loudness_mean"]) - self.input).run


class _Singing:
    """The state of a run: what was heard and not yet sung, and where the knobs stood then.

    It goes frame by frame of the voice, whatever the blocks, so that they never change a bit.
    """

    def __init__(self, features: LiveFeatures, decoder: LiveDecoder, lift: float) -> None:
        self._features, self._decoder, self._lift = features, decoder, lift
        self._heard = np.zeros(0, np.float32)
        self._sung = np.zeros(0, np.float32)
        self._dry: Block | None = None
        self._semitones, self._blend = _Queue(), _Queue()
        self._gain, self._mix, self._open = _Queue(), _Queue(), _Queue()
        self._was_open: float | None = None

    def run(self, block: Block, now: BlockContext) -> Block:
        frames, hop = block.shape[1], self._features.hop
        queues = {"semitones": self._semitones, "blend": self._blend, "gain": self._gain, "mix": self._mix}
        for name, queue in queues.items():
            queue.push(now[name], frames)
        self._dry = block if self._dry is None else np.concatenate([self._dry, block], axis=1)
        self._heard = np.concatenate([self._heard, block.mean(axis=0, dtype=np.float32)])
        made = [self._sung]
        while len(self._heard) >= hop:
            hz, loud = self._features.push(self._heard[:hop])
            self._heard = self._heard[hop:]
            if len(hz):
                made.append(self._frame(hz, loud))
        self._sung = np.concatenate(made)
        ready = min(len(self._sung), self._dry.shape[1])
        dry, self._dry = self._dry[:, :ready], self._dry[:, ready:]
        wet, self._sung = self._sung[:ready], self._sung[ready:]
        level = amplitude(self._gain.pull(ready)) * 10 ** (-self._lift / 20) * self._open.pull(ready)
        return np.asarray(dry + (wet * level - dry) * self._mix.pull(ready), np.float32)

    def _frame(self, hz: Floats, loud: Floats) -> Block:
        """The sound up to one more frame; where nothing is heard, nothing is sung."""
        hop = self._features.hop
        is_open = float(loud[0] > QUIETEST_HEARD)
        if self._was_open is not None:
            self._open.push(self._was_open + (is_open - self._was_open) * np.arange(hop) / hop, hop)
        self._was_open = is_open
        higher = self._semitones.pull(hop)[0]
        return self._decoder.push(hz * 2 ** (higher / 12), loud + self._lift, self._blend.pull(hop)[0])


QUIETEST_HEARD = -85.0
"""dB(A) below which the voice is silent."""


class _Queue:
    """Where a knob stood, frame by frame."""

    def __init__(self) -> None:
        self._values: Floats = np.zeros(0)

    def push(self, value: Floats | float, frames: int) -> None:
        self._values = np.concatenate([self._values, np.broadcast_to(value, frames)])

    def pull(self, frames: int) -> Floats:
        taken, self._values = self._values[:frames], self._values[frames:]
        return taken
