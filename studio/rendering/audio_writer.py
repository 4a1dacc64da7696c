"""Audio files out, block by block: dithered where it matters, tagged, and whole or not there at all."""

from __future__ import annotations

import hashlib
import io
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from studio.audio import Block, interleaved
from studio.audiofile import stream_audio
from studio.disk import part_of, writing
from studio.engine.loudness import Loudness
from studio.errors import OutputError, Place
from studio.rendering.ixml import ixml
from studio.tempo import TempoMap

if TYPE_CHECKING:
    from soundfile import SoundFile

FORMATS = ("wav", "flac", "ogg", "mp3")
_SUBTYPES = {"16": "PCM_16", "24": "PCM_24", "32": "FLOAT"}
_LOSSY = {"ogg": ("OGG", "VORBIS"), "mp3": ("MP3", "MPEG_LAYER_III")}
_BITRATES = ((32_000, (32, 320)), (16_000, (8, 160)), (0, (8, 64)))
"""The lowest and highest kbit/s of mp3, by the sample rate from which on they hold; libsndfile goes evenly from one to the other."""

_STEPS_24 = 2**23
_RF64_BYTES = 4_000_000_000
"""A WAV file may not be larger than 4 GiB; from here on it is written as RF64, which may."""


@dataclass(frozen=True)
class Tags:
    """What is written into the file besides the sound; DAWs call what they make of it `track`, of the song `project`."""

    title: str = ""
    artist: str = ""
    license: str = ""
    comment: str = ""
    tempo: TempoMap = field(default_factory=TempoMap)
    project: str = ""
    track: str = ""


def check_format(format: str, bits: str, rate: int, channels: int, bitrate: str | None = None) -> None:
    """See whether a format can hold a sound.

    Raises:
        OutputError: it cannot.
    """
    _opened(io.BytesIO(), rate, channels, format, *_coding(format, bits), bitrate).close()


def _coding(format: str, bits: str) -> tuple[str, str]:
    """What libsndfile calls a format and the samples in it."""
    kind, subtype = _LOSSY.get(format, (format.upper(), _SUBTYPES[bits]))
    return (kind, "PCM_24") if format == "flac" and bits == "32" else (kind, subtype)


def _opened(
    target: Path | io.BytesIO,
    rate: int,
    channels: int,
    format: str,
    kind: str,
    subtype: str,
    bitrate: str | None = None,
) -> SoundFile:
    import soundfile

    options: dict[str, Any] = {}
    if bitrate is not None:
        low, high = next(limits for least, limits in _BITRATES if rate >= least)
        if not low <= int(bitrate) <= high:
            raise OutputError(
                f"mp3 at {rate} Hz goes up to {high} kbit/s, not {bitrate}.", "Choose another bit rate or rate."
            )
        options = {"bitrate_mode": "CONSTANT", "compression_level": (high - int(bitrate)) / (high - low)}
    try:
        return soundfile.SoundFile(target, "w", rate, channels, subtype, format=kind, **options)
    except (soundfile.LibsndfileError, TypeError, ValueError) as error:
        reason = str(error).split(": ")[-1].rstrip(".")
        raise OutputError(
            f"{format} cannot be written at {rate} Hz with {channels} channels ({reason}).",
            "Choose another format or rate.",
        ) from None


