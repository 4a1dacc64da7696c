"""Finding voices: those that came with the studio, by name, and files."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import MissingError, nearest
from studio.folders import shipped_presets
from studio.stage import Stage
from studio.timbre.torch_library import need_torch

if TYPE_CHECKING:
    from studio.nets.voice import Voice

ENDING = ".voice"


def shipped_voices() -> dict[str, Path]:
    """The voices that came with the studio, by name."""
    return {path.stem: path for path in sorted((shipped_presets() / "voices").glob(f"*{ENDING}"))}


def split_name(name: str) -> tuple[str, str]:
    """A voice and one of the instruments it knows: ``orchestra:violin``, or a voice alone."""
    voice, colon, instrument = name.rpartition(":")
    return (voice, instrument) if colon and not name.endswith(ENDING) else (name, "")


def open_voice(name: str, stage: Stage) -> Voice:
    """The voice that a recipe means by `name`, ready to sing.

    Raises:
        MissingError: there is none, or torch is not installed.
        KnobError: it knows several instruments, and not the one asked for.
        ModelError: the file is no voice.
    """
    instrument = split_name(name)[1]
    voice = load_voice(find_voice(name, stage))
    return voice.of(instrument) if instrument or len(voice.instruments) > 1 else voice


def find_voice(name: str, stage: Stage) -> Path:
    """The file of a voice that a recipe means by `name`.

    Raises:
        MissingError: there is none.
    """
    name, _ = split_name(name)
    if name.endswith(ENDING):
        return stage.find(name)
    voices = shipped_voices()
    if name not in voices:
        raise MissingError(
            f"there is no voice {name!r}.", nearest(name, voices) or f"Give a file that ends in {ENDING}."
        )
    return voices[name]


def load_voice(path: Path) -> Voice:
    """Read a voice, once for as long as its file stays as it is.

    Raises:
        MissingError: torch is not installed.
        ModelError: the file is no voice.
    """
    return _load(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=16)
def _load(path: Path, changed: int) -> Voice:
    need_torch()
    from studio.nets.voice import Voice

    return Voice.load(path)
