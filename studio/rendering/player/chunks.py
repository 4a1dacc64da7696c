"""Sound in small compressed pieces, each of which can be decoded alone and joins the next without a gap."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studio.audio import Block
from studio.audiofile import stream_audio

OPUS, FLAC = "opus", "flac"
OPUS_RATE = 48_000
SECONDS = 3
LEAD = 3840
"""Frames before a piece that are encoded with it and thrown away again, in which a lossy decoder finds its feet."""

_OPUS_LEVEL = 0.9
"""libsndfile's compression level; about 64 kbit/s for two channels."""


@dataclass(frozen=True)
class Codec:
    """How pieces are encoded: `name`, the rate in Hz, and the frames of lead-in of every piece but the first."""

    name: str
    rate: int
    lead: int

    @classmethod
    def of(cls, name: str, rate: int) -> Codec:
        """FLAC is exact and plays in every browser; Opus is a tenth of its size."""
        return cls(OPUS, OPUS_RATE, LEAD) if name == OPUS else cls(FLAC, rate, 0)

    @property
    def frames(self) -> int:
        """The frames of a piece."""
        return SECONDS * self.rate

    def encode(self, block: Block) -> bytes:
        """A piece, lead-in included, as a file of its own."""
        import soundfile

        out, samples = io.BytesIO(), np.clip(block.T, -1, 1)
        if self.name == OPUS:
            soundfile.write(out, samples, self.rate, format="OGG", subtype="OPUS", compression_level=_OPUS_LEVEL)
        else:
            soundfile.write(out, samples, self.rate, format="FLAC", subtype="PCM_16")
        return out.getvalue()

    def pieces(self, path: Path) -> Iterator[bytes]:
        """The pieces of a file, in order."""
        past = np.zeros((2, 0), np.float32)
        for block in _cut(stream_audio(path, self.rate, 2), self.frames):
            joined = np.concatenate([past, block], axis=1)
            yield self.encode(joined)
            past = joined[:, joined.shape[1] - self.lead :] if self.lead else past


def _cut(blocks: Iterator[Block], size: int) -> Iterator[Block]:
    """The same sound in blocks of one size, the last one shorter."""
    held, have = list[Block](), 0
    for block in blocks:
        held.append(block)
        have += block.shape[1]
        while have >= size:
            joined = np.concatenate(held, axis=1)
            yield joined[:, :size]
            held, have = [joined[:, size:]], have - size
    if have:
        yield np.concatenate(held, axis=1)
