"""Finding voices, and the instruments that they know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.context import RenderContext
from studio.timbre.model_registry import ModelRegistry

if TYPE_CHECKING:
    from studio.nets.voice import Voice

ENDING = ".voice"


def _read(path: Path) -> Voice:
    from studio.nets.voice import Voice

    return Voice.load(path)


VOICES = ModelRegistry("voice", "voices", ENDING, _read)


def split_name(name: str) -> tuple[str, str]:
    """A voice and one of the instruments it knows: ``orchestra:violin``, or a voice alone."""
    voice, colon, instrument = name.rpartition(":")
    return (voice, instrument) if colon and not name.endswith(ENDING) else (name, "")


def find_voice(name: str, context: RenderContext) -> Path:
    """The file of the voice that a recipe means by `name`.

    Raises:
        MissingError: there is none.
    """
    return VOICES.find(split_name(name)[0], context)


def open_voice(name: str, context: RenderContext) -> Voice:
    """The voice that a recipe means by `name`, ready to sing.

    Raises:
        MissingError: there is none, or torch is not installed.
        KnobError: it knows several instruments, and not the one asked for.
        ModelError: the file is no voice.
    """
    instrument = split_name(name)[1]
    voice = VOICES.load(find_voice(name, context))
    return voice.of(instrument) if instrument or len(voice.instruments) > 1 else voice
