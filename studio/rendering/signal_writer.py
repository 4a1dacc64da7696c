"""Signals into files: written, measured on the way, and in their places together or not at all.

Everything that leaves the studio as an audio file goes through here: stems and mixes, the prints of a session, single
files through a chain.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from studio.audio import Audio, Block
from studio.engine.loudness import Loudness, LoudnessMeter
from studio.levels import decibels
from studio.rendering.audio_writer import AudioWriter, Tags
from studio.rendering.waveform_summary import WaveformSummarizer, WaveformSummary

_BLOCK = 65_536


@dataclass(frozen=True)
class Written:
    """A finished file: how many frames it holds, its SHA-256, its loudness, and its sketch if one was asked for.

    Loudness and sketch are those of the samples that a reader of the file gets. `clipped_db` says by how many dB the
    signal was above full scale, where the file cannot hold that; 0 where nothing was lost.
    """

    path: Path
    frames: int
    sha256: str
    loudness: Loudness
    sketch: WaveformSummary | None = None
    clipped_db: float = 0.0


class SignalWriter:
    """One signal on its way into a file.

    Args:
        path: where the file goes.
        rate: in Hz.
        channels: how many.
        format: wav, flac, ogg or mp3.
        bits: 16, 24 or 32 (float), for the formats that have a choice.
        tags: what is written besides the sound; None for the bare sound.
        expected_frames: a guess, to choose RF64 in time.
        sketched: whether a sketch is drawn of it, for reports.
        bitrate: of mp3, in kbit/s; its own choice if None.

    Raises:
        OutputError: the disk is full, the folder cannot be written, or the format cannot hold the rate.
    """

    def __init__(
        self,
        path: Path,
        rate: int,
        channels: int,
        format: str = "wav",
        bits: str = "24",
        tags: Tags | None = None,
        *,
        expected_frames: int = 0,
        sketched: bool = False,
        bitrate: str | None = None,
    ) -> None:
        self.path, self.frames, self._rate, self.channels = path, 0, rate, channels
        self._holds_any_level, self._peak = format == "wav" and bits == "32", 0.0
        self._file = AudioWriter(
            path, rate, channels, format, bits, tags, expected_frames=expected_frames, bitrate=bitrate
        )
        self._sketched = sketched
        self._listener = self._new_listener()

    def pour(self, blocks: Iterable[Block], most: int | None = None) -> None:
        """Write blocks of shape (channels, frames), until there are `most` frames in the file."""
        for block in blocks:
            self._push(block if most is None else block[:, : most - self.frames])
            if most is not None and self.frames >= most:
                return

    def fill(self, frames: int) -> None:
        """Add silence until there are as many frames."""
        while self.frames < frames:
            self._push(np.zeros((self.channels, min(frames - self.frames, _BLOCK)), np.float32))

    def _push(self, block: Block) -> None:
        self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
        heard = self._file.write(block)
        if self._file.exact:
            self._listener.push(heard)
        self.frames += block.shape[1]

    def _new_listener(self) -> WaveformSummarizer | LoudnessMeter:
        return (WaveformSummarizer if self._sketched else LoudnessMeter)(self._rate, self.channels)

    def finish(self) -> Written:
        """Close the file, which is complete then, but not yet in its place."""
        if not self._file.exact:
            for block in self._file.written():
                self._listener.push(block)
        sketch: WaveformSummary | None = None
        if isinstance(self._listener, WaveformSummarizer):
            sketch = self._listener.draw()
            loudness = sketch.loudness
        else:
            loudness = self._listener.read()
        clipped = 0.0 if self._holds_any_level else max(0.0, decibels(self._peak))
        return Written(self.path, self.frames, self._file.finish(loudness), loudness, sketch, clipped)

    def put(self) -> None:
        """Move the finished file to where it goes."""
        self._file.put()

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.abandon()


class SignalWriters:
    """Files that come into their places together when the block of a `with` ends, or not at all when it fails."""

    def __init__(self) -> None:
        self._all: list[SignalWriter] = []

    def add(self, writer: SignalWriter) -> SignalWriter:
        """Take care of another one; from any thread."""
        self._all.append(writer)
        return writer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                for writer in self._all:
                    writer.put()
                return
        except BaseException:
            self._abandon()
            raise
        self._abandon()

    def _abandon(self) -> None:
        for writer in self._all:
            writer.abandon()


def write_signal(writer: SignalWriter, blocks: Iterable[Block]) -> Written:
    """Write a whole signal, of blocks of shape (channels, frames), into one file.

    Raises:
        StudioError: what makes the blocks failed, or the disk refused; nothing is left behind then.
    """
    with SignalWriters() as writers:
        writers.add(writer).pour(blocks)
        return writer.finish()


def blocks_of(audio: Audio) -> Iterable[Block]:
    """A sound in blocks."""
    return (audio.samples[:, start : start + _BLOCK] for start in range(0, audio.frames, _BLOCK))