class AudioWriter:
    """Writes one file beside its final place and moves it there when it is whole.

    Args:
        path: where the file goes.
        rate: in Hz.
        channels: how many.
        format: wav, flac, ogg or mp3.
        bits: 16, 24 or 32 (float; WAV only, FLAC keeps 24); the lossy formats do without.
        tags: what is written besides the sound; None for the bare sound.
        expected_frames: a guess, to choose RF64 in time.
        bitrate: of mp3, in kbit/s; its own choice if None.

    Raises:
        OutputError: the disk is full, the folder cannot be written, or the format cannot hold the rate.
    """

    def __init__(
        self,
        path: Path,
        rate: int,
        channels: int,
        format: str,
        bits: str,
        tags: Tags | None,
        *,
        expected_frames: int = 0,
        bitrate: str | None = None,
    ) -> None:
        self.path, self._rate, self._format, self._tags = path, rate, format, tags
        self._frames, self._channels, self._bits = 0, channels, bits
        self.part = part_of(path)
        kind, subtype = _coding(format, bits)
        if kind == "WAV" and expected_frames * channels * 4 > _RF64_BYTES:
            kind = "RF64"
        self._dither = np.random.default_rng(_seed(path.name)) if subtype == "PCM_16" else None
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.part.touch()  # What the system has against it, libsndfile does not tell.
            try:
                self._file = _opened(self.part, rate, channels, format, kind, subtype, bitrate)
            except OutputError as error:
                self.part.unlink(missing_ok=True)
                error.place = Place(str(path))
                raise
        if tags is not None:
            self._tag(tags)

    @property
    def exact(self) -> bool:
        """Whether a reader gets what `write` returns; the lossy formats make something of their own of it."""
        return self._format not in _LOSSY

    def write(self, block: Block) -> Block:
        """Write the next samples, of shape (channels, frames); what a reader will get for them, where that is known."""
        import soundfile

        self._frames += block.shape[1]
        samples: np.ndarray = block
        if self._dither is not None:
            samples = dithered(block, self._dither)
            block = samples.astype(np.float32) / np.float32(32_768)
        elif self._file.subtype == "PCM_24":
            steps = np.clip(np.rint(block * np.float32(_STEPS_24)), -_STEPS_24, _STEPS_24 - 1)
            # libsndfile takes the upper 24 bits.
            samples, block = steps.astype(np.int32) << 8, steps / np.float32(_STEPS_24)
        try:
            self._file.write(interleaved(samples))
        except soundfile.LibsndfileError as error:
            # libsndfile does not say why; on a healthy file the disk is the only thing that refuses.
            raise OutputError(
                f"the file cannot be written: {str(error).split(': ')[-1].rstrip('.').lower()}.",
                "Free some space, or choose another folder; what was there before is untouched.",
                place=Place(str(self.path)),
            ) from None
        return block

    def written(self) -> Iterator[Block]:
        """Close the file and decode what is in it."""
        with writing(self.path):
            self._file.close()
        yield from stream_audio(self.part)

    def _tag(self, tags: Tags) -> None:
        """Name the sound; before any of it is written, since most formats keep this in their header."""
        if tags.title:
            self._file.title = tags.title
        if tags.artist:
            self._file.artist = tags.artist
        if tags.license:
            self._file.copyright = tags.license
        self._file.comment = _words(tags)
        self._file.software = "mirepoix"

    def finish(self, loudness: Loudness) -> str:
        """Close the file and give its SHA-256; it is complete, but not yet in its place."""
        with writing(self.path):
            self._file.close()
            tags = self._tags
            if tags is not None and self._format == "wav" and self.part.stat().st_size < _RF64_BYTES:
                chunks = [(b"bext", _bext(tags, loudness)), (b"acid", self._acid(tags.tempo))]
                _append_chunks(self.part, chunks + ([(b"iXML", self._ixml(tags))] if tags.track else []))
            with self.part.open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()

    def put(self) -> None:
        """Move the finished file to where it goes."""
        with writing(self.path):
            self.part.replace(self.path)

    def abandon(self) -> None:
        """Leave nothing behind."""
        self._file.close()
        self.part.unlink(missing_ok=True)

    def _ixml(self, tags: Tags) -> bytes:
        bits = int(self._bits)
        return ixml(tags.project, tags.track, _words(tags), rate=self._rate, bits=bits, channels=self._channels)

    def _acid(self, tempo: TempoMap) -> bytes:
        """The chunk in which loop players look for the tempo and the number of beats."""
        meter, beats = tempo.meters[0], round(tempo.beat_at(Fraction(self._frames, self._rate)))
        return struct.pack("<IHHfIHHf", 0, 60, 0x8000, 0.0, beats, meter.unit, meter.count, float(tempo.tempos[0].bpm))


def dithered(block: Block, random: np.random.Generator) -> np.ndarray:
    """To 16 bits, with triangular dither of one step either way; frames of pure silence stay silent."""
    noise = random.random(block.shape, dtype=np.float32) - random.random(block.shape, dtype=np.float32)
    silent = ~np.any(block, axis=0)
    noise[:, silent] = 0
    steps = np.rint(block.astype(np.float64) * 32_768 + noise)
    return np.clip(steps, -32_768, 32_767).astype(np.int16)


def describe_tempo(tempo: TempoMap) -> str:
    """Tempo and meter in words, for people."""
    first, meter = tempo.tempos[0], tempo.meters[0]
    changing = " (changing)" if len(tempo.tempos) > 1 or len(tempo.meters) > 1 else ""
    return f"{float(first.bpm):.6g} bpm, {meter.count}/{meter.unit}{changing}"


def _words(tags: Tags) -> str:
    return "; ".join(part for part in (describe_tempo(tags.tempo), tags.comment) if part)


def _seed(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _bext(tags: Tags, loudness: Loudness) -> bytes:
    """The Broadcast Wave chunk, version 2 (EBU Tech 3285), without a date so that equal renders are equal."""

    def text(value: str, size: int) -> bytes:
        return value.encode("ascii", "replace")[:size].ljust(size, b"\0")

    def level(value: float) -> int:
        return max(-32_768, min(32_766, round(value * 100))) if np.isfinite(value) else 0x7FFF

    levels = struct.pack(
        "<5h", level(loudness.integrated), 0x7FFF, level(loudness.true_peak_db), 0x7FFF,
        level(max(loudness.short_term, default=float("-inf"))),
    )  # fmt: skip
    return (
        text(tags.title, 256) + text("mirepoix", 32) + text("", 32) + text("", 10) + text("", 8)
        + struct.pack("<QH", 0, 2) + bytes(64) + levels + bytes(180)
    )  # fmt: skip


def _append_chunks(path: Path, chunks: list[tuple[bytes, bytes]]) -> None:
    """Add chunks behind the last one of a RIFF file."""
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell() % 2:
            file.write(b"\0")
        for name, data in chunks:
            file.write(name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2))
        size = file.tell() - 8
        file.seek(4)
        file.write(struct.pack("<I", size))
