"""A loop cut at its hits and played by notes."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from studio.audio import Audio, Block
from studio.audiofile import probe, read_audio, stream_audio
from studio.context import RenderContext
from studio.errors import AudioError, within
from studio.knobs import Number, choice, count, file, knob, span, switch
from studio.levels import SILENCE_DB, amplitude
from studio.records import field
from studio.score import Score
from studio.steps import Instrument
from studio.stretch.loop_analysis import analyse_loop
from studio.stretch.loop_hints import cues_in
from studio.stretch.onsets import find_hits
from studio.tempo import TempoMap, Time
from studio.units import BPM, COUNT, DB

log = logging.getLogger(__name__)

_FADE = 0.003
"""Seconds in which a slice goes out when it is cut."""

_LEAD = 0.002
"""Seconds before a hit at which its slice begins."""


class Slice(Instrument):
    """Cut a loop at its hits and play the pieces from the keys: the first on `root`, the next on the key above.

    With `cues` it is cut at the cue points of its file, with `pieces` into so many equal ones, with `every` into ones of a
    length; bars and beats are the loop's own, by its tempo, which is found when `bpm` does not give it (see `fit`).
    Velocity sets the level. A piece plays to its end, or with `length: note` as long as its note is held.
    """

    file: str = file(help="an audio file")
    root: int = count(36, 0, 127, help="the key of the first piece; 36 is C1")
    sensitivity: float = knob(9.0, 3.0, 40.0, DB, help="how much louder a hit is than what is before it", live=False)
    cues: bool = switch(False, help="cut at the cue points of the file")
    every: Time | None = span(None, help="cut in pieces of this length instead of at hits")
    pieces: int | None = field(
        Number(
            default=None,
            low=1,
            high=128,
            unit=COUNT,
            whole=True,
            help="cut into so many equal pieces instead of at hits",
        )
    )
    bpm: float | None = field(
        Number(default=None, unit=BPM, low=20, high=400, help="the tempo of the loop, for `every`")
    )
    length: str = choice("slice", "slice", "note", help="whether a piece plays to its end or as long as its note")
    gain: float = knob(0.0, SILENCE_DB, 24.0, DB, help="level", live=False)

    version = 4
    libraries = ("scipy", "soundfile", "soxr")

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("file"):
            next(stream_audio(context.find(self.file)))
        ways = [
            way
            for way, given in (("every", self.every), ("pieces", self.pieces), ("cues", self.cues or None))
            if given is not None
        ]
        if len(ways) > 1:
            raise AudioError(
                "the loop cannot be cut in both ways.", f"Give `{ways[0]}` or `{ways[1]}`.", path=(ways[1],)
            )
        if self.cues and not cues_in(context.find(self.file)):
            raise AudioError(
                f"{self.file} has no cue points.", "Leave `cues` out: it is then cut at its hits.", path=("cues",)
            )
        if self.every is not None and not context.tempo.length_of(self.every):
            raise AudioError("there is nothing to cut.", "Give pieces of some length.", path=("every",))

    def play(self, score: Score, context: RenderContext) -> Iterator[Block]:
        """The score as sound, tail included, in blocks of shape (channels, frames)."""
        with within("file"):
            loop = read_audio(context.find(self.file), context.rate, context.channels)
        pieces = self._pieces(loop, context)
        starts = score.tempo.seconds_at(np.array([note.start for note in score.notes]) / score.resolution)
        ends = score.tempo.seconds_at(np.array([note.end for note in score.notes]) / score.resolution)
        out = np.zeros((context.channels, round(float(score.length) * context.rate)), np.float32)
        lost = 0
        for note, start, end in zip(score.notes, starts.tolist(), ends.tolist(), strict=True):
            index = note.pitch - self.root
            if not 0 <= index < len(pieces):
                lost += 1
                continue
            held = round((end - start) * context.rate) if self.length == "note" else None
            level = amplitude(self.gain) * (note.velocity / 127) ** 2
            out = _added(out, _cut(pieces[index], held, context.rate) * np.float32(level), round(start * context.rate))
        if lost:
            log.warning(
                "%d notes are outside the %d pieces of %s, on the keys from %d to %d",
                lost, len(pieces), self.file, self.root, self.root + len(pieces) - 1,
            )  # fmt: skip
        for first in range(0, out.shape[1], 65_536):
            yield out[:, first : first + 65_536]

    def _length(self, loop: Audio, context: RenderContext) -> float:
        """Seconds of a piece: bars and beats are the loop's own."""
        every = self.every
        if every is None or not every.musical:
            return float(context.tempo.length_of(every)) if every is not None else loop.seconds
        meter = context.tempo.meters[0]
        bpm = self.bpm or _own_tempo(loop, context, context.find(self.file))
        own = TempoMap.constant(Fraction(bpm).limit_denominator(1_000_000), meter.count, meter.unit)
        return float(own.length_of(every))

    def _pieces(self, loop: Audio, context: RenderContext) -> list[Block]:
        """The loop cut into pieces, the first from its start."""
        if self.pieces is not None:
            cuts = np.round(np.arange(1, self.pieces) * loop.frames / self.pieces)
        elif self.cues:
            path = context.find(self.file)
            cuts = np.round(np.array(cues_in(path)) * loop.rate / probe(path)[0])
            cuts = cuts[cuts > 0]
        elif self.every is not None:
            length = self._length(loop, context) * loop.rate
            cuts = np.round(np.arange(1, loop.frames / max(length, 1.0)) * length)
        else:
            lead = round(_LEAD * loop.rate)
            hits = find_hits(loop.samples, loop.rate, rise_db=self.sensitivity)
            cuts = hits[hits > 8 * lead] - lead
        if loop.frames < (self.pieces or 1) or (self.every is not None and length < 1):
            raise AudioError("there is nothing to cut.", "Give a sound, and pieces of some length.")
        inside = cuts[cuts < loop.frames].astype(np.int64)
        edges = [0, *inside.tolist(), loop.frames]
        return [_cut(loop.samples[:, first:last], None, loop.rate) for first, last in pairwise(edges)]


def _own_tempo(loop: Audio, context: RenderContext, file: Path) -> float:
    """The tempo of a loop in beats per minute; the song's where it is silent."""
    song = float(context.tempo.tempos[0].bpm)
    beats = loop.seconds * song / 60
    found = analyse_loop(loop, file, round(beats) if abs(beats - round(beats)) < 0.005 * beats else None)
    if not found.readings:
        return song
    reading = found.settled("bpm")
    log.info("the loop is taken for %s (confidence %.0f %%)", reading, 100 * found.confidence)
    for remark in found.remarks:
        log.warning("%s", remark)
    return reading.bpm


def _cut(piece: Block, frames: int | None, rate: int) -> Block:
    """The piece, or its beginning, with a short fade at its end."""
    piece = piece[:, : max(1, frames)].copy() if frames is not None else piece.copy()
    fade = min(round(_FADE * rate), piece.shape[1])
    piece[:, piece.shape[1] - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
    return piece


def _added(out: Block, piece: Block, start: int) -> Block:
    """The sum, longer if the piece reaches beyond its end."""
    missing = start + piece.shape[1] - out.shape[1]
    if missing > 0:
        out = np.pad(out, ((0, 0), (0, missing)))
    out[:, start : start + piece.shape[1]] += piece
    return out
