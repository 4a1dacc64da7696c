"""Sound of a song that is arranged: recordings cut at their sections and put where these sound; and parts of a signal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from studio.arrangement import Arrangement, SectionSpan, arrangement_of, runs
from studio.audio import Audio, Block
from studio.budgets import check_memory
from studio.context import RenderContext
from studio.engine.nodes import PIECE, Node, NodeReader
from studio.errors import within
from studio.stretch.stretcher import ALL_LIBRARIES, stretch
from studio.stretch.timemap import TimeMap
from studio.tempo import TempoMap
from studio.typed import present

_COPIES = 6
"""A section that is stretched needs so many times its memory."""

JOIN_SECONDS = 0.004
"""How long what sounds before the edge of a section goes down while what leads into the section comes up, so that a hit on
the edge itself is whole."""


@dataclass(frozen=True, eq=False)
class Arranged(Node):
    """A sound on the timeline it is written on, cut at the sections and put where these sound.

    What a section changes in tempo or pitch is stretched to it; with `still` (noise, which has neither) it is only cut.
    """

    track: str
    still: bool = False

    libraries = ALL_LIBRARIES

    @property
    def arrangement(self) -> Arrangement:
        """What is put where."""
        return present(arrangement_of(self.context.tempo))

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return [self.context.tempo.data(), self.track, self.still, JOIN_SECONDS]

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        join, before = round(JOIN_SECONDS * self.context.rate), 0
        overlap = _Overlap(self.context.channels)
        for run in runs(self.arrangement.spans, self.track):
            start, stop = _frames(run.at, self.context), _frames(run.until, self.context)
            if stop <= start:
                continue
            # What the last section leaves goes down where the lead of this one comes up.
            lead = min(join, start - before, _frame(self.arrangement.written, run.start, self.context.rate))
            yield from overlap.upto(start - lead)
            position = start - lead
            for block in self._run(reader, run, stop - start, lead):
                frames = np.arange(position, position + block.shape[1])
                gains = np.minimum((frames - (start - lead) + 1) / (lead + 1), (stop - frames) / (join + 1))
                overlap.add(position, np.asarray(block * np.minimum(gains, 1.0), np.float32))
                position += block.shape[1]
                yield from overlap.upto(min(position, stop - join))
            before = start
        yield from overlap.upto(_frames(self.arrangement.end, self.context))

    def _run(self, reader: NodeReader, run: SectionSpan, frames: int, lead: int) -> Iterator[Block]:
        """A run with what leads into it, at its tempo and pitch in the song."""
        written, rate = self.arrangement.written, self.context.rate
        begin, end = _frame(written, run.start, rate), _frame(written, run.end, rate)
        node, interval = self.inputs[0], run.interval(self.track)
        if self.still or (abs(end - begin - frames) <= 1 and not interval):
            for first in range(begin - lead, begin + frames, reader.size):
                yield reader.read(node, first, min(reader.size, begin + frames - first))
            return
        before = min(begin, round(lead * (end - begin) / frames))
        piece = reader.read(node, begin - before, end - begin + before)
        if not piece.any():
            return
        check_memory(_COPIES * piece.nbytes, "A section that is stretched as a whole", "Divide it into shorter ones.")
        time = TimeMap(np.array([0.0, piece.shape[1]]), np.array([0.0, float(frames + lead)]))
        with within("arrangement"):
            yield stretch(Audio(piece, rate), time, semitones=float(interval)).samples


class _Overlap:
    """Sounds that are put at frames of a song and given out in order, added up where they overlap."""

    def __init__(self, channels: int) -> None:
        self._held = np.zeros((channels, 0), np.float32)
        self._done = 0

    def add(self, position: int, block: Block) -> None:
        """Put a sound at a frame that has not been given out yet."""
        first = position - self._done
        grown = max(self._held.shape[1], first + block.shape[1])
        held = np.zeros((block.shape[0], grown), np.float32)
        held[:, : self._held.shape[1]] = self._held
        held[:, first : first + block.shape[1]] += block
        self._held = held

    def upto(self, frame: int) -> Iterator[Block]:
        """Everything in front of a frame, silence where nothing was put."""
        while self._done < frame:
            size = min(frame - self._done, PIECE * 8)
            out, self._held = self._held[:, :size], self._held[:, size:]
            self._done += size
            yield np.pad(out, ((0, 0), (0, size - out.shape[1])))


@dataclass(frozen=True, eq=False)
class Passage(Node):
    """Part of a signal: `frames` from `start` on, silence beyond its end."""

    start: int
    frames: int

    kept = False

    def count(self, reader: NodeReader) -> int:
        """How many frames it has, without running through it."""
        return max(0, min(self.frames, reader.frames(self.inputs[0]) - self.start))

    def facts(self) -> Any:
        """What the sound depends on besides the inputs, as plain data for the key."""
        return [self.start, self.frames]

    def blocks(self, reader: NodeReader) -> Iterator[Block]:
        """The sound, computed now, in blocks of shape (channels, frames) of any length."""
        position = 0
        for block in reader.blocks(self.inputs[0]):
            first = max(0, self.start - position)
            last = self.start + self.frames - position
            position += block.shape[1]
            if first < block.shape[1]:
                yield block[:, first:last]
            if last <= block.shape[1]:
                return


def _frame(tempo: TempoMap, beat: Fraction, rate: int) -> int:
    return int(tempo.second_at(beat) * rate + Fraction(1, 2))


def _frames(beat: Fraction, context: RenderContext) -> int:
    return _frame(context.tempo, beat, context.rate)


__all__ = ["Arranged", "Passage"]
