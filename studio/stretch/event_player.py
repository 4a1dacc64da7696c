"""The events of a sound played by notes."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from studio.audio import Block, to_channels
from studio.context import RenderContext
from studio.errors import within
from studio.knobs import choice, file, knob
from studio.levels import SILENCE_DB, amplitude
from studio.score import Score
from studio.steps import Instrument
from studio.stretch.event_file import KeyedEvent, read_events, tick_of
from studio.units import DB

_FADE = 0.01


class EventsInstrument(Instrument, step="events"):
    """Play the events that `studio events` took a sound apart into: every note is one of them, by its key.

    Notes as they came out play the sound as it was. A note taken out mutes its event, one moved moves it, another key is
    another event, and every step under `notes:` edits the sound. Velocity sets the level against the event's own.
    """

    file: str = file(help="a file of events, as `studio events` writes it")
    length: str = choice("event", "event", "note", help="whether an event plays to its end or as long as its note")
    gain: float = knob(0.0, SILENCE_DB, 24.0, DB, help="level", live=False)

    libraries = ("soundfile", "soxr")

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("file"):
            read_events(context.find(self.file))

    def unplayed(self, score: Score, context: RenderContext) -> Iterator[str]:
        """What of a score it will not play, or not as written; whoever hears it should know beforehand."""
        known = {(each.channel, each.key) for each in read_events(context.find(self.file)).events}
        if lost := sum((note.channel, note.pitch) not in known for note in score.notes):
            yield f"{lost} notes have keys that are no event of {self.file}, which has {len(known)}."

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        with within("file"):
            bank = read_events(context.find(self.file))
        events = {(each.channel, each.key): each for each in bank.events}
        sounds: dict[tuple[int, int], Block] = {}
        starts = score.tempo.seconds_at(np.array([note.start for note in score.notes]) / score.resolution)
        ends = score.tempo.seconds_at(np.array([note.end for note in score.notes]) / score.resolution)
        placed: list[tuple[int, Block]] = []
        for note, start, end in zip(score.notes, starts.tolist(), ends.tolist(), strict=True):
            name = (note.channel, note.pitch)
            if name not in events:
                continue
            each = events[name]
            if name not in sounds:
                sounds[name] = self._sound(each, bank.rate, context)
            own = Fraction(each.event.onset, bank.rate)
            # Ticks are coarser than frames: a note that was not moved sounds exactly where its event was.
            moved = tick_of(own, score.tempo, score.resolution) != note.start
            lead = (each.event.onset - each.event.first) / bank.rate
            first = round(((start if moved else float(own)) - lead) * context.rate)
            sound = sounds[name] * np.float32(amplitude(self.gain) * (note.velocity / each.velocity) ** 2)
            if self.length == "note":
                sound = _held(sound, round((end - start + lead) * context.rate), context.rate)
            placed.append((first, sound))
        frames = max([round(float(score.length) * context.rate), *(at + sound.shape[1] for at, sound in placed)])
        out = np.zeros((context.channels, frames))
        for first, sound in placed:
            cut = max(0, -first)
            out[:, max(0, first) : first + sound.shape[1]] += sound[:, cut:]
        for begin in range(0, frames, 65_536):
            yield out[:, begin : begin + 65_536].astype(np.float32)

    def _sound(self, each: KeyedEvent, rate: int, context: RenderContext) -> Block:
        samples = to_channels(each.event.samples, context.channels)
        if rate == context.rate:
            return samples
        import soxr

        return np.asarray(soxr.resample(samples.T, rate, context.rate, "VHQ").T, np.float32)


def _held(sound: Block, frames: int, rate: int) -> Block:
    """The beginning of an event, with a short fade."""
    sound = sound[:, : max(1, frames)].copy()
    fade = min(round(_FADE * rate), sound.shape[1])
    sound[:, sound.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return sound
