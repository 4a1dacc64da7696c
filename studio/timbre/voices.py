"""Finding voices, and the instruments that they know."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.context import RenderContext
from studio.errors import ModelError, Place
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


def range_of(name: str, context: RenderContext) -> tuple[float, float]:
    """The lowest and the highest key that a voice was trained on, as its card says; no network is loaded.

    Raises:
        MissingError: there is no such voice, or safetensors is not installed.
        ModelError: the file is no voice.
    """
    from studio.nets.voice_card import CARD

    voice, instrument = split_name(name)
    card = CARD.read_card(find_voice(voice, context))
    several = card.get("instruments", {})
    known = [several[instrument]] if instrument in several else list(several.values()) or [card]
    try:
        lowest, highest = min(each["lowest_octave"] for each in known), max(each["highest_octave"] for each in known)
    except KeyError as error:
        place = Place(str(find_voice(voice, context)))
        raise ModelError(f"its card does not say its range: {error}.", place=place) from None
    return 57 + 12 * float(lowest), 57 + 12 * float(highest)


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
