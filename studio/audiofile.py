"""Audio files, whole or block by block, at any rate and in any number of channels."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studio.audio import Audio, Block, check_finite, to_channels
from studio.errors import AudioError, MissingError, Place
from studio.headers import cut_short
from studio.provenance import behind

if TYPE_CHECKING:
    from soundfile import SoundFile

log = logging.getLogger(__name__)

SLOWEST_RATE, FASTEST_RATE = 1_000, 1_536_000
MOST_CHANNELS = 64
"""Beyond these a header lies, and resampling would fill any memory."""

_BLOCK = 65_536
_UNKNOWN_FRAMES = 2**36
"""The longest FLAC; beyond it stands that the writer did not know."""

_FROM_OGG = {
    3: [0, 2, 1], 5: [0, 2, 1, 3, 4], 6: [0, 2, 1, 5, 3, 4], 7: [0, 2, 1, 6, 5, 3, 4], 8: [0, 2, 1, 7, 5, 6, 3, 4],
}  # fmt: skip
"""Where each channel of the WAV order (L R C LFE …) stands in Ogg files, whose own is L C R … LFE."""


@behind("soundfile", "libsndfile")
def _libsndfile() -> str:
    import soundfile

    return str(soundfile.__libsndfile_version__)


def read_audio(path: Path | str, rate: int | None = None, channels: int | None = None) -> Audio:
    """Read a file: WAV, AIFF, FLAC, OGG, MP3 and what else libsndfile knows.

    A WAV or AIFF file of which the end is missing is read as far as it goes, with a warning in the log.

    Args:
        path: the file.
        rate: resample to this rate in Hz (soxr, very high quality); its own when None.
        channels: fit to this many channels (see `to_channels`); its own when None.

    Raises:
        MissingError: there is no such file.
        AudioError: it is not audio, is empty, or holds NaN or infinity.
    """
    if missing := cut_short(Path(path)):
        log.warning("%s", missing)
    blocks = list(stream_audio(path, rate, channels))
    return Audio(np.concatenate(blocks, axis=1), rate or probe(path)[0])


def probe(path: Path | str) -> tuple[int, int, int]:
    """The rate, channels and frames that a file's header announces; where it announces none, they are counted."""
    with _open(path) as file:
        frames = int(file.frames)
        if frames > _UNKNOWN_FRAMES:
            frames = sum(block.shape[1] for block in _decoded(file, str(path)))
        return int(file.samplerate), int(file.channels), frames


def stream_audio(path: Path | str, rate: int | None = None, channels: int | None = None) -> Iterator[Block]:
    """The file in blocks; see `read_audio`."""
    with _open(path) as file:
        blocks = _decoded(file, str(path))
        if rate is not None and rate != file.samplerate:
            blocks = _resampled(blocks, file.samplerate, rate, file.channels)
        got = 0
        for block in blocks:
            got += block.shape[1]
            if block.shape[1]:
                yield block if channels is None else to_channels(block, channels)
        if not got:
            raise AudioError("the audio file is empty: it has no samples.", "Export it again.", place=Place(str(path)))


def _open(path: Path | str) -> SoundFile:
    import soundfile

    if not Path(path).is_file():
        raise MissingError(f"there is no file {str(path)!r}.")
    try:
        file = soundfile.SoundFile(path)
        if file.frames > _UNKNOWN_FRAMES:
            # Recorders and pipes leave the length out. soundfile seeks behind what it has read, and at the end of such a
            # file that fails; a file that it may not seek in is read to its end.
            file.seekable = bool
    except (soundfile.LibsndfileError, RuntimeError, OSError, ValueError) as error:
        reason = str(error).split(": ")[-1].rstrip(".")
        raise AudioError(
            f"not an audio file that can be read ({reason}).",
            "Use WAV, AIFF, FLAC, OGG or MP3; convert others first.",
            place=Place(str(path)),
        ) from None
    if not SLOWEST_RATE <= file.samplerate <= FASTEST_RATE or file.channels > MOST_CHANNELS:
        raise AudioError(
            f"the audio file says that it has {file.channels} channels at {file.samplerate} Hz.",
            f"{MOST_CHANNELS} channels and {SLOWEST_RATE} to {FASTEST_RATE} Hz can be read: its header may be damaged.",
            place=Place(str(path)),
        )
    return file


def _decoded(file: SoundFile, name: str) -> Iterator[Block]:
    import soundfile

    position, order = 0, _FROM_OGG.get(file.channels) if file.format == "OGG" else None
    while True:
        try:
            interleaved = file.read(_BLOCK, dtype="float32", always_2d=True)
        except (soundfile.LibsndfileError, RuntimeError) as error:
            raise AudioError(
                f"the audio file is damaged at frame {position} ({error}).", "Export it again.", place=Place(name)
            ) from None
        if not len(interleaved):
            if file.format == "FLAC" and position < file.frames < _UNKNOWN_FRAMES:
                raise AudioError(
                    f"the audio file is cut short: its header announces {file.frames:,} frames, {position:,} are there.",
                    "Get a complete copy.",
                    place=Place(name),
                )
            return
        block = np.ascontiguousarray(interleaved.T if order is None else interleaved.T[order])
        check_finite(block, name, position)
        position += block.shape[1]
        yield block


def _resampled(blocks: Iterator[Block], source: int, target: int, channels: int) -> Iterator[Block]:
    import soxr

    stream = soxr.ResampleStream(source, target, channels, dtype="float32", quality="VHQ")
    for block in blocks:
        yield np.ascontiguousarray(stream.resample_chunk(np.ascontiguousarray(block.T)).T)
    yield np.ascontiguousarray(stream.resample_chunk(np.zeros((0, channels), np.float32), last=True).T)
