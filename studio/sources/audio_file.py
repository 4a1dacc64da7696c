"""Audio files as sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from studio.audio import Block
from studio.audiofile import probe, stream_audio
from studio.context import RenderContext
from studio.errors import within
from studio.knobs import file
from studio.steps import Source


class AudioSource(Source, step="audio"):
    """Play an audio file: WAV, AIFF, FLAC, OGG or MP3, at any rate, mono to 7.1.

    It is resampled to the song's rate and fitted to its channels.
    """

    file: str = file(help="an audio file")

    libraries = ("soundfile", "soxr")

    def cheap(self, context: RenderContext) -> bool:
        """Whether reading the file again costs no more than the cache."""
        path = context.find(self.file)
        return path.suffix.lower() in (".wav", ".aif", ".aiff") and probe(path)[0] == context.rate

    def origin(self, context: RenderContext) -> Path | None:
        """The file whose whole sound it gives."""
        return context.find(self.file)

    def ready(self, context: RenderContext, seconds: float | None = None) -> None:
        """Fail now, before any work, if it could not be done later."""
        with within("file"):
            next(stream_audio(context.find(self.file)))

    def read(self, context: RenderContext) -> Iterator[Block]:
        """The sound in blocks of shape (channels, frames) of any length."""
        with within("file"):
            yield from stream_audio(context.find(self.file), context.rate, context.channels)
