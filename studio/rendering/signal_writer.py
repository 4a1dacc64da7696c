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
from studio.rendering.audio_writer import AudioWriter, Tags
from studio.rendering.waveform_summary import WaveformSummarizer, WaveformSummary

_BLOCK = 65_536


@dataclass(frozen=True)
class Written:
    """A finished file: how many frames it holds, its SHA-256, its loudness, and its sketch if one was asked for."""

    path: Path
    frames: int
    sha256: str
    loudness: Loudness
    sketch: WaveformSummary | None = None


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
    ) -> None:
        self.path, self.frames, self._channels = path, 0, channels
        self._file = AudioWriter(path, rate, channels, format, bits, tags, expected_frames=expected_frames)
        self._sketcher = WaveformSummarizer(rate, channels) if sketched else None
        self._meter = LoudnessMeter(rate, channels) if self._sketcher is None else None

    def pour(self, blocks: Iterable[Block], most: int | None = None) -> None:
        """Write blocks of shape (channels, frames), until there are `most` frames in the file."""
        for block in blocks:
            self._push(block if most is None else block[:, : most - self.frames])
            if most is not None and self.frames >= most:
                return

    def fill(self, frames: int) -> None:
        """Add silence until there are as many frames."""
        while self.frames < frames:
            self._push(np.zeros((self._channels, min(frames - self.frames, _BLOCK)), np.float32))

    def _push(self, block: Block) -> None:
        self._file.write(block)
        if self._sketcher is not None:
            self._sketcher.push(block)
        if self._meter is not None:
            self._meter.push(block)
        self.frames += block.shape[1]

    def finish(self) -> Written:
        """Close the file, which is complete then, but not yet in its place."""
        sketch = self._sketcher.draw() if self._sketcher is not None else None
        loudness = self._meter.read() if self._meter is not None else None
        if sketch is not None:
            loudness = sketch.loudness
        assert loudness is not None, "one of the two has measured it"
        return Written(self.path, self.frames, self._file.finish(loudness), loudness, sketch)

    def place(self) -> None:
        """Move the finished file to where it goes."""
        self._file.place()

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
                    writer.place()
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
