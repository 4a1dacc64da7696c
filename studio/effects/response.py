"""Impulse responses: read from a file; `response.hpp` brings them to the rate of a render, or of a plugin's host."""

from __future__ import annotations

from pathlib import Path

from studio.audio import Audio, to_channels
from studio.audiofile import read_audio


def read_response(path: Path) -> Audio:
    """A response at its own rate, in one or two channels.

    Raises:
        AudioError: it cannot be read.
    """
    audio = read_audio(path)
    return audio if len(audio.samples) <= 2 else Audio(to_channels(audio.samples, 2), audio.rate)
