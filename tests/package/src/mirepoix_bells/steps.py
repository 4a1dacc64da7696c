"""Three steps, found by the studio through the entry point group ``studio.steps``."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from studio.extend import (
    HZ,
    SECONDS,
    SEMITONES,
    Block,
    BlockContext,
    Effect,
    Instrument,
    Live,
    RenderContext,
    Run,
    Score,
    ScoreStep,
    knob,
)


class RingModulator(Effect):
    """Multiply the sound with a sine, for bells and robots."""

    carrier: Live = knob(440.0, 1.0, 8_000.0, HZ, taper="log", help="frequency of the sine")
    mix: Live = knob(1.0, 0.0, 1.0, help="effect against the dry sound")

    def open(self, context: RenderContext) -> Run:
        """Multiply with a sine whose phase goes on from block to block."""
        phase = 0.0

        def run(block: Block, now: BlockContext) -> Block:
            nonlocal phase
            turns = phase + np.cumsum(np.broadcast_to(now["carrier"], block.shape[1])) / context.rate
            phase = float(turns[-1] % 1)
            wet = block * np.sin(2 * np.pi * turns)
            return np.asarray(block + (wet - block) * now["mix"], np.float32)

        return run


class Bell(Instrument):
    """A struck bell: four partials that die away."""

    decay: float = knob(1.0, 0.05, 10.0, SECONDS, help="time until a note is 60 dB down")

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """All notes added up, each at its own frame, tail included."""
        starts = [round(score.tempo.second_at(score.beat(note.start)) * context.rate) for note in score.notes]
        ring = round(self.decay * context.rate)
        sound = np.zeros((context.channels, max(starts, default=0) + ring), np.float32)
        for note, start in zip(score.notes, starts, strict=True):
            seconds = np.arange(sound.shape[1] - start) / context.rate
            pitch = 440 * 2 ** ((note.pitch - 69) / 12)
            struck = np.zeros_like(seconds)
            for ratio in (1.0, 2.0, 2.76, 5.4):
                struck += np.sin(2 * np.pi * pitch * ratio * seconds) / ratio
            sound[:, start:] += struck * 10 ** (-3 * seconds / self.decay) * (0.1 * note.velocity / 127)
        yield sound


class Fifths(ScoreStep):
    """Let every note ring with another one above it."""

    interval: float = knob(7.0, -24.0, 24.0, SEMITONES, help="from the note to the one that rings with it")

    def edit(self, score: Score, context: RenderContext) -> Score:
        """The score with the second notes added."""
        added = [note._replace(pitch=note.pitch + round(self.interval)) for note in score.notes]
        return score.with_notes([*score.notes, *(note for note in added if 0 <= note.pitch <= 127)])
